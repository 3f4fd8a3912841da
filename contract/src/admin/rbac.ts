import { z } from "zod";
import { nameText, timestamp } from "../fields.ts";
import { groupId, memberId, organizationId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

// Groups and roles in the official shape.

const groupParams = z.strictObject({ rbac_group_id: groupId });
const roleId = z.string().min(1).max(100).meta({ description: "Name of a role, such as `admin`." });
const roleParams = z.strictObject({ rbac_role_id: roleId });

export const officialGroup = z
  .object({
    id: groupId,
    type: z.literal("rbac_group"),
    name: z.string(),
    source_type: z.enum(["direct", "scim"]),
    role_ids: z.array(roleId).meta({
      description:
        "Roles that the group gives in workspaces. `/v1/admin/groups` has the workspaces.",
    }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "OfficialGroup" });

export const officialGroupMember = z
  .object({
    type: z.literal("rbac_group_member"),
    rbac_group_id: groupId,
    user_id: memberId,
    email: z.string(),
    created_at: timestamp,
  })
  .meta({ id: "OfficialGroupMember" });

export const officialRole = z
  .object({
    id: roleId,
    type: z.literal("rbac_role"),
    display_name: z.string(),
    source: z.object({ type: z.literal("built_in") }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "OfficialRole" });

export const officialRolePermission = z
  .object({
    type: z.literal("rbac_role_permission"),
    action: z.string(),
    resource: z.object({ type: z.literal("organization"), organization_id: organizationId }),
  })
  .meta({ id: "OfficialRolePermission" });

export const listOfficialGroups = route({
  operationId: "listOfficialGroups",
  method: "GET",
  path: "/v1/organizations/rbac_groups",
  summary: "List groups (official shape)",
  action: "groups:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(officialGroup),
});

export const getOfficialGroup = route({
  operationId: "getOfficialGroup",
  method: "GET",
  path: "/v1/organizations/rbac_groups/{rbac_group_id}",
  summary: "Get a group (official shape)",
  action: "groups:read",
  audited: null,
  params: groupParams,
  response: officialGroup,
});

export const createOfficialGroup = route({
  operationId: "createOfficialGroup",
  method: "POST",
  path: "/v1/organizations/rbac_groups",
  summary: "Create a group (official shape)",
  action: "groups:write",
  audited: "group.created",
  body: z.strictObject({ name: nameText }),
  response: officialGroup,
});

export const updateOfficialGroup = route({
  operationId: "updateOfficialGroup",
  method: "POST",
  path: "/v1/organizations/rbac_groups/{rbac_group_id}",
  summary: "Rename a group (official shape)",
  action: "groups:write",
  audited: "group.updated",
  params: groupParams,
  body: z.strictObject({ name: nameText.nullish() }),
  response: officialGroup,
});

export const deleteOfficialGroup = route({
  operationId: "deleteOfficialGroup",
  method: "DELETE",
  path: "/v1/organizations/rbac_groups/{rbac_group_id}",
  summary: "Delete a group (official shape)",
  action: "groups:write",
  audited: "group.deleted",
  params: groupParams,
  response: z.object({ id: groupId, type: z.literal("rbac_group_deleted") }),
});

export const listOfficialGroupMembers = route({
  operationId: "listOfficialGroupMembers",
  method: "GET",
  path: "/v1/organizations/rbac_groups/{rbac_group_id}/members",
  summary: "List the members of a group (official shape)",
  action: "groups:read",
  audited: null,
  params: groupParams,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(officialGroupMember),
});

export const addOfficialGroupMember = route({
  operationId: "addOfficialGroupMember",
  method: "POST",
  path: "/v1/organizations/rbac_groups/{rbac_group_id}/members",
  summary: "Add a member to a group (official shape)",
  action: "groups:write",
  audited: "group_member.added",
  params: groupParams,
  body: z.strictObject({ user_id: memberId }),
  response: officialGroupMember,
});

export const removeOfficialGroupMember = route({
  operationId: "removeOfficialGroupMember",
  method: "DELETE",
  path: "/v1/organizations/rbac_groups/{rbac_group_id}/members/{user_id}",
  summary: "Remove a member from a group (official shape)",
  action: "groups:write",
  audited: "group_member.removed",
  params: z.strictObject({ rbac_group_id: groupId, user_id: memberId }),
  response: z.object({
    type: z.literal("rbac_group_member_deleted"),
    rbac_group_id: groupId,
    user_id: memberId,
  }),
});

export const listOfficialRoles = route({
  operationId: "listOfficialRoles",
  method: "GET",
  path: "/v1/organizations/rbac_roles",
  summary: "List roles (official shape)",
  description: "Roles of the organization and of workspaces. All are built in.",
  action: "groups:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(officialRole),
});

export const getOfficialRole = route({
  operationId: "getOfficialRole",
  method: "GET",
  path: "/v1/organizations/rbac_roles/{rbac_role_id}",
  summary: "Get a role (official shape)",
  action: "groups:read",
  audited: null,
  params: roleParams,
  response: officialRole,
});

export const listOfficialRolePermissions = route({
  operationId: "listOfficialRolePermissions",
  method: "GET",
  path: "/v1/organizations/rbac_roles/{rbac_role_id}/permissions",
  summary: "List the permissions of a role (official shape)",
  description: "Actions of the table of rights. The role of a workspace has them there only.",
  action: "groups:read",
  audited: null,
  params: roleParams,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(officialRolePermission),
});

export const rbacRoutes = [
  listOfficialGroups,
  getOfficialGroup,
  createOfficialGroup,
  updateOfficialGroup,
  deleteOfficialGroup,
  listOfficialGroupMembers,
  addOfficialGroupMember,
  removeOfficialGroupMember,
  listOfficialRoles,
  getOfficialRole,
  listOfficialRolePermissions,
] as const;
