import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { newId, type RandomBytes } from "#src/lib/ids.ts";
import { seal, unseal } from "#src/lib/seal.ts";
import { type EvidenceKeyRow, findEvidenceKey, insertEvidenceKey } from "./evidence-keys.sql.ts";
import { makeEvidenceKeyPair } from "./evidence-signature.ts";

interface KeyDeps {
  nowMs: () => number;
  randomBytes: RandomBytes;
  sealingKey: Buffer;
}

/** Creates the organization's key, once. */
export async function ensureEvidenceKey(
  tx: Tx,
  deps: KeyDeps,
  organizationId: string,
): Promise<void> {
  if ((await findEvidenceKey(tx, organizationId)) !== null) return;
  const { publicKey, privateKey } = makeEvidenceKeyPair();
  const nowMs = deps.nowMs();
  const id = newId(idPrefixes.evidenceKey, nowMs, deps.randomBytes);
  await insertEvidenceKey(tx, {
    id,
    organization_id: organizationId,
    public_key: publicKey,
    private_key_sealed: seal(deps.sealingKey, privateKey, evidenceSealContext({ id, publicKey })),
    created_at: new Date(nowMs),
  });
}

export interface EvidenceKey {
  row: EvidenceKeyRow;
  privateKey: string;
}

/**
 * Returns the organization's key, or null if there is none. Throws if this installation did not seal the private key.
 * Such a key was inserted into the database, and its signatures prove nothing.
 */
export async function openEvidenceKey(
  db: Database | Tx,
  sealingKey: Buffer,
  organizationId: string,
): Promise<EvidenceKey | null> {
  const row = await findEvidenceKey(db, organizationId);
  if (row === null) return null;
  const context = evidenceSealContext({ id: row.id, publicKey: row.public_key });
  return { row, privateKey: unseal(sealingKey, row.private_key_sealed, context) };
}

export function evidenceSealContext(of: { id: string; publicKey: Uint8Array }): string {
  return `evidence key ${of.id} ${Buffer.from(of.publicKey).toString("hex")}`;
}
