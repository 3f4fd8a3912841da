import { includesRank, type Rank, rankNames, ranks } from "@bursar/contract/permissions.ts";
import type { Scope } from "../scopes/scope.ts";
import type { Limited, LimitValue } from "./limit-kind.ts";

/**
 * Ranks whose value the member can set, highest first. Workspace Admins set only limits of workspaces and keys. Ranks in `kept`
 * are offered for every scope.
 */
export function listSettableRanks(
  own: Rank,
  scopeType: Scope["type"],
  kept: readonly Rank[],
): Rank[] {
  const isInWorkspace = scopeType === "workspace" || scopeType === "api_key";
  const lowest = isInWorkspace ? "workspace" : "admin";
  return ranks.filter(
    (rank) =>
      includesRank(own, rank) &&
      (rank === own || includesRank(rank, lowest) || kept.includes(rank)),
  );
}

/** Values that the member can remove, highest rank first. */
export function listRemovableValues<Limit extends Limited>(
  limit: Limit,
  own: Rank,
): Limit["values"][number][] {
  return limit.values.filter(({ rank }) => includesRank(own, rank));
}

/** Ranks that set the limit. Several ranks have their values: "Set by an Admin: $100, a Workspace Admin: $50". */
export function describeSetters<Value extends LimitValue>(
  values: readonly Value[],
  describeValue: (value: Value) => string,
): string {
  const setters = values.map((value) =>
    values.length === 1
      ? rankNames[value.rank]
      : `${rankNames[value.rank]}: ${describeValue(value)}`,
  );
  return `Set by ${setters.join("; ")}`;
}
