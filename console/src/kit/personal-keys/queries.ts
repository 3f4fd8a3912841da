import type { Answer } from "../../api-client.ts";
import { useApi, useChange, useList } from "../../queries.ts";
import { staleApiKeys } from "../api-keys/queries.ts";

export type PersonalKeyWorkspace = Answer<"getPersonalKeyOptions">["workspaces"][number];

/** Operations whose answers are stale after a change. A first key can make the member a Workspace User. */
export const stalePersonalKeys = [
  ...staleApiKeys,
  "listPersonalKeys",
  "getPersonalKeyOptions",
  "listWorkspaces",
  "getSession",
] as const;

export const usePersonalKeyOptions = () => useApi("getPersonalKeyOptions", {});
export const usePersonalKeys = (options: { everyMs?: number } = {}) =>
  useList("listPersonalKeys", {}, options);
export const useCreatePersonalKey = () => useChange("createPersonalKey", stalePersonalKeys);
export const useUpdatePersonalKey = () => useChange("updatePersonalKey", stalePersonalKeys);
export const useRotatePersonalKey = () => useChange("rotatePersonalKey", stalePersonalKeys);
