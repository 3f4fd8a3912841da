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
export const usePersonalKeys = () => useList("listPersonalKeys", {});
export const useCreatePersonalKey = () => useChange("createPersonalKey", stalePersonalKeys);
export const useUpdatePersonalKey = () => useChange("updatePersonalKey", stalePersonalKeys);
export const useRotatePersonalKey = () => useChange("rotatePersonalKey", stalePersonalKeys);

const POLL_MS = 1_000;

/** The newest request of a key that this server refused, or null. Appears within seconds. */
export function useNewestRefusal(apiKeyId: string) {
  const refused = useApi(
    "listRecentRefusals",
    { query: { api_key_id: [apiKeyId], limit: 1 } },
    { everyMs: 2 * POLL_MS },
  );
  return refused.data?.data[0] ?? null;
}

/** The newest request of a key, or null. Asks each second. */
export function useFirstRequest(apiKeyId: string) {
  const newest = useApi(
    "listRequests",
    { query: { api_key_id: [apiKeyId], limit: 1 } },
    { everyMs: POLL_MS },
  );
  return newest.data?.data[0] ?? null;
}
