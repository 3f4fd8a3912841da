import type { KeyPermission } from "@bursar/contract/permissions.ts";
import { denied, deniedInWorkspace } from "#src/access/authorize.ts";
import { isOwnApiKey } from "#src/access/own-api-key.ts";
import type { Caller } from "#src/domain/caller.ts";
import {
  canGrantKeyPermission,
  findStrongestKeyPermission,
  findWorkspaceReach,
  listPermittedWorkspaces,
} from "#src/domain/rights.ts";
import type { ApiKeyScope } from "./api-keys.sql.ts";

/** Scope of the keys that the caller can see. */
export function scopeOf(caller: Caller): ApiKeyScope {
  return {
    organizationId: caller.organizationId,
    onlyWorkspaceIds: listPermittedWorkspaces(caller, "api_keys:read"),
  };
}

/**
 * Throws a 403 for a key with more permission in the workspace than the caller has. Callers cannot create, reactivate or
 * rotate such a key.
 */
export function checkCanGrantKey(
  caller: Caller,
  { workspace_id, permission }: { workspace_id: string; permission: KeyPermission },
): void {
  if (canGrantKeyPermission(caller, workspace_id, permission)) return;
  const strongest = findStrongestKeyPermission(caller, workspace_id);
  const allowed =
    strongest === null ? "no API keys" : `API keys with at most the "${strongest}" permission`;
  throw denied(
    caller.kind === "api_key"
      ? `This API key has the "${caller.permission}" permission, so it cannot create or change a key with "${permission}".`
      : `Your role in this workspace allows ${allowed}. This key has "${permission}".`,
  );
}

/** True with permission to change the key. */
export function canChangeKey(
  caller: Caller,
  key: { workspace_id: string; owner_member_id: string | null },
): boolean {
  const reach = findWorkspaceReach(caller, "api_keys:write", key.workspace_id);
  return reach === "all" || (reach === "own" && isOwnApiKey(caller, key));
}

/** Throws a 403 without permission to change the key. Not a 404, because the caller can list the key. */
export function checkCanChangeKey(
  caller: Caller,
  key: { workspace_id: string; owner_member_id: string | null },
): void {
  if (canChangeKey(caller, key)) return;
  const reach = findWorkspaceReach(caller, "api_keys:write", key.workspace_id);
  if (reach === null) throw deniedInWorkspace(caller, "api_keys:write", key.workspace_id);
  throw denied(
    "Your role in this workspace allows only your own API keys. This key has another owner. Ask a Workspace Admin.",
  );
}
