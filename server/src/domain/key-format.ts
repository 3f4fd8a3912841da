import { assert } from "#src/lib/assert.ts";
import type { RandomBytes } from "#src/lib/ids.ts";
import * as secretHash from "#src/lib/secret-hash.ts";

// A secret is `prefix` + 32 random bytes in base62 (43 characters, fixed width) + CRC-32 of all that in base62 (6
// characters). The official prefixes let secret scanners find it. The checksum rejects a mistyped or invented secret
// without a database query.

/** `scim`: a token of a directory, which is no key. */
export type SecretKind = "api" | "admin" | "scim";

export interface NewSecret {
  /** Shown once, never stored. */
  secret: string;
  /** SHA-256, 32 bytes. */
  hash: Buffer;
  /** Hint to recognize the key on a screen: `sk-ant-api03-R2D...igAA`. */
  hint: string;
}

const secretPrefixes: Readonly<Record<SecretKind, string>> = {
  api: "sk-ant-api03-",
  admin: "sk-ant-admin01-",
  scim: "bursar-scim-",
};

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_BYTES = 32;
const RANDOM_CHARS = 43; // 62^43 > 2^256
const CHECKSUM_CHARS = 6; // 62^6 > 2^32
const HINT_HEAD_CHARS = 3;
const HINT_TAIL_CHARS = 4;
const BODY = /^[0-9A-Za-z]{49}$/;

/** Creates a secret of the kind. `random` returns the requested number of uniform random bytes. */
export function makeSecret(kind: SecretKind, random: RandomBytes): NewSecret {
  const bytes = random(RANDOM_BYTES);
  assert(bytes.length === RANDOM_BYTES, "the random source gives the bytes it is asked for");
  const number = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const unchecked = secretPrefixes[kind] + toBase62(number, RANDOM_CHARS);
  const secret = unchecked + checksumOf(unchecked);
  return { secret, hash: hashSecret(secret), hint: hintOf(secret, kind) };
}

/**
 * Returns the kind of a well-formed secret, or null for any other text. Only the database knows whether the secret
 * exists. The length is checked first, so the cost is bounded for any input.
 */
export function checkSecret(text: string): { kind: "api" | "admin" } | null {
  const kind = isOfKind("api", text) ? "api" : isOfKind("admin", text) ? "admin" : null;
  return kind !== null && isWellFormed(kind, text) ? { kind } : null;
}

/** Whether the text is a well-formed token of a directory, which may not exist. */
export function isScimToken(text: string): boolean {
  return isOfKind("scim", text) && isWellFormed("scim", text);
}

/** SHA-256 of the secret, 32 bytes: the only stored form. */
export function hashSecret(secret: string): Buffer {
  return secretHash.hashSecret(secret);
}

function isOfKind(kind: SecretKind, text: string): boolean {
  const prefix = secretPrefixes[kind];
  return text.length === prefix.length + RANDOM_CHARS + CHECKSUM_CHARS && text.startsWith(prefix);
}

function isWellFormed(kind: SecretKind, text: string): boolean {
  if (!BODY.test(text.slice(secretPrefixes[kind].length))) return false;
  return text.slice(-CHECKSUM_CHARS) === checksumOf(text.slice(0, -CHECKSUM_CHARS));
}

function hintOf(secret: string, kind: SecretKind): string {
  const head = secret.slice(0, secretPrefixes[kind].length + HINT_HEAD_CHARS);
  // The tail is a part of the checksum, so the hint reveals only three characters of the random part.
  return `${head}...${secret.slice(-HINT_TAIL_CHARS)}`;
}

function checksumOf(text: string): string {
  return toBase62(BigInt(crc32(text)), CHECKSUM_CHARS);
}

function toBase62(number: bigint, length: number): string {
  let text = "";
  for (let rest = number; text.length < length; rest /= 62n) {
    text = BASE62.charAt(Number(rest % 62n)) + text;
  }
  return text;
}

/** CRC-32 (ISO 3309, as in zip) of an ASCII text. Any single changed character changes it. */
export function crc32(text: string): number {
  let crc = 0xffff_ffff;
  for (let i = 0; i < text.length; i++) {
    crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ text.charCodeAt(i)) & 0xff] ?? 0);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  return crc;
});
