import { findRank, type Rank } from "@bursar/contract/permissions.ts";
import { useSession } from "../../session.ts";

/** Rank of the signed-in member for limits that the member can change. */
export function useLimitRank(): Rank {
  const rank = findRank(useSession().member.role, "limits");
  return rank === "holder" ? "workspace" : rank;
}
