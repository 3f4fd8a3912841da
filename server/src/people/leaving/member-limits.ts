import type { Rank } from "@bursar/contract/permissions.ts";
import type { JsonValue } from "#src/audit/canonical-json.ts";
import type { Tx } from "#src/db/pool.ts";
import type { SaveDeps } from "#src/limits/limit-kind.ts";
import {
  type ChangedMemberRate,
  refreshMemberRates,
  toAuditedRates,
} from "#src/rates/limits/refresh-member-rates.ts";
import { refreshMemberLimits, toAuditedChanges } from "#src/spend/limits/refresh-member-limits.ts";
import type { ChangedMemberLimit } from "#src/spend/limits/save-member-limits.ts";

/** Spend limits and rate limits in force of members that changed with their groups. */
export interface ChangedLimits {
  spend: ChangedMemberLimit[];
  rates: ChangedMemberRate[];
}

/**
 * Computes the limits of members again, after a change of their groups and in its transaction. Rank null: a directory. Throws a
 * 403 if a default of a higher rank would no longer apply.
 */
export async function refreshLimitsOfMembers(
  tx: Tx,
  deps: SaveDeps,
  of: { organizationId: string; memberIds: readonly string[]; rank: Rank | null },
): Promise<ChangedLimits> {
  const spend = await refreshMemberLimits(tx, deps, of);
  return { spend, rates: await refreshMemberRates(tx, of) };
}

/** Fields of an audit event about limits of members that changed too. */
export function toAuditedLimits({ spend, rates }: ChangedLimits): {
  readonly [field: string]: JsonValue;
} {
  return { ...toAuditedChanges(spend), ...toAuditedRates(rates) };
}

/** Changed limits of one member. */
export function limitsOfMember({ spend, rates }: ChangedLimits, id: string): ChangedLimits {
  return {
    spend: spend.filter(({ memberId }) => memberId === id),
    rates: rates.filter(({ memberId }) => memberId === id),
  };
}
