import { z } from "zod";
import {
  type OrganizationRole,
  organizationRoles,
  type WorkspaceRole,
  workspaceRoles,
} from "./permissions.ts";

// Role names in requests. The company shape accepts official names and names of the console, in any case. Responses have
// the official names.

const consoleNames: Readonly<Record<string, OrganizationRole>> = {
  member: "user",
  claude_code_only: "claude_code_user",
};

function toOrganizationRole(written: unknown): unknown {
  if (typeof written !== "string") return written;
  const word = toWord(written);
  return Object.hasOwn(consoleNames, word) ? consoleNames[word] : word;
}

/** `Limited developer`, `developer`, `Workspace Developer` and `workspace_developer`. */
function toWorkspaceRole(written: unknown): unknown {
  if (typeof written !== "string") return written;
  const word = toWord(written).replace(/^limited_/, "restricted_");
  const name = word.startsWith("workspace_") ? word : `workspace_${word}`;
  return name.replace(/^workspace_limited_/, "workspace_restricted_");
}

function toWord(written: string): string {
  return written.trim().toLowerCase().replaceAll(/[ -]+/g, "_");
}

export const organizationRole = z
  .enum(organizationRoles)
  .meta({ description: "Role in the organization." });

export const organizationRoleInput = z
  .preprocess(toOrganizationRole, z.enum(organizationRoles))
  .meta({
    description:
      'Role in the organization, in any case. Names of the console are accepted too, such as "Member" for `user`.',
  });

/** Roles that a workspace can assign. `workspace_billing` is inherited from the organization role `billing` only. */
export const givenWorkspaceRoles = [
  "workspace_admin",
  "workspace_developer",
  "workspace_restricted_developer",
  "workspace_user",
] as const satisfies readonly WorkspaceRole[];
export type GivenWorkspaceRole = (typeof givenWorkspaceRoles)[number];

export const workspaceRole = z.enum(workspaceRoles).meta({ description: "Role in the workspace." });

export const workspaceRoleInput = z.preprocess(toWorkspaceRole, z.enum(givenWorkspaceRoles)).meta({
  description:
    "Role in the workspace, in any case, with or without `workspace_`. `workspace_billing` cannot be assigned: members inherit it from the organization role `billing`.",
});
