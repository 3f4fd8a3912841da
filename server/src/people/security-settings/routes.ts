import type {
  securitySettings,
  securitySettingsRoutes,
} from "@bursar/contract/admin/security-settings.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import {
  getSecuritySettings,
  type SecuritySettings,
  updateSecuritySettings,
} from "./security-settings.ts";

export function makeSecuritySettingsHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof securitySettingsRoutes)[number], Call> {
  return {
    getSecuritySettings: async (call) => toWire(await getSecuritySettings(deps, call)),
    updateSecuritySettings: async (call, { body }) =>
      toWire(await updateSecuritySettings(deps, call, body)),
  };
}

function toWire(settings: SecuritySettings): z.input<typeof securitySettings> {
  const { apiKeys, adminKeys } = settings.keysBeyondMaxLifetime;
  return {
    type: "security_settings",
    ...settings.rules,
    keys_beyond_max_lifetime: { api_keys: apiKeys, admin_keys: adminKeys },
  };
}
