import { seal } from "#src/lib/seal.ts";

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
