import { describeCallers } from "@bursar/contract/permission-words.ts";
import {
  type Action,
  findRequiredPermission,
  includesPermission,
  isAccountAction,
  isClaudeAction,
  isOpenToMembers,
  isOperatorAction,
  isOrganizationAction,
  isSelfAction,
  type OrganizationAction,
  roleNames,
  type WorkspaceAction,
} from "@bursar/contract/permissions.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller, MemberCaller } from "#src/domain/caller.ts";
import {
  findOrganizationReach,
  findWorkspaceReach,
  hasOrganizationPermission,
  listWorkspaceRoles,
} from "#src/domain/rights.ts";

/**
 * Checks that the caller has permission for `action`. The use case checks the rows. Any action that the contract's
 * table does not grant is refused with a 403 that names the required role or key.
 */
export function authorize(caller: Caller, action: Exclude<Action, "public">): void {
  if (caller.kind === "member" && caller.isSecondFactorMissing && !isAccountAction(action)) {
    throw new ApiError(
      "second_factor_required",
      "Your organization requires a second factor. Set up an authenticator app or a passkey under Your account.",
    );
  }
  if (isClaudeAction(action)) {
    throw denied("Calls to Claude need an API key of a workspace.");
  }
  if (isSelfAction(action)) {
    if (caller.kind === "member") return;
    throw denied("This call concerns the signed-in member. Sign in instead of using a key.");
  }
  if (isOperatorAction(action)) {
    if (caller.kind === "local_operator") return;
    throw denied("This call needs the command line on the server's own machine.");
  }
  if (isOrganizationAction(action)) checkOrganizationAction(caller, action);
  else checkWorkspaceAction(caller, action);
}

/** Throws a 403 that names the required role or key. */
function checkOrganizationAction(caller: Caller, action: OrganizationAction): void {
  if (hasOrganizationPermission(caller, action)) return;
  throw denied(`This call needs ${describeCallers(action)}${describeCaller(caller)}.`);
}

/** Checks for permission in at least one workspace. A key has only one. */
function checkWorkspaceAction(caller: Caller, action: WorkspaceAction): void {
  if (caller.kind === "api_key") {
    const needed = findRequiredPermission(action);
    if (needed !== null && includesPermission(caller.permission, needed)) return;
    throw denied(`This call needs ${describeCallers(action)}${describeCaller(caller)}.`);
  }
  if (findOrganizationReach(caller, action) !== null) return;
  if (caller.kind !== "member") {
    throw denied(`This call needs ${describeCallers(action)}${describeCaller(caller)}.`);
  }
  if (isOpenToMembers(action)) return;
  const workspaceIds = [...caller.workspaceRoles.keys()];
  if (workspaceIds.some((id) => findWorkspaceReach(caller, action, id) !== null)) return;
  throw denied(
    `This call needs ${describeCallers(action)}, but you have no such role in any workspace. Ask an owner or admin of the organization.`,
  );
}

/** Throws a 403 unless the caller has permission for the organization as a whole, not only in a workspace. */
export function checkEverywhere(caller: Caller, action: WorkspaceAction): void {
  if (findOrganizationReach(caller, action) !== null) return;
  throw denied(
    `For the whole organization this call needs ${describeCallers(action, "everywhere")}${describeCaller(caller)}.`,
  );
}

/** Refusal of an action in a workspace that the caller can see. */
export function deniedInWorkspace(
  caller: Caller,
  action: WorkspaceAction,
  workspaceId: string,
): ApiError {
  return denied(
    `This call needs ${describeCallers(action)}${describeCaller(caller, workspaceId)}.`,
  );
}

export function denied(message: string): ApiError {
  return new ApiError("permission_denied", message);
}

function describeCaller(caller: Caller, workspaceId?: string): string {
  switch (caller.kind) {
    case "member":
      return `, but you are ${formatRoles(caller, workspaceId)}`;
    case "api_key":
      return `, but this API key has "${caller.permission}" in its workspace`;
    case "admin_key":
      return caller.scopes === null
        ? `, but an admin key has the permissions of ${roleNames.admin}`
        : `, but this admin key has the scopes ${caller.scopes.join(", ")}`;
    case "local_operator":
      return "";
  }
}

function formatRoles(caller: MemberCaller, workspaceId: string | undefined): string {
  if (workspaceId === undefined) return roleNames[caller.role];
  const roles = listWorkspaceRoles(caller, workspaceId).map((role) => roleNames[role]);
  return `${roles.join(" and ")} there`;
}
