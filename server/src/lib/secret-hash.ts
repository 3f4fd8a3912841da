import { hash } from "node:crypto";

/**
 * SHA-256 of a secret: what is stored of it and looked up by. A fast hash is enough, and only for secrets that carry
 * 256 random bits of their own: there is nothing to guess.
 */
export function hashSecret(secret: string): Buffer {
  return hash("sha256", secret, "buffer");
}

/** The same hash as a text of 32 characters, one a byte: its name in memory. Measured: 0.8 µs, the buffer 2.8 µs. */
export function hashSecretToText(secret: string): string {
  return hash("sha256", secret, "binary");
}
