import { createHash } from "node:crypto";
import { isStorableText } from "./storable-text.ts";

// An opaque cursor: base64url of a JSON array with the position in a list and a digest of its filters. A cursor grants
// nothing: each request is authorized again.

const DIGEST_CHARS = 16;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

export type CursorPart = string | number;

export function encodeCursor(position: readonly CursorPart[], filters: unknown): string {
  return Buffer.from(JSON.stringify([digestOf(filters), ...position])).toString("base64url");
}

/** Returns the position, or the fault. `shape` has the type of each part. */
export function decodeCursor(
  text: string,
  filters: unknown,
  shape: readonly ("string" | "number")[],
): CursorPart[] | "malformed" | "other filters" {
  const parts = parseArray(text);
  if (parts === null || parts.length !== shape.length + 1) return "malformed";
  const [digest, ...position] = parts;
  if (typeof digest !== "string") return "malformed";
  if (!isPosition(position, shape)) return "malformed";
  return digest === digestOf(filters) ? position : "other filters";
}

function parseArray(text: string): unknown[] | null {
  if (!BASE64URL.test(text)) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function isPosition(
  parts: unknown[],
  shape: readonly ("string" | "number")[],
): parts is CursorPart[] {
  return parts.every((part, index) => {
    if (typeof part === "number") return shape[index] === "number" && Number.isSafeInteger(part);
    return typeof part === "string" && shape[index] === "string" && isStorableText(part);
  });
}

function digestOf(filters: unknown): string {
  const text = JSON.stringify(filters ?? null);
  return createHash("sha256").update(text).digest("base64url").slice(0, DIGEST_CHARS);
}
