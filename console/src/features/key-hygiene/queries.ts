import { useApi, useChange } from "../../queries.ts";

export const useKeyHygiene = () => useApi("getKeyHygiene", {});
export const useRotationPolicy = (workspaceId: string) =>
  useApi("getRotationPolicy", { params: { workspace_id: workspaceId } });
export const useSetRotationPolicy = () =>
  useChange("setRotationPolicy", ["getRotationPolicy", "listApiKeys", "getApiKey"]);
