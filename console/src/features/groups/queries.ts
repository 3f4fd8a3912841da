import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";

export type Group = ItemOf<"listGroups">;
export type GroupMember = ItemOf<"listGroupMembers">;
export type GroupRole = Group["workspaces"][number];

export const useGroups = () => useList("listGroups", {}, { isPreviousShown: true });
export const useGroup = (id: string) => useApi("getGroup", { params: { group_id: id } });

/** Roles, models and default caps of a group decide about all of these. */
const stale = [
  "listGroups",
  "getGroup",
  "listGroupMembers",
  "listWorkspaceMembers",
  "listSpendLimits",
  "getEffectiveSpendLimits",
  "listBlockingLimits",
  "listRateLimits",
  "getEffectiveRateLimits",
] as const;

export const useCreateGroup = () => useChange("createGroup", stale);
export const useUpdateGroup = () => useChange("updateGroup", stale);
export const useDeleteGroup = () => useChange("deleteGroup", stale);
export const useAddGroupMember = () => useChange("addGroupMember", stale);
export const useRemoveGroupMember = () => useChange("removeGroupMember", stale);
export const useSetGroupWorkspace = () => useChange("setGroupWorkspace", stale);
export const useRemoveGroupWorkspace = () => useChange("removeGroupWorkspace", stale);
