import type { Caller } from "#src/domain/caller.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import type { WorkspaceScope } from "./workspaces.sql.ts";

/** Scope of the workspaces that the caller can see. */
export function scopeOf(caller: Caller): WorkspaceScope {
  return {
    organizationId: caller.organizationId,
    onlyIds: listPermittedWorkspaces(caller, "workspaces:read"),
  };
}
