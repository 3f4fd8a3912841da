import {
  inheritedRole,
  type OrganizationRole,
  type WorkspaceRole,
} from "@bursar/contract/permissions.ts";

export interface CountingRole {
  role: WorkspaceRole;
  /** It comes from the role in the organization. */
  isInherited: boolean;
}

/**
 * The one role that a person is shown with in a workspace: what the organization's role brings where that is everything,
 * else what was given there, else what is brought. Null for somebody who is not in the workspace. (Rights are both
 * roles': domain/rights.ts.)
 */
export function countingWorkspaceRole(
  organizationRole: OrganizationRole,
  given: WorkspaceRole | null,
): CountingRole | null {
  const inherited = inheritedRole(organizationRole);
  if (inherited === "workspace_admin") return { role: inherited, isInherited: true };
  if (given !== null) return { role: given, isInherited: false };
  return inherited && { role: inherited, isInherited: true };
}

/** Why nobody with this role in the organization is given `role` in a workspace, or null where it can be given. */
export function refuseGivenRole(
  organizationRole: OrganizationRole,
  role: WorkspaceRole,
): "is workspace admin everywhere" | "can only be made workspace admin" | null {
  const inherited = inheritedRole(organizationRole);
  if (inherited === "workspace_admin") return "is workspace admin everywhere";
  return inherited !== null && role !== "workspace_admin"
    ? "can only be made workspace admin"
    : null;
}
