import {
  listOfficialWorkspaceMembers,
  listWorkspaceMembers as listWorkspaceMembersRoute,
  type officialWorkspaceMember,
  type workspaceMember,
  type workspaceMemberRoutes,
} from "@bursar/contract/admin/workspace-members.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { assert } from "#src/lib/assert.ts";
import {
  addWorkspaceMember,
  getWorkspaceMember,
  listWorkspaceMembers,
  listWorkspaceMembersByIds,
  removeWorkspaceMember,
  updateWorkspaceMember,
} from "./workspace-members.ts";
import type { PersonRow } from "./workspace-people.sql.ts";
import { findShownRole } from "./workspace-role.rule.ts";

export function makeWorkspaceMemberHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof workspaceMemberRoutes)[number], Call> {
  return {
    listWorkspaceMembers: pagedList(
      listWorkspaceMembersRoute,
      (call, { params }, page) => listWorkspaceMembers(deps, call, params.workspace_id, page),
      (row, _, { params }) => toWire(params.workspace_id, row),
    ),
    getWorkspaceMember: async (call, { params: { workspace_id: id, member_id } }) =>
      toWire(id, await getWorkspaceMember(deps, call, id, member_id)),
    addWorkspaceMember: async (call, { params: { workspace_id: id }, body }) =>
      toWire(id, await addWorkspaceMember(deps, call, id, body)),
    updateWorkspaceMember: async (call, { params, body }) => {
      const of = { workspaceId: params.workspace_id, memberId: params.member_id };
      const row = await updateWorkspaceMember(deps, call, of, body.workspace_role);
      return toWire(params.workspace_id, row);
    },
    removeWorkspaceMember: async (call, { params }) => {
      const { workspace_id, member_id } = params;
      await removeWorkspaceMember(deps, call, { workspaceId: workspace_id, memberId: member_id });
      return { type: "workspace_member_deleted", workspace_id, member_id };
    },

    listOfficialWorkspaceMembers: pagedList(
      listOfficialWorkspaceMembers,
      (call, { params, query }) =>
        listWorkspaceMembersByIds(deps, call, params.workspace_id, query),
      (row, _, { params }) => toOfficialWire(params.workspace_id, row),
    ),
    getOfficialWorkspaceMember: async (call, { params: { workspace_id: id, user_id } }) =>
      toOfficialWire(id, await getWorkspaceMember(deps, call, id, user_id)),
    addOfficialWorkspaceMember: async (call, { params: { workspace_id: id }, body }) => {
      const { user_id: member_id, workspace_role } = body;
      return toOfficialWire(
        id,
        await addWorkspaceMember(deps, call, id, { member_id, workspace_role }),
      );
    },
    updateOfficialWorkspaceMember: async (call, { params, body }) => {
      const of = { workspaceId: params.workspace_id, memberId: params.user_id };
      const row = await updateWorkspaceMember(deps, call, of, body.workspace_role);
      return toOfficialWire(params.workspace_id, row);
    },
    removeOfficialWorkspaceMember: async (call, { params }) => {
      const { workspace_id, user_id } = params;
      await removeWorkspaceMember(deps, call, { workspaceId: workspace_id, memberId: user_id });
      return { type: "workspace_member_deleted", workspace_id, user_id };
    },
  };
}

function toWire(workspaceId: string, row: PersonRow): z.input<typeof workspaceMember> {
  const counting = findShownRole(row);
  assert(counting, "listed members have a role in the workspace");
  return {
    type: "workspace_member",
    workspace_id: workspaceId,
    member_id: row.id,
    email: row.email,
    name: row.name,
    workspace_role: counting.role,
    given_role: row.given_role,
    inherited_from: counting.source === "organization" ? row.role : null,
    groups: row.group_roles ?? [],
  };
}

function toOfficialWire(
  workspaceId: string,
  row: PersonRow,
): z.input<typeof officialWorkspaceMember> {
  const { workspace_role } = toWire(workspaceId, row);
  return { type: "workspace_member", user_id: row.id, workspace_id: workspaceId, workspace_role };
}
