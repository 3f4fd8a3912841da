import { findRank, includesRank, type Rank } from "@bursar/contract/permissions.ts";
import { useSession } from "../../session.ts";

/** Rank of the signed-in member for limits that the member can change. */
export function useLimitRank(): Rank {
  const rank = findRank(useSession().member.role, "limits");
  return rank === "holder" ? "workspace" : rank;
}

/** Rank whose value a change of the limit sets: the own one, or else the highest lower one that has a value. */
export function findEditedRank(values: readonly { rank: Rank }[], own: Rank): Rank {
  return values.find(({ rank }) => includesRank(own, rank))?.rank ?? own;
}
