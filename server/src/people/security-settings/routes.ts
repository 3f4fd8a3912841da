import type {
  securitySettings,
  securitySettingsPreview,
  securitySettingsRoutes,
} from "@bursar/contract/admin/security-settings.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { previewSecuritySettings, type SecurityPreview } from "./preview-settings.ts";
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
    previewSecuritySettings: async (call, { body }) =>
      toPreviewWire(await previewSecuritySettings(deps, call, body)),
  };
}

function toPreviewWire(preview: SecurityPreview): z.input<typeof securitySettingsPreview> {
  const { apiKeys, adminKeys } = preview.keysBeyondMaxLifetime;
  return {
    type: "security_settings_preview",
    keys_beyond_max_lifetime: { api_keys: apiKeys, admin_keys: adminKeys },
    open_sessions: preview.openSessions,
    ended_sessions: preview.endedSessions,
    ends_own_session: preview.endsOwnSession,
    sessions_outside_addresses: preview.sessionsOutsideAddresses,
    excludes_own_address: preview.excludesOwnAddress,
    members_without_second_factor: preview.membersWithoutSecondFactor,
    members_without_directory: preview.membersWithoutDirectory,
    extended_sessions: preview.extendedSessions,
    members_freed_from_second_factor: preview.membersFreedFromSecondFactor,
    members_with_other_sign_in: preview.membersWithOtherSignIn,
    members_freed_from_addresses: preview.membersFreedFromAddresses,
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
