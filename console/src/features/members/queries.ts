import { staleLaptops } from "../../kit/laptops/queries.ts";
import { type ItemOf, useApi, useChange } from "../../queries.ts";

export type MemberGroup = ItemOf<"listGroups">;
export type MemberKey = ItemOf<"listApiKeys">;

export const useMemberSessions = (id: string) =>
  useApi("listMemberSessions", { params: { member_id: id } });

export const useRemovalPreview = (memberId: string) =>
  useApi("previewMemberRemoval", { params: { member_id: memberId } });

/** Names of the directories whose claims set the member's role at each sign-in. */
export function useRoleSetters(memberId: string): string[] {
  const links = useApi("listMemberDirectories", { params: { member_id: memberId } });
  return (links.data?.data ?? [])
    .filter(({ is_enabled, sets_role }) => is_enabled && sets_role)
    .map(({ name }) => name);
}

export const useOwnedThings = (memberId: string, isEnabled = true) =>
  useApi("listOwnedThings", { params: { member_id: memberId } }, { isEnabled });
export const useLeftBehind = (isEnabled: boolean) => useApi("listLeftBehind", {}, { isEnabled });

const stale = [
  "listMembers",
  "getMember",
  "listGroups",
  "listGroupMembers",
  "listWorkspaceMembers",
  "listApiKeys",
  "listLeftBehind",
] as const;

export const useUpdateMember = () => useChange("updateMember", stale);
export const useDeactivateMember = () => useChange("deactivateMember", stale);
export const useRemoveMember = () => useChange("removeMember", stale);
export const useSignOutMember = () =>
  useChange("signOutMember", ["listMemberSessions", ...staleLaptops]);
export const useReactivateMember = () => useChange("reactivateMember", stale);

export const useHandOver = () =>
  useChange("handOverThings", [
    "listOwnedThings",
    "listLeftBehind",
    "listAccessReviews",
    "getAccessReview",
    "listAlertChannels",
    "listApiKeys",
    "getApiKey",
    "listAdminKeys",
  ]);
