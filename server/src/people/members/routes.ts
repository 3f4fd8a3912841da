import {
  listMembers as listMembersRoute,
  listOfficialUsers,
  type member,
  type memberRoutes,
  type officialUser,
} from "@bursar/contract/admin/members.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { toEndingWire } from "#src/people/leaving/end-access.ts";
import type { MemberRow } from "#src/people/leaving/members.sql.ts";
import { createResetLink } from "#src/people/sign-in/owners.ts";
import { toSessionsWire } from "#src/people/sign-in/sessions.ts";
import type { SignInDeps } from "#src/people/sign-in/sign-in-deps.ts";
import { endMemberSession, listMemberSessions } from "./member-sessions.ts";
import {
  deactivateMember,
  getMember,
  getPresentMember,
  type ListedMember,
  listMembers,
  listMembersByIds,
  previewRemoval,
  reactivateMember,
  removeMember,
  type ShownMember,
  signOutMember,
  updateMember,
} from "./members.ts";

export function makeMemberHandlers(
  deps: SignInDeps,
): HandlersFor<(typeof memberRoutes)[number], Call> {
  return {
    listMembers: pagedList(
      listMembersRoute,
      (call, { query }, page) => listMembers(deps, call, query, page),
      toListedWire,
    ),
    getMember: async (call, { params }) => toWire(await getMember(deps, call, params.member_id)),
    updateMember: async (call, { params, body }) =>
      toWire(await updateMember(deps, call, params.member_id, body.role)),
    createResetLink: async (call, { params }) => {
      const { url, expiresAt } = await createResetLink(deps, call, params.member_id);
      return { url, expires_at: expiresAt.toISOString() };
    },
    deactivateMember: async (call, { params }) =>
      toWire(await deactivateMember(deps, call, params.member_id)),
    reactivateMember: async (call, { params }) =>
      toWire(await reactivateMember(deps, call, params.member_id)),
    signOutMember: async (call, { params }) =>
      toWire(await signOutMember(deps, call, params.member_id)),
    listMemberSessions: async (call, { params }) => ({
      data: toSessionsWire(await listMemberSessions(deps, call, params.member_id), null),
    }),
    endMemberSession: async (call, { params: { member_id: memberId, session_id: sessionId } }) => {
      await endMemberSession(deps, call, { memberId, sessionId });
      return { id: sessionId, type: "session_deleted" };
    },
    previewMemberRemoval: async (call, { params }) => {
      const { refusal, ending } = await previewRemoval(deps, call, params.member_id);
      return { member_id: params.member_id, refusal, ...toEndingWire(ending) };
    },
    removeMember: async (call, { params }) => {
      const ending = await removeMember(deps, call, params.member_id);
      return { id: params.member_id, type: "member_deleted", ...toEndingWire(ending) };
    },

    listOfficialUsers: pagedList(
      listOfficialUsers,
      (call, { query }) => listMembersByIds(deps, call, query),
      toOfficialWire,
    ),
    getOfficialUser: async (call, { params }) =>
      toOfficialWire(await getPresentMember(deps, call, params.user_id)),
    updateOfficialUser: async (call, { params, body }) => {
      await getPresentMember(deps, call, params.user_id);
      return toOfficialWire((await updateMember(deps, call, params.user_id, body.role)).row);
    },
    signOutOfficialUser: async (call, { params }) => {
      await getPresentMember(deps, call, params.user_id);
      return toOfficialWire((await signOutMember(deps, call, params.user_id)).row);
    },
    removeOfficialUser: async (call, { params }) => {
      await getPresentMember(deps, call, params.user_id);
      await removeMember(deps, call, params.user_id);
      return { id: params.user_id, type: "user_deleted" };
    },
  };
}

function toWire(shown: ShownMember): z.input<typeof member> {
  return { ...toListedWire(shown), workspaces: shown.workspaces };
}

type ListedWire = z.input<(typeof listMembersRoute)["response"]>["data"][number];

function toListedWire({ row, workspaces, workspaceCount }: ListedMember): ListedWire {
  return {
    id: row.id,
    type: "member",
    email: row.email,
    name: row.name,
    role: row.role,
    status: row.status,
    workspaces,
    workspace_count: workspaceCount,
    created_at: row.created_at.toISOString(),
    last_active_at: row.last_active_at?.toISOString() ?? null,
    removed_at: row.removed_at?.toISOString() ?? null,
  };
}

function toOfficialWire(row: MemberRow): z.input<typeof officialUser> {
  return {
    id: row.id,
    type: "user",
    email: row.email,
    name: row.name,
    role: row.role,
    added_at: row.created_at.toISOString(),
  };
}
