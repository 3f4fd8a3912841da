import { readFileSync } from "node:fs";
import { CommandError, exitCodes } from "./command-error.ts";
import type { Field, Kind } from "./read-fields.ts";
import { readTime } from "./read-time.ts";

/** Context of a value that is read. */
export interface Reading {
  /** Flag or argument, for error messages. */
  name: string;
  nowMs: number;
}

/** Converts a written value to its wire form. Throws CommandError if it cannot be read. */
export function readValue(kind: Kind, written: string | readonly string[], reading: Reading) {
  const parts = typeof written === "string" ? [written] : written;
  if (kind.type === "list") return readList(kind.item, parts, reading);
  if (kind.type === "map") return readMap(parts, reading);
  return readOne(kind, parts.at(-1) ?? "", reading);
}

function readOne(kind: Kind, text: string, reading: Reading): unknown {
  switch (kind.type) {
    case "time":
      return readTime(text, reading.nowMs);
    case "integer":
      return readNumber(text, /^-?\d{1,15}$/, "a whole number", reading);
    case "number":
      return readNumber(text, /^-?\d{1,15}(\.\d{1,15})?$/, "a number", reading);
    case "parts":
      return text.startsWith("{") ? readJson(text, reading) : readParts(kind.fields, text, reading);
    case "variant":
      return text.startsWith("{") ? readJson(text, reading) : readVariant(kind, text, reading);
    case "json":
    case "list":
    case "map":
      return readJson(text, reading);
    case "text":
    case "secret":
    case "file":
    case "choice":
    case "amount":
    case "flag":
      return text;
  }
}

function readNumber(text: string, form: RegExp, expected: string, { name }: Reading): number {
  if (form.test(text)) return Number(text);
  throw makeUsageError(`${name}: expected ${expected}, not "${text}".`);
}

/** Reads repeated flags, values separated by commas, JSON, or the file of a list of objects. */
function readList(item: Kind, parts: readonly string[], reading: Reading): unknown {
  const [first = ""] = parts;
  const isFile = item.type === "json" && first.startsWith("@");
  if (parts.length === 1 && (isFile || first.startsWith("["))) return readJson(first, reading);
  return parts
    .flatMap((part) => (part.startsWith("{") ? [part] : part.split(",")))
    .map((part) => readOne(item, part.trim(), reading));
}

function readMap(parts: readonly string[], reading: Reading): unknown {
  const [first = ""] = parts;
  const isFile = first.startsWith("@") && !first.includes("=");
  if (parts.length === 1 && (isFile || first.startsWith("{"))) return readJson(first, reading);
  const map: [string, string][] = parts.map((part) => {
    const at = part.indexOf("=");
    if (at < 1) throw makeUsageError(`${reading.name}: expected name=value, not "${part}".`);
    return [part.slice(0, at), part.slice(at + 1)];
  });
  return Object.fromEntries(map);
}

/** Splits from the right, because the first part is usually a name that may contain colons. */
function readParts(fields: readonly Field[], text: string, reading: Reading): object {
  const words = text.split(":");
  if (words.length < fields.length || words.includes("")) {
    const form = fields.map((field) => field.name).join(":");
    throw makeUsageError(`${reading.name}: expected ${form}, not "${text}".`);
  }
  const first = words.slice(0, words.length - fields.length + 1).join(":");
  const values = [first, ...words.slice(words.length - fields.length + 1)];
  return Object.fromEntries(
    fields.map(({ name, kind }, i) => [name, readOne(kind, values[i] ?? "", reading)]),
  );
}

function readVariant(
  { discriminator, variants }: Extract<Kind, { type: "variant" }>,
  text: string,
  reading: Reading,
): object {
  const [word = "", ...rest] = text.split(":");
  const fields = variants.get(word) ?? variants.get(word.replaceAll("-", "_"));
  if (!fields) {
    const known = [...variants.keys()].join(", ");
    throw makeUsageError(`${reading.name}: expected one of ${known}, not "${word}".`);
  }
  const value = variants.has(word) ? word : word.replaceAll("-", "_");
  if (fields.length === 0 && rest.length === 0) return { [discriminator]: value };
  return { [discriminator]: value, ...readParts(fields, rest.join(":"), reading) };
}

/** Parses JSON, or the file after `@`. */
export function readJson(text: string, { name }: Pick<Reading, "name">): unknown {
  const json = text.startsWith("@") ? readFile(text.slice(1), name) : text;
  try {
    return JSON.parse(json);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw makeUsageError(`${name}: invalid JSON: ${reason}.`);
  }
}

export function readFile(path: string, name: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw makeUsageError(`${name}: cannot read ${path}: ${reason}.`);
  }
}

export function makeUsageError(message: string): CommandError {
  return new CommandError(message, exitCodes.usage);
}
