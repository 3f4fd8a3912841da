import { z } from "zod";
import { groupId, memberId, workspaceId } from "../ids.ts";
import { page, pageCursor, pageCursorQuery, pageQuery } from "../paging.ts";
import {
  givenWorkspaceRoles,
  organizationRole,
  workspaceRole,
  workspaceRoleInput,
} from "../roles.ts";
import { route } from "../route.ts";

const workspaceParams = z.strictObject({ workspace_id: workspaceId });
const memberParams = z.strictObject({ workspace_id: workspaceId, member_id: memberId });

/** Company shape. */
export const workspaceMember = z
  .object({
    type: z.literal("workspace_member"),
    workspace_id: workspaceId,
    member_id: memberId,
    email: z.string(),
    name: z.string(),
    workspace_role: workspaceRole.meta({ description: "Effective role." }),
    given_role: z
      .enum(givenWorkspaceRoles)
      .nullable()
      .meta({ description: "Role assigned in this workspace. Null: none." }),
    inherited_from: organizationRole.nullable().meta({
      description:
        "Organization role that `workspace_role` is inherited from. Null: assigned in the workspace, or given by a group.",
    }),
    groups: z
      .array(
        z.object({
          group_id: groupId,
          name: z.string(),
          workspace_role: z.enum(givenWorkspaceRoles),
        }),
      )
      .meta({ description: "Groups that give a role in this workspace, the highest role first." }),
  })
  .meta({ id: "WorkspaceMember" });

export const listWorkspaceMembers = route({
  operationId: "listWorkspaceMembers",
  method: "GET",
  path: "/v1/admin/workspaces/{workspace_id}/members",
  summary: "List the members of a workspace",
  description:
    "Lists members with an assigned or inherited role or one of a group, newest members first.",
  action: "workspace_members:read",
  audited: null,
  params: workspaceParams,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(workspaceMember),
});

export const getWorkspaceMember = route({
  operationId: "getWorkspaceMember",
  method: "GET",
  path: "/v1/admin/workspaces/{workspace_id}/members/{member_id}",
  summary: "Get a member of a workspace",
  action: "workspace_members:read",
  audited: null,
  params: memberParams,
  response: workspaceMember,
});

export const addWorkspaceMember = route({
  operationId: "addWorkspaceMember",
  method: "POST",
  path: "/v1/admin/workspaces/{workspace_id}/members",
  summary: "Add a member to a workspace",
  description:
    "Adds a member of the organization by `member_id` or `email`. Owners and admins are workspace admins everywhere. Members with the role billing can become workspace admins.",
  action: "workspace_members:write",
  audited: "workspace_member.added",
  stepUp: true,
  params: workspaceParams,
  body: z.strictObject({
    member_id: memberId.optional(),
    email: z.string().max(320).optional(),
    workspace_role: workspaceRoleInput,
  }),
  response: workspaceMember,
});

export const updateWorkspaceMember = route({
  operationId: "updateWorkspaceMember",
  method: "POST",
  path: "/v1/admin/workspaces/{workspace_id}/members/{member_id}",
  summary: "Change a member's role in a workspace",
  action: "workspace_members:write",
  audited: "workspace_member.updated",
  stepUp: "if_wider",
  params: memberParams,
  body: z.strictObject({ workspace_role: workspaceRoleInput }),
  response: workspaceMember,
});

export const removeWorkspaceMember = route({
  operationId: "removeWorkspaceMember",
  method: "DELETE",
  path: "/v1/admin/workspaces/{workspace_id}/members/{member_id}",
  summary: "Remove a member from a workspace",
  description:
    "Removes the assigned role. The member's keys in the workspace stop, unless the organization role includes the workspace.",
  action: "workspace_members:write",
  audited: "workspace_member.removed",
  params: memberParams,
  response: z.object({
    type: z.literal("workspace_member_deleted"),
    member_id: memberId,
    workspace_id: workspaceId,
  }),
});

// The official shape.

const officialParams = z.strictObject({ workspace_id: workspaceId, user_id: memberId });

export const officialWorkspaceMember = z
  .object({
    type: z.literal("workspace_member"),
    user_id: memberId,
    workspace_id: workspaceId,
    workspace_role: workspaceRole,
  })
  .meta({ id: "OfficialWorkspaceMember" });

const officialRole = z.enum(givenWorkspaceRoles, {
  error: `expected one of ${givenWorkspaceRoles.join(", ")}`,
});

export const listOfficialWorkspaceMembers = route({
  operationId: "listOfficialWorkspaceMembers",
  method: "GET",
  path: "/v1/organizations/workspaces/{workspace_id}/members",
  summary: "List the members of a workspace (official shape)",
  action: "workspace_members:read",
  audited: null,
  params: workspaceParams,
  query: z.strictObject({ ...pageQuery }),
  response: page(officialWorkspaceMember),
});

export const getOfficialWorkspaceMember = route({
  operationId: "getOfficialWorkspaceMember",
  method: "GET",
  path: "/v1/organizations/workspaces/{workspace_id}/members/{user_id}",
  summary: "Get a member of a workspace (official shape)",
  action: "workspace_members:read",
  audited: null,
  params: officialParams,
  response: officialWorkspaceMember,
});

export const addOfficialWorkspaceMember = route({
  operationId: "addOfficialWorkspaceMember",
  method: "POST",
  path: "/v1/organizations/workspaces/{workspace_id}/members",
  summary: "Add a member to a workspace (official shape)",
  action: "workspace_members:write",
  audited: "workspace_member.added",
  params: workspaceParams,
  body: z.strictObject({ user_id: memberId, workspace_role: officialRole }),
  response: officialWorkspaceMember,
});

export const updateOfficialWorkspaceMember = route({
  operationId: "updateOfficialWorkspaceMember",
  method: "POST",
  path: "/v1/organizations/workspaces/{workspace_id}/members/{user_id}",
  summary: "Change a member's role in a workspace (official shape)",
  action: "workspace_members:write",
  audited: "workspace_member.updated",
  params: officialParams,
  body: z.strictObject({ workspace_role: officialRole }),
  response: officialWorkspaceMember,
});

export const removeOfficialWorkspaceMember = route({
  operationId: "removeOfficialWorkspaceMember",
  method: "DELETE",
  path: "/v1/organizations/workspaces/{workspace_id}/members/{user_id}",
  summary: "Remove a member from a workspace (official shape)",
  action: "workspace_members:write",
  audited: "workspace_member.removed",
  params: officialParams,
  response: z.object({
    type: z.literal("workspace_member_deleted"),
    user_id: memberId,
    workspace_id: workspaceId,
  }),
});

export const workspaceMemberRoutes = [
  listWorkspaceMembers,
  getWorkspaceMember,
  addWorkspaceMember,
  updateWorkspaceMember,
  removeWorkspaceMember,
  listOfficialWorkspaceMembers,
  getOfficialWorkspaceMember,
  addOfficialWorkspaceMember,
  updateOfficialWorkspaceMember,
  removeOfficialWorkspaceMember,
] as const;
