import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";

export type Directory = ItemOf<"listDirectories">;
export type ScimToken = ItemOf<"listScimTokens">;
export type Group = ItemOf<"listGroups">;

const stale = ["listDirectories", "getDirectory", "listSignInDirectories"] as const;

export const useDirectories = () => useList("listDirectories", {});
export const useDirectory = (id: string) =>
  useApi("getDirectory", { params: { directory_id: id } });
export const useCreateDirectory = () => useChange("createDirectory", ["listDirectories"]);
export const useUpdateDirectory = () => useChange("updateDirectory", stale);
export const useDeleteDirectory = () =>
  useChange("deleteDirectory", ["listDirectories", "listSignInDirectories", "listGroups"]);
export const useTestDirectory = () => useChange("testDirectory", []);

export const useGroups = (isEnabled = true) => useList("listGroups", {}, { isEnabled });

export const useScimTokens = (directoryId: string) =>
  useList("listScimTokens", { params: { directory_id: directoryId } });
export const useCreateScimToken = () => useChange("createScimToken", ["listScimTokens"]);
export const useRotateScimToken = () => useChange("rotateScimToken", ["listScimTokens"]);
export const useRevokeScimToken = () => useChange("revokeScimToken", ["listScimTokens"]);
