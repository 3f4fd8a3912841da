import type { Database, Tx } from "#src/db/pool.ts";

export interface EvidenceKeyRow {
  id: string;
  organization_id: string;
  public_key: Uint8Array;
  private_key_sealed: Uint8Array;
  created_at: Date;
}

export async function findEvidenceKey(
  db: Database | Tx,
  organizationId: string,
): Promise<EvidenceKeyRow | null> {
  const row = await db
    .selectFrom("evidence_key")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row ?? null;
}

/** Keeps an existing key. */
export async function insertEvidenceKey(tx: Tx, row: EvidenceKeyRow): Promise<void> {
  await tx
    .insertInto("evidence_key")
    .values(row)
    .onConflict((conflict) => conflict.column("organization_id").doNothing())
    .execute();
}
