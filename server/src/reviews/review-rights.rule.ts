import type { AccessPath } from "@bursar/contract/access-paths.ts";
import { type OrganizationRole, organizationRoles } from "@bursar/contract/permissions.ts";
import type { Caller, MemberCaller } from "#src/domain/caller.ts";
import {
  canGrantOrganizationRole,
  hasOrganizationPermission,
  listPermittedWorkspaces,
} from "#src/domain/rights.ts";

/** Access that a caller may remove, and so decide about in a review. Null: in all workspaces. */
export interface DecidableAccess {
  organizationRoles: readonly OrganizationRole[];
  adminKeys: boolean;
  rolesInWorkspaces: readonly string[] | null;
  /** Roles that members have through groups. */
  groupRoles: boolean;
  keysInWorkspaces: readonly string[] | null;
}

export interface ReviewedAccess {
  path: AccessPath;
  role: string;
  workspaceId: string | null;
}

/** Derives the rights from those of the API calls for single removals. */
export function findDecidableAccess(caller: Caller): DecidableAccess {
  return {
    organizationRoles: hasOrganizationPermission(caller, "members:write")
      ? organizationRoles.filter((role) => canGrantOrganizationRole(caller, role))
      : [],
    adminKeys: hasOrganizationPermission(caller, "admin_keys:write"),
    rolesInWorkspaces: listPermittedWorkspaces(caller, "workspace_members:write", "all"),
    groupRoles: hasOrganizationPermission(caller, "groups:write"),
    keysInWorkspaces: listPermittedWorkspaces(caller, "api_keys:write", "all"),
  };
}

export function mayDecide(decidable: DecidableAccess, access: ReviewedAccess): boolean {
  switch (access.path) {
    case "organization_role":
      return (decidable.organizationRoles as readonly string[]).includes(access.role);
    case "admin_key":
      return decidable.adminKeys;
    case "workspace_role":
      return isAmong(decidable.rolesInWorkspaces, access.workspaceId);
    case "group_role":
      return decidable.groupRoles;
    case "member_key":
    case "workspace_key":
      return isAmong(decidable.keysInWorkspaces, access.workspaceId);
  }
}

function isAmong(workspaceIds: readonly string[] | null, id: string | null): boolean {
  return workspaceIds === null || (id !== null && workspaceIds.includes(id));
}

export interface ReviewScope {
  paths: readonly AccessPath[];
  /** Null: all workspaces. */
  workspaceIds: readonly string[] | null;
}

/** Returns whether the scope can contain access that the caller may decide about. */
export function canReview(
  decidable: DecidableAccess,
  { paths, workspaceIds }: ReviewScope,
): boolean {
  const meets = (allowed: readonly string[] | null) =>
    allowed === null ||
    (workspaceIds === null ? allowed.length > 0 : allowed.some((id) => workspaceIds.includes(id)));
  return (
    (paths.includes("organization_role") && decidable.organizationRoles.length > 0) ||
    (paths.includes("admin_key") && decidable.adminKeys) ||
    (paths.includes("group_role") && decidable.groupRoles) ||
    (paths.includes("workspace_role") && meets(decidable.rolesInWorkspaces)) ||
    (paths.some((path) => path === "member_key" || path === "workspace_key") &&
      meets(decidable.keysInWorkspaces))
  );
}

/** Represents a member as a caller, to read the rights of a member who does not call. */
export function toCaller(
  member: Pick<MemberCaller, "id" | "organizationId" | "role" | "workspaceRoles">,
): MemberCaller {
  return { kind: "member", ...member, sessionId: "", steppedUpAtMs: null };
}
