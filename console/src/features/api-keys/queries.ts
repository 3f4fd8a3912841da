import type { KeyIssue } from "@bursar/contract/key-issues.ts";
import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";

export type ApiKey = ItemOf<"listApiKeys">;

/** All keys that the person may see, or of these those of one workspace, with one issue, or unused for so many days. */
export function useApiKeys(
  workspaceId?: string,
  { issue, unusedDays }: { issue?: KeyIssue | undefined; unusedDays?: number | undefined } = {},
) {
  const query = {
    ...(workspaceId !== undefined && { workspace_id: workspaceId }),
    ...(issue !== undefined && { issue }),
    ...(unusedDays !== undefined && { unused_days: unusedDays }),
  };
  return useList("listApiKeys", Object.keys(query).length === 0 ? {} : { query }, {
    everyMs: 60_000,
    keepsPrevious: true,
  });
}

export function useApiKey(apiKeyId: string) {
  return useApi("getApiKey", { params: { api_key_id: apiKeyId } }, { everyMs: 30_000 });
}

const stale = ["listApiKeys", "getApiKey", "getKeyHygiene"] as const;

export const useCreateApiKey = () => useChange("createApiKey", stale);
export const useUpdateApiKey = () => useChange("updateApiKey", stale);
export const useRotateApiKey = () => useChange("rotateApiKey", stale);
export const useCutOffApiKey = () => useChange("cutOffApiKey", stale);
export const useKeyRules = (isEnabled: boolean) => useApi("getSecuritySettings", {}, { isEnabled });
