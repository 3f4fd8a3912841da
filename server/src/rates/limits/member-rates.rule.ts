import { includesRank, type Rank } from "@bursar/contract/permissions.ts";
import {
  type GroupLimitMode,
  type LimitValue,
  listApplying,
} from "#src/limits/limit-values.rule.ts";
import { combineRateValues, type RateKind, type WantedRates } from "./combine-values.rule.ts";

// A group has default rates for each of its members, with one value per rank. These rules say which defaults apply to a
// person. Each rank and each kind is decided apart, so no lower rank changes what a higher one set.

/** Default rate of one kind and one rank. */
export interface MemberRate {
  memberId: string;
  modelGroup: string;
  kind: RateKind;
  rank: Rank;
  groupId: string;
  perMinute: number;
}

/** Member and models that have one limit in force. */
export type MemberRatePlace = Pick<MemberRate, "memberId" | "modelGroup">;

/** Picks one default for each member, model group, kind and rank. Groups without a number of the kind do not count. */
export function pickRates(rates: readonly MemberRate[], mode: GroupLimitMode): MemberRate[] {
  const isBefore = (one: MemberRate, other: MemberRate) =>
    mode === "highest" ? one.perMinute > other.perMinute : one.perMinute < other.perMinute;
  const picked = new Map<string, MemberRate>();
  for (const rate of rates) {
    const best = picked.get(placeOf(rate));
    const isTie = best?.perMinute === rate.perMinute && rate.groupId < best.groupId;
    if (best === undefined || isTie || isBefore(rate, best)) picked.set(placeOf(rate), rate);
  }
  return [...picked.values()];
}

function placeOf({ memberId, modelGroup, kind, rank }: MemberRate): string {
  return `${limitPlaceOf({ memberId, modelGroup })} ${kind} ${rank}`;
}

/** Identifies the limit in force of a member. */
export function limitPlaceOf({ memberId, modelGroup }: MemberRatePlace): string {
  return `${memberId} ${modelGroup}`;
}

/** Finds a default above the rank that a change removes or raises. Null: the change leaves all of them as strict. */
export function findEasedRate(
  before: readonly MemberRate[],
  after: readonly MemberRate[],
  rank: Rank,
): MemberRate | null {
  const next = new Map(after.map((each) => [placeOf(each), each.perMinute]));
  const isEased = (each: MemberRate) =>
    !includesRank(rank, each.rank) && (next.get(placeOf(each)) ?? Infinity) > each.perMinute;
  return before.find(isEased) ?? null;
}

/** Lists members and models whose defaults are not the same, in a fixed order. */
export function listChangedPlaces(
  before: readonly MemberRate[],
  after: readonly MemberRate[],
): MemberRatePlace[] {
  const textOf = (each: MemberRate) => `${placeOf(each)} ${each.groupId} ${each.perMinute}`;
  const [known, wanted] = [new Set(before.map(textOf)), new Set(after.map(textOf))];
  const changed = [
    ...before.filter((each) => !wanted.has(textOf(each))),
    ...after.filter((each) => !known.has(textOf(each))),
  ];
  const places = new Map(
    changed.map(({ memberId, modelGroup }) => {
      const place = { memberId, modelGroup };
      return [limitPlaceOf(place), place];
    }),
  );
  return [...places].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place);
}

/** Defaults of one limit that apply beside own values, each with the number of one kind. */
export function toInheritedRates(
  defaults: readonly MemberRate[],
  own: readonly LimitValue<WantedRates>[],
): WantedRates[] {
  const applying = listApplying(
    defaults,
    own.map(({ rank }) => rank),
  );
  return applying.map(({ kind, perMinute }) => ({
    perMinute: { requests: null, input_tokens: null, output_tokens: null, [kind]: perMinute },
  }));
}

/** Lists the numbers of a limit in force that defaults decide. An own value goes before an equal default. */
export function listInheritedRates(
  inForce: WantedRates,
  defaults: readonly MemberRate[],
  own: readonly LimitValue<WantedRates>[],
): MemberRate[] {
  const applying = listApplying(
    defaults,
    own.map(({ rank }) => rank),
  );
  return Object.entries(inForce.perMinute).flatMap(([kind, perMinute]) => {
    const isOwn = own.some(({ wanted }) => wanted.perMinute[kind as RateKind] === perMinute);
    if (perMinute === null || isOwn) return [];
    return applying.find((each) => each.kind === kind && each.perMinute === perMinute) ?? [];
  });
}

/** Limit in force of a member. Null: neither own values nor defaults. */
export function combineMemberRates(
  defaults: readonly MemberRate[],
  own: readonly LimitValue<WantedRates>[],
): WantedRates | null {
  const [first, ...others] = [
    ...own.map(({ wanted }) => wanted),
    ...toInheritedRates(defaults, own),
  ];
  return first === undefined ? null : combineRateValues([first, ...others]);
}
