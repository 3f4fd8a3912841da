/** What a route asks of its caller. A route names exactly one action; nothing is allowed that is not listed here. */
export type Action = OrganizationAction | WorkspaceAction | SelfAction | ClaudeAction;

/** Official words; the console shows `user` as "Member". */
export const organizationRoles = [
  "owner",
  "admin",
  "developer",
  "billing",
  "user",
  "claude_code_user",
] as const;
export type OrganizationRole = (typeof organizationRoles)[number];

/** `workspace_billing` comes from the organization's role `billing` and is never given in a workspace. */
export const workspaceRoles = [
  "workspace_admin",
  "workspace_developer",
  "workspace_restricted_developer",
  "workspace_billing",
  "workspace_user",
] as const;
export type WorkspaceRole = (typeof workspaceRoles)[number];

/** Actions of a signed-in person on itself: its profile and its sessions. No key has them. */
export const selfActions = ["self:read", "self:write"] as const;
export type SelfAction = (typeof selfActions)[number];

/** Actions on the organization as a whole: never open to a workspace key. */
export const organizationActions = [
  "workspaces:create",
  "admin_keys:read",
  "admin_keys:write",
  "upstreams:read",
  "upstreams:write",
  "model_prices:write",
  "organization:write",
  "members:read",
  "members:write",
  "invites:read",
  "invites:write",
  "audit_log:read",
  "security:read",
  "security:write",
  "mail:read",
  "system:read",
  "spend:resolve",
] as const;
export type OrganizationAction = (typeof organizationActions)[number];

/**
 * Actions inside one workspace. An admin key and the local operator have them everywhere; a workspace key with the
 * `admin` permission has them in its own workspace, where everything else is as if it did not exist.
 */
export const workspaceActions = [
  "organization:read",
  "workspaces:read",
  "workspaces:write",
  "workspace_members:read",
  "workspace_members:write",
  "api_keys:read",
  "api_keys:write",
  "spend_limits:read",
  "spend_limits:write",
  "usage:read",
  "model_prices:read",
] as const;
export type WorkspaceAction = (typeof workspaceActions)[number];

/** Actions of the Claude API itself: only a workspace key has them, by its permission. */
export const claudeActions = ["models:read", "messages:count", "messages:create"] as const;
export type ClaudeAction = (typeof claudeActions)[number];

export const keyPermissions = ["read", "write", "admin"] as const;
/** Permission of a workspace key: read ⊂ write ⊂ admin. */
export type KeyPermission = (typeof keyPermissions)[number];

const leastPermission: Record<ClaudeAction | WorkspaceAction, KeyPermission> = {
  "models:read": "read",
  "messages:count": "read",
  "messages:create": "write",
  "organization:read": "admin",
  "workspaces:read": "admin",
  "workspaces:write": "admin",
  "workspace_members:read": "admin",
  "workspace_members:write": "admin",
  "api_keys:read": "admin",
  "api_keys:write": "admin",
  "spend_limits:read": "admin",
  "spend_limits:write": "admin",
  "usage:read": "read",
  "model_prices:read": "read",
};

/** Least permission a workspace key needs for the action, or null where no workspace key may ever do it. */
export function permissionFor(action: Action): KeyPermission | null {
  return action in leastPermission ? leastPermission[action as keyof typeof leastPermission] : null;
}

/** True where a key with `held` may do what needs `needed`. */
export function includesPermission(held: KeyPermission, needed: KeyPermission): boolean {
  return keyPermissions.indexOf(held) >= keyPermissions.indexOf(needed);
}
