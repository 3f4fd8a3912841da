import { includesRank, type Rank, ranks } from "@bursar/contract/permissions.ts";
import type { WireScope } from "@bursar/contract/scope.ts";

// A limit has one value per rank. These rules say which of them a caller sets and removes.

/** Caller of a change, with the rank whose value it sets or removes. */
export interface LimitSetter {
  type: string;
  id: string;
  rank: Rank;
  /** False: the caller's own rank. A removal then includes the values of lower ranks. */
  isRankNamed: boolean;
}

/** Part of a limit that one rank has set. */
export interface LimitValue<Wanted> {
  rank: Rank;
  wanted: Wanted;
  /** Null: unknown. */
  setBy: { type: string; id: string } | null;
  setAtMs: number;
}

/** How a person in several groups gets one default. */
export type GroupLimitMode = "highest" | "lowest";

/** Returns the values with one more, or with one in place of that of its rank. Highest rank first. */
export function setValue<Wanted>(
  values: readonly LimitValue<Wanted>[],
  value: LimitValue<Wanted>,
): LimitValue<Wanted>[] {
  return sortByRank([...values.filter(({ rank }) => rank !== value.rank), value]);
}

/** Returns the values that stay after a removal. */
export function removeValues<Wanted>(
  values: readonly LimitValue<Wanted>[],
  { rank, isRankNamed }: LimitSetter,
): LimitValue<Wanted>[] {
  return values.filter((each) =>
    isRankNamed ? each.rank !== rank : !includesRank(rank, each.rank),
  );
}

/** Highest value above the rank. Null: none is above it. */
export function findValueAbove<Wanted>(
  values: readonly LimitValue<Wanted>[],
  rank: Rank,
): LimitValue<Wanted> | null {
  return values.find((each) => !includesRank(rank, each.rank)) ?? null;
}

export function sortByRank<Value extends { rank: Rank }>(values: readonly Value[]): Value[] {
  return values.toSorted((a, b) => ranks.indexOf(a.rank) - ranks.indexOf(b.rank));
}

/**
 * Rank of a limit without values, which a version before 0.2 has set. Limits of the organization and of workspaces count as
 * set by an Admin. A workspace manages its keys itself.
 */
export function findRankOfUnrankedLimit(scopeType: WireScope["type"]): Rank {
  return scopeType === "api_key" ? "workspace" : "admin";
}

/** Defaults that apply beside a member's own values: own values replace those of their rank and of lower ranks. */
export function listApplying<Default extends { rank: Rank }>(
  defaults: readonly Default[],
  ownRanks: readonly Rank[],
): Default[] {
  return defaults.filter(({ rank }) => !ownRanks.some((own) => includesRank(own, rank)));
}
