import {
  type OrganizationRole,
  roleNames,
  type WorkspaceRole,
} from "@bursar/contract/permissions.ts";
import type { Caller } from "#src/domain/caller.ts";
import { mayGiveOrganizationRole, mayGiveWorkspaceRole } from "#src/domain/rights.ts";
import { denied } from "./authorize.ts";

// Nobody gives a role that may do what the giver may not, and nobody touches who has one. Whether the caller may change
// people at all is the route's action.

/** Throws a 403 unless the caller may make somebody this: by an invite, or by a change of the role. */
export function checkMayGiveRole(caller: Caller, role: OrganizationRole): void {
  if (mayGiveOrganizationRole(caller, role)) return;
  throw denied(`Only ${whoGives(role)} can give the role ${roleNames[role]}.`);
}

/** Throws a 403 unless the caller may change, deactivate or remove somebody who has this role now. */
export function checkMayChangeMember(caller: Caller, role: OrganizationRole): void {
  if (mayGiveOrganizationRole(caller, role)) return;
  throw denied(`Only ${whoGives(role)} can change somebody with the role ${roleNames[role]}.`);
}

/** Throws a 403 unless the caller may give this role in the workspace, or change who has it there. */
export function checkMayGiveWorkspaceRole(
  caller: Caller,
  workspaceId: string,
  role: WorkspaceRole,
): void {
  if (mayGiveWorkspaceRole(caller, workspaceId, role)) return;
  throw denied(
    `Only somebody who may do as much in this workspace can give the role ${roleNames[role]}.`,
  );
}

function whoGives(role: OrganizationRole): string {
  return role === "owner"
    ? "an Owner, or the command line on the server's own machine,"
    : "an Owner or Admin";
}
