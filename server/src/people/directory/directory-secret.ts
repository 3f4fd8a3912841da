import { seal, unseal } from "#src/lib/seal.ts";

/** Seal context of a client secret: its row and the issuer that receives it. */
export function directorySealContext(directoryId: string, issuer: string): string {
  return `directory:${directoryId}:${issuer}`;
}

export function sealClientSecret(
  sealingKey: Buffer,
  of: { id: string; issuer: string },
  secret: string | null,
): Buffer | null {
  return secret === null ? null : seal(sealingKey, secret, directorySealContext(of.id, of.issuer));
}

/** Returns the client secret. Null: a public client. Throws if the row was changed without this server. */
export function unsealClientSecret(
  sealingKey: Buffer,
  of: { id: string; issuer: string; client_secret_sealed: Uint8Array | null },
): string | null {
  if (of.client_secret_sealed === null) return null;
  return unseal(sealingKey, of.client_secret_sealed, directorySealContext(of.id, of.issuer));
}
