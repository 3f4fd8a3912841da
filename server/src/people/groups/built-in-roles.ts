import {
  findReach,
  hasRight,
  type OrganizationRole,
  organizationActions,
  organizationRoles,
  type WorkspaceRole,
  workspaceActions,
  workspaceRoles,
} from "@bursar/contract/permissions.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { findOrganizationStart } from "./organization-start.sql.ts";

export interface BuiltInRole {
  id: OrganizationRole | WorkspaceRole;
  /** Start of the organization. */
  created_at: Date;
}

export interface RolePermission {
  /** The action. */
  id: string;
  created_at: Date;
}

/** Returns a page of the roles of the organization and of workspaces. */
export async function listBuiltInRoles(
  deps: AuditDeps,
  { caller }: Call,
  page: PageRequest,
): Promise<PageOfRows<BuiltInRole>> {
  const created_at = await findOrganizationStart(deps.database, caller.organizationId);
  return cutPage(
    [...organizationRoles, ...workspaceRoles].map((id) => ({ id, created_at })),
    page,
  );
}

/** Throws a 404. */
export async function getBuiltInRole(
  deps: AuditDeps,
  { caller }: Call,
  id: string,
): Promise<BuiltInRole> {
  const role = [...organizationRoles, ...workspaceRoles].find((each) => each === id);
  if (role === undefined) throw new ApiError("rbac_role_not_found", `Role not found: ${id}`);
  return {
    id: role,
    created_at: await findOrganizationStart(deps.database, caller.organizationId),
  };
}

/** Returns a page of the actions that the role grants, for all resources or its own. Throws a 404. */
export async function listRolePermissions(
  deps: AuditDeps,
  call: Call,
  roleId: string,
  page: PageRequest,
): Promise<PageOfRows<RolePermission>> {
  const { id: role, created_at } = await getBuiltInRole(deps, call, roleId);
  return cutPage(
    listActions(role).map((id) => ({ id, created_at })),
    page,
  );
}

function listActions(role: OrganizationRole | WorkspaceRole): string[] {
  if (isWorkspaceRole(role)) return workspaceActions.filter((each) => findReach(role, each));
  return organizationActions.filter((each) => hasRight(role, each));
}

function isWorkspaceRole(role: OrganizationRole | WorkspaceRole): role is WorkspaceRole {
  return (workspaceRoles as readonly string[]).includes(role);
}

/** Rows of one time, which lists show in descending order of their ids. */
function cutPage<Row extends { id: string; created_at: Date }>(
  rows: readonly Row[],
  page: PageRequest,
): PageOfRows<Row> {
  const { from } = page;
  const rest = rows
    .filter(({ id }) => from === null || id < from.id)
    .toSorted((a, b) => (a.id < b.id ? 1 : -1));
  return toPage<Row>(rest, page);
}
