import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

/** Locks the organization's settings until the transaction ends, also if there are none yet. */
export async function lockSecuritySettings(
  tx: Tx,
  organizationId: string,
): Promise<{ maxKeyLifetimeDays: number | null }> {
  await tx
    .insertInto("security_settings")
    .values({ organization_id: organizationId, max_key_lifetime_days: null })
    .onConflict((conflict) => conflict.column("organization_id").doNothing())
    .execute();
  const row = await tx
    .selectFrom("security_settings")
    .select("max_key_lifetime_days")
    .where("organization_id", "=", organizationId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  return { maxKeyLifetimeDays: row.max_key_lifetime_days };
}

export async function saveMaxKeyLifetime(
  tx: Tx,
  organizationId: string,
  days: number | null,
): Promise<void> {
  await tx
    .updateTable("security_settings")
    .set({ max_key_lifetime_days: days })
    .where("organization_id", "=", organizationId)
    .execute();
}

/** Counts keys that work at `now` and never expire, or expire more than `maxDays` after their secret was created. */
export async function countKeysBeyond(
  db: Database | Tx,
  of: { organizationId: string; maxDays: number; now: Date },
): Promise<{ apiKeys: number; adminKeys: number }> {
  const { rows } = await sql<{ apiKeys: bigint; adminKeys: bigint }>`
    SELECT
      (SELECT count(*) FROM api_key
        JOIN api_key_secret AS secret ON secret.api_key_id = api_key.id AND secret.valid_until IS NULL
        WHERE organization_id = ${of.organizationId} AND status <> 'archived'
          AND coalesce(expires_at, 'infinity') > greatest(${of.now}, secret.created_at + make_interval(hours => ${24 * of.maxDays})))
        AS "apiKeys",
      (SELECT count(*) FROM admin_key
        WHERE organization_id = ${of.organizationId} AND status = 'active'
          AND coalesce(expires_at, 'infinity') > greatest(${of.now}, created_at + make_interval(hours => ${24 * of.maxDays})))
        AS "adminKeys"`.execute(db);
  return { apiKeys: Number(rows[0]?.apiKeys), adminKeys: Number(rows[0]?.adminKeys) };
}
