import { createHmac, hkdfSync } from "node:crypto";
import { canonicalJson, type JsonValue } from "./canonical-json.ts";

// Everything that makes the log tamper-evident is an HMAC-SHA256 under one key, which comes from BURSAR_SECRET and is
// nowhere in the database. Each kind of text has a label of its own, so that none can be passed off as another.

const KEY_BYTES = 32;

/** The key of the audit log, from the installation's secret. */
export function auditKey(secret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", "bursar audit log v1", KEY_BYTES));
}

type Label = "event" | "head" | "checkpoint" | "anchor" | "chain" | "claim" | "request";

/** 32 bytes that only who has the key can make of this value. */
export function sign(key: Buffer, label: Label, value: JsonValue): Buffer {
  return createHmac("sha256", key)
    .update(`${label}\n${canonicalJson(value)}`)
    .digest();
}

export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
