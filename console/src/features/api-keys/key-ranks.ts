import {
  findRank,
  includesRank,
  type Rank,
  type RankedCaller,
  rankNames,
} from "@bursar/contract/permissions.ts";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { type Session, useSession } from "../../session.ts";

type Restrictions = ApiKey["restrictions"][number];

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

export function findRestrictions(apiKey: ApiKey, rank: Rank): Restrictions | undefined {
  return apiKey.restrictions.find((each) => each.rank === rank);
}

/** Ranks that disabled the key, highest first. */
export function listDisablingRanks(apiKey: ApiKey): Rank[] {
  return apiKey.restrictions.filter(({ is_disabled }) => is_disabled).map(({ rank }) => rank);
}

export function setterOf(rank: Rank): string {
  return rankNames[rank];
}

/** A few words for each restriction. */
export function describeRestrictions(
  of: Restrictions,
  formatDay: (time: string) => string,
): string[] {
  return [
    of.is_disabled ? "disabled" : null,
    of.allowed_models && `models ${of.allowed_models.join(", ")}`,
    of.allowed_addresses && `addresses ${of.allowed_addresses.join(", ")}`,
    of.expires_at && `expires ${formatDay(of.expires_at)}`,
  ].filter((words) => words !== null);
}
