import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { canonicalJson, type JsonValue } from "#src/audit/canonical-json.ts";

// Evidence is signed with Ed25519. The public key verifies a signature but cannot create one.

const LABEL = "bursar evidence v1\n";
const PUBLIC_KEY_BYTES = 32;
/** Prefix of the 32 key bytes in the DER form of a public key (RFC 8410). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

export interface EvidenceKeyPair {
  publicKey: Buffer;
  /** PKCS #8 in base64. A secret. */
  privateKey: string;
}

export function makeEvidenceKeyPair(): EvidenceKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return {
    publicKey: publicKey.export({ format: "der", type: "spki" }).subarray(-PUBLIC_KEY_BYTES),
    privateKey: privateKey.export({ format: "der", type: "pkcs8" }).toString("base64"),
  };
}

export interface SignedText {
  keyId: string;
  document: JsonValue;
}

/** Returns the signature in base64. */
export function signEvidence(privateKey: string, text: SignedText): string {
  const key = createPrivateKey({
    key: Buffer.from(privateKey, "base64"),
    format: "der",
    type: "pkcs8",
  });
  return sign(null, toBytes(text), key).toString("base64");
}

/** Returns whether the private key signed exactly this document. */
export function isSigned(publicKey: Uint8Array, text: SignedText, signature: string): boolean {
  const bytes = Buffer.from(signature, "base64");
  // Base64 allows several spellings of the same bytes. Only the original one is valid.
  if (bytes.toString("base64") !== signature) return false;
  return verify(null, toBytes(text), toKeyObject(publicKey), bytes);
}

export function toPem(publicKey: Uint8Array): string {
  return toKeyObject(publicKey).export({ format: "pem", type: "spki" }).toString();
}

function toKeyObject(publicKey: Uint8Array): KeyObject {
  const key = Buffer.concat([SPKI_PREFIX, publicKey]);
  return createPublicKey({ key, format: "der", type: "spki" });
}

function toBytes({ keyId, document }: SignedText): Buffer {
  return Buffer.from(LABEL + canonicalJson({ document, key_id: keyId }));
}
