import { includesPermission, type KeyPermission } from "@bursar/contract/permissions.ts";
import { onlyWorkspaceOf } from "#src/access/visible-workspace.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import type { ApiKeyScope } from "./api-keys.sql.ts";

/** The keys that exist for the caller. */
export function scopeOf(caller: Caller): ApiKeyScope {
  return { organizationId: caller.organizationId, onlyWorkspaceId: onlyWorkspaceOf(caller) };
}

/** A key never makes one that may do more than itself. */
export function checkMayGive(caller: Caller, permission: KeyPermission): void {
  if (caller.kind !== "api_key" || includesPermission(caller.permission, permission)) return;
  throw new ApiError(
    "permission",
    `This API key has the permission "${caller.permission}" and cannot make a key with "${permission}".`,
  );
}
