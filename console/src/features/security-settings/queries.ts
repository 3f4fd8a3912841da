import type { Answer } from "../../api-client.ts";
import { useApi, useChange } from "../../queries.ts";

export type SecuritySettings = Answer<"getSecuritySettings">;

export const useKeyHygiene = () => useApi("getKeyHygiene", {});
export const useSecuritySettings = () => useApi("getSecuritySettings", {});
export const useUpdateSecuritySettings = () =>
  useChange("updateSecuritySettings", [
    "getSession",
    "getSecuritySettings",
    "listApiKeys",
    "getApiKey",
  ]);
