import { getVisibleWorkspace, getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";

/** Usage that the caller can see: all of some workspaces (null: of every one), and that of a member's own keys in others. */
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

/** Throws a 404 for a workspace or key that the caller cannot see. */
export async function checkUsageFilters(
  db: Database | Tx,
  caller: Caller,
  filters: { workspaceIds?: readonly string[]; apiKeyIds?: readonly string[] },
): Promise<void> {
  for (const id of filters.workspaceIds ?? [])
    await getVisibleWorkspace(db, caller, "usage:read", id);
  for (const id of filters.apiKeyIds ?? []) {
    await getWorkspaceIdOfApiKey(db, caller, "usage:read", id);
  }
}
