import { useApi, useChange } from "../../queries.ts";

export const useOrganization = () => useApi("getOrganizationSettings", {});
export const useRenameOrganization = () =>
  useChange("updateOrganization", ["getOrganizationSettings", "getOrganization", "getSession"]);
