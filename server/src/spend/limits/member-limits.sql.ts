import type { Database, Tx } from "#src/db/pool.ts";
import { type SpendLimit, spendLimitColumns } from "#src/spend/ledger/limits.sql.ts";

/** Lists the limits in force of members, of all periods. */
export function listLimitsOfMembers(
  db: Database | Tx,
  of: { organizationId: string; memberIds: readonly string[] },
): Promise<SpendLimit[]> {
  return db
    .selectFrom("spend_limit")
    .select(spendLimitColumns)
    .where("organization_id", "=", of.organizationId)
    .where("scope_type", "=", "member")
    .where("scope_id", "in", of.memberIds)
    .execute();
}
