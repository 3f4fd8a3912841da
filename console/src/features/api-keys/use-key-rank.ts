import {
  findRank,
  includesRank,
  type Rank,
  type RankedCaller,
} from "@bursar/contract/permissions.ts";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { type Session, useSession } from "../../session.ts";

/** Rank of the signed-in member for keys of the workspace. */
export function useKeyRank(workspaceId: string): Rank {
  return rankIn(useSession(), workspaceId);
}

function rankIn({ member, workspaces }: Session, workspaceId: string): Rank {
  const roles = workspaces.find(({ id }) => id === workspaceId)?.roles ?? [];
  const callers: RankedCaller[] = [member.role, ...roles];
  return callers
    .map((caller) => findRank(caller, "keys"))
    .reduce((highest, next) => (includesRank(highest, next) ? highest : next));
}

/** Rank whose restrictions a form changes. Members are the holder of their own keys. */
export function useEditedRank(apiKey: ApiKey): Rank {
  const { member } = useSession();
  const rank = useKeyRank(apiKey.workspace_id);
  return apiKey.owner.type === "member" && apiKey.owner.id === member.id ? "holder" : rank;
}
