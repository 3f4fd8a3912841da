import { z } from "zod";
import {
  type OrganizationRole,
  organizationRoles,
  type WorkspaceRole,
  workspaceRoles,
} from "./permissions.ts";

// Roles as people write them. The company shape takes the official words in any case, and the words of the console; it
// answers with the official ones.

const consoleWords: Readonly<Record<string, OrganizationRole>> = {
  member: "user",
  claude_code_only: "claude_code_user",
};

function toOrganizationRole(written: unknown): unknown {
  if (typeof written !== "string") return written;
  const word = toWord(written);
  return Object.hasOwn(consoleWords, word) ? consoleWords[word] : word;
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
      'Role in the organization, in any case; also in the words of the console, such as "Member" for `user`.',
  });

/** What can be given in a workspace: `workspace_billing` comes from the organization's role `billing` alone. */
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
    "Role in the workspace, in any case, with or without `workspace_`. `workspace_billing` cannot be given: it comes from the role `billing` in the organization.",
});
