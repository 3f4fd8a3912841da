import type { AccessPath } from "@bursar/contract/access-paths.ts";
import { roleNames } from "@bursar/contract/permissions.ts";
import type { ItemOf } from "../../queries.ts";

export type Access = ItemOf<"listAccess">;
/** What an access and an entry of a review both tell. */
export type AccessFacts = Pick<
  Access,
  | "path"
  | "member"
  | "workspace"
  | "role"
  | "workspace_role"
  | "key"
  | "granted_at"
  | "granted_by"
  | "expires_at"
  | "last_used_at"
>;

/** The ways by which somebody or something reaches a workspace, and what taking each away does. */
export const pathWords: Readonly<
  Record<AccessPath, { label: string; hint: string; removal: string }>
> = {
  organization_role: {
    label: "Role in the company",
    hint: "Everybody who is in the company at all.",
    removal: "deactivates the person: sessions end, own keys stop, roles in workspaces go",
  },
  workspace_role: {
    label: "Role in a workspace",
    hint: "People who were given a role there.",
    removal: "takes the role in the workspace back",
  },
  member_key: {
    label: "Own API key",
    hint: "API keys that belong to a person.",
    removal: "revokes the key, for good",
  },
  workspace_key: {
    label: "Key of a workspace",
    hint: "API keys that nobody owns.",
    removal: "revokes the key, for good",
  },
  admin_key: {
    label: "Admin key",
    hint: "Keys that run the whole company’s Bursar.",
    removal: "revokes the key, for good",
  },
};

/** Whose access it is: a person, or a key that nobody owns. */
export function whoseOf({ member, key }: AccessFacts): string {
  return member?.name ?? key?.name ?? "";
}

/** Under it: the address of the person, or the hint of the key. */
export function whoseNote({ member, key }: AccessFacts): string {
  return member?.email ?? key?.partial_key_hint ?? "";
}

/** How far it goes. */
export function reachOf({ path, workspace, workspace_role }: AccessFacts): string {
  if (workspace) return workspace.name;
  return path === "admin_key" || workspace_role ? "Every workspace" : "The company alone";
}

/** Why: by which role or key, and what that may do. */
export function reasonOf({ path, role, workspace_role, key }: AccessFacts): string {
  if (path === "organization_role" && role) {
    return workspace_role
      ? `${roleNames[role]} of the company, so ${roleNames[workspace_role]} everywhere`
      : `${roleNames[role]} of the company`;
  }
  if (role) return roleNames[role];
  if (key?.type === "admin_key") return "Admin key: all that an Admin may";
  if (!key) return pathWords[path].label;
  const may = { read: "reads", write: "sends messages", admin: "runs the workspace" }[
    key.permission
  ];
  return path === "member_key" ? `Own key “${key.name}”, ${may}` : `Key of the workspace, ${may}`;
}

/** Who gave it, as far as that is known. */
export function giverOf({ granted_by }: AccessFacts): string | null {
  if (!granted_by) return null;
  if (granted_by.name !== null) return granted_by.name;
  return granted_by.type === "local_operator" ? "the server’s operator" : granted_by.id;
}
