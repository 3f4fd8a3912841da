import { includesRank, type Rank } from "@bursar/contract/permissions.ts";
import { lockMemberLimits } from "#src/access/limited-scope.sql.ts";
import type { Tx } from "#src/db/pool.ts";
import { refuseSetAbove } from "#src/limits/change-limit.ts";
import { deleteSpendLimit, listSpendLimits } from "#src/spend/ledger/limits.sql.ts";
import { listSpendValues, replaceSpendValues } from "./limit-values.sql.ts";
import { storedSpendLimits } from "./stored-spend-limits.ts";

/**
 * Deletes the limits of a group and the default limits of its members, before the group is deleted. The caller then refreshes
 * the limits of its members. Throws a 403 for a value of a higher rank. Rank null: a directory deletes the group.
 */
export async function removeGroupLimits(
  tx: Tx,
  of: { organizationId: string; groupId: string; rank: Rank | null },
): Promise<void> {
  const { organizationId, groupId: scopeId, rank } = of;
  await lockMemberLimits(tx, organizationId);
  const limits = await listSpendLimits(tx, { organizationId, scopeId });
  const values = await listSpendValues(tx, { organizationId, scopeIds: [scopeId] });
  for (const limit of limits) {
    const own = values.filter(
      ({ scopeType, period }) => scopeType === limit.scopeType && period === limit.period,
    );
    const above = own.find((value) => rank !== null && !includesRank(rank, value.rank));
    if (above !== undefined) throw refuseSetAbove(storedSpendLimits.describe(limit), above);
    await replaceSpendValues(tx, limit, []);
    await deleteSpendLimit(tx, limit);
  }
}
