import {
  adminKeyRole,
  includesPermission,
  inheritedOnlyRole,
  inheritedRole,
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
  permissionFor,
  type Reach,
  reachOfRole,
  roleMay,
  type WorkspaceRole,
  workspaceRoles,
} from "@bursar/contract/permissions.ts";
import type { AdminRoute } from "@bursar/contract/routes.ts";
import type { AdminHarness, Client, TestOrganization } from "./admin.ts";
import { hasTarget, sampleOf } from "./route-samples.ts";

// Everybody who can call, and what the table of rights says of each.

export interface CallerCase {
  name: string;
  /** As the audit log names it; null: nobody. */
  actorType: "admin_key" | "api_key" | "member" | "local_operator" | null;
  /** The role in the organization whose rights it has. */
  role?: OrganizationRole;
  /** The role of a person in the workspace that the call is about. */
  workspaceRole?: WorkspaceRole;
  /** The permission of a key of that workspace. */
  permission?: KeyPermission;
  /** A client of this caller; `workspaceId` is the workspace that its calls are about. */
  make(h: AdminHarness, org: TestOrganization, workspaceId: string): Promise<Client>;
}

const nobody: CallerCase = {
  name: "nobody",
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
      name: `a member with ${workspaceRole} there`,
      actorType: "member",
      role: "user",
      workspaceRole,
      make: async (_, org, id) =>
        (await org.member({ role: "user", workspaces: { [id]: workspaceRole } })).client,
    }),
  );

const keyCallers = keyPermissions.map(
  (permission): CallerCase => ({
    name: `an API key of the workspace with ${permission}`,
    actorType: "api_key",
    permission,
    make: async (h, org, id) => {
      const { key } = await org.operator.createApiKey(id, { permissions: [permission] });
      return h.as(key);
    },
  }),
);

/** Callers of the organization itself. */
export const callerCases: readonly CallerCase[] = [
  nobody,
  ...organizationCallers,
  ...workspaceCallers,
  ...keyCallers,
  adminKey,
  localOperator,
];

/** The status of the sample call, if the table of rights is what the server goes by. */
export function expectedStatus(route: AdminRoute, caller: CallerCase): number {
  const outcome = outcomeOf(route, caller);
  const { isFor, isDenied, isOnOthersKey, isOfOthersUsage } = sampleOf(route);
  if (outcome === "own") return isOnOthersKey ? 403 : isOfOthersUsage ? 404 : 200;
  if (outcome === "all" && isFor?.(caller) === false) return 404;
  if (outcome === "all" && isDenied?.(caller)) return 403;
  return outcome === "all" ? 200 : outcome;
}

/** The same about things that do not exist for the caller: what it may do elsewhere is not found here. */
export function expectedStatusOfHidden(route: AdminRoute, caller: CallerCase): number {
  const outcome = outcomeOf(route, caller);
  return typeof outcome === "number" ? outcome : 404;
}

function outcomeOf(route: AdminRoute, caller: CallerCase): Reach | 401 | 403 | 404 {
  const { action } = route;
  const isPerson = caller.actorType === "member";
  if (caller.actorType === null) return 401;
  // No session counts outside the company shape.
  if (isPerson && !route.path.startsWith("/v1/admin/")) return 401;
  if (isSelfAction(action)) return isPerson ? "all" : 403;
  if (isOperatorAction(action)) return caller.actorType === "local_operator" ? "all" : 403;
  if (isClaudeAction(action) || action === "public") return 403;
  if (isOrganizationAction(action)) {
    return caller.role !== undefined && roleMay(caller.role, action) ? "all" : 403;
  }
  if (caller.permission !== undefined) {
    const needed = permissionFor(action);
    return needed !== null && includesPermission(caller.permission, needed) ? "all" : 403;
  }
  const roles = rolesThere(caller);
  const reaches = roles.map((role) => reachOfRole(role, action));
  if (reaches.includes("all")) return "all";
  if (reaches.includes("own")) return "own";
  // Everybody may ask for it, but for who is in no workspace there is none.
  if (roles.length === 0 && isOpenToMembers(action)) return hasTarget(route) ? 404 : "all";
  return 403;
}

function rolesThere({ role, workspaceRole }: CallerCase): WorkspaceRole[] {
  const inherited = role && inheritedRole(role);
  return [inherited, workspaceRole].filter((each) => each !== undefined && each !== null);
}
