import { z } from "zod";
import { count, optionalQuery, queryFlag, queryList, timestamp } from "../fields.ts";
import { apiKeyId, groupId, inviteId, memberId, sessionId, workspaceId } from "../ids.ts";
import { page, pageCursor, pageCursorQuery, pageQuery } from "../paging.ts";
import { organizationRoles } from "../permissions.ts";
import { organizationRole, organizationRoleInput, workspaceRole } from "../roles.ts";
import { route } from "../route.ts";
import { session } from "./sessions.ts";
import { oneTimeLink } from "./set-up.ts";

const MAX_SEARCH_LENGTH = 200;
const memberParams = z.strictObject({ member_id: memberId });

export const memberStatuses = ["active", "deactivated", "removed"] as const;
const memberStatus = z.enum(memberStatuses);

/** Company shape. */
export const member = z
  .object({
    id: memberId,
    type: z.literal("member"),
    email: z.string(),
    name: z.string(),
    role: organizationRole,
    status: memberStatus,
    workspaces: z
      .array(z.object({ workspace_id: workspaceId, workspace_role: workspaceRole }))
      .meta({
        description:
          "Roles in workspaces that the caller can see. Roles inherited from the organization role are omitted.",
      }),
    workspace_count: count.meta({ description: "Number of roles in `workspaces`." }),
    created_at: timestamp,
    last_active_at: timestamp.nullable(),
    removed_at: timestamp.nullable(),
  })
  .meta({ id: "Member" });

const listedMember = member
  .extend({
    workspaces: member.shape.workspaces
      .nullable()
      .meta({ description: "As in a single member. Null: `omit_workspaces` was sent." }),
  })
  .meta({ id: "ListedMember" });

/** Resources that end with a member's access. */
const endingResources = {
  api_keys: z.array(z.object({ id: apiKeyId, name: z.string(), workspace_id: workspaceId })),
  workspaces: z.array(
    z.object({ workspace_id: workspaceId, name: z.string(), workspace_role: workspaceRole }),
  ),
  groups: z.array(z.object({ id: groupId, name: z.string() })),
  invites: z
    .array(z.object({ id: inviteId, email: z.string() }))
    .meta({ description: "Pending invites that the member sent." }),
};

export const listMembers = route({
  operationId: "listMembers",
  method: "GET",
  path: "/v1/admin/members",
  summary: "List members",
  description: "Newest first. Without `statuses`, removed members are omitted.",
  action: "members:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    search: optionalQuery(z.string().max(MAX_SEARCH_LENGTH)).meta({
      description: "Part of the name or address. Case-insensitive.",
    }),
    roles: queryList(organizationRoleInput),
    statuses: queryList(memberStatus),
    workspace_id: optionalQuery(workspaceId).meta({
      description: "Members with a role in this workspace, directly or through a group.",
    }),
    omit_workspaces: queryFlag.meta({
      description: "`workspaces` is null. Faster for members with many roles.",
    }),
  }),
  response: pageCursor(listedMember),
});

export const getMember = route({
  operationId: "getMember",
  method: "GET",
  path: "/v1/admin/members/{member_id}",
  summary: "Get a member",
  action: "members:read",
  audited: null,
  params: memberParams,
  response: member,
});

export const updateMember = route({
  operationId: "updateMember",
  method: "POST",
  path: "/v1/admin/members/{member_id}",
  summary: "Change a member's role",
  description:
    "Takes effect with the next request, also in open sessions. Callers cannot assign a role above their own. The last active owner stays an owner.",
  action: "members:write",
  audited: "member.updated",
  stepUp: "if_wider",
  params: memberParams,
  body: z.strictObject({ role: organizationRoleInput }),
  response: member,
});

export const deactivateMember = route({
  operationId: "deactivateMember",
  method: "POST",
  path: "/v1/admin/members/{member_id}/deactivate",
  summary: "Deactivate a member",
  description:
    "Ends the member's sessions, laptops, workspace roles, memberships in groups and pending invites, and stops the member's keys. The member keeps the sign-in and can be reactivated. Reactivation restores only groups that a directory provides.",
  action: "members:write",
  audited: "member.deactivated",
  params: memberParams,
  response: member,
});

export const reactivateMember = route({
  operationId: "reactivateMember",
  method: "POST",
  path: "/v1/admin/members/{member_id}/reactivate",
  summary: "Reactivate a member",
  description:
    "The member can sign in again, with the previous role in the organization. Groups that a directory provides have the member again.",
  action: "members:write",
  audited: "member.reactivated",
  stepUp: true,
  params: memberParams,
  response: member,
});

export const signOutMember = route({
  operationId: "signOutMember",
  method: "POST",
  path: "/v1/admin/members/{member_id}/sign_out",
  summary: "Sign a member out",
  description:
    "Ends all sessions and laptops of the member. The member can sign in again, and keeps roles and keys.",
  action: "members:write",
  audited: "member.signed_out",
  params: memberParams,
  response: member,
});

export const listMemberSessions = route({
  operationId: "listMemberSessions",
  method: "GET",
  path: "/v1/admin/members/{member_id}/sessions",
  summary: "List a member's sessions",
  description: "Only sessions that still work, last used first.",
  action: "members:write",
  audited: null,
  params: memberParams,
  response: z.object({ data: z.array(session) }),
});

export const endMemberSession = route({
  operationId: "endMemberSession",
  method: "DELETE",
  path: "/v1/admin/members/{member_id}/sessions/{session_id}",
  summary: "End one session of a member",
  description: "The device must sign in again. Other sessions, roles and keys stay.",
  action: "members:write",
  audited: "member.session_ended",
  params: memberParams.extend({ session_id: sessionId }),
  response: z.object({ id: sessionId, type: z.literal("session_deleted") }),
});

export const previewMemberRemoval = route({
  operationId: "previewMemberRemoval",
  method: "GET",
  path: "/v1/admin/members/{member_id}/removal_preview",
  summary: "Preview the removal of a member",
  action: "members:write",
  audited: null,
  params: memberParams,
  response: z
    .object({
      member_id: memberId,
      refusal: z
        .string()
        .nullable()
        .meta({ description: "Why the caller cannot remove this member now. Null: possible." }),
      ...endingResources,
    })
    .meta({ id: "MemberRemovalPreview" }),
});

export const removeMember = route({
  operationId: "removeMember",
  method: "DELETE",
  path: "/v1/admin/members/{member_id}",
  summary: "Remove a member",
  description:
    "Cannot be undone. Ends the member's sign-in, sessions, workspace roles, memberships in groups and pending invites, and archives the member's keys. Name and address stay for the audit log and usage. A person who is invited again becomes a new member.",
  action: "members:write",
  audited: "member.removed",
  stepUp: true,
  params: memberParams,
  response: z.object({ id: memberId, type: z.literal("member_deleted"), ...endingResources }),
});

export const createResetLink = route({
  operationId: "createResetLink",
  method: "POST",
  path: "/v1/admin/members/{member_id}/reset_link",
  summary: "Create a link for a member's new password",
  description:
    "The operator passes the one-time link on to the member. Earlier links of the member stop working. Sessions end when the link is used. The second factor stays.",
  action: "owners:recover",
  audited: "password_reset.link_created",
  params: memberParams,
  response: oneTimeLink,
});

// The official shape: members who are not removed.

const userParams = z.strictObject({ user_id: memberId });

export const officialUser = z
  .object({
    id: memberId,
    type: z.literal("user"),
    email: z.string(),
    name: z.string(),
    role: organizationRole,
    added_at: timestamp,
  })
  .meta({ id: "OfficialUser" });

/** Roles that the official API can assign. */
export const officialAssignableRole = z.enum(["user", "developer", "billing", "claude_code_user"], {
  error: "expected one of user, developer, billing, claude_code_user",
});
export const officialEmailFilter = optionalQuery(z.string().max(MAX_SEARCH_LENGTH)).meta({
  description: "The whole address. Case-insensitive.",
});

export const listOfficialUsers = route({
  operationId: "listOfficialUsers",
  method: "GET",
  path: "/v1/organizations/users",
  summary: "List users (official shape)",
  action: "members:read",
  audited: null,
  query: z.strictObject({
    ...pageQuery,
    email: officialEmailFilter,
    roles: queryList(z.enum(organizationRoles)),
  }),
  response: page(officialUser),
});

export const getOfficialUser = route({
  operationId: "getOfficialUser",
  method: "GET",
  path: "/v1/organizations/users/{user_id}",
  summary: "Get a user (official shape)",
  action: "members:read",
  audited: null,
  params: userParams,
  response: officialUser,
});

export const updateOfficialUser = route({
  operationId: "updateOfficialUser",
  method: "POST",
  path: "/v1/organizations/users/{user_id}",
  summary: "Change a user's role (official shape)",
  description: "Only the company shape can assign `admin` and `owner`.",
  action: "members:write",
  audited: "member.updated",
  params: userParams,
  body: z.strictObject({ role: officialAssignableRole }),
  response: officialUser,
});

export const signOutOfficialUser = route({
  operationId: "signOutOfficialUser",
  method: "POST",
  path: "/v1/organizations/users/{user_id}/sign_out",
  summary: "Sign a user out (official shape)",
  action: "members:write",
  audited: "member.signed_out",
  params: userParams,
  response: officialUser,
});

export const removeOfficialUser = route({
  operationId: "removeOfficialUser",
  method: "DELETE",
  path: "/v1/organizations/users/{user_id}",
  summary: "Remove a user (official shape)",
  action: "members:write",
  audited: "member.removed",
  params: userParams,
  response: z.object({ id: memberId, type: z.literal("user_deleted") }),
});

export const memberRoutes = [
  listMembers,
  getMember,
  updateMember,
  deactivateMember,
  reactivateMember,
  signOutMember,
  listMemberSessions,
  endMemberSession,
  previewMemberRemoval,
  removeMember,
  createResetLink,
  listOfficialUsers,
  getOfficialUser,
  updateOfficialUser,
  signOutOfficialUser,
  removeOfficialUser,
] as const;
