import type { CountedScope } from "@bursar/contract/scope.ts";
import { denied } from "#src/access/authorize.ts";
import {
  isApiKeyArchivedForChange,
  lockLimitedMember,
  lockLimitedRow,
} from "#src/access/limited-scope.sql.ts";
import { type LockedScope, scopeNotFound } from "#src/access/limited-scope.ts";
import { findPersonId, isOwnApiKey } from "#src/access/own-api-key.ts";
import { findApiKeyPlace } from "#src/access/visible-workspace.sql.ts";
import {
  apiKeyNotFound,
  getActiveWorkspaceForChange,
  refuseArchivedKey,
} from "#src/access/visible-workspace.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import {
  findOrganizationReach,
  findWorkspaceReach,
  listPermittedWorkspaces,
} from "#src/domain/rights.ts";
import type { IncreaseRequestRow } from "./increase-requests.sql.ts";
import { hasTaggedKey, isMemberOfGroup } from "./shared-scopes.sql.ts";

/**
 * Locks the scope of a request until the transaction ends. Members of a workspace can request an increase for it and for
 * the organization. Callers that can see a key can request one for the key, and a key can for itself. A person can for
 * themselves, their groups and the tags of their keys. Throws a 404 for a scope that the caller cannot see, a 403 without
 * permission to request, and a 400 for an archived scope.
 */
export async function lockRequestedScope(
  tx: Tx,
  caller: Caller,
  scope: CountedScope,
): Promise<LockedScope> {
  switch (scope.type) {
    case "organization":
      checkCanRequestForOrganization(caller);
      return { scopeType: "organization", scopeId: caller.organizationId, workspaceId: null };
    case "workspace": {
      const { id } = await getActiveWorkspaceForChange(
        tx,
        caller,
        "spend_limits:request",
        scope.workspace_id,
      );
      return { scopeType: "workspace", scopeId: id, workspaceId: id };
    }
    case "api_key":
      return lockRequestedKey(tx, caller, scope.api_key_id);
    case "member": {
      const id = scope.member_id;
      const isOwn = findPersonId(caller) === id;
      if (!isOwn && !canSeeAllLimits(caller)) throw scopeNotFound("member");
      const { organizationId } = caller;
      if (!(await lockLimitedMember(tx, { organizationId, id }))) throw scopeNotFound("member");
      return { scopeType: "member", scopeId: id, workspaceId: null };
    }
    case "group":
      return lockSharedScope(tx, caller, { type: "group", id: scope.group_id });
    case "tag":
      return lockSharedScope(tx, caller, { type: "tag", id: scope.tag_id });
  }
}

/** Throws a 404 for a group or tag of another person, as for one that does not exist. */
async function lockSharedScope(
  tx: Tx,
  caller: Caller,
  { type, id }: { type: "group" | "tag"; id: string },
): Promise<LockedScope> {
  const { organizationId } = caller;
  const table = type === "group" ? "member_group" : "tag";
  const isFound = await lockLimitedRow(tx, table, { organizationId, id });
  if (!isFound || !(await isSharedWith(tx, caller, { type, id }))) throw scopeNotFound(type);
  return { scopeType: type, scopeId: id, workspaceId: null };
}

async function isSharedWith(
  tx: Tx,
  caller: Caller,
  { type, id }: { type: "group" | "tag"; id: string },
): Promise<boolean> {
  if (canSeeAllLimits(caller)) return true;
  const memberId = findPersonId(caller);
  if (memberId === null) return false;
  return type === "group"
    ? isMemberOfGroup(tx, { memberId, groupId: id })
    : hasTaggedKey(tx, { organizationId: caller.organizationId, memberId, tagId: id });
}

function canSeeAllLimits(caller: Caller): boolean {
  return findOrganizationReach(caller, "spend_limits:read") !== null;
}

async function lockRequestedKey(tx: Tx, caller: Caller, apiKeyId: string): Promise<LockedScope> {
  const { organizationId } = caller;
  const key = await findApiKeyPlace(tx, { organizationId, apiKeyId });
  const canSeeKey =
    key !== null &&
    (findWorkspaceReach(caller, "api_keys:read", key.workspace_id) !== null ||
      isOwnApiKey(caller, key) ||
      (caller.kind === "api_key" && caller.id === apiKeyId));
  if (!canSeeKey) throw apiKeyNotFound();
  const { workspace_id: workspaceId } = key;
  // The workspace is locked first, as when it is archived.
  await getActiveWorkspaceForChange(tx, caller, "spend_limits:request", workspaceId);
  if (await isApiKeyArchivedForChange(tx, { organizationId, apiKeyId })) throw refuseArchivedKey();
  return { scopeType: "api_key", scopeId: apiKeyId, workspaceId };
}

function checkCanRequestForOrganization(caller: Caller): void {
  if (caller.kind === "api_key") {
    throw denied(
      "An API key can request a higher limit for itself or its workspace. A request for the organization needs a member or an admin key.",
    );
  }
  const workspaceIds = listPermittedWorkspaces(caller, "spend_limits:request");
  if (workspaceIds === null || workspaceIds.length > 0) return;
  throw denied(
    "You are not a member of any workspace. Ask an owner or admin of the organization to add you.",
  );
}

type RequestedScope = Pick<IncreaseRequestRow, "scopeType" | "scopeId" | "workspaceId">;

/** True where the caller can set the limit. */
export function canDecide(caller: Caller, { workspaceId }: RequestedScope): boolean {
  return workspaceId === null
    ? findOrganizationReach(caller, "spend_limits:write") !== null
    : findWorkspaceReach(caller, "spend_limits:write", workspaceId) !== null;
}

/** True where the caller has permission to see the spend of the scope: also a person their own. */
export function canSeeSpend(
  caller: Caller,
  { workspaceId, scopeType, scopeId }: RequestedScope,
): boolean {
  if (scopeType === "member" && findPersonId(caller) === scopeId) return true;
  return workspaceId === null
    ? findOrganizationReach(caller, "spend_limits:read") !== null
    : findWorkspaceReach(caller, "spend_limits:read", workspaceId) !== null;
}

/** True where the limit can refuse requests of the caller. False after the caller has left the workspace. */
export function canSeeLimit(caller: Caller, { workspaceId }: RequestedScope): boolean {
  return (
    workspaceId === null || findWorkspaceReach(caller, "spend_limits:request", workspaceId) !== null
  );
}
