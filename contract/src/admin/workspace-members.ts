import { z } from "zod";
import { memberId, workspaceId } from "../ids.ts";
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
    workspace_role: workspaceRole.meta({ description: "The role that counts." }),
    given_role: z
      .enum(givenWorkspaceRoles)
      .nullable()
      .meta({ description: "What was given in this workspace; null where all is inherited." }),
    inherited_from: organizationRole.nullable().meta({
      description:
        "The role in the organization that brings `workspace_role`; null where it was given.",
    }),
  })
  .meta({ id: "WorkspaceMember" });

export const listWorkspaceMembers = route({
  operationId: "listWorkspaceMembers",
  method: "GET",
  path: "/v1/admin/workspaces/{workspace_id}/members",
  summary: "List the members of a workspace",
  description:
    "Everybody who has a role in it, given or inherited from the role in the organization, newest members first.",
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
    "By `member_id` or by `email`, of somebody who is in the organization. Owners and admins are workspace admins everywhere already; billing people can be made workspace admins.",
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
  stepUp: true,
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
    "Takes back the role that was given. Personal keys in the workspace stop working unless the person has the workspace by its role in the organization.",
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
