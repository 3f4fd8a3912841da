import { z } from "zod";
import { nameText, optionalQuery, timestamp } from "../fields.ts";
import { directoryId, groupId, memberId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { ranks } from "../permissions.ts";
import { givenWorkspaceRoles, workspaceRoleInput } from "../roles.ts";
import { route } from "../route.ts";
import { modelPatterns } from "./api-keys.ts";

const groupParams = z.strictObject({ group_id: groupId });
const memberParams = z.strictObject({ group_id: groupId, member_id: memberId });
const workspaceParams = z.strictObject({ group_id: groupId, workspace_id: workspaceId });

const groupRole = z.object({
  workspace_id: workspaceId,
  workspace_role: z.enum(givenWorkspaceRoles),
});

const modelList = z
  .object({
    rank: z.enum(ranks),
    allowed_models: z.array(z.string()),
    set_by: z.object({ type: z.string(), id: z.string() }),
    set_at: timestamp,
  })
  .meta({ id: "GroupModelList" });

/** Company shape. */
export const group = z
  .object({
    id: groupId,
    type: z.literal("group"),
    name: z.string(),
    source: z.enum(["direct", "scim"]).meta({
      description: "`scim`: a directory provides the group with its name and members.",
    }),
    directory_id: directoryId.nullable().meta({
      description: "Directory that provides the group. Null: none.",
    }),
    is_managed: z.boolean().meta({
      description:
        "The directory has a valid SCIM token. Its requests alone change the name and the members with the source `scim`.",
    }),
    allowed_models: z.array(z.string()).nullable().meta({
      description:
        "Models of the members' personal keys. A member of several groups can use the models of each list. Null: no list.",
    }),
    model_lists: z.array(modelList).meta({
      description:
        "Lists by rank, highest first. A list allows no more than those above it, so the last one is in force.",
    }),
    workspaces: z.array(groupRole).meta({
      description: "Roles that the members have in workspaces which the caller can see.",
    }),
    member_count: z.int(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Group" });

export const groupMember = z
  .object({
    type: z.literal("group_member"),
    group_id: groupId,
    member_id: memberId,
    email: z.string(),
    name: z.string(),
    source: z.enum(["direct", "claims", "scim"]).meta({
      description:
        "`direct`: added here. `claims`: added at the sign-in with the company's directory. `scim`: added by the directory.",
    }),
    created_at: timestamp,
  })
  .meta({ id: "GroupMember" });

export const listGroups = route({
  operationId: "listGroups",
  method: "GET",
  path: "/v1/admin/groups",
  summary: "List groups",
  description: "Newest first.",
  action: "groups:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    search: optionalQuery(nameText).meta({ description: "Part of the name. Case-insensitive." }),
    member_id: optionalQuery(memberId).meta({ description: "Groups of this member." }),
  }),
  response: pageCursor(group),
});

export const getGroup = route({
  operationId: "getGroup",
  method: "GET",
  path: "/v1/admin/groups/{group_id}",
  summary: "Get a group",
  action: "groups:read",
  audited: null,
  params: groupParams,
  response: group,
});

export const createGroup = route({
  operationId: "createGroup",
  method: "POST",
  path: "/v1/admin/groups",
  summary: "Create a group",
  description: "Names can be equal. The group has no members and no roles yet.",
  action: "groups:write",
  audited: "group.created",
  body: z.strictObject({ name: nameText, allowed_models: modelPatterns.optional() }),
  response: group,
});

export const updateGroup = route({
  operationId: "updateGroup",
  method: "POST",
  path: "/v1/admin/groups/{group_id}",
  summary: "Change a group",
  description:
    "Omitted fields stay. A directory alone changes the name of its group. `allowed_models` is the list of the caller's rank, and null removes it. The list ends those of lower ranks, and has no model that a list of a higher rank refuses.",
  action: "groups:write",
  audited: "group.updated",
  stepUp: "if_wider",
  params: groupParams,
  body: z.strictObject({ name: nameText.optional(), allowed_models: modelPatterns.optional() }),
  response: group,
});

export const deleteGroup = route({
  operationId: "deleteGroup",
  method: "DELETE",
  path: "/v1/admin/groups/{group_id}",
  summary: "Delete a group",
  description:
    "Ends the roles and the restriction of models that the members have through the group. A directory alone deletes its group. A list of models of a higher rank prevents the deletion.",
  action: "groups:write",
  audited: "group.deleted",
  stepUp: "if_wider",
  params: groupParams,
  response: z.object({ id: groupId, type: z.literal("group_deleted") }),
});

export const listGroupMembers = route({
  operationId: "listGroupMembers",
  method: "GET",
  path: "/v1/admin/groups/{group_id}/members",
  summary: "List the members of a group",
  description: "Newest members first.",
  action: "groups:read",
  audited: null,
  params: groupParams,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(groupMember),
});

export const addGroupMember = route({
  operationId: "addGroupMember",
  method: "POST",
  path: "/v1/admin/groups/{group_id}/members",
  summary: "Add a member to a group",
  description:
    "Adds an active member by `member_id` or `email`. Applies to running sessions and personal keys within a second.",
  action: "groups:write",
  audited: "group_member.added",
  stepUp: "if_wider",
  params: groupParams,
  body: z.strictObject({ member_id: memberId.optional(), email: z.string().max(320).optional() }),
  response: groupMember,
});

export const removeGroupMember = route({
  operationId: "removeGroupMember",
  method: "DELETE",
  path: "/v1/admin/groups/{group_id}/members/{member_id}",
  summary: "Remove a member from a group",
  description: "A directory alone removes the members that it added.",
  action: "groups:write",
  audited: "group_member.removed",
  stepUp: "if_wider",
  params: memberParams,
  response: z.object({
    type: z.literal("group_member_deleted"),
    group_id: groupId,
    member_id: memberId,
  }),
});

export const setGroupWorkspace = route({
  operationId: "setGroupWorkspace",
  method: "POST",
  path: "/v1/admin/groups/{group_id}/workspaces/{workspace_id}",
  summary: "Set the role of a group in a workspace",
  description:
    "Each member has the highest of this role, the role assigned in the workspace and the roles of other groups.",
  action: "groups:write",
  audited: "group_workspace.set",
  stepUp: "if_wider",
  params: workspaceParams,
  body: z.strictObject({ workspace_role: workspaceRoleInput }),
  response: group,
});

export const removeGroupWorkspace = route({
  operationId: "removeGroupWorkspace",
  method: "DELETE",
  path: "/v1/admin/groups/{group_id}/workspaces/{workspace_id}",
  summary: "Remove the role of a group in a workspace",
  action: "groups:write",
  audited: "group_workspace.removed",
  params: workspaceParams,
  response: group,
});

export const groupRoutes = [
  listGroups,
  getGroup,
  createGroup,
  updateGroup,
  deleteGroup,
  listGroupMembers,
  addGroupMember,
  removeGroupMember,
  setGroupWorkspace,
  removeGroupWorkspace,
] as const;
