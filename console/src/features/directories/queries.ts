import { type ItemOf, useChange, useList } from "../../queries.ts";

export type Directory = ItemOf<"listDirectories">;

export const useDirectories = () => useList("listDirectories", {});
export const useCreateDirectory = () => useChange("createDirectory", ["listDirectories"]);
export const useUpdateDirectory = () =>
  useChange("updateDirectory", ["listDirectories", "listSignInDirectories"]);
export const useDeleteDirectory = () =>
  useChange("deleteDirectory", ["listDirectories", "listSignInDirectories"]);
export const useFillableGroups = () => useList("listGroups", {});
export const useTestDirectory = () => useChange("testDirectory", []);
