import { z } from "zod";
import { nameText, queryList, shownOnce, timestamp } from "../fields.ts";
import { groupId, inviteId, memberId, workspaceId } from "../ids.ts";
import { page, pageCursor, pageCursorQuery, pageQuery } from "../paging.ts";
import { organizationRoles } from "../permissions.ts";
import {
  organizationRole,
  organizationRoleInput,
  workspaceRole,
  workspaceRoleInput,
} from "../roles.ts";
import { route } from "../route.ts";
import { officialAssignableRole, officialEmailFilter } from "./members.ts";
import { newPassword } from "./sign-in.ts";

const MAX_EMAILS = 50;
const MAX_WORKSPACES = 100;
const MAX_GROUPS = 50;
/** Longer than any address, so that a wrong one gets its own result instead of a refusal of the whole list. */
const MAX_WRITTEN_EMAIL = 1000;
const inviteParams = z.strictObject({ invite_id: inviteId });

const inviteStatus = z.enum(["pending", "accepted", "expired", "revoked"]);

/** Company shape. */
export const invite = z
  .object({
    id: inviteId,
    type: z.literal("invite"),
    email: z.string(),
    role: organizationRole,
    status: inviteStatus,
    workspaces: z.array(z.object({ workspace_id: workspaceId, workspace_role: workspaceRole })),
    groups: z
      .array(z.object({ group_id: groupId, name: z.string() }))
      .meta({ description: "Groups that the invited person joins." }),
    invited_by: z.object({ type: z.string(), id: z.string() }),
    invited_at: timestamp,
    expires_at: timestamp,
    accepted_at: timestamp.nullable(),
    revoked_at: timestamp.nullable(),
    member_id: memberId
      .nullable()
      .meta({ description: "Member who accepted the invite. Null: not accepted." }),
  })
  .meta({ id: "Invite" });

const inviteLink = z
  .string()
  .nullable()
  .meta({
    description:
      "Secret link. Anyone who opens it can join as the invited person. Shown once to the member who invites, or to the operator. Null for an admin key.",
    ...shownOnce,
  });

const inviteResult = z.object({
  email: z.string().meta({ description: "As it was sent." }),
  result: z.enum(["invited", "already_member", "already_invited", "invalid"]),
  reason: z.string().nullable().meta({ description: "Reason for people. Null: it was invited." }),
  invite: invite.nullable().meta({ description: "The new invite, or the existing one." }),
  link: inviteLink,
});

export const createInvites = route({
  operationId: "createInvites",
  method: "POST",
  path: "/v1/admin/invites",
  summary: "Invite members",
  description:
    "Invites up to 50 addresses with the same role, workspaces and groups. Each address has its own result. An address that cannot be invited does not stop the others. An invite works once, within 21 days.",
  action: "invites:write",
  audited: "invite.created",
  stepUp: "if_wider",
  body: z.strictObject({
    emails: z.array(z.string().max(MAX_WRITTEN_EMAIL)).min(1).max(MAX_EMAILS),
    role: organizationRoleInput,
    workspaces: z
      .array(z.strictObject({ workspace_id: workspaceId, workspace_role: workspaceRoleInput }))
      .max(MAX_WORKSPACES)
      .default([]),
    group_ids: z.array(groupId).max(MAX_GROUPS).default([]).meta({
      description: "Groups to join, except those of a directory. Needs the right to change groups.",
    }),
  }),
  response: z.object({ results: z.array(inviteResult) }),
});

export const listInvites = route({
  operationId: "listInvites",
  method: "GET",
  path: "/v1/admin/invites",
  summary: "List invites",
  description: "Newest first. Without `statuses`, revoked invites are omitted.",
  action: "invites:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery, statuses: queryList(inviteStatus) }),
  response: pageCursor(invite),
});

export const getInvite = route({
  operationId: "getInvite",
  method: "GET",
  path: "/v1/admin/invites/{invite_id}",
  summary: "Get an invite",
  action: "invites:read",
  audited: null,
  params: inviteParams,
  response: invite,
});

export const resendInvite = route({
  operationId: "resendInvite",
  method: "POST",
  path: "/v1/admin/invites/{invite_id}/resend",
  summary: "Resend an invite",
  description:
    "Creates a new link, valid for 21 days. The previous link stops working. An expired invite becomes pending again.",
  action: "invites:write",
  audited: "invite.resent",
  stepUp: "if_wider",
  params: inviteParams,
  response: z.object({ ...invite.shape, link: inviteLink }),
});

export const revokeInvite = route({
  operationId: "revokeInvite",
  method: "DELETE",
  path: "/v1/admin/invites/{invite_id}",
  summary: "Revoke an invite",
  description: "Its link stops working.",
  action: "invites:write",
  audited: "invite.revoked",
  params: inviteParams,
  response: z.object({ id: inviteId, type: z.literal("invite_deleted") }),
});

// Routes for the holder of a link, who is not a member yet.

const inviteToken = z.string().min(1).max(200).meta({
  description: "Token after `#token=` in the link. The body keeps it out of logs.",
});

export const lookUpInvite = route({
  operationId: "lookUpInvite",
  method: "POST",
  path: "/v1/admin/invites/lookup",
  summary: "Look up an invite by its link",
  action: "public",
  audited: null,
  body: z.strictObject({ token: inviteToken }),
  response: z
    .object({
      type: z.literal("offered_invite"),
      organization_name: z.string(),
      email: z.string(),
      role: organizationRole,
      workspaces: z.array(z.object({ name: z.string(), workspace_role: workspaceRole })),
      groups: z.array(z.object({ name: z.string() })),
      expires_at: timestamp,
      company_sign_in_only: z.boolean().meta({
        description: "True: the person joins by a sign-in through a directory, without a password.",
      }),
    })
    .meta({ id: "OfferedInvite" }),
});

export const acceptInvite = route({
  operationId: "acceptInvite",
  method: "POST",
  path: "/v1/admin/invites/accept",
  summary: "Accept an invite",
  description:
    "Creates the member with the role, workspaces and groups of the invite, and signs the member in. The link works once.",
  action: "public",
  audited: "invite.accepted",
  body: z.strictObject({ token: inviteToken, name: nameText, password: newPassword }),
  response: z.object({ type: z.literal("signed_in"), member_id: memberId }),
});

// The official shape. The link is sent by e-mail. Without a mail server, the queued message has it.

export const officialInvite = z
  .object({
    id: inviteId,
    type: z.literal("invite"),
    email: z.string(),
    role: organizationRole,
    status: z.enum(["pending", "accepted", "expired", "deleted"]),
    invited_at: timestamp,
    expires_at: timestamp,
    accepted_at: timestamp.nullable(),
    rbac_group_ids: z.array(z.string()),
  })
  .meta({ id: "OfficialInvite" });

export const listOfficialInvites = route({
  operationId: "listOfficialInvites",
  method: "GET",
  path: "/v1/organizations/invites",
  summary: "List invites (official shape)",
  action: "invites:read",
  audited: null,
  query: z.strictObject({
    ...pageQuery,
    email: officialEmailFilter,
    roles: queryList(z.enum(organizationRoles)),
    statuses: queryList(z.enum(["pending", "accepted", "expired"])),
  }),
  response: page(officialInvite),
});

export const createOfficialInvite = route({
  operationId: "createOfficialInvite",
  method: "POST",
  path: "/v1/organizations/invites",
  summary: "Create an invite (official shape)",
  action: "invites:write",
  audited: "invite.created",
  body: z.strictObject({
    email: z.string().max(MAX_WRITTEN_EMAIL),
    role: officialAssignableRole,
    rbac_group_ids: z.array(groupId).max(MAX_GROUPS).optional(),
  }),
  response: officialInvite,
});

export const getOfficialInvite = route({
  operationId: "getOfficialInvite",
  method: "GET",
  path: "/v1/organizations/invites/{invite_id}",
  summary: "Get an invite (official shape)",
  action: "invites:read",
  audited: null,
  params: inviteParams,
  response: officialInvite,
});

export const deleteOfficialInvite = route({
  operationId: "deleteOfficialInvite",
  method: "DELETE",
  path: "/v1/organizations/invites/{invite_id}",
  summary: "Delete an invite (official shape)",
  action: "invites:write",
  audited: "invite.revoked",
  params: inviteParams,
  response: z.object({ id: inviteId, type: z.literal("invite_deleted") }),
});

export const inviteRoutes = [
  createInvites,
  listInvites,
  getInvite,
  resendInvite,
  revokeInvite,
  lookUpInvite,
  acceptInvite,
  listOfficialInvites,
  createOfficialInvite,
  getOfficialInvite,
  deleteOfficialInvite,
] as const;
