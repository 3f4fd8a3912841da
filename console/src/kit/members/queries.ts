import { type ItemOf, useApi, useList } from "../../queries.ts";

export type Member = ItemOf<"listMembers">;

export const useMember = (id: string, isEnabled = true) =>
  useApi("getMember", { params: { member_id: id } }, { isEnabled });
/** Member with the roles, which lists omit. */
export type MemberWithRoles = NonNullable<ReturnType<typeof useMember>["data"]>;
export const useGroupsOf = (id: string, isEnabled = true) =>
  useList("listGroups", { query: { member_id: id } }, { isEnabled });
export const useKeysOf = (id: string, isEnabled = true) =>
  useList("listApiKeys", { query: { owner_member_id: id } }, { isEnabled });

export const useGroupMembers = (groupId: string, isEnabled = true) =>
  useList(
    "listGroupMembers",
    { params: { group_id: groupId } },
    { isPreviousShown: true, isEnabled },
  );

export const useMembers = (withRemoved = false, isEnabled = true) =>
  useList(
    "listMembers",
    {
      query: {
        omit_workspaces: true,
        ...(withRemoved && { statuses: ["active", "deactivated", "removed"] }),
      },
    },
    { isPreviousShown: true, isEnabled },
  );

/** Members with their roles in workspaces. The list of a large company has megabytes. */
export const useMembersWithRoles = () => useList("listMembers", {}, { isPreviousShown: true });
