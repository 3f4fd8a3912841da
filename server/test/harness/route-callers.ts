import {
  adminKeyRole,
  findInheritedRole,
  findReach,
  findRequiredPermission,
  hasRight,
  includesPermission,
  inheritedOnlyRole,
  isClaudeAction,
  isOpenToMembers,
  isOperatorAction,
  isOrganizationAction,
  isSelfAction,
  type KeyPermission,
  keyPermissions,
  localOperatorRole,
  type OrganizationRole,
  organizationRoles,
  type Reach,
  type WorkspaceRole,
  workspaceRoles,
} from "@bursar/contract/permissions.ts";
import type { AdminRoute } from "@bursar/contract/routes.ts";
import type { AdminHarness, Client, TestOrganization } from "./admin.ts";
import { hasTarget, sampleOf } from "./route-samples.ts";

// Every kind of caller, and its result by the table of rights.

export interface CallerCase {
  name: string;
  /** Actor type in the audit log. Null: no credential. */
  actorType: "admin_key" | "api_key" | "member" | "local_operator" | null;
  /** Role in the organization whose rights the caller has. */
  role?: OrganizationRole;
  /** Role of a member in the workspace of the call. */
  workspaceRole?: WorkspaceRole;
  /** Permission of an API key of that workspace. */
  permission?: KeyPermission;
  /** Makes a client of this caller, for calls about `workspaceId`. */
  make(h: AdminHarness, org: TestOrganization, workspaceId: string): Promise<Client>;
}

const anonymous: CallerCase = {
  name: "a caller without credentials",
  actorType: null,
  make: async (h) => h.as(null),
};

const adminKey: CallerCase = {
  name: "an admin key",
  actorType: "admin_key",
  role: adminKeyRole,
  make: async (_, org) => org.admin,
};

const localOperator: CallerCase = {
  name: "the local operator",
  actorType: "local_operator",
  role: localOperatorRole,
  make: async (_, org) => org.operator,
};

const organizationCallers = organizationRoles.map(
  (role): CallerCase => ({
    name: `a member with the role ${role}`,
    actorType: "member",
    role,
    make: async (_, org) => (await org.member({ role })).client,
  }),
);

const workspaceCallers = workspaceRoles
  .filter((role) => role !== inheritedOnlyRole)
  .map(
    (workspaceRole): CallerCase => ({
      name: `a member with the workspace role ${workspaceRole}`,
      actorType: "member",
      role: "user",
      workspaceRole,
      make: async (_, org, id) =>
        (await org.member({ role: "user", workspaces: { [id]: workspaceRole } })).client,
    }),
  );

const keyCallers = keyPermissions.map(
  (permission): CallerCase => ({
    name: `a workspace key with the permission ${permission}`,
    actorType: "api_key",
    permission,
    make: async (h, org, id) => {
      const { key } = await org.operator.createApiKey(id, { permissions: [permission] });
      return h.as(key);
    },
  }),
);

/** Callers with rights in the whole organization. */
export const callerCases: readonly CallerCase[] = [
  anonymous,
  ...organizationCallers,
  ...workspaceCallers,
  ...keyCallers,
  adminKey,
  localOperator,
];

/** Status of the sample call by the table of rights. */
export function getExpectedStatus(route: AdminRoute, caller: CallerCase): number {
  const outcome = outcomeOf(route, caller);
  const { isVisible, isDenied, isForeignKeyChange, hasForeignUsage } = sampleOf(route);
  if (outcome === "own") return isForeignKeyChange ? 403 : hasForeignUsage ? 404 : 200;
  if (outcome === "all" && isVisible?.(caller) === false) return 404;
  if (outcome === "all" && isDenied?.(caller)) return 403;
  return outcome === "all" ? 200 : outcome;
}

/** Status of a call about hidden subjects. An action that is allowed elsewhere gets 404 here. */
export function getHiddenStatus(route: AdminRoute, caller: CallerCase): number {
  const outcome = outcomeOf(route, caller);
  return typeof outcome === "number" ? outcome : 404;
}

function outcomeOf(route: AdminRoute, caller: CallerCase): Reach | 401 | 403 | 404 {
  const { action } = route;
  const isPerson = caller.actorType === "member";
  if (caller.actorType === null) return 401;
  // A session counts only on `/v1/admin/`.
  if (isPerson && !route.path.startsWith("/v1/admin/")) return 401;
  if (isSelfAction(action)) return isPerson ? "all" : 403;
  if (isOperatorAction(action)) return caller.actorType === "local_operator" ? "all" : 403;
  if (isClaudeAction(action) || action === "public") return 403;
  if (isOrganizationAction(action)) {
    return caller.role !== undefined && hasRight(caller.role, action) ? "all" : 403;
  }
  if (caller.permission !== undefined) {
    const needed = findRequiredPermission(action);
    return needed !== null && includesPermission(caller.permission, needed) ? "all" : 403;
  }
  const roles = listRoles(caller);
  const reaches = roles.map((role) => findReach(role, action));
  if (reaches.includes("all")) return "all";
  if (reaches.includes("own")) return "own";
  // Every member may call it, and a member without a workspace has no target.
  if (roles.length === 0 && isOpenToMembers(action)) return hasTarget(route) ? 404 : "all";
  return 403;
}

function listRoles({ role, workspaceRole }: CallerCase): WorkspaceRole[] {
  const inherited = role && findInheritedRole(role);
  return [inherited, workspaceRole].filter((each) => each !== undefined && each !== null);
}
