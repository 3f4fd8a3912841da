import type { AccessPath } from "@bursar/contract/access-paths.ts";
import { roleNames } from "@bursar/contract/permissions.ts";
import type { ItemOf } from "../../queries.ts";

export type Access = ItemOf<"listAccess">;
/** Fields that an access and an item of a review share. */
export type AccessFacts = Pick<
  Access,
  | "path"
  | "member"
  | "workspace"
  | "role"
  | "workspace_role"
  | "group"
  | "key"
  | "granted_at"
  | "granted_by"
  | "expires_at"
  | "last_used_at"
>;

/** Paths of access, each with the effect of its removal. */
export const pathWords: Readonly<
  Record<AccessPath, { label: string; hint: string; removal: string }>
> = {
  organization_role: {
    label: "Company role",
    hint: "Roles of all members in the company.",
    removal: "deactivates the member, ends sessions, and stops personal keys and workspace roles",
  },
  workspace_role: {
    label: "Workspace role",
    hint: "Roles that were assigned in a workspace.",
    removal: "removes the workspace role",
  },
  group_role: {
    label: "Role through a group",
    hint: "Roles in a workspace that members have through their groups.",
    removal: "names the group. Remove the member from it, or change the role of the group",
  },
  member_key: {
    label: "Personal API key",
    hint: "API keys that belong to a member.",
    removal: "revokes the key permanently",
  },
  workspace_key: {
    label: "Workspace key",
    hint: "API keys without an owner.",
    removal: "revokes the key permanently",
  },
  admin_key: {
    label: "Admin key",
    hint: "Keys that manage the whole company.",
    removal: "revokes the key permanently",
  },
};

/** Name of the member, or of a key without an owner. */
export function formatHolder({ member, key }: AccessFacts): string {
  return member?.name ?? key?.name ?? "";
}

/** E-mail address of the member, or the hint of the key. */
export function formatHolderNote({ member, key }: AccessFacts): string {
  return member?.email ?? key?.partial_key_hint ?? "";
}

/** Name of the workspace or of a wider scope. */
export function formatAccessScope({ path, workspace, workspace_role }: AccessFacts): string {
  if (workspace) return workspace.name;
  return path === "admin_key" || workspace_role ? "All workspaces" : "Company only";
}

/** Role or key that gives the access, with its rights. */
export function formatAccessSource(access: AccessFacts): string {
  const { path, role, workspace_role, group, key } = access;
  if (path === "organization_role" && role) {
    return workspace_role
      ? `${roleNames[role]} of the company, ${roleNames[workspace_role]} in all workspaces`
      : `${roleNames[role]} of the company`;
  }
  if (role && group) return `${roleNames[role]} through the group ${group.name}`;
  if (role) return roleNames[role];
  if (key?.type === "admin_key") return "Admin key with the rights of an Admin";
  if (!key) return pathWords[path].label;
  const may = { read: "reads", write: "sends messages", admin: "manages the workspace" }[
    key.permission
  ];
  return path === "member_key" ? `Personal key “${key.name}”, ${may}` : `Workspace key, ${may}`;
}

/** Author of the access. Null: unknown. */
export function formatGranter({ granted_by }: AccessFacts): string | null {
  if (!granted_by) return null;
  if (granted_by.name !== null) return granted_by.name;
  return granted_by.type === "local_operator" ? "the local operator" : granted_by.id;
}
