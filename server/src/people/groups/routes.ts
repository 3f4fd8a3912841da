import {
  type group,
  type groupMember,
  type groupRoutes,
  listGroupMembers as listGroupMembersRoute,
  listGroups as listGroupsRoute,
} from "@bursar/contract/admin/groups.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { toWireMaker } from "#src/domain/caller.ts";
import { listModelLists } from "#src/domain/group-models.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import type { GroupMemberRow } from "./group-members.sql.ts";
import { addGroupMember, listGroupMembers, removeGroupMember } from "./group-members.ts";
import type { GroupRow } from "./groups.sql.ts";
import {
  createGroup,
  deleteGroup,
  getGroup,
  listGroups,
  removeGroupWorkspace,
  setGroupWorkspace,
  updateGroup,
} from "./groups.ts";

export function makeGroupHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof groupRoutes)[number], Call> {
  return {
    listGroups: pagedList(
      listGroupsRoute,
      (call, { query }, page) => listGroups(deps, call, query, page),
      toWire,
    ),
    getGroup: async (call, { params }) => toWire(await getGroup(deps, call, params.group_id)),
    createGroup: async (call, { body }) => toWire(await createGroup(deps, call, body)),
    updateGroup: async (call, { params, body }) =>
      toWire(await updateGroup(deps, call, params.group_id, body)),
    deleteGroup: async (call, { params }) => {
      await deleteGroup(deps, call, params.group_id);
      return { id: params.group_id, type: "group_deleted" };
    },
    listGroupMembers: pagedList(
      listGroupMembersRoute,
      (call, { params }, page) => listGroupMembers(deps, call, params.group_id, page),
      (row, _, { params }) => toMemberWire(params.group_id, row),
    ),
    addGroupMember: async (call, { params: { group_id: id }, body }) =>
      toMemberWire(id, await addGroupMember(deps, call, id, body)),
    removeGroupMember: async (call, { params: { group_id, member_id } }) => {
      await removeGroupMember(deps, call, group_id, member_id);
      return { type: "group_member_deleted", group_id, member_id };
    },
    setGroupWorkspace: async (call, { params, body }) => {
      const place = { groupId: params.group_id, workspaceId: params.workspace_id };
      return toWire(await setGroupWorkspace(deps, call, place, body.workspace_role));
    },
    removeGroupWorkspace: async (call, { params }) => {
      const place = { groupId: params.group_id, workspaceId: params.workspace_id };
      return toWire(await removeGroupWorkspace(deps, call, place));
    },
  };
}

function toWire(row: GroupRow): z.input<typeof group> {
  const { id, name, source, directory_id, is_managed } = row;
  const { allowed_models, workspaces, member_count } = row;
  const model_lists = listModelLists(row).map(({ rank, allowed_models: models, ...setter }) => ({
    ...{ rank, allowed_models: models, set_at: setter.set_at },
    set_by: toWireMaker({
      created_by_type: setter.set_by_type,
      created_by_id: setter.set_by_id,
    }),
  }));
  return {
    ...{ id, type: "group", name, source, directory_id, is_managed },
    ...{ allowed_models, model_lists, workspaces, member_count },
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

function toMemberWire(groupId: string, row: GroupMemberRow): z.input<typeof groupMember> {
  return {
    type: "group_member",
    group_id: groupId,
    member_id: row.id,
    email: row.email,
    name: row.name,
    source: row.source,
    created_at: row.joined_at.toISOString(),
  };
}
