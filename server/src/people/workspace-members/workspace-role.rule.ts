import {
  chooseHigherRole,
  findInheritedRole,
  type OrganizationRole,
  type WorkspaceRole,
} from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";

export interface ShownRole {
  role: WorkspaceRole;
  source: "organization" | "workspace" | "group";
}

/**
 * Returns the one role shown for a member in a workspace, or null for none. An inherited admin role counts first, then
 * the higher of the assigned role and the roles of groups, then another inherited role. (Rights combine all roles:
 * domain/rights.ts.)
 */
export function findShownRole({
  role,
  given_role: given,
  group_roles: groups,
}: HeldRoles): ShownRole | null {
  const inherited = findInheritedRole(role);
  if (inherited === "workspace_admin") return { role: inherited, source: "organization" };
  const grouped = groups?.[0]?.workspace_role ?? null;
  if (given !== null && (grouped === null || chooseHigherRole(given, grouped) === given)) {
    return { role: given, source: "workspace" };
  }
  if (grouped !== null) return { role: grouped, source: "group" };
  return inherited && { role: inherited, source: "organization" };
}

/** Roles of a member in a workspace, those of groups highest first. */
interface HeldRoles {
  role: OrganizationRole;
  given_role: GivenWorkspaceRole | null;
  group_roles: readonly { workspace_role: GivenWorkspaceRole }[] | null;
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
