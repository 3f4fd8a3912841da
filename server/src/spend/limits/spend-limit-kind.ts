import type { Tx } from "#src/db/pool.ts";
import type { SaveDeps, ScopeOfLimit } from "#src/limits/limit-kind.ts";
import type { LimitSetter } from "#src/limits/limit-values.rule.ts";
import { listMemberIds } from "#src/limits/limited-groups.sql.ts";
import { refreshMemberLimits, toAuditedChanges } from "./refresh-member-limits.ts";
import { storedSpendLimits } from "./stored-spend-limits.ts";

/** Spend limits. A default limit of a group changes the limits of its members. */
export const spendLimits: typeof storedSpendLimits = {
  ...storedSpendLimits,
  applyEffects: refreshMembersOfGroup,
};

async function refreshMembersOfGroup(
  tx: Tx,
  deps: SaveDeps,
  { organizationId, scopeType, scopeId, setter }: ScopeOfLimit & { setter: LimitSetter },
) {
  if (scopeType !== "group_member") return {};
  const memberIds = await listMemberIds(tx, scopeId);
  const { rank } = setter;
  return toAuditedChanges(await refreshMemberLimits(tx, deps, { organizationId, memberIds, rank }));
}
