import { type ItemOf, useChange, useList } from "../../queries.ts";

export type AdminKey = ItemOf<"listAdminKeys">;

export const useAdminKeys = () => useList("listAdminKeys", {});
export const useCreateAdminKey = () => useChange("createAdminKey", ["listAdminKeys"]);
export const useRevokeAdminKey = () => useChange("revokeAdminKey", ["listAdminKeys"]);
