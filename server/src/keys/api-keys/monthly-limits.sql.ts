import type { Database, Tx } from "#src/db/pool.ts";

/** Monthly spend limits of keys themselves, nano-USD by key. */
export async function listMonthlyLimits(
  db: Database | Tx,
  of: { organizationId: string; apiKeyIds: readonly string[] },
): Promise<Map<string, bigint>> {
  if (of.apiKeyIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("spend_limit")
    .select(["scope_id", "amount_nano_usd"])
    .where("organization_id", "=", of.organizationId)
    .where("scope_type", "=", "api_key")
    .where("scope_id", "in", of.apiKeyIds)
    .where("period", "=", "monthly")
    .where("enforcement", "!=", "alert_only")
    .execute();
  return new Map(rows.map((row) => [row.scope_id, row.amount_nano_usd]));
}
