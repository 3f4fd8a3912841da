import { checkEverywhere } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { lockMemberLimits, lockOrganization } from "#src/access/limited-scope.sql.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { readSetter } from "#src/limits/change-limit.ts";
import type { GroupLimitMode, LimitSetter } from "#src/limits/limit-values.rule.ts";
import { findGroupLimitMode } from "#src/limits/limited-groups.sql.ts";
import { refreshAllMemberRates, toAuditedRates } from "#src/rates/limits/refresh-member-rates.ts";
import { isRaise, type WantedLimit } from "./combine-values.rule.ts";
import { listMembersWithDefaults, saveGroupLimitMode } from "./member-defaults.sql.ts";
import { refreshMemberLimits, toAuditedChanges } from "./refresh-member-limits.ts";
import type { ChangedMemberLimit } from "./save-member-limits.ts";
import { storedSpendLimits } from "./stored-spend-limits.ts";

// The organization's rule for members of several groups with default caps or rates.

export function getGroupLimitMode(
  { database }: AuditDeps,
  { caller }: Call,
): Promise<GroupLimitMode> {
  return findGroupLimitMode(database, caller.organizationId);
}

/**
 * Sets the mode, and with it the limits of all members of several groups. Throws a 403 without rights in the whole
 * organization, what `refreshMemberLimits` throws, and a 403 if the change raises a limit and that needs two people.
 */
export function setGroupLimitMode(
  deps: AuditDeps,
  { caller, origin }: Call,
  mode: GroupLimitMode,
): Promise<GroupLimitMode> {
  checkEverywhere(caller, "spend_limits:write");
  const { organizationId } = caller;
  const scope = { scopeType: "organization", scopeId: organizationId, workspaceId: null } as const;
  const setter = readSetter(caller, scope, undefined);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await lockOrganization(tx, organizationId);
    await lockMemberLimits(tx, organizationId);
    const before = await findGroupLimitMode(tx, organizationId);
    if (before === mode) return { result: mode, audit: "unchanged" };
    await saveGroupLimitMode(tx, { organizationId, mode });
    const memberIds = await listMembersWithDefaults(tx, organizationId);
    const change = { organizationId, memberIds, rank: setter.rank };
    const changed = await refreshMemberLimits(tx, deps, change);
    const rates = await refreshAllMemberRates(tx, { organizationId, rank: setter.rank });
    if (rates.length > 0) checkEverywhere(caller, "rate_limits:write");
    await checkRaises(tx, { organizationId, setter, changed });
    const isWider = changed.some(({ before, after }) => storedSpendLimits.isWider(before, after));
    if (isWider || mode === "highest") checkStepUp(caller, deps.nowMs());
    return {
      result: mode,
      audit: {
        event: "group_limit_mode.set",
        subject: { type: "group_limit_mode", id: organizationId },
        workspaceId: null,
        before: { mode: before },
        after: { mode, ...toAuditedChanges(changed), ...toAuditedRates(rates) },
      },
    };
  });
}

/** Throws a 403 if a limit is raised and one person cannot do that alone. */
async function checkRaises(
  tx: Tx,
  of: {
    organizationId: string;
    setter: LimitSetter;
    changed: readonly ChangedMemberLimit[];
  },
): Promise<void> {
  const { organizationId, setter, changed } = of;
  const wanted = changed.map(({ before, after }) => ({
    before: before && storedSpendLimits.toWanted(before),
    after: after && storedSpendLimits.toWanted(after),
  }));
  const raise = wanted.find(isRaisedLimit);
  if (raise === undefined) return;
  await storedSpendLimits.checkChange(tx, { organizationId, setter, ...raise });
}

function isRaisedLimit({ before, after }: Record<"before" | "after", WantedLimit | null>): boolean {
  return isRaise(before, after);
}
