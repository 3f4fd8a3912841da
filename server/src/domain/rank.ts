import {
  findRank,
  includesRank,
  type Rank,
  type RankedCaller,
  type RankSubject,
} from "@bursar/contract/permissions.ts";
import type { Caller } from "./caller.ts";
import { listWorkspaceRoles } from "./rights.ts";

// Applies the contract's table of ranks to a caller. A rank is no right: `rights.ts` decides whether the caller may act.

/** Rank of the caller in the workspace. Null as workspace: in the organization as a whole. */
export function rankOf(caller: Caller, workspaceId: string | null, subject: RankSubject): Rank {
  return listRankedCallers(caller, workspaceId)
    .map((ranked) => findRank(ranked, subject))
    .reduce((highest, next) => (includesRank(highest, next) ? highest : next), "holder");
}

function listRankedCallers(caller: Caller, workspaceId: string | null): RankedCaller[] {
  switch (caller.kind) {
    case "local_operator":
    case "admin_key":
      return [caller.kind];
    case "api_key":
      return caller.permission === "admin" && caller.workspaceId === workspaceId ? ["api_key"] : [];
    case "member":
      return [
        caller.role,
        ...(workspaceId === null ? [] : listWorkspaceRoles(caller, workspaceId)),
      ];
  }
}
