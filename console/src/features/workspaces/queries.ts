import { staleWorkspaces } from "../../kit/workspaces/queries.ts";
import { type ItemOf, useApi, useChange } from "../../queries.ts";

export type MessageBatch = ItemOf<"listStoredBatches">;
export type StoredObject = ItemOf<"listStoredObjects">;

export function useWorkspace(workspaceId: string) {
  return useApi("getWorkspace", { params: { workspace_id: workspaceId } });
}

export const useUpdateWorkspace = () => useChange("updateWorkspace", staleWorkspaces);
export const useArchiveWorkspace = () =>
  useChange("archiveWorkspace", [...staleWorkspaces, "listApiKeys", "getApiKey"]);
export const useRotationPolicy = (workspaceId: string) =>
  useApi("getRotationPolicy", { params: { workspace_id: workspaceId } });
export const useSetRotationPolicy = () =>
  useChange("setRotationPolicy", ["getRotationPolicy", "listApiKeys", "getApiKey"]);
export const useSetWorkspaceUpstreamOrder = () =>
  useChange("setWorkspaceUpstreamOrder", ["getWorkspaceUpstreamOrder"]);
export const useCancelBatch = () =>
  useChange("cancelStoredBatch", ["listStoredBatches", "getStoredBatch"]);
export const useAbandonBatch = () =>
  useChange("abandonStoredBatch", ["listStoredBatches", "getStoredBatch", "listUnresolvedSpend"]);
export const useDeleteObject = () => useChange("deleteStoredObject", ["listStoredObjects"]);
