import type { preferenceRoutes } from "@bursar/contract/admin/preferences.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { getPreferences, updatePreferences } from "./preferences.ts";

export function makePreferenceHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof preferenceRoutes)[number], Call> {
  return {
    getPreferences: async (call) => ({
      type: "preferences",
      ...(await getPreferences(deps, call)),
    }),
    updatePreferences: async (call, { body }) => ({
      type: "preferences",
      ...(await updatePreferences(deps, call, body)),
    }),
  };
}
