import type { Database, Tx } from "#src/db/pool.ts";

/** Longest lifetime of a key in days, which everything that makes or changes a key keeps; null: there is none. */
export async function findMaxKeyLifetimeDays(
  db: Database | Tx,
  organizationId: string,
): Promise<number | null> {
  const row = await db
    .selectFrom("security_settings")
    .select("max_key_lifetime_days")
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row?.max_key_lifetime_days ?? null;
}
