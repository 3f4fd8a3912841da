import type { WorkspaceAction } from "@bursar/contract/permissions.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { reachIn } from "#src/domain/rights.ts";
import { deniedInWorkspace } from "./authorize.ts";
import { isOwnApiKey } from "./own-api-key.ts";
import {
  findApiKeyPlace,
  findWorkspaceState,
  type WorkspaceState,
} from "./visible-workspace.sql.ts";

// Which workspaces exist for a caller. What never existed, what is another organization's, what is outside a workspace
// key's own workspace and where a person has no role are one and the same: not found, in the same words. Only what exists
// for the caller can be forbidden to it.

/** True where the workspace exists for the caller. That it is the organization's is for the statement to check. */
export function canSeeWorkspace(caller: Caller, workspaceId: string): boolean {
  return caller.kind === "api_key"
    ? caller.workspaceId === workspaceId
    : reachIn(caller, "workspaces:read", workspaceId) !== null;
}

/** The workspace, where the caller may do `action`; throws a 404, or a 403 where it only can see it. */
export async function getWorkspaceFor(
  db: Database | Tx,
  caller: Caller,
  action: WorkspaceAction,
  workspaceId: string,
): Promise<WorkspaceState> {
  const workspace = canSeeWorkspace(caller, workspaceId)
    ? await findWorkspaceState(db, { organizationId: caller.organizationId, workspaceId })
    : null;
  if (workspace === null) throw workspaceNotFound(workspaceId);
  checkReachIn(caller, action, workspaceId);
  return workspace;
}

/**
 * The workspace, locked until the transaction ends. Throws a 404, a 403 where the caller can see it but may not do
 * `action` there, and a 400 for an archived one.
 */
export async function getActiveWorkspaceForChange(
  tx: Tx,
  caller: Caller,
  action: WorkspaceAction,
  workspaceId: string,
): Promise<WorkspaceState> {
  const workspace = canSeeWorkspace(caller, workspaceId)
    ? await findWorkspaceState(tx, { organizationId: caller.organizationId, workspaceId }, true)
    : null;
  if (workspace === null) throw workspaceNotFound(workspaceId);
  checkReachIn(caller, action, workspaceId);
  if (workspace.isArchived) throw workspaceIsArchived(workspaceId);
  return workspace;
}

/** Throws a 403 unless the caller may do `action` in a workspace that it can see. */
export function checkReachIn(caller: Caller, action: WorkspaceAction, workspaceId: string): void {
  if (reachIn(caller, action, workspaceId) === null) {
    throw deniedInWorkspace(caller, action, workspaceId);
  }
}

/** The workspace of the key; throws a 404 where the key does not exist or the caller may not do `action` with it there. */
export async function getWorkspaceIdOfApiKey(
  db: Database | Tx,
  caller: Caller,
  action: WorkspaceAction,
  apiKeyId: string,
): Promise<string> {
  const { organizationId } = caller;
  const key = await findApiKeyPlace(db, { organizationId, apiKeyId });
  const reach = key && reachIn(caller, action, key.workspace_id);
  if (!key || !reach || (reach === "own" && !isOwnApiKey(caller, key))) throw apiKeyNotFound();
  return key.workspace_id;
}

export function workspaceNotFound(workspaceId: string): ApiError {
  return new ApiError(
    "resource_not_found",
    `Workspace not found: ${workspaceId}`,
    {},
    { resource: "workspace" },
  );
}

export function apiKeyNotFound(): ApiError {
  return new ApiError("resource_not_found", "API key not found", {}, { resource: "api_key" });
}

export function keyIsArchived(): ApiError {
  return new ApiError(
    "resource_archived",
    "This API key is archived. That cannot be undone, and nothing of it can be changed.",
    {},
    { resource: "api_key" },
  );
}

export function workspaceIsArchived(workspaceId: string): ApiError {
  return new ApiError(
    "resource_archived",
    `Workspace is archived: ${workspaceId}. That cannot be undone; nothing in it can be changed.`,
    {},
    { resource: "workspace" },
  );
}
