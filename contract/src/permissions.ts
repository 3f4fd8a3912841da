// The table of rights. The server, the console and docs/guides/permissions.md derive all rights from it. Rights that the
// table does not grant are denied.

/** Official names. `roleNames` has the names for people. */
export const organizationRoles = [
  "owner",
  "admin",
  "developer",
  "billing",
  "user",
  "claude_code_user",
] as const;
export type OrganizationRole = (typeof organizationRoles)[number];

/** Highest first. `workspace_billing` is only inherited, and compared with no other. */
export const workspaceRoles = [
  "workspace_admin",
  "workspace_developer",
  "workspace_restricted_developer",
  "workspace_billing",
  "workspace_user",
] as const;
export type WorkspaceRole = (typeof workspaceRoles)[number];

export const roleNames: Readonly<Record<OrganizationRole | WorkspaceRole, string>> = {
  owner: "Owner",
  admin: "Admin",
  developer: "Developer",
  billing: "Billing",
  user: "Member",
  claude_code_user: "Claude Code only",
  workspace_admin: "Workspace Admin",
  workspace_developer: "Workspace Developer",
  workspace_restricted_developer: "Workspace Limited Developer",
  workspace_billing: "Workspace Billing",
  workspace_user: "Workspace User",
};

export const keyPermissions = ["read", "write", "admin"] as const;
/** Permission of a workspace key: read ⊂ write ⊂ admin. */
export type KeyPermission = (typeof keyPermissions)[number];

/** Extent of a right: all resources, or the member's own only. */
export type Reach = "all" | "own";
type Cell = Reach | null;

const all = "all";
const own = "own";
const __ = null;

/** Rights on the organization, by the role there. Workspace keys have none of them. */
// biome-ignore format: a table is read by its columns
const organizationRights = {
  //                     owner admin developer billing user code_user
  "workspaces:create":  [all,  all,  __,       __,     __,  __,  "create workspaces"],
  "organization:write": [all,  all,  __,       __,     __,  __,  "change the organization's settings"],
  "owners:write":       [all,  __,   __,       __,     __,  __,  "add, change and remove owners"],
  "members:read":       [all,  all,  all,      all,    __,  __,  "see the members of the organization"],
  "members:write":      [all,  all,  __,       __,     __,  __,  "change roles, deactivate and remove members except owners"],
  "groups:read":        [all,  all,  all,      all,    __,  __,  "see the groups of members"],
  "groups:write":       [all,  all,  __,       __,     __,  __,  "create, fill, change and delete groups"],
  "invites:read":       [all,  all,  __,       __,     __,  __,  "see invites"],
  "invites:write":      [all,  all,  __,       __,     __,  __,  "invite members"],
  "admin_keys:read":    [all,  all,  __,       __,     __,  __,  "see admin keys"],
  "admin_keys:write":   [all,  all,  __,       __,     __,  __,  "create and revoke admin keys"],
  "upstreams:read":     [all,  all,  __,       __,     __,  __,  "see the upstream, without its credential"],
  "upstreams:write":    [all,  __,   __,       __,     __,  __,  "set the upstream and its credential"],
  "managed_settings:read":  [all, all, __,     __,     __,  __,  "see the managed settings of Claude Code, and those of a member"],
  "managed_settings:write": [all, all, __,     __,     __,  __,  "change the managed settings of Claude Code, which can run commands on the machines of members"],
  "telemetry_receivers:read":  [all, all, __,  __,     __,  __,  "see telemetry receivers, without the values of their headers"],
  "telemetry_receivers:write": [all, all, __,  __,     __,  __,  "set the receivers to which telemetry of laptops is relayed"],
  "model_prices:write": [all,  all,  __,       __,     __,  __,  "override model prices, and say which features of requests are neutral"],
  "audit_log:read":     [all,  all,  __,       __,     __,  __,  "read the audit log"],
  "access_reviews:read":  [all, all, __,       __,     __,  __,  "see all access, and access reviews with their evidence"],
  "access_reviews:write": [all, all, __,       __,     __,  __,  "start, change, close and cancel access reviews"],
  "alert_channels:write": [all, all, __,       __,     __,  __,  "create and change alert channels, and see their targets"],
  "security:read":      [all,  all,  __,       __,     __,  __,  "see the security settings"],
  "security:write":     [all,  all,  __,       __,     __,  __,  "change the security settings"],
  "directories:read":   [all,  all,  __,       __,     __,  __,  "see directories, without their client secrets"],
  "directories:write":  [all,  __,   __,       __,     __,  __,  "set up directories, and who signs in through them"],
  "mail:read":          [all,  all,  __,       __,     __,  __,  "see sent mail"],
  "system:read":        [all,  all,  __,       __,     __,  __,  "see the state of the system"],
  "spend:resolve":      [all,  all,  __,       __,     __,  __,  "resolve unresolved spend, and abandon message batches"],
  "contract_terms:read":  [all, all, __,       all,    __,  __,  "see the terms of the contract and the tag of cost centres"],
  "contract_terms:write": [all, all, __,       all,    __,  __,  "set the terms of the contract, and choose the tag of cost centres"],
  // Rights of signed-in members on their own account. Keys have none of them.
  "self:read":          [own,  own,  own,      own,    own, own, "see their own profile and sessions"],
  "self:write":         [own,  own,  own,      own,    own, own, "change their own profile, password and sessions"],
  "personal_keys:write": [own, own,  own,      own,    own, own, "create, change and revoke their own API keys, and see their secrets, where a workspace or their role allows it"],
} as const satisfies Record<string, readonly [Cell, Cell, Cell, Cell, Cell, Cell, string]>;

/**
 * Rights in one workspace, by the role there or by the permission of a workspace key. The rights of `claudeActions` belong to
 * the Claude API, which only keys call. A role has them for the keys that it can create.
 */
// biome-ignore format: a table is read by its columns
const workspaceRights = {
  //                         admin developer limited billing user  key of the workspace
  "organization:read":       [all, all,      all,    all,    all, "admin", "see the organization's name"],
  "workspaces:read":         [all, all,      all,    all,    all, "admin", "see the workspace"],
  "workspaces:write":        [all, __,       __,     __,     __,  "admin", "change and archive the workspace"],
  "workspace_members:read":  [all, all,      all,    __,     __,  "admin", "see the members of the workspace"],
  "workspace_members:write": [all, __,       __,     __,     __,  "admin", "add, change and remove members of the workspace"],
  "api_keys:read":           [all, all,      all,    __,     __,  "admin", "see the workspace's API keys"],
  "api_keys:write":          [all, own,      own,    __,     __,  "admin", "create, change and revoke API keys"],
  "spend_limits:read":       [all, all,      all,    all,    __,  "admin", "see spend limits"],
  "spend_limits:write":      [all, __,       __,     all,    __,  "admin", "set and remove spend limits"],
  "spend_limits:request":    [all, all,      all,    all,    all, "write", "request a higher spend limit"],
  "rate_limits:read":        [all, all,      all,    all,    __,  "admin", "see rate limits"],
  "rate_limits:write":       [all, __,       __,     __,     __,  "admin", "set and remove rate limits"],
  "alerts:read":             [all, all,      all,    all,    __,  "admin", "see alerts and their firings"],
  "alerts:write":            [all, __,       __,     all,    __,  "admin", "create, change, mute and acknowledge alerts"],
  "usage:read":              [all, all,      all,    all,    own, "read",  "see usage and cost"],
  "statements:read":         [all, __,       __,     all,    __,  "admin", "see monthly statements and their exports"],
  "model_prices:read":       [all, all,      all,    all,    all, "read",  "see model prices and neutral features"],
  "models:read":             [all, all,      all,    __,     __,  "read",  "list the models of Claude"],
  "messages:count":          [all, all,      all,    __,     __,  "read",  "count tokens"],
  "messages:create":         [all, all,      all,    __,     __,  "write", "create messages"],
  "batches:read":            [all, all,      all,    __,     __,  "read",  "list message batches, and read their results"],
  "batches:write":           [all, all,      all,    __,     __,  "write", "create, cancel and delete message batches"],
  "files:read":              [all, all,      all,    __,     __,  "read",  "list files, and download those that Claude made"],
  "files:write":             [all, all,      all,    __,     __,  "write", "upload and delete files"],
  "skills:read":             [all, all,      all,    __,     __,  "read",  "list skills and their versions"],
  "skills:write":            [all, all,      all,    __,     __,  "write", "create and delete skills and their versions"],
} as const satisfies Record<string, readonly [Cell, Cell, Cell, Cell, Cell, KeyPermission, string]>;

/** Workspace role that an organization role has in every workspace, archived ones included. */
const inheritedRoles: Readonly<Partial<Record<OrganizationRole, WorkspaceRole>>> = {
  owner: "workspace_admin",
  admin: "workspace_admin",
  billing: "workspace_billing",
};

/** An admin key has the rights of this role. The local operator has those of an owner. */
export const adminKeyRole: OrganizationRole = "admin";
export const localOperatorRole: OrganizationRole = "owner";

/** Rights of every scope: the names that other responses refer to. */
const rightsOfAllScopes: readonly Action[] = [
  "organization:read",
  "workspaces:read",
  "model_prices:read",
];

/**
 * Scopes of admin keys. A key with scopes has the rights of `adminKeyRole` that one of its scopes names. The key can give
 * others no more. The scope "read" has all rights that end in `:read`.
 */
// biome-ignore format: a table is read by its columns
const scopeTable = {
  read:           ["read", "read everything"],
  usage:          [["usage:read", "spend_limits:read", "rate_limits:read", "statements:read", "contract_terms:read"],
                    "read usage, cost, statements and limits"],
  audit_log:      [["audit_log:read"], "read the audit log"],
  members:        [["members:read", "members:write", "groups:read", "groups:write", "invites:read", "invites:write", "workspace_members:read",
                    "workspace_members:write", "spend_limits:request"], "invite and manage members"],
  workspaces:     [["workspaces:create", "workspaces:write"], "create, change and archive workspaces"],
  api_keys:       [["api_keys:read", "api_keys:write", "usage:read", "spend_limits:request", "models:read",
                    "messages:count", "messages:create", "batches:read", "batches:write", "files:read", "files:write",
                    "skills:read", "skills:write"], "create and manage API keys"],
  limits:         [["spend_limits:read", "spend_limits:write", "spend_limits:request", "rate_limits:read",
                    "rate_limits:write", "spend:resolve", "usage:read"], "set spend limits and rate limits"],
  alerts:         [["alerts:read", "alerts:write", "alert_channels:write"], "set alerts and their channels"],
  access_reviews: [["access_reviews:read", "access_reviews:write"], "carry out access reviews"],
  admin_keys:     [["admin_keys:read", "admin_keys:write"], "create and revoke admin keys"],
  managed_settings: [["managed_settings:read", "managed_settings:write"], "change the managed settings of Claude Code"],
  telemetry_receivers: [["telemetry_receivers:read", "telemetry_receivers:write"], "set telemetry receivers"],
  settings:       [["organization:write", "security:read", "security:write", "directories:read", "upstreams:read", "model_prices:write",
                    "mail:read", "system:read", "contract_terms:read", "contract_terms:write"], "change settings, model prices and contract terms"],
} as const satisfies Record<string, readonly [readonly Action[] | "read", string]>;

export type AdminKeyScope = keyof typeof scopeTable;
export const adminKeyScopes = Object.keys(scopeTable) as AdminKeyScope[];

/** Whether one of the scopes has the right. Null: all rights of an admin key. Unknown scopes have none. */
export function isInScopes(scopes: readonly string[] | null, action: Action): boolean {
  if (scopes === null || rightsOfAllScopes.includes(action)) return true;
  return scopes.some((scope) => {
    const rights = scope in scopeTable ? scopeTable[scope as AdminKeyScope][0] : [];
    return rights === "read"
      ? action.endsWith(":read")
      : (rights as readonly Action[]).includes(action);
  });
}

/** Whether `inner` has no right that `outer` lacks. Null: all rights of an admin key. */
export function isWithinScopes(
  inner: readonly string[] | null,
  outer: readonly string[] | null,
): boolean {
  const actions: readonly Action[] = [
    ...organizationActions,
    ...workspaceActions,
    ...claudeActions,
  ];
  return actions.every((action) => !isInScopes(inner, action) || isInScopes(outer, action));
}

/** Description of the scope, to follow "may". */
export function describeScope(scope: AdminKeyScope): string {
  return scopeTable[scope][1];
}

/** Returns the role with more rights. `workspaceRoles` is in this order. */
export function chooseHigherRole<Role extends WorkspaceRole>(a: Role, b: Role): Role {
  return workspaceRoles.indexOf(a) <= workspaceRoles.indexOf(b) ? a : b;
}

/** Inherited from the organization role only. Workspaces cannot assign it. */
export const inheritedOnlyRole: WorkspaceRole = "workspace_billing";

export type SelfAction = "self:read" | "self:write" | "personal_keys:write";
export type OrganizationAction = Exclude<keyof typeof organizationRights, SelfAction>;
export type ClaudeAction = (typeof claudeActions)[number];
export type WorkspaceAction = Exclude<keyof typeof workspaceRights, ClaudeAction>;
/** Actions that no role grants. Only the operator, who controls the server's machine anyway, can take them. */
export type OperatorAction = "owners:recover";
/** Right that a route requires. "public" requires none, and no caller. */
export type Action =
  | OrganizationAction
  | WorkspaceAction
  | SelfAction
  | ClaudeAction
  | OperatorAction
  | "public";

export const selfActions: readonly SelfAction[] = [
  "self:read",
  "self:write",
  "personal_keys:write",
];
export const claudeActions = [
  "models:read",
  "messages:count",
  "messages:create",
  "batches:read",
  "batches:write",
  "files:read",
  "files:write",
  "skills:read",
  "skills:write",
] as const satisfies readonly (keyof typeof workspaceRights)[];
export const organizationActions = (
  Object.keys(organizationRights) as (OrganizationAction | SelfAction)[]
).filter((action) => !isSelfAction(action));
export const workspaceActions = (
  Object.keys(workspaceRights) as (WorkspaceAction | ClaudeAction)[]
).filter((action) => !isClaudeAction(action));

export function isSelfAction(action: Action): action is SelfAction {
  return (selfActions as readonly Action[]).includes(action);
}

/** Whether members need the right to set up a missing second factor. Such members have no other right. */
export function isAccountAction(action: Action): boolean {
  return action === "self:read" || action === "self:write";
}

export function isOperatorAction(action: Action): action is OperatorAction {
  return action === "owners:recover";
}

export function isClaudeAction(action: Action): action is ClaudeAction {
  return (claudeActions as readonly Action[]).includes(action);
}

export function isOrganizationAction(action: Action): action is OrganizationAction {
  return action in organizationRights && !isSelfAction(action);
}

export function isWorkspaceAction(action: Action): action is WorkspaceAction {
  return action in workspaceRights && !isClaudeAction(action);
}

/** Whether the organization role has the right. */
export function hasRight(role: OrganizationRole, action: OrganizationAction | SelfAction): boolean {
  return organizationRights[action][organizationRoles.indexOf(role)] !== null;
}

/** Extent of a role's right in its workspace. Null: the role lacks the right. */
export function findReach(
  role: WorkspaceRole,
  action: WorkspaceAction | ClaudeAction,
): Reach | null {
  return (workspaceRights[action] as readonly Cell[])[workspaceRoles.indexOf(role)] ?? null;
}

/** Role in every workspace through the organization role. Null: none. */
export function findInheritedRole(role: OrganizationRole): WorkspaceRole | null {
  return inheritedRoles[role] ?? null;
}

/**
 * Whether every workspace role has the right. Members without a workspace may make the call too, and get empty lists
 * instead of a refusal.
 */
export function isOpenToMembers(action: WorkspaceAction): boolean {
  return workspaceRoles.every((role) => findReach(role, action) !== null);
}

/** Lowest permission of a workspace key for the action. Null: workspace keys cannot take it. */
export function findRequiredPermission(action: Action): KeyPermission | null {
  return action in workspaceRights
    ? workspaceRights[action as keyof typeof workspaceRights][5]
    : null;
}

/** Whether the permission `held` includes the permission `needed`. */
export function includesPermission(held: KeyPermission, needed: KeyPermission): boolean {
  return keyPermissions.indexOf(held) >= keyPermissions.indexOf(needed);
}

/** Description of the action, to follow "may". */
export function describeAction(action: Exclude<Action, "public" | OperatorAction>): string {
  return action in organizationRights
    ? organizationRights[action as keyof typeof organizationRights][6]
    : workspaceRights[action as keyof typeof workspaceRights][6];
}

/**
 * Ranks of callers, highest first. A caller sets and removes values of its own rank and of lower ones. The strictest value of
 * all ranks applies.
 */
export const ranks = ["machine", "owner", "admin", "workspace", "holder"] as const;
export type Rank = (typeof ranks)[number];

/** Subjects with one value per rank: keys with their restrictions, and limits of spend and rates. */
export type RankSubject = "keys" | "limits";

/** Callers with a rank. `api_key` is a key with the permission `admin`. Other keys are holders. */
export type RankedCaller =
  | "local_operator"
  | "admin_key"
  | "api_key"
  | OrganizationRole
  | WorkspaceRole;

/** Rank of each caller. A member with two roles has the higher rank. */
// biome-ignore format: a table is read by its columns
const rankTable = {
  //                              keys         limits
  local_operator:                 ["machine",   "machine"],
  owner:                          ["owner",     "owner"],
  admin:                          ["admin",     "admin"],
  admin_key:                      ["admin",     "admin"],
  billing:                        ["holder",    "admin"],
  developer:                      ["holder",    "holder"],
  user:                           ["holder",    "holder"],
  claude_code_user:               ["holder",    "holder"],
  workspace_admin:                ["workspace", "workspace"],
  api_key:                        ["workspace", "workspace"],
  workspace_developer:            ["holder",    "holder"],
  workspace_restricted_developer: ["holder",    "holder"],
  workspace_billing:              ["holder",    "workspace"],
  workspace_user:                 ["holder",    "holder"],
} as const satisfies Record<RankedCaller, readonly [Rank, Rank]>;

export const rankedCallers = Object.keys(rankTable) as RankedCaller[];

/** Names of ranks for people. */
export const rankNames: Readonly<Record<Rank, string>> = {
  machine: "the operator",
  owner: "an Owner",
  admin: "an Admin",
  workspace: "a Workspace Admin",
  holder: "the holder",
};

export function findRank(caller: RankedCaller, subject: RankSubject): Rank {
  return rankTable[caller][subject === "keys" ? 0 : 1];
}

/** Whether the rank `held` is `other` or above it. */
export function includesRank(held: Rank, other: Rank): boolean {
  return ranks.indexOf(held) <= ranks.indexOf(other);
}
