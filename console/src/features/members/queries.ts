import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";

export type Member = ItemOf<"listMembers">;
export type Invite = ItemOf<"listInvites">;

export const useMembers = (withRemoved = false, isEnabled = true) =>
  useList(
    "listMembers",
    withRemoved ? { query: { statuses: ["active", "deactivated", "removed"] } } : {},
    { keepsPrevious: true, isEnabled },
  );
export const useInvites = () => useList("listInvites", {});
export const useRemovalPreview = (memberId: string) =>
  useApi("previewMemberRemoval", { params: { member_id: memberId } });

const stale = ["listMembers", "getMember", "listWorkspaceMembers", "listApiKeys"] as const;

export const useUpdateMember = () => useChange("updateMember", stale);
export const useDeactivateMember = () => useChange("deactivateMember", stale);
export const useReactivateMember = () => useChange("reactivateMember", stale);
export const useRemoveMember = () => useChange("removeMember", stale);
export const useCreateInvites = () => useChange("createInvites", ["listInvites", "listMail"]);
export const useResendInvite = () => useChange("resendInvite", ["listInvites", "listMail"]);
export const useRevokeInvite = () => useChange("revokeInvite", ["listInvites"]);
