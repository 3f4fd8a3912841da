import { z } from "zod";
import { nameText, queryList, timestamp } from "../fields.ts";
import { inviteId, memberId, workspaceId } from "../ids.ts";
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
/** Longer than an address can be, so that a wrong one gets its own answer and not a refusal of the whole list. */
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
    invited_by: z.object({ type: z.string(), id: z.string() }),
    invited_at: timestamp,
    expires_at: timestamp,
    accepted_at: timestamp.nullable(),
    revoked_at: timestamp.nullable(),
    member_id: memberId.nullable().meta({ description: "Who it became, once accepted." }),
  })
  .meta({ id: "Invite" });

const inviteLink = z.string().meta({
  description: "Lets whoever opens it join as this person. Shown in this answer alone.",
});

const inviteResult = z.object({
  email: z.string().meta({ description: "As it was sent." }),
  result: z.enum(["invited", "already_member", "already_invited", "invalid"]),
  reason: z.string().nullable().meta({ description: "For people; null where it was invited." }),
  invite: invite.nullable().meta({ description: "The new one, or the one that exists already." }),
  link: inviteLink.nullable(),
});

export const createInvites = route({
  operationId: "createInvites",
  method: "POST",
  path: "/v1/admin/invites",
  summary: "Invite people",
  description:
    "Up to 50 addresses at once, with the same role and workspaces. Each address has its own result; one that cannot be invited does not stop the others. An invite is valid for 21 days, once.",
  action: "invites:write",
  audited: "invite.created",
  body: z.strictObject({
    emails: z.array(z.string().max(MAX_WRITTEN_EMAIL)).min(1).max(MAX_EMAILS),
    role: organizationRoleInput,
    workspaces: z
      .array(z.strictObject({ workspace_id: workspaceId, workspace_role: workspaceRoleInput }))
      .max(MAX_WORKSPACES)
      .default([]),
  }),
  response: z.object({ results: z.array(inviteResult) }),
});

export const listInvites = route({
  operationId: "listInvites",
  method: "GET",
  path: "/v1/admin/invites",
  summary: "List invites",
  description: "Newest first. Without `statuses`, all but the revoked ones.",
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
  summary: "Send an invite again",
  description:
    "With a new link, valid for another 21 days; the link of before is dead. An expired invite comes back to life.",
  action: "invites:write",
  audited: "invite.resent",
  params: inviteParams,
  response: z.object({ ...invite.shape, link: inviteLink }),
});

export const revokeInvite = route({
  operationId: "revokeInvite",
  method: "DELETE",
  path: "/v1/admin/invites/{invite_id}",
  summary: "Revoke an invite",
  description: "Its link is dead from then on.",
  action: "invites:write",
  audited: "invite.revoked",
  params: inviteParams,
  response: z.object({ id: inviteId, type: z.literal("invite_deleted") }),
});

// What the holder of a link may do, without being anybody yet.

const inviteToken = z.string().min(1).max(200).meta({
  description: "From the `#token=` of the link. It goes in the body, so that it stands in no log.",
});

export const lookUpInvite = route({
  operationId: "lookUpInvite",
  method: "POST",
  path: "/v1/admin/invites/lookup",
  summary: "See what a link invites to",
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
      expires_at: timestamp,
    })
    .meta({ id: "OfferedInvite" }),
});

export const acceptInvite = route({
  operationId: "acceptInvite",
  method: "POST",
  path: "/v1/admin/invites/accept",
  summary: "Accept an invite",
  description:
    "Makes the person with the role and workspaces of the invite, and signs it in. The link works once.",
  action: "public",
  audited: "invite.accepted",
  body: z.strictObject({ token: inviteToken, name: nameText, password: newPassword }),
  response: z.object({ type: z.literal("signed_in"), member_id: memberId }),
});

// The official shape. The link goes by mail, or is read from the message where there is no mail server.

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
    rbac_group_ids: z
      .array(z.string())
      .max(0, "is not available on this server: omit it")
      .optional(),
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
