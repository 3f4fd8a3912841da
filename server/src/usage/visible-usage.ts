import { getWorkspaceFor, getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";

/** What exists for the caller: workspaces as a whole (null: all), and in others only what a member's own keys used. */
export interface VisibleUsage {
  workspaceIds: readonly string[] | null;
  own: { memberId: string; workspaceIds: readonly string[] } | null;
}

export function visibleUsage(caller: Caller): VisibleUsage {
  const own = listPermittedWorkspaces(caller, "usage:read", "own") ?? [];
  return {
    workspaceIds: listPermittedWorkspaces(caller, "usage:read", "all"),
    own: own.length > 0 ? { memberId: caller.id, workspaceIds: own } : null,
  };
}

/** Throws a 404 for a workspace or key that does not exist for the caller. */
export async function checkUsageFilters(
  db: Database | Tx,
  caller: Caller,
  filters: { workspaceIds?: readonly string[]; apiKeyIds?: readonly string[] },
): Promise<void> {
  for (const id of filters.workspaceIds ?? []) await getWorkspaceFor(db, caller, "usage:read", id);
  for (const id of filters.apiKeyIds ?? []) {
    await getWorkspaceIdOfApiKey(db, caller, "usage:read", id);
  }
}
