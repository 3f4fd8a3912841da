import { useApi, useChange } from "../../queries.ts";

export const useRemovalPreview = (memberId: string) =>
  useApi("previewMemberRemoval", { params: { member_id: memberId } });

const stale = ["listMembers", "getMember", "listWorkspaceMembers", "listApiKeys"] as const;

export const useUpdateMember = () => useChange("updateMember", stale);
export const useDeactivateMember = () => useChange("deactivateMember", stale);
export const useReactivateMember = () => useChange("reactivateMember", stale);
export const useRemoveMember = () => useChange("removeMember", stale);
