import {
  findInheritedRole,
  type OrganizationRole,
  type WorkspaceRole,
} from "@bursar/contract/permissions.ts";

export interface ShownRole {
  role: WorkspaceRole;
  /** Whether the role comes from the role in the organization. */
  isInherited: boolean;
}

/**
 * Returns the one role shown for a member in a workspace, or null for none. An inherited admin role counts first, then
 * the assigned role, then another inherited role. (Rights combine both roles: domain/rights.ts.)
 */
export function findShownRole(
  organizationRole: OrganizationRole,
  given: WorkspaceRole | null,
): ShownRole | null {
  const inherited = findInheritedRole(organizationRole);
  if (inherited === "workspace_admin") return { role: inherited, isInherited: true };
  if (given !== null) return { role: given, isInherited: false };
  return inherited && { role: inherited, isInherited: true };
}

/** Returns why members with this organization role cannot be assigned `role` in a workspace, or null if they can. */
export function findRoleConflict(
  organizationRole: OrganizationRole,
  role: WorkspaceRole,
): "is Workspace Admin everywhere" | "can only become Workspace Admin" | null {
  const inherited = findInheritedRole(organizationRole);
  if (inherited === "workspace_admin") return "is Workspace Admin everywhere";
  return inherited !== null && role !== "workspace_admin"
    ? "can only become Workspace Admin"
    : null;
}
