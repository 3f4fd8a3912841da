import {
  inheritedOnlyRole,
  inheritedRole,
  type OrganizationRole,
  organizationRoles,
  roleNames,
  type WorkspaceRole,
  workspaceRoles,
} from "@bursar/contract/permissions.ts";

/** What each role in the company is for, in a line. */
export const roleHints: Record<OrganizationRole, string> = {
  owner: "Everything, owners and the upstream’s credential included.",
  admin: "Everything but owners and the upstream’s credential.",
  developer: "Keys and usage of the workspaces they belong to.",
  billing: "Usage, cost and limits everywhere. No keys.",
  user: "Their workspaces and own usage; more by their role in a workspace.",
  claude_code_user: "A personal key for Claude Code, and nothing else.",
};

export const workspaceRoleHints: Record<WorkspaceRole, string> = {
  workspace_admin: "Everything in the workspace: people, keys, limits.",
  workspace_developer: "Own keys, usage and limits of the workspace.",
  workspace_restricted_developer: "As a developer, without files and other stored things.",
  workspace_billing: "Usage and limits.",
  workspace_user: "The workspace and own usage.",
};

/** Roles that somebody with this role may give: none above the own. */
export function rolesToGive(own: OrganizationRole): OrganizationRole[] {
  if (own === "owner") return [...organizationRoles];
  return own === "admin" ? organizationRoles.filter((role) => role !== "owner") : [];
}

/** Roles that can be given in a workspace. */
export const givenRoles = workspaceRoles.filter((role) => role !== inheritedOnlyRole);

/** Whether somebody with the role needs none in a workspace, and which one they have everywhere then. */
export function everywhere(role: OrganizationRole): string | null {
  const inherited = inheritedRole(role);
  return inherited && `${roleNames[inherited]} everywhere`;
}
