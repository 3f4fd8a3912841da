import type { WorkspaceAction } from "@bursar/contract/permissions.ts";
import type { WireScope } from "@bursar/contract/scope.ts";
import type { Tx } from "#src/db/pool.ts";
import type { ScopeType } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { checkEverywhere } from "./authorize.ts";
import {
  isApiKeyArchivedForChange,
  lockLimitedMember,
  lockLimitedRow,
  lockMemberLimits,
  lockOrganization,
} from "./limited-scope.sql.ts";
import {
  getActiveWorkspaceForChange,
  getWorkspaceIdOfApiKey,
  refuseArchivedKey,
} from "./visible-workspace.ts";

// Scopes of limits on spend or requests: the organization, one of its workspaces, keys, members or groups, or a tag.

/** Scope that was found and locked. `workspaceId` is its workspace, or null. */
export interface LockedScope {
  scopeType: ScopeType;
  scopeId: string;
  workspaceId: string | null;
}

export type LimitedThing = "spend_limits" | "rate_limits";

/**
 * Locks a scope until the transaction ends, so that changes of its limits run one after another and it cannot be
 * archived concurrently. Throws a 404 for a scope that the caller cannot see, a 400 for an archived one, and a 403
 * without permission to limit it.
 */
export async function lockScope(
  tx: Tx,
  caller: Caller,
  scope: WireScope,
  limits: LimitedThing = "spend_limits",
): Promise<LockedScope> {
  const { organizationId } = caller;
  const write = `${limits}:write` as const;
  switch (scope.type) {
    case "organization": {
      checkEverywhere(caller, write);
      await lockOrganization(tx, organizationId);
      return { scopeType: "organization", scopeId: organizationId, workspaceId: null };
    }
    case "workspace": {
      const { id } = await getActiveWorkspaceForChange(tx, caller, write, scope.workspace_id);
      return { scopeType: "workspace", scopeId: id, workspaceId: id };
    }
    case "api_key": {
      const apiKeyId = scope.api_key_id;
      const workspaceId = await getWorkspaceIdOfApiKey(tx, caller, `${limits}:read`, apiKeyId);
      // The workspace is locked first, as when it is archived.
      await getActiveWorkspaceForChange(tx, caller, write, workspaceId);
      if (await isApiKeyArchivedForChange(tx, { organizationId, apiKeyId }))
        throw refuseArchivedKey();
      return { scopeType: "api_key", scopeId: apiKeyId, workspaceId };
    }
    case "member":
    case "group":
    case "group_member":
    case "tag": {
      const locked = await lockScopeOfPeople(tx, caller, scope, write);
      const hasMemberLimits = scope.type === "member" || scope.type === "group_member";
      if (hasMemberLimits) await lockMemberLimits(tx, organizationId);
      return locked;
    }
  }
}

type ScopeOfPeople = Extract<WireScope, { type: "member" | "group" | "group_member" | "tag" }>;

/** Locks a member, group or tag. Throws a 403 without the right in the whole organization, and a 404 for a missing one. */
export async function lockScopeOfPeople<Scope extends ScopeOfPeople>(
  tx: Tx,
  caller: Caller,
  scope: Scope,
  action: WorkspaceAction,
): Promise<LockedScope & { scopeType: Scope["type"] }> {
  checkEverywhere(caller, action);
  const { organizationId } = caller;
  const id = findIdOf(scope);
  const isFound =
    scope.type === "member"
      ? await lockLimitedMember(tx, { organizationId, id })
      : await lockLimitedRow(tx, scope.type === "tag" ? "tag" : "member_group", {
          organizationId,
          id,
        });
  if (!isFound) throw scopeNotFound(scope.type === "group_member" ? "group" : scope.type);
  return { scopeType: scope.type, scopeId: id, workspaceId: null };
}

function findIdOf(scope: ScopeOfPeople): string {
  switch (scope.type) {
    case "member":
      return scope.member_id;
    case "group":
    case "group_member":
      return scope.group_id;
    case "tag":
      return scope.tag_id;
  }
}

/** The same 404 for a scope that does not exist, and for one that the caller cannot see. */
export function scopeNotFound(resource: "member" | "group" | "tag"): ApiError {
  const name = resource[0]?.toUpperCase() + resource.slice(1);
  return new ApiError("resource_not_found", `${name} not found`, {}, { resource });
}
