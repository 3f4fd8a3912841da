import {
  type effectiveSettings,
  listManagedSettingsVersions as listVersionsRoute,
  type managedSettings,
  type managedSettingsRoutes,
} from "@bursar/contract/admin/managed-settings.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { toWireMaker } from "#src/domain/caller.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import type { SettingsPolicy } from "./effective-settings.rule.ts";
import type { VersionRow } from "./managed-settings.sql.ts";
import {
  checkManagedSettings,
  type EffectiveSettings,
  getEffectiveManagedSettings,
  getManagedSettings,
  getManagedSettingsVersion,
  listManagedSettingsVersions,
  restoreManagedSettings,
  type SettingsVersion,
  setManagedSettings,
} from "./managed-settings.ts";
import { parsePolicies } from "./parse-policies.ts";

export function makeManagedSettingsHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof managedSettingsRoutes)[number], Call> {
  return {
    getManagedSettings: async (call) => toWire(await getManagedSettings(deps, call)),
    setManagedSettings: async (call, { body }) =>
      toWire(await setManagedSettings(deps, call, body)),
    checkManagedSettings: async (call, { body }) => {
      const checked = await checkManagedSettings(deps, call, body);
      const { version, warnings, difference, laptops, effective } = checked;
      return {
        type: "managed_settings_check",
        version,
        warnings,
        is_reordered: difference.isReordered,
        changes: difference.changes,
        laptops: {
          active: laptops.active,
          changed: laptops.changed,
          without_settings: laptops.withoutSettings,
        },
        effective: effective && toEffective(effective),
      };
    },
    getEffectiveManagedSettings: async (call, { query }) =>
      toEffective(await getEffectiveManagedSettings(deps, call, query)),
    listManagedSettingsVersions: pagedList(
      listVersionsRoute,
      (call, _, page) => listManagedSettingsVersions(deps, call, page),
      (row) => ({
        type: "managed_settings_version",
        ...toVersionFields(row),
        policy_count: parsePolicies(row.policies).length,
        is_signed:
          !deps.rows.isRequired || deps.rows.isGenuine("managed_settings_version", row, row.mac),
      }),
    ),
    getManagedSettingsVersion: async (call, { params }) =>
      toWire(await getManagedSettingsVersion(deps, call, params.managed_settings_version_id)),
    restoreManagedSettings: async (call, { params, body }) =>
      toWire(await restoreManagedSettings(deps, call, params.managed_settings_version_id, body)),
  };
}

function toWire(found: SettingsVersion): z.input<typeof managedSettings> {
  const { row, policies, warnings } = found;
  return {
    type: "managed_settings",
    ...(row === null ? noVersion : toVersionFields(row)),
    policies: policies.map(toPolicy),
    warnings,
  };
}

const noVersion = {
  id: null,
  version: 0,
  comment: null,
  restored_version: null,
  created_at: null,
  created_by: null,
};

function toVersionFields(row: VersionRow) {
  const { id, version, comment, restored_version } = row;
  const created_at = row.created_at.toISOString();
  return { id, version, comment, restored_version, created_at, created_by: toWireMaker(row) };
}

function toPolicy({ name, group_ids, settings }: SettingsPolicy) {
  return { name, group_ids: [...group_ids], settings: { ...settings } };
}

function toEffective(effective: EffectiveSettings): z.input<typeof effectiveSettings> {
  const { memberId, groupIds, chosen, settings, checksum, keys } = effective;
  return {
    type: "effective_managed_settings",
    member_id: memberId,
    group_ids: groupIds,
    base: chosen?.base?.name ?? null,
    policy: chosen?.matching?.name ?? null,
    settings: settings && { ...settings },
    checksum,
    keys,
  };
}
