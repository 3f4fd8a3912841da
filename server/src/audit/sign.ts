import { createHmac, hkdfSync } from "node:crypto";
import { canonicalJson, type JsonValue } from "./canonical-json.ts";

// The audit log is tamper-evident by HMAC-SHA256 with one key, which is derived from BURSAR_SECRET and not in the database.
// Each kind of text has its own label, so that no signature fits another kind.

const KEY_BYTES = 32;

/** Derives the key of the audit log from the installation's secret. */
export function deriveAuditKey(secret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", "bursar audit log v1", KEY_BYTES));
}

/** Derives the key that seals earlier keys of the log. */
export function deriveRetiredKeysKey(auditKey: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", auditKey, "", "bursar retired audit keys v1", KEY_BYTES));
}

type Label = "event" | "head" | "checkpoint" | "anchor" | "chain" | "claim" | "request";

/** Returns the HMAC of the value, 32 bytes. */
export function sign(key: Buffer, label: Label, value: JsonValue): Buffer {
  return createHmac("sha256", key)
    .update(`${label}\n${canonicalJson(value)}`)
    .digest();
}

export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
