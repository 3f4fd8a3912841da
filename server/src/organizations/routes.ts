import type {
  organizationRoutes,
  organizationSettings,
} from "@bursar/contract/admin/organization.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { canSeeWorkspace } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { OrganizationSettingsRow } from "./organizations.sql.ts";
import { getOrganization, getOrganizationSettings, updateOrganization } from "./organizations.ts";

export function makeOrganizationHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof organizationRoutes)[number], Call> {
  return {
    getOrganization: async (call) => {
      const { id, name } = await getOrganization(deps, call);
      return { id, name, type: "organization" };
    },
    getOrganizationSettings: async (call) =>
      toWire(call, await getOrganizationSettings(deps, call)),
    updateOrganization: async (call, { body }) =>
      toWire(call, await updateOrganization(deps, call, body)),
  };
}

function toWire(
  { caller }: Call,
  row: OrganizationSettingsRow,
): z.input<typeof organizationSettings> {
  const { default_workspace_id: id, default_workspace_name: name } = row;
  return {
    id: row.id,
    type: "organization_settings",
    name: row.name,
    created_at: row.created_at.toISOString(),
    billing_group_tag: row.billing_group_tag,
    login_notice: row.login_notice,
    default_workspace: canSeeWorkspace(caller, id) ? { id, name } : null,
  };
}
