import { findPersonId } from "#src/access/own-api-key.ts";
import { listOwnApiKeyIds } from "#src/access/own-api-keys.sql.ts";
import { getVisibleWorkspace, getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";

/** Usage that the caller can see: all of some workspaces (null: of every one), and that of a member's own keys in others. */
export interface VisibleUsage {
  workspaceIds: readonly string[] | null;
  own: { apiKeyIds: readonly string[]; workspaceIds: readonly string[] } | null;
}

/** Finds the usage that the caller can see now. `db` is the primary, because a replica can have an earlier owner of a key. */
export async function findVisibleUsage(db: Database | Tx, caller: Caller): Promise<VisibleUsage> {
  const workspaceIds = listPermittedWorkspaces(caller, "usage:read", "all");
  const ownWorkspaceIds = listPermittedWorkspaces(caller, "usage:read", "own") ?? [];
  const memberId = findPersonId(caller);
  if (ownWorkspaceIds.length === 0 || memberId === null) return { workspaceIds, own: null };
  const { organizationId } = caller;
  const apiKeyIds = await listOwnApiKeyIds(db, { organizationId, memberId });
  return { workspaceIds, own: { apiKeyIds, workspaceIds: ownWorkspaceIds } };
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

/** Filters of a list in the Admin API. */
export interface UsageQuery {
  workspace_id?: string[] | undefined;
  api_key_id?: string[] | undefined;
  starting_at?: string | undefined;
  ending_at?: string | undefined;
}

/** Usage that the caller asks for and can see. Times are milliseconds since the epoch, and the end is exclusive. */
export interface UsageFilter {
  organizationId: string;
  visible: VisibleUsage;
  workspaceIds?: readonly string[] | undefined;
  apiKeyIds?: readonly string[] | undefined;
  startMs?: number | undefined;
  endMs?: number | undefined;
}

/** Reads the filters of a list. Throws a 404 for a workspace or key that the caller cannot see. */
export async function findUsageFilter(
  db: Database | Tx,
  caller: Caller,
  query: UsageQuery,
): Promise<UsageFilter> {
  const { workspace_id: workspaceIds, api_key_id: apiKeyIds, starting_at, ending_at } = query;
  await checkUsageFilters(db, caller, {
    ...(workspaceIds && { workspaceIds }),
    ...(apiKeyIds && { apiKeyIds }),
  });
  return {
    ...{ organizationId: caller.organizationId, workspaceIds, apiKeyIds },
    visible: await findVisibleUsage(db, caller),
    startMs: starting_at === undefined ? undefined : Date.parse(starting_at),
    endMs: ending_at === undefined ? undefined : Date.parse(ending_at),
  };
}

/** True if the caller can see what the key did in the workspace. The same rule as `isVisibleUsage` has in SQL. */
export function canSeeUsage(
  { workspaceIds, own }: VisibleUsage,
  of: { workspace_id: string; api_key_id: string },
): boolean {
  if (workspaceIds === null || workspaceIds.includes(of.workspace_id)) return true;
  if (own === null) return false;
  return own.workspaceIds.includes(of.workspace_id) && own.apiKeyIds.includes(of.api_key_id);
}
