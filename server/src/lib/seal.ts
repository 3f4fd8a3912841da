import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";

// AES-256-GCM: version byte, 12-byte nonce, 16-byte tag, ciphertext. `context` is authenticated too, so a sealed value
// does not open in another row or for another origin.

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** Derives the sealing key from the installation's secret. */
export function deriveSealingKey(secret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", "bursar seal v1", KEY_BYTES));
}

/** Fingerprint of the secret for the database: detects another secret, and does not reveal the secret. */
export function computeFingerprint(secret: string): string {
  const derived = hkdfSync("sha256", secret, "", "bursar fingerprint v1", KEY_BYTES);
  return createHash("sha256").update(Buffer.from(derived)).digest("hex").slice(0, 32);
}

export function seal(key: Buffer, plaintext: string, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body]);
}

/** Decrypts a sealed value. Throws if the key, the context or a byte differs. */
export function unseal(key: Buffer, sealed: Uint8Array, context: string): string {
  const bytes = Buffer.from(sealed);
  if (bytes[0] !== VERSION) throw new Error("sealed value has an unknown version");
  const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
  const tag = bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce);
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(tag);
  const body = bytes.subarray(1 + NONCE_BYTES + TAG_BYTES);
  return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
}
