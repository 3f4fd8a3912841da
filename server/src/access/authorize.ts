import { whoMay } from "@bursar/contract/permission-words.ts";
import {
  type Action,
  includesPermission,
  isClaudeAction,
  isOpenToMembers,
  isOperatorAction,
  isOrganizationAction,
  isSelfAction,
  type OrganizationAction,
  permissionFor,
  roleNames,
  type WorkspaceAction,
} from "@bursar/contract/permissions.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller, MemberCaller } from "#src/domain/caller.ts";
import { mayInOrganization, reachEverywhere, reachIn, rolesIn } from "#src/domain/rights.ts";

/**
 * Checks that the caller may do `action` at all; which rows it may do it to is the use case's question. Anything not
 * granted by the table in the contract is refused with a 403 that says what is needed.
 */
export function authorize(caller: Caller, action: Exclude<Action, "public">): void {
  if (isClaudeAction(action)) {
    throw denied("Calls to Claude need the key of a workspace: nobody else can make them.");
  }
  if (isSelfAction(action)) {
    if (caller.kind === "member") return;
    throw denied("This call is about a signed-in person: a key is no person. Sign in instead.");
  }
  if (isOperatorAction(action)) {
    if (caller.kind === "local_operator") return;
    throw denied("This call needs the command line on the server's own machine.");
  }
  if (isOrganizationAction(action)) checkOrganizationAction(caller, action);
  else checkWorkspaceAction(caller, action);
}

/** Throws a 403 that says which role or key is needed. */
function checkOrganizationAction(caller: Caller, action: OrganizationAction): void {
  if (mayInOrganization(caller, action)) return;
  throw denied(`This call needs ${whoMay(action)}${insteadOf(caller)}.`);
}

/** True of the caller in some workspace at least. A key has but one. */
function checkWorkspaceAction(caller: Caller, action: WorkspaceAction): void {
  if (caller.kind === "api_key") {
    const needed = permissionFor(action);
    if (needed !== null && includesPermission(caller.permission, needed)) return;
    throw denied(`This call needs ${whoMay(action)}${insteadOf(caller)}.`);
  }
  if (reachEverywhere(caller, action) !== null || isOpenToMembers(action)) return;
  const workspaceIds = caller.kind === "member" ? [...caller.workspaceRoles.keys()] : [];
  if (workspaceIds.some((id) => reachIn(caller, action, id) !== null)) return;
  throw denied(
    `This call needs ${whoMay(action)}; you have no such role in any workspace. Ask an owner or admin of the organization.`,
  );
}

/** Throws a 403 unless the caller may do it to the organization as a whole, not only in a workspace. */
export function checkEverywhere(caller: Caller, action: WorkspaceAction): void {
  if (reachEverywhere(caller, action) !== null) return;
  throw denied(
    `For the whole organization this call needs ${whoMay(action, "everywhere")}${insteadOf(caller)}.`,
  );
}

/** The refusal of something in a workspace that the caller can see. */
export function deniedInWorkspace(
  caller: Caller,
  action: WorkspaceAction,
  workspaceId: string,
): ApiError {
  return denied(`This call needs ${whoMay(action)}${insteadOf(caller, workspaceId)}.`);
}

export function denied(message: string): ApiError {
  return new ApiError("permission_denied", message);
}

function insteadOf(caller: Caller, workspaceId?: string): string {
  switch (caller.kind) {
    case "member":
      return `; you are ${roleWords(caller, workspaceId)}`;
    case "api_key":
      return `; this API key has "${caller.permission}" in its workspace`;
    case "admin_key":
      return `; an admin key has the rights of ${roleNames.admin}`;
    case "local_operator":
      return "";
  }
}

function roleWords(caller: MemberCaller, workspaceId: string | undefined): string {
  if (workspaceId === undefined) return roleNames[caller.role];
  const roles = rolesIn(caller, workspaceId).map((role) => roleNames[role]);
  return `${roles.join(" and ")} there`;
}
