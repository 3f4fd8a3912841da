import { createHash } from "node:crypto";

/**
 * SHA-256 of a secret: what is stored of it and looked up by. A fast hash is enough, and only for secrets that carry
 * 256 random bits of their own: there is nothing to guess.
 */
export function hashSecret(secret: string): Buffer {
  return createHash("sha256").update(secret, "utf8").digest();
}
