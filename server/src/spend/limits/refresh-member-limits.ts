import type { Rank } from "@bursar/contract/permissions.ts";
import { lockMemberLimits } from "#src/access/limited-scope.sql.ts";
import type { JsonValue } from "#src/audit/canonical-json.ts";
import type { Tx } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { formatUsd } from "#src/domain/money.ts";
import type { SaveDeps } from "#src/limits/limit-kind.ts";
import { findGroupLimitMode } from "#src/limits/limited-groups.sql.ts";
import type { SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { findEasedAbove, type MemberDefault, pickDefaults } from "./member-defaults.rule.ts";
import {
  listGroupDefaults,
  listMemberDefaults,
  replaceMemberDefaults,
} from "./member-defaults.sql.ts";
import {
  type ChangedMemberLimit,
  keyOfPlace,
  type MemberPlace,
  saveMemberLimits,
} from "./save-member-limits.ts";

interface Refresh {
  organizationId: string;
  memberIds: readonly string[];
  /** Rank of the change. Null: a directory, which may remove defaults of every rank. */
  rank: Rank | null;
}

/**
 * Computes the limits of members again, after a change of their groups, of defaults or of the mode, in the transaction of
 * that change. Nodes then treat them like any other limit. A second call changes nothing. Throws a 403 if a default of a
 * higher rank would no longer apply.
 */
export async function refreshMemberLimits(
  tx: Tx,
  deps: SaveDeps,
  { organizationId, memberIds, rank }: Refresh,
): Promise<ChangedMemberLimit[]> {
  if (memberIds.length === 0) return [];
  await lockMemberLimits(tx, organizationId);
  const of = { organizationId, memberIds };
  const mode = await findGroupLimitMode(tx, organizationId);
  const before = await listMemberDefaults(tx, of);
  const after = pickDefaults(await listGroupDefaults(tx, of), mode);
  const eased = rank === null ? null : findEasedAbove(before, after, rank);
  if (eased !== null) throw refuseEasedDefault(eased);
  const places = listChanged(before, after);
  if (places.length === 0) return [];
  await replaceMemberDefaults(tx, of, after);
  return saveMemberLimits(tx, deps, { organizationId, places, defaults: after });
}

/** Members and periods whose defaults are not the same, in a fixed order. */
function listChanged(
  before: readonly MemberDefault[],
  after: readonly MemberDefault[],
): MemberPlace[] {
  const textsOf = (defaults: readonly MemberDefault[]) =>
    new Map(
      [...Map.groupBy(defaults, keyOfPlace)].map(([place, each]) => [
        place,
        each.map(describeDefault).sort().join("\n"),
      ]),
    );
  const [one, other] = [textsOf(before), textsOf(after)];
  const places = [...new Set([...one.keys(), ...other.keys()])].sort();
  return places
    .filter((place) => one.get(place) !== other.get(place))
    .map((place) => {
      const [memberId = "", period = ""] = place.split("\n");
      return { memberId, period: period as PeriodName };
    });
}

function describeDefault({ rank, groupId, wanted }: MemberDefault): string {
  const { amountNanoUsd, enforcement, openEndedHoldNanoUsd, unknownFeatures, hold } = wanted;
  const rules = [enforcement, openEndedHoldNanoUsd, unknownFeatures, hold];
  return [rank, groupId, amountNanoUsd, ...rules].join();
}

const MAX_LISTED = 50;

/** Field of an audit event about limits of members that changed too. */
export function toAuditedChanges(changed: readonly ChangedMemberLimit[]): {
  [field: string]: JsonValue;
} {
  if (changed.length === 0) return {};
  const amountOf = (limit: SpendLimit | null) => limit && formatUsd(limit.amountNanoUsd);
  const listed = changed.slice(0, MAX_LISTED).map(({ memberId, period, before, after }) => ({
    member_id: memberId,
    period,
    limit_usd_before: amountOf(before),
    limit_usd_after: amountOf(after),
  }));
  return { changed_member_limits: { count: changed.length, first: listed } };
}

function refuseEasedDefault({ memberId, groupId, period, rank, wanted }: MemberDefault): ApiError {
  return new ApiError(
    "limit_set_above",
    `The change would raise or remove the ${period} limit of $${formatUsd(wanted.amountNanoUsd)} of member ${memberId}, a default of group ${groupId} that a higher rank has set.`,
    {},
    { set_above: { rank, set_by: null } },
  );
}
