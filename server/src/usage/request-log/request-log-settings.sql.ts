import type { Database, Tx } from "#src/db/pool.ts";

export interface RequestLogSettings {
  retentionDays: number | null;
  prunedBefore: Date | null;
}

export async function findRequestLogSettings(
  db: Database | Tx,
  organizationId: string,
): Promise<RequestLogSettings> {
  const row = await db
    .selectFrom("usage_settings")
    .select(["log_retention_days as retentionDays", "log_pruned_before as prunedBefore"])
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row ?? { retentionDays: null, prunedBefore: null };
}

/** Creates missing settings, and locks them until the transaction ends. */
export async function lockRequestLogSettings(
  tx: Tx,
  organizationId: string,
): Promise<RequestLogSettings> {
  await tx
    .insertInto("usage_settings")
    .values({ organization_id: organizationId, log_retention_days: null, log_pruned_before: null })
    .onConflict((conflict) => conflict.column("organization_id").doNothing())
    .execute();
  return tx
    .selectFrom("usage_settings")
    .select(["log_retention_days as retentionDays", "log_pruned_before as prunedBefore"])
    .where("organization_id", "=", organizationId)
    .forUpdate()
    .executeTakeFirstOrThrow();
}

export async function saveRetentionDays(
  tx: Tx,
  organizationId: string,
  days: number | null,
): Promise<void> {
  await tx
    .updateTable("usage_settings")
    .set({ log_retention_days: days })
    .where("organization_id", "=", organizationId)
    .execute();
}
