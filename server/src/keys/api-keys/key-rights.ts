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

/** The keys that exist for the caller. */
export function scopeOf(caller: Caller): ApiKeyScope {
  return {
    organizationId: caller.organizationId,
    onlyWorkspaceIds: listPermittedWorkspaces(caller, "api_keys:read"),
  };
}

/**
 * Throws a 403 where the key may do more in the workspace than the caller may: nobody makes such a key, brings one back
 * to life or gets a secret of one.
 */
export function checkMayGive(
  caller: Caller,
  { workspace_id, permission }: { workspace_id: string; permission: KeyPermission },
): void {
  if (canGrantKeyPermission(caller, workspace_id, permission)) return;
  const strongest = findStrongestKeyPermission(caller, workspace_id);
  const held = strongest === null ? "with no permission at all" : `with at most "${strongest}"`;
  throw denied(
    caller.kind === "api_key"
      ? `This API key has the permission "${caller.permission}" and cannot make a key with "${permission}".`
      : `Your role in this workspace is for keys ${held}; this would be one with "${permission}".`,
  );
}

/** Somebody who may change own keys only sees the others too: changing those is forbidden, not unknown. */
export function checkMayChange(
  caller: Caller,
  key: { workspace_id: string; owner_member_id: string | null },
): void {
  const reach = findWorkspaceReach(caller, "api_keys:write", key.workspace_id);
  if (reach === "all" || (reach === "own" && isOwnApiKey(caller, key))) return;
  if (reach === null) throw deniedInWorkspace(caller, "api_keys:write", key.workspace_id);
  throw denied(
    "Your role in this workspace is for your own API keys; this one is not yours. Ask a Workspace Admin.",
  );
}
