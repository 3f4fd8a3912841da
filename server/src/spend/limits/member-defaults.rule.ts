import { includesRank, type Rank } from "@bursar/contract/permissions.ts";
import type { PeriodName } from "#src/domain/spend-period.ts";
import { type GroupLimitMode, listApplying } from "#src/limits/limit-values.rule.ts";
import { isRaise, listCountedValues, type WantedLimit } from "./combine-values.rule.ts";

// A group has a default cap for each of its members, with one value per rank. These rules say which defaults apply to a
// person. Each rank decides among the defaults of that rank, so no lower rank changes what a higher one set.

/** Default of one rank. */
export interface MemberDefault {
  memberId: string;
  period: PeriodName;
  rank: Rank;
  groupId: string;
  wanted: WantedLimit;
}

/** Picks one default for each member, period and rank. Values that only alert count if no group refuses requests. */
export function pickDefaults(
  defaults: readonly MemberDefault[],
  mode: GroupLimitMode,
): MemberDefault[] {
  const places = Map.groupBy(defaults, placeOf);
  return [...places.values()].map((each) => pickOne(each, mode)).filter((each) => each !== null);
}

function pickOne(defaults: readonly MemberDefault[], mode: GroupLimitMode): MemberDefault | null {
  const counted = listCountedValues(defaults.map((each) => ({ ...each.wanted, each })));
  const isBefore = (one: WantedLimit, other: WantedLimit) =>
    mode === "highest"
      ? one.amountNanoUsd > other.amountNanoUsd
      : one.amountNanoUsd < other.amountNanoUsd;
  const first = counted.reduce<(typeof counted)[number] | null>((best, value) => {
    if (best === null || isBefore(value, best)) return value;
    const isTie = value.amountNanoUsd === best.amountNanoUsd;
    return isTie && value.each.groupId < best.each.groupId ? value : best;
  }, null);
  return first?.each ?? null;
}

/** Identifies a member, period and rank. */
export function placeOf({ memberId, period, rank }: Omit<MemberDefault, "wanted" | "groupId">) {
  return `${memberId} ${period} ${rank}`;
}

/**
 * Finds the group whose default decides the amount of a member's limit, of the values and defaults of one period. Null: an own
 * value decides it.
 */
export function findDecidingGroup(
  own: readonly { rank: Rank; wanted: WantedLimit }[],
  defaults: readonly Pick<MemberDefault, "rank" | "groupId" | "wanted">[],
): string | null {
  const ownRanks = own.map(({ rank }) => rank);
  const candidates = [
    ...own.map(({ wanted }) => ({ ...wanted, groupId: null })),
    ...listApplying(defaults, ownRanks).map(({ wanted, groupId }) => ({ ...wanted, groupId })),
  ];
  const [first, ...others] = listCountedValues(candidates);
  const lowest = others.reduce(
    (lower, each) => (lower && each.amountNanoUsd >= lower.amountNanoUsd ? lower : each),
    first,
  );
  return lowest?.groupId ?? null;
}

/** Finds a default above the rank that a change removes or raises. Null: the change leaves all of them as strict. */
export function findEasedAbove(
  before: readonly MemberDefault[],
  after: readonly MemberDefault[],
  rank: Rank,
): MemberDefault | null {
  const next = new Map(after.map((each) => [placeOf(each), each.wanted]));
  const isEased = (each: MemberDefault) =>
    !includesRank(rank, each.rank) && isRaise(each.wanted, next.get(placeOf(each)) ?? null);
  return before.find(isEased) ?? null;
}
