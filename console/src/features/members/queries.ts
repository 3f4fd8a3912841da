import { staleLaptops } from "../../kit/laptops/queries.ts";
import type { Member } from "../../kit/members/queries.ts";
import { type ItemOf, useApi, useChange } from "../../queries.ts";
import { showToast } from "../../ui/toast.ts";

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
/** Reactivates a member, and shows the result as a toast. */
export function useReactivation(): { reactivate: (member: Member) => void; isBusy: boolean } {
  const change = useChange("reactivateMember", stale);
  const reactivate = ({ id, name }: Member) =>
    change.mutate(
      { params: { member_id: id } },
      {
        onSuccess: () => showToast(`${name} reactivated`),
        onError: (error) => showToast("Not reactivated", error.message),
      },
    );
  return { reactivate, isBusy: change.isPending };
}

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
