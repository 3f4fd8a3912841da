import { useApi, useChange } from "../../queries.ts";

export const useKeyHygiene = () => useApi("getKeyHygiene", {});
export const useSecuritySettings = () => useApi("getSecuritySettings", {});
export const useUpdateSecuritySettings = () =>
  useChange("updateSecuritySettings", ["getSecuritySettings", "listApiKeys", "getApiKey"]);
