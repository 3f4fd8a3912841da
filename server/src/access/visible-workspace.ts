import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import {
  findWorkspaceIdOfApiKey,
  findWorkspaceState,
  type WorkspaceState,
} from "./visible-workspace.sql.ts";

// Which workspaces exist for a caller. What never existed, what is another organization's and what is outside a
// workspace key's own workspace are one and the same: not found, in the same words.

/** The one workspace that exists for the caller, or null where all of its organization's do. */
export function onlyWorkspaceOf(caller: Caller): string | null {
  return caller.kind === "api_key" ? caller.workspaceId : null;
}

/** True where rows of this workspace exist for the caller. That it is the organization's is for the statement to check. */
export function canSeeWorkspace(caller: Caller, workspaceId: string): boolean {
  const only = onlyWorkspaceOf(caller);
  return only === null || only === workspaceId;
}

/** The workspace; throws a 404. */
export async function getVisibleWorkspace(
  db: Database | Tx,
  caller: Caller,
  workspaceId: string,
): Promise<WorkspaceState> {
  const workspace = canSeeWorkspace(caller, workspaceId)
    ? await findWorkspaceState(db, { organizationId: caller.organizationId, workspaceId })
    : null;
  if (workspace === null) throw workspaceNotFound(workspaceId);
  return workspace;
}

/** The workspace, locked until the transaction ends; throws a 404, and a 400 for an archived one. */
export async function getActiveWorkspaceForChange(
  tx: Tx,
  caller: Caller,
  workspaceId: string,
): Promise<WorkspaceState> {
  const workspace = canSeeWorkspace(caller, workspaceId)
    ? await findWorkspaceState(tx, { organizationId: caller.organizationId, workspaceId }, true)
    : null;
  if (workspace === null) throw workspaceNotFound(workspaceId);
  if (workspace.isArchived) throw workspaceIsArchived(workspaceId);
  return workspace;
}

/** Throws a 404 unless the key exists for the caller. */
export async function checkVisibleApiKey(
  db: Database | Tx,
  caller: Caller,
  apiKeyId: string,
): Promise<void> {
  const workspaceId = await findWorkspaceIdOfApiKey(db, {
    organizationId: caller.organizationId,
    apiKeyId,
  });
  if (workspaceId === null || !canSeeWorkspace(caller, workspaceId)) throw apiKeyNotFound();
}

export function workspaceNotFound(workspaceId: string): ApiError {
  return new ApiError("not_found", `Workspace not found: ${workspaceId}`);
}

export function apiKeyNotFound(): ApiError {
  return new ApiError("not_found", "API key not found");
}

export function workspaceIsArchived(workspaceId: string): ApiError {
  return new ApiError(
    "invalid_request",
    `Workspace is archived: ${workspaceId}. That cannot be undone; nothing in it can be changed.`,
  );
}
