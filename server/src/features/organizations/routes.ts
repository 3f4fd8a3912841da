import type { organizationRoutes } from "@bursar/contract/admin/organization.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { getOrganization } from "./organizations.ts";

export function makeOrganizationHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof organizationRoutes)[number], Call> {
  return {
    getOrganization: async (call) => {
      const { id, name } = await getOrganization(deps, call);
      return { id, name, type: "organization" };
    },
  };
}
