import {
  adminKeyRole,
  type ClaudeAction,
  claudeActions,
  includesPermission,
  inheritedRole,
  type KeyPermission,
  keyPermissions,
  localOperatorRole,
  type OrganizationAction,
  type OrganizationRole,
  organizationActions,
  permissionFor,
  type Reach,
  reachOfRole,
  roleMay,
  type WorkspaceAction,
  type WorkspaceRole,
  workspaceActions,
} from "@bursar/contract/permissions.ts";
import type { Caller, MemberCaller } from "./caller.ts";

// The table of the contract, applied to a caller. Every decision about rights is one of these.

/** What a right inside a workspace can be about; those of the Claude API count only for the keys that are made. */
type InWorkspace = WorkspaceAction | ClaudeAction;
const inWorkspace: readonly InWorkspace[] = [...workspaceActions, ...claudeActions];

/** The role in the organization whose rights the caller has; null for a workspace key, which has none there. */
export function organizationRoleOf(caller: Caller): OrganizationRole | null {
  switch (caller.kind) {
    case "local_operator":
      return localOperatorRole;
    case "admin_key":
      return adminKeyRole;
    case "member":
      return caller.role;
    case "api_key":
      return null;
  }
}

export function mayInOrganization(caller: Caller, action: OrganizationAction): boolean {
  const role = organizationRoleOf(caller);
  return role !== null && roleMay(role, action);
}

/** How far the caller goes in every workspace and in the organization as a whole; null: there is no such right. */
export function reachEverywhere(caller: Caller, action: InWorkspace): Reach | null {
  const role = organizationRoleOf(caller);
  const inherited = role && inheritedRole(role);
  return inherited && reachOfRole(inherited, action);
}

/** How far the caller goes in this workspace, which must be its organization's; null: there is no such right. */
export function reachIn(caller: Caller, action: InWorkspace, workspaceId: string): Reach | null {
  if (caller.kind === "api_key") {
    return caller.workspaceId === workspaceId ? reachOfPermission(caller.permission, action) : null;
  }
  const inherited = reachEverywhere(caller, action);
  if (inherited === "all" || caller.kind !== "member") return inherited;
  const given = caller.workspaceRoles.get(workspaceId);
  return (given && reachOfRole(given, action)) ?? inherited;
}

function reachOfPermission(held: KeyPermission, action: InWorkspace): Reach | null {
  const needed = permissionFor(action);
  return needed !== null && includesPermission(held, needed) ? "all" : null;
}

/**
 * The workspaces where the caller has the right, or null where it has it in all of its organization. With `reach`, only
 * those where it goes exactly so far.
 */
export function workspacesWhere(
  caller: Caller,
  action: WorkspaceAction,
  reach?: Reach,
): readonly string[] | null {
  const fits = (found: Reach | null) => found !== null && found === (reach ?? found);
  if (fits(reachEverywhere(caller, action))) return null;
  return namedWorkspaces(caller).filter((id) => fits(reachIn(caller, action, id)));
}

function namedWorkspaces(caller: Caller): readonly string[] {
  if (caller.kind === "api_key") return [caller.workspaceId];
  return caller.kind === "member" ? [...caller.workspaceRoles.keys()] : [];
}

/** Every role that the member has in the workspace: the one given there and the one that it inherits. */
export function rolesIn(caller: MemberCaller, workspaceId: string): WorkspaceRole[] {
  const given = caller.workspaceRoles.get(workspaceId);
  const inherited = inheritedRole(caller.role);
  return [...new Set([given, inherited])].filter((role) => role !== undefined && role !== null);
}

// Nobody gives what is above itself: each of these compares all rights that would be given with those that are held.

/** True where a key of this permission could do nothing in the workspace that its maker cannot. */
export function mayGiveKeyPermission(
  caller: Caller,
  workspaceId: string,
  permission: KeyPermission,
): boolean {
  return inWorkspace.every((action) =>
    isWithin(reachOfPermission(permission, action), reachIn(caller, action, workspaceId)),
  );
}

/** The strongest permission that a key of the caller's making can have in the workspace, or null. */
export function strongestKeyPermission(caller: Caller, workspaceId: string): KeyPermission | null {
  return (
    keyPermissions.findLast((given) => mayGiveKeyPermission(caller, workspaceId, given)) ?? null
  );
}

/** True where the role in the organization has no right, there or in a workspace, that the caller lacks. */
export function mayGiveOrganizationRole(caller: Caller, role: OrganizationRole): boolean {
  const held = organizationRoleOf(caller);
  if (held === null) return false;
  const brought = inheritedRole(role);
  return (
    organizationActions.every((action) => !roleMay(role, action) || roleMay(held, action)) &&
    inWorkspace.every((action) =>
      isWithin(brought && reachOfRole(brought, action), reachEverywhere(caller, action)),
    )
  );
}

/** True where the role in the workspace has no right that the caller lacks in that workspace. */
export function mayGiveWorkspaceRole(
  caller: Caller,
  workspaceId: string,
  role: WorkspaceRole,
): boolean {
  return inWorkspace.every((action) =>
    isWithin(reachOfRole(role, action), reachIn(caller, action, workspaceId)),
  );
}

function isWithin(given: Reach | null, held: Reach | null): boolean {
  return given === null || held === "all" || given === held;
}
