import type { WorkspaceAction } from "@bursar/contract/permissions.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { findWorkspaceReach } from "#src/domain/rights.ts";
import { deniedInWorkspace } from "./authorize.ts";
import { findPersonId } from "./own-api-key.ts";
import {
  findApiKeyPlace,
  findWorkspaceState,
  type WorkspaceState,
} from "./visible-workspace.sql.ts";

// Decides which workspaces exist for a caller. Missing workspaces, those of other organizations, those outside a
// workspace key's own, and those without a role are all "not found" with the same message. A 403 is returned only for
// visible workspaces.

/** True if the workspace exists for the caller. The SQL statement checks its organization. */
export function canSeeWorkspace(caller: Caller, workspaceId: string): boolean {
  return caller.kind === "api_key"
    ? caller.workspaceId === workspaceId
    : findWorkspaceReach(caller, "workspaces:read", workspaceId) !== null;
}

/** Returns the workspace. Throws a 404, or a 403 if the caller can only see it. */
export async function getVisibleWorkspace(
  db: Database | Tx,
  caller: Caller,
  action: WorkspaceAction,
  workspaceId: string,
): Promise<WorkspaceState> {
  const workspace = canSeeWorkspace(caller, workspaceId)
    ? await findWorkspaceState(db, { organizationId: caller.organizationId, workspaceId })
    : null;
  if (workspace === null) throw workspaceNotFound(workspaceId);
  checkWorkspaceReach(caller, action, workspaceId);
  return workspace;
}

/**
 * Returns the workspace and locks it until the transaction ends. Throws a 404, a 403 if the caller can see it without
 * permission for `action`, and a 400 for an archived one.
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
  checkWorkspaceReach(caller, action, workspaceId);
  if (workspace.isArchived) throw refuseArchivedWorkspace(workspaceId);
  return workspace;
}

/** Throws a 403 unless the caller has permission for `action` in a workspace that it can see. */
export function checkWorkspaceReach(
  caller: Caller,
  action: WorkspaceAction,
  workspaceId: string,
): void {
  if (findWorkspaceReach(caller, action, workspaceId) === null) {
    throw deniedInWorkspace(caller, action, workspaceId);
  }
}

/** Returns the workspace of a key. Throws a 404 for a missing key and without permission for `action` on it. */
export async function getWorkspaceIdOfApiKey(
  db: Database | Tx,
  caller: Caller,
  action: WorkspaceAction,
  apiKeyId: string,
): Promise<string> {
  const { organizationId } = caller;
  const key = await findApiKeyPlace(db, { organizationId, apiKeyId });
  const reach = key && findWorkspaceReach(caller, action, key.workspace_id);
  const isOwn = key !== null && key.owner_member_id === findPersonId(caller);
  if (!key || !reach || (reach === "own" && !isOwn)) throw apiKeyNotFound();
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

export function refuseArchivedKey(): ApiError {
  return new ApiError(
    "resource_archived",
    "This API key is archived. Archiving is permanent, and the key can no longer be changed.",
    {},
    { resource: "api_key" },
  );
}

export function refuseArchivedWorkspace(workspaceId: string): ApiError {
  return new ApiError(
    "resource_archived",
    `Workspace is archived: ${workspaceId}. Archiving is permanent, and nothing in the workspace can be changed.`,
    {},
    { resource: "workspace" },
  );
}
