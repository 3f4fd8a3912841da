import {
  type OrganizationRole,
  roleNames,
  type WorkspaceRole,
} from "@bursar/contract/permissions.ts";
import type { Caller } from "#src/domain/caller.ts";
import { canGrantOrganizationRole, canGrantWorkspaceRole } from "#src/domain/rights.ts";
import { denied } from "./authorize.ts";

// Callers cannot grant a role with more permissions than their own, nor change a member who has one. The route's action
// decides whether the caller can change members at all.

/** Throws a 403 unless the caller can grant this role, by an invite or a change. */
export function checkRoleGrant(caller: Caller, role: OrganizationRole): void {
  if (canGrantOrganizationRole(caller, role)) return;
  throw denied(`Only ${describeGranters(role)} can grant the role ${roleNames[role]}.`);
}

/** Throws a 403 unless the caller can change, deactivate or remove a member with this role. */
export function checkMemberChange(caller: Caller, role: OrganizationRole): void {
  if (canGrantOrganizationRole(caller, role)) return;
  throw denied(
    `Only ${describeGranters(role)} can change a member with the role ${roleNames[role]}.`,
  );
}

/** Throws a 403 unless the caller can grant this role in the workspace, or change a member who has it there. */
export function checkWorkspaceRoleGrant(
  caller: Caller,
  workspaceId: string,
  role: WorkspaceRole,
): void {
  if (canGrantWorkspaceRole(caller, workspaceId, role)) return;
  throw denied(
    `Only members with at least the same permissions in this workspace can grant the role ${roleNames[role]}.`,
  );
}

function describeGranters(role: OrganizationRole): string {
  return role === "owner"
    ? "an Owner, or the command line on the server's own machine,"
    : "an Owner or Admin";
}
