import {
  type alert,
  type alertFiring,
  type alertRoutes,
  listAlertFirings,
  listAlerts as listAlertsRoute,
} from "@bursar/contract/admin/alerts.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { describeFiring } from "#src/alerts/firing/alert-words.rule.ts";
import type { FiringRow } from "#src/alerts/firing/firing-history.sql.ts";
import { acknowledgeFiring, getFiring, listFirings } from "#src/alerts/firing/firing-history.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import type { AlertRow } from "./alerts.sql.ts";
import {
  type AlertDeps,
  createAlert,
  deleteAlert,
  getAlert,
  listAlerts,
  updateAlert,
} from "./alerts.ts";

export function makeAlertHandlers(
  deps: AlertDeps,
): HandlersFor<(typeof alertRoutes)[number], Call> {
  return {
    createAlert: async (call, { body }) => toAlert(await createAlert(deps, call, body)),
    listAlerts: pagedList(
      listAlertsRoute,
      (call, { query }, page) => listAlerts(deps, call, query, page),
      toAlert,
    ),
    getAlert: async (call, { params: { alert_id: id } }) => toAlert(await getAlert(deps, call, id)),
    updateAlert: async (call, { params: { alert_id: id }, body }) =>
      toAlert(await updateAlert(deps, call, id, body)),
    deleteAlert: async (call, { params: { alert_id: id } }) => {
      return { ...(await deleteAlert(deps, call, id)), type: "alert_deleted" };
    },
    listAlertFirings: pagedList(
      listAlertFirings,
      (call, { query }, page) => listFirings(deps, call, query, page),
      toFiring,
    ),
    getAlertFiring: async (call, { params: { alert_firing_id: id } }) =>
      toFiring(await getFiring(deps, call, id)),
    acknowledgeAlertFiring: async (call, { params: { alert_firing_id: id }, body }) =>
      toFiring(await acknowledgeFiring(deps, call, id, body)),
  };
}

/** Rows of a response that an idempotency claim stored have times as text. */
function formatIsoTime(at: Date): string {
  return new Date(at).toISOString();
}

function formatOptionalIsoTime(at: Date | null): string | null {
  return at === null ? null : formatIsoTime(at);
}

function toAlert(row: AlertRow): z.input<typeof alert> {
  return {
    id: row.id,
    type: "alert",
    name: row.name,
    scope: toWireScope(row),
    scope_name: row.scopeName,
    includes_below: row.includesBelow,
    condition: row.condition,
    channels: row.channels,
    notifies_owner: row.notifiesOwner,
    is_enabled: row.isEnabled,
    collect_minutes: row.collectMinutes,
    muted_until: formatOptionalIsoTime(row.mutedUntil),
    last_fired_at: formatOptionalIsoTime(row.lastFiredAt),
    firings_in_30_days: row.firingsIn30Days,
    version: row.version,
    created_at: formatIsoTime(row.createdAt),
    updated_at: formatIsoTime(row.updatedAt),
  };
}

function toFiring(row: FiringRow): z.input<typeof alertFiring> {
  const { acknowledgedByType: type, acknowledgedById } = row;
  return {
    id: row.id,
    type: "alert_firing",
    alert: {
      id: row.alertId,
      name: row.alertName,
      is_deleted: row.isAlertDeleted,
      muted_until: formatOptionalIsoTime(row.alertMutedUntil),
    },
    kind: row.kind,
    scope: toWireScope(row),
    scope_name: row.scopeName,
    workspace_id: row.workspaceId,
    threshold: row.threshold,
    ...describeFiring(row),
    facts: row.facts,
    is_muted: row.isMuted,
    covered_by_id: row.coveredById,
    fired_at: formatIsoTime(row.firedAt),
    acknowledged_at: formatOptionalIsoTime(row.acknowledgedAt),
    acknowledged_by:
      type === null || acknowledgedById === null
        ? null
        : { type: type === "member" ? "user" : type, id: acknowledgedById },
    note: row.note,
    deliveries: row.deliveries,
  };
}
