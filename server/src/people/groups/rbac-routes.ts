import {
  listOfficialGroupMembers,
  listOfficialGroups,
  listOfficialRolePermissions,
  listOfficialRoles,
  type officialGroup,
  type officialGroupMember,
  type officialRole,
  type rbacRoutes,
} from "@bursar/contract/admin/rbac.ts";
import { roleNames } from "@bursar/contract/permissions.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import {
  type BuiltInRole,
  getBuiltInRole,
  listBuiltInRoles,
  listRolePermissions,
} from "./built-in-roles.ts";
import type { GroupMemberRow } from "./group-members.sql.ts";
import { addGroupMember, listGroupMembers, removeGroupMember } from "./group-members.ts";
import type { GroupRow } from "./groups.sql.ts";
import { createGroup, deleteGroup, getGroup, listGroups, updateGroup } from "./groups.ts";

/** Groups and roles in the official shape. */
export function makeRbacHandlers(deps: AuditDeps): HandlersFor<(typeof rbacRoutes)[number], Call> {
  return {
    listOfficialGroups: pagedList(
      listOfficialGroups,
      (call, _, page) => listGroups(deps, call, {}, page),
      toWire,
    ),
    getOfficialGroup: async (call, { params }) =>
      toWire(await withOfficialCode(getGroup(deps, call, params.rbac_group_id))),
    createOfficialGroup: async (call, { body }) => toWire(await createGroup(deps, call, body)),
    updateOfficialGroup: async (call, { params: { rbac_group_id: id }, body }) => {
      const change = { name: body.name ?? undefined };
      return toWire(await withOfficialCode(updateGroup(deps, call, id, change)));
    },
    deleteOfficialGroup: async (call, { params: { rbac_group_id: id } }) => {
      await withOfficialCode(deleteGroup(deps, call, id));
      return { id, type: "rbac_group_deleted" };
    },
    listOfficialGroupMembers: pagedList(
      listOfficialGroupMembers,
      (call, { params }, page) =>
        withOfficialCode(listGroupMembers(deps, call, params.rbac_group_id, page)),
      (row, _, { params }) => toMemberWire(params.rbac_group_id, row),
    ),
    addOfficialGroupMember: async (call, { params: { rbac_group_id: id }, body }) => {
      const added = addGroupMember(deps, call, id, { member_id: body.user_id });
      return toMemberWire(id, await withOfficialCode(added));
    },
    removeOfficialGroupMember: async (call, { params: { rbac_group_id, user_id } }) => {
      await withOfficialCode(removeGroupMember(deps, call, rbac_group_id, user_id));
      return { type: "rbac_group_member_deleted", rbac_group_id, user_id };
    },
    listOfficialRoles: pagedList(
      listOfficialRoles,
      (call, _, page) => listBuiltInRoles(deps, call, page),
      toRoleWire,
    ),
    getOfficialRole: async (call, { params }) =>
      toRoleWire(await getBuiltInRole(deps, call, params.rbac_role_id)),
    listOfficialRolePermissions: pagedList(
      listOfficialRolePermissions,
      (call, { params }, page) => listRolePermissions(deps, call, params.rbac_role_id, page),
      ({ id: action }, { caller }) => ({
        type: "rbac_role_permission",
        action,
        resource: { type: "organization", organization_id: caller.organizationId },
      }),
    ),
  };
}

/** Replaces the code of a missing group by the official one. */
async function withOfficialCode<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    const isMissing = error instanceof ApiError && error.details.resource === "group";
    throw isMissing ? new ApiError("rbac_group_not_found", error.message) : error;
  }
}

function toWire(row: GroupRow): z.input<typeof officialGroup> {
  return {
    id: row.id,
    type: "rbac_group",
    name: row.name,
    source_type: row.source,
    role_ids: [...new Set(row.workspaces.map(({ workspace_role }) => workspace_role))].sort(),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

function toMemberWire(groupId: string, row: GroupMemberRow): z.input<typeof officialGroupMember> {
  return {
    type: "rbac_group_member",
    rbac_group_id: groupId,
    user_id: row.id,
    email: row.email,
    created_at: row.joined_at.toISOString(),
  };
}

function toRoleWire({ id, created_at }: BuiltInRole): z.input<typeof officialRole> {
  const at = created_at.toISOString();
  return {
    id,
    type: "rbac_role",
    display_name: roleNames[id],
    source: { type: "built_in" },
    created_at: at,
    updated_at: at,
  };
}
