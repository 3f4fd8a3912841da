import type { WireScope } from "@bursar/contract/scope.ts";
import type { Tx } from "#src/db/pool.ts";
import type { ScopeType } from "#src/db/tables.ts";
import type { Caller } from "#src/domain/caller.ts";
import { checkEverywhere } from "./authorize.ts";
import { isApiKeyArchivedForChange, lockOrganization } from "./limited-scope.sql.ts";
import {
  getActiveWorkspaceForChange,
  getWorkspaceIdOfApiKey,
  keyIsArchived,
} from "./visible-workspace.ts";

// Whose spend or requests are limited: the organization, one of its workspaces, or one key.

/** A scope that was found and locked. `workspaceId` is the workspace it stands in, or null. */
export interface LockedScope {
  scopeType: ScopeType;
  scopeId: string;
  workspaceId: string | null;
}

export type LimitedThing = "spend_limits" | "rate_limits";

/**
 * The scope, locked until the transaction ends, so that two changes of its limits follow one another and it is not
 * archived meanwhile. Throws a 404 for what the caller cannot see, a 400 for what is archived, and a 403
 * where the caller may not limit it.
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
      // The workspace first, as archiving it does.
      await getActiveWorkspaceForChange(tx, caller, write, workspaceId);
      if (await isApiKeyArchivedForChange(tx, { organizationId, apiKeyId })) throw keyIsArchived();
      return { scopeType: "api_key", scopeId: apiKeyId, workspaceId };
    }
  }
}
