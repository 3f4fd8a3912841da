import { includesRank, type Rank } from "@bursar/contract/permissions.ts";
import { lockMemberLimits } from "#src/access/limited-scope.sql.ts";
import type { Tx } from "#src/db/pool.ts";
import { refuseSetAbove } from "#src/limits/change-limit.ts";
import { deleteRateLimits } from "#src/rates/buckets/limit-changes.sql.ts";
import { listScopeRateLimits } from "#src/rates/buckets/limits.sql.ts";
import { deleteRateValues, listRateValues } from "./limit-values.sql.ts";
import { storedRateLimits } from "./stored-rate-limits.ts";

/**
 * Deletes the rate limits of a group and the default rates of its members, before the group is deleted. The caller then
 * refreshes the limits of its members. Throws a 403 for a value of a higher rank. Rank null: a directory deletes the group.
 */
export async function removeGroupRates(
  tx: Tx,
  { organizationId, groupId, rank }: { organizationId: string; groupId: string; rank: Rank | null },
): Promise<void> {
  await lockMemberLimits(tx, organizationId);
  const of = { organizationId, scopeIds: [groupId] };
  const limits = await listScopeRateLimits(tx, of);
  const values = await listRateValues(tx, of);
  for (const limit of limits) {
    const own = values.filter(
      ({ scopeType, modelGroup }) =>
        scopeType === limit.scopeType && modelGroup === limit.modelGroup,
    );
    const above = own.find((value) => rank !== null && !includesRank(rank, value.rank));
    if (above !== undefined) throw refuseSetAbove(storedRateLimits.describe(limit), above);
  }
  await deleteRateValues(tx, { organizationId, scopeId: groupId });
  await deleteRateLimits(tx, { organizationId, ids: limits.map(({ id }) => id) });
}
