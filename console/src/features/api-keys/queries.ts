import type { KeyIssue } from "@bursar/contract/key-issues.ts";
import { staleApiKeys } from "../../kit/api-keys/queries.ts";
import { useApi, useChange, useList } from "../../queries.ts";

/** Keys that the member can see, with optional filters. `unusedDays`: days without a use. */
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
    isPreviousShown: true,
  });
}

export function useApiKey(apiKeyId: string) {
  return useApi("getApiKey", { params: { api_key_id: apiKeyId } }, { everyMs: 30_000 });
}

/** Members with a role in the workspace, who can own a key there. */
export const usePossibleOwners = (workspaceId: string | null) =>
  useList(
    "listWorkspaceMembers",
    { params: { workspace_id: workspaceId ?? "" } },
    { isEnabled: workspaceId !== null, isPreviousShown: true },
  );

export const useUpdateApiKey = () => useChange("updateApiKey", staleApiKeys);
export const useCreateApiKeys = () => useChange("createApiKeys", staleApiKeys);
export const useDisableApiKeys = () => useChange("disableApiKeys", staleApiKeys);
export const useArchiveApiKeys = () => useChange("archiveApiKeys", staleApiKeys);
export const useRotateApiKey = () => useChange("rotateApiKey", staleApiKeys);
export const useCutOffApiKey = () => useChange("cutOffApiKey", staleApiKeys);
export const useKeyRules = (isEnabled: boolean) => useApi("getSecuritySettings", {}, { isEnabled });
/** Directories whose users a gateway can name. */
export const useDirectories = (isEnabled: boolean) =>
  useList("listDirectories", {}, { isEnabled, everyMs: 60_000 });
