import type { Tx } from "#src/db/pool.ts";
import type { SaveDeps, ScopeOfLimit } from "#src/limits/limit-kind.ts";
import type { LimitSetter } from "#src/limits/limit-values.rule.ts";
import { listMemberIds } from "#src/limits/limited-groups.sql.ts";
import { refreshMemberRates, toAuditedRates } from "./refresh-member-rates.ts";
import { storedRateLimits } from "./stored-rate-limits.ts";

/** Rate limits. A default rate of a group changes the rates of its members. */
export const rateLimits: typeof storedRateLimits = {
  ...storedRateLimits,
  applyEffects: refreshMembersOfGroup,
};

async function refreshMembersOfGroup(
  tx: Tx,
  _deps: SaveDeps,
  { organizationId, scopeType, scopeId, setter }: ScopeOfLimit & { setter: LimitSetter },
) {
  if (scopeType !== "group_member") return {};
  const memberIds = await listMemberIds(tx, scopeId);
  const { rank } = setter;
  return toAuditedRates(await refreshMemberRates(tx, { organizationId, memberIds, rank }));
}
