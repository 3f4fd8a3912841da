import {
  type Action,
  adminKeyRole,
  type ClaudeAction,
  claudeActions,
  findInheritedRole,
  findReach,
  findRequiredPermission,
  hasRight,
  includesPermission,
  isInScopes,
  type KeyPermission,
  keyPermissions,
  localOperatorRole,
  type OrganizationAction,
  type OrganizationRole,
  organizationActions,
  type Reach,
  type WorkspaceAction,
  type WorkspaceRole,
  workspaceActions,
} from "@bursar/contract/permissions.ts";
import type { Caller, MemberCaller } from "./caller.ts";

// Applies the contract's table of permissions to a caller. All permission decisions are here.

/** Actions inside a workspace. Actions of the Claude API matter only for the permission of new keys. */
type InWorkspace = WorkspaceAction | ClaudeAction;
const inWorkspace: readonly InWorkspace[] = [...workspaceActions, ...claudeActions];

/** Organization role whose permissions the caller has. Null for a workspace key. */
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

export function hasOrganizationPermission(caller: Caller, action: OrganizationAction): boolean {
  const role = organizationRoleOf(caller);
  return role !== null && hasRight(role, action) && isInScopesOf(caller, action);
}

/** True unless the caller is an admin key whose scopes lack the right. */
function isInScopesOf(caller: Caller, action: Action): boolean {
  return caller.kind !== "admin_key" || isInScopes(caller.scopes, action);
}

/** Reach of an action in every workspace and in the organization as a whole. Null: no permission. */
export function findOrganizationReach(caller: Caller, action: InWorkspace): Reach | null {
  const role = organizationRoleOf(caller);
  const inherited = role && findInheritedRole(role);
  return inherited && isInScopesOf(caller, action) ? findReach(inherited, action) : null;
}

/** Reach of an action in this workspace, which must be in the caller's organization. Null: no permission. */
export function findWorkspaceReach(
  caller: Caller,
  action: InWorkspace,
  workspaceId: string,
): Reach | null {
  if (caller.kind === "api_key") {
    const reach = reachOfPermission(caller.permission, action);
    if (caller.workspaceId !== workspaceId || reach === null) return null;
    return action === "usage:read" && caller.seesOwnUsageOnly ? "own" : reach;
  }
  const inherited = findOrganizationReach(caller, action);
  if (inherited === "all" || caller.kind !== "member") return inherited;
  const given = caller.workspaceRoles.get(workspaceId);
  return (given && findReach(given, action)) ?? inherited;
}

function reachOfPermission(held: KeyPermission, action: InWorkspace): Reach | null {
  const needed = findRequiredPermission(action);
  return needed !== null && includesPermission(held, needed) ? "all" : null;
}

/**
 * Lists the workspaces where the caller has a permission. Null: all of its organization. With `reach`, only workspaces
 * with exactly that reach.
 */
export function listPermittedWorkspaces(
  caller: Caller,
  action: WorkspaceAction,
  reach?: Reach,
): readonly string[] | null {
  const fits = (found: Reach | null) => found !== null && found === (reach ?? found);
  if (fits(findOrganizationReach(caller, action))) return null;
  return listNamedWorkspaces(caller).filter((id) => fits(findWorkspaceReach(caller, action, id)));
}

function listNamedWorkspaces(caller: Caller): readonly string[] {
  if (caller.kind === "api_key") return [caller.workspaceId];
  return caller.kind === "member" ? [...caller.workspaceRoles.keys()] : [];
}

/** All roles of the member in the workspace: the assigned one and the inherited one. */
export function listWorkspaceRoles(caller: MemberCaller, workspaceId: string): WorkspaceRole[] {
  const given = caller.workspaceRoles.get(workspaceId);
  const inherited = findInheritedRole(caller.role);
  return [...new Set([given, inherited])].filter((role) => role !== undefined && role !== null);
}

// Callers cannot grant more than they have. Each function compares all granted permissions with the caller's own.

/** True if a key with this permission could do nothing in the workspace that the caller cannot. */
export function canGrantKeyPermission(
  caller: Caller,
  workspaceId: string,
  permission: KeyPermission,
): boolean {
  return inWorkspace.every((action) =>
    isWithin(
      reachOfPermission(permission, action),
      findWorkspaceReach(caller, action, workspaceId),
    ),
  );
}

/** Strongest permission for a new key that the caller can grant in the workspace, or null. */
export function findStrongestKeyPermission(
  caller: Caller,
  workspaceId: string,
): KeyPermission | null {
  return (
    keyPermissions.findLast((given) => canGrantKeyPermission(caller, workspaceId, given)) ?? null
  );
}

/** True if the caller has all permissions of the organization role, there and in workspaces. */
export function canGrantOrganizationRole(caller: Caller, role: OrganizationRole): boolean {
  const held = organizationRoleOf(caller);
  if (held === null) return false;
  const brought = findInheritedRole(role);
  return (
    organizationActions.every(
      (action) =>
        !hasRight(role, action) || (hasRight(held, action) && isInScopesOf(caller, action)),
    ) &&
    inWorkspace.every((action) =>
      isWithin(brought && findReach(brought, action), findOrganizationReach(caller, action)),
    )
  );
}

/** True if the caller has all permissions of the role in that workspace. */
export function canGrantWorkspaceRole(
  caller: Caller,
  workspaceId: string,
  role: WorkspaceRole,
): boolean {
  return inWorkspace.every((action) =>
    isWithin(findReach(role, action), findWorkspaceReach(caller, action, workspaceId)),
  );
}

function isWithin(given: Reach | null, held: Reach | null): boolean {
  return given === null || held === "all" || given === held;
}
