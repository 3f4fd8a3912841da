import {
  type invite,
  type inviteRoutes,
  listInvites as listInvitesRoute,
  listOfficialInvites,
  type officialInvite,
} from "@bursar/contract/admin/invites.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call, PublicCall } from "#src/access/call.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { type AcceptDeps, acceptInvite, lookUpInvite } from "./accept-invite.ts";
import { createInvites, type InviteResult } from "./create-invites.ts";
import { inviteStatusOf } from "./invite-status.rule.ts";
import {
  getInvite,
  getPresentInvite,
  listInvites,
  listInvitesByIds,
  resendInvite,
  revokeInvite,
  type ShownInvite,
} from "./invites.ts";

export function makeInviteHandlers(
  deps: AcceptDeps,
): HandlersFor<(typeof inviteRoutes)[number], Call, PublicCall> {
  const toWire = (shown: ShownInvite) => toInvite(shown, deps.nowMs());
  const toOfficialWire = (shown: ShownInvite) => toOfficialInvite(shown, deps.nowMs());
  return {
    createInvites: async (call, { body }) => {
      const results = await createInvites(deps, call, body);
      return { results: results.map((result) => toResult(result, toWire)) };
    },
    listInvites: pagedList(
      listInvitesRoute,
      (call, { query }, page) => listInvites(deps, call, query, page),
      toWire,
    ),
    getInvite: async (call, { params }) => toWire(await getInvite(deps, call, params.invite_id)),
    resendInvite: async (call, { params }) => {
      const { link, ...shown } = await resendInvite(deps, call, params.invite_id);
      return { ...toWire(shown), link };
    },
    revokeInvite: async (call, { params }) => {
      await revokeInvite(deps, call, params.invite_id);
      return { id: params.invite_id, type: "invite_deleted" };
    },
    lookUpInvite: async (call, { body }) => {
      const offer = await lookUpInvite(deps, call, body.token);
      const { row, workspaces, groups, organizationName } = offer;
      return {
        type: "offered_invite",
        organization_name: organizationName,
        email: row.email,
        role: row.role,
        workspaces: workspaces
          .filter(({ is_archived }) => !is_archived)
          .map(({ workspace_name, role }) => ({ name: workspace_name, workspace_role: role })),
        groups: groups.map(({ name }) => ({ name })),
        expires_at: row.expires_at.toISOString(),
        company_sign_in_only: offer.isCompanySignInOnly,
      };
    },
    acceptInvite: async (call, { body }) => ({
      type: "signed_in",
      member_id: await acceptInvite(deps, call, body),
    }),

    listOfficialInvites: pagedList(
      listOfficialInvites,
      (call, { query }) => listInvitesByIds(deps, call, query),
      toOfficialWire,
    ),
    createOfficialInvite: async (call, { body: { email, role, rbac_group_ids = [] } }) => {
      const input = { emails: [email], role, workspaces: [], group_ids: rbac_group_ids };
      const [result] = await createInvites(deps, call, input);
      return toOfficialWire(getInvited(result));
    },
    getOfficialInvite: async (call, { params }) =>
      toOfficialWire(await getPresentInvite(deps, call, params.invite_id)),
    deleteOfficialInvite: async (call, { params }) => {
      await getPresentInvite(deps, call, params.invite_id);
      await revokeInvite(deps, call, params.invite_id);
      return { id: params.invite_id, type: "invite_deleted" };
    },
  };
}

/** The official shape has one address and no list of results. */
function getInvited(result: InviteResult | undefined): ShownInvite {
  switch (result?.result) {
    case "invited":
      return result.invite;
    case "already_member":
      throw refuseField("email", `${result.reason}.`, "already_member");
    case "already_invited":
      throw refuseField(
        "email",
        `${result.reason} (${result.invite?.row.id}).`,
        "invite_already_exists",
      );
    default:
      throw refuseField("email", `${result?.reason}.`);
  }
}

function toResult(result: InviteResult, toWire: (shown: ShownInvite) => z.input<typeof invite>) {
  const shown = "invite" in result ? result.invite : null;
  return {
    email: result.email,
    result: result.result,
    reason: "reason" in result ? result.reason : null,
    invite: shown && toWire(shown),
    link: "link" in result ? result.link : null,
  };
}

function toInvite({ row, workspaces, groups }: ShownInvite, nowMs: number): z.input<typeof invite> {
  return {
    id: row.id,
    type: "invite",
    email: row.email,
    role: row.role,
    status: inviteStatusOf(row, nowMs),
    workspaces: workspaces.map(({ workspace_id, role }) => ({
      workspace_id,
      workspace_role: role,
    })),
    groups: groups.map(({ group_id, name }) => ({ group_id, name })),
    invited_by: { type: row.invited_by_type, id: row.invited_by_id },
    invited_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    accepted_at: row.accepted_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
    member_id: row.member_id,
  };
}

function toOfficialInvite(
  { row, groups }: ShownInvite,
  nowMs: number,
): z.input<typeof officialInvite> {
  const status = inviteStatusOf(row, nowMs);
  return {
    id: row.id,
    type: "invite",
    email: row.email,
    role: row.role,
    status: status === "revoked" ? "deleted" : status,
    invited_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    accepted_at: row.accepted_at?.toISOString() ?? null,
    rbac_group_ids: groups.map(({ group_id }) => group_id),
  };
}
