import type { Database, Tx } from "#src/db/pool.ts";

export interface RetiredKeyRow {
  organizationId: string;
  throughSeq: bigint;
  keySealed: Uint8Array;
}

/** Lists the retired keys of one log, or of all, oldest first. */
export function listRetiredKeys(
  db: Database | Tx,
  organizationId: string | null,
): Promise<RetiredKeyRow[]> {
  let query = db
    .selectFrom("retired_audit_key")
    .select([
      "organization_id as organizationId",
      "through_seq as throughSeq",
      "key_sealed as keySealed",
    ]);
  if (organizationId !== null) query = query.where("organization_id", "=", organizationId);
  return query.orderBy("organization_id").orderBy("through_seq").execute();
}

/** Replaces the retired keys of a log. */
export async function replaceRetiredKeys(
  tx: Tx,
  organizationId: string,
  rows: readonly RetiredKeyRow[],
): Promise<void> {
  await tx.deleteFrom("retired_audit_key").where("organization_id", "=", organizationId).execute();
  for (const row of rows) {
    await tx
      .insertInto("retired_audit_key")
      .values({
        organization_id: organizationId,
        through_seq: row.throughSeq,
        key_sealed: row.keySealed,
      })
      .execute();
  }
}
