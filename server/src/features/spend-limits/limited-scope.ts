import type { LimitScope } from "@bursar/contract/admin/spend-limits.ts";
import { findWorkspaceIdOfApiKey } from "#src/access/visible-workspace.sql.ts";
import {
  apiKeyNotFound,
  canSeeWorkspace,
  getActiveWorkspaceForChange,
} from "#src/access/visible-workspace.ts";
import type { Tx } from "#src/db/pool.ts";
import type { ScopeType } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { isApiKeyArchivedForChange, lockOrganization } from "./spend-limits.sql.ts";

// Whose spend is limited: the organization, one of its workspaces, or one key.

/** A scope that was found and locked. `workspaceId` is the workspace it stands in, or null. */
export interface LockedScope {
  scopeType: ScopeType;
  scopeId: string;
  workspaceId: string | null;
}

/**
 * The scope, locked until the transaction ends, so that two changes of its limits follow one another and it is not
 * archived meanwhile. Throws a 404 for what the caller cannot see, a 400 for what is archived, and a 403 where a
 * workspace key means the organization.
 */
export async function lockScope(tx: Tx, caller: Caller, scope: LimitScope): Promise<LockedScope> {
  const { organizationId } = caller;
  switch (scope.type) {
    case "organization": {
      if (caller.kind === "api_key") throw onlyAdminKeys();
      await lockOrganization(tx, organizationId);
      return { scopeType: "organization", scopeId: organizationId, workspaceId: null };
    }
    case "workspace": {
      const { id } = await getActiveWorkspaceForChange(tx, caller, scope.workspace_id);
      return { scopeType: "workspace", scopeId: id, workspaceId: id };
    }
    case "api_key": {
      const of = { organizationId, apiKeyId: scope.api_key_id };
      const workspaceId = await findWorkspaceIdOfApiKey(tx, of);
      if (workspaceId === null || !canSeeWorkspace(caller, workspaceId)) throw apiKeyNotFound();
      // The workspace first, as archiving it does.
      await getActiveWorkspaceForChange(tx, caller, workspaceId);
      if (await isApiKeyArchivedForChange(tx, of)) throw keyIsArchived();
      return { scopeType: "api_key", scopeId: scope.api_key_id, workspaceId };
    }
  }
}

export function toWireScope(of: { scopeType: ScopeType; scopeId: string }): LimitScope {
  switch (of.scopeType) {
    case "organization":
      return { type: "organization" };
    case "workspace":
      return { type: "workspace", workspace_id: of.scopeId };
    case "api_key":
      return { type: "api_key", api_key_id: of.scopeId };
  }
}

function onlyAdminKeys(): ApiError {
  return new ApiError(
    "permission",
    "This call needs an admin key (sk-ant-admin01-…), since the limit is the whole organization's.",
  );
}

function keyIsArchived(): ApiError {
  return new ApiError(
    "invalid_request",
    "This API key is archived. That cannot be undone, and no limit of it can be changed.",
  );
}
