import { type ItemOf, useChange, useList } from "../../queries.ts";

export type Invite = ItemOf<"listInvites">;

export const useInvites = () => useList("listInvites", {});
export const useResendInvite = () => useChange("resendInvite", ["listInvites", "listMail"]);
export const useRevokeInvite = () => useChange("revokeInvite", ["listInvites"]);
