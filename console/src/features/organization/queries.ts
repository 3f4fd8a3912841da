import { useApi, useChange } from "../../queries.ts";

export const useOrganization = () => useApi("getOrganizationSettings", {});
export const useUpdateOrganization = () =>
  useChange("updateOrganization", ["getOrganizationSettings", "getOrganization", "getSession"]);
