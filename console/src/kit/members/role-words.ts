import {
  findInheritedRole,
  inheritedOnlyRole,
  type OrganizationRole,
  organizationRoles,
  roleNames,
  type WorkspaceRole,
  workspaceRoles,
} from "@bursar/contract/permissions.ts";

/** Purpose of each organization role, in one line. */
export const roleHints: Record<OrganizationRole, string> = {
  owner: "All rights, including owners and the upstream credential.",
  admin: "All rights except owners and the upstream credential.",
  developer: "Keys and usage of their workspaces.",
  billing: "Usage, cost and limits of all workspaces. No keys.",
  user: "Their workspaces and own usage. Workspace roles add rights.",
  claude_code_user: "A personal key for Claude Code only.",
};

export const workspaceRoleHints: Record<WorkspaceRole, string> = {
  workspace_admin: "All rights in the workspace: members, keys, limits.",
  workspace_developer: "Own keys, usage and limits of the workspace.",
  workspace_restricted_developer: "Like a Developer, without files and other stored objects.",
  workspace_billing: "Usage and limits.",
  workspace_user: "The workspace and own usage.",
};

/** Roles that a member with the role `own` may assign. None is above it. */
export function findAssignableRoles(own: OrganizationRole): OrganizationRole[] {
  if (own === "owner") return [...organizationRoles];
  return own === "admin" ? organizationRoles.filter((role) => role !== "owner") : [];
}

/** Roles that can be assigned in a workspace. */
export const assignableWorkspaceRoles = workspaceRoles.filter((role) => role !== inheritedOnlyRole);

/** Choices of a field for such a role. */
export const workspaceRoleChoices = assignableWorkspaceRoles.map((value) => ({
  value,
  label: roleNames[value],
  hint: workspaceRoleHints[value],
}));

/** Describes the workspace role that an organization role includes. Null: it includes none. */
export function describeInheritedRole(role: OrganizationRole): string | null {
  const inherited = findInheritedRole(role);
  return inherited && `${roleNames[inherited]} everywhere`;
}
