import {
  type alertGroup,
  type alertGroupRoutes,
  listAlertGroups as listAlertGroupsRoute,
} from "@bursar/contract/admin/alert-groups.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AlertDeps } from "#src/alerts/rules/alerts.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { toGroupId } from "./alert-group-id.ts";
import type { AlertGroupRow } from "./alert-groups.sql.ts";
import { acknowledgeFirings, listAlertGroups } from "./alert-groups.ts";
import { describeFiring } from "./alert-words.rule.ts";
import { findHighestSeverity } from "./compare-firings.ts";

export function makeAlertGroupHandlers(
  deps: AlertDeps,
): HandlersFor<(typeof alertGroupRoutes)[number], Call> {
  return {
    listAlertGroups: pagedList(
      listAlertGroupsRoute,
      (call, { query }, page) => listAlertGroups(deps, call, query, page),
      toGroup,
    ),
    acknowledgeAlertFirings: async (call, { body }) => ({
      type: "alert_firings_acknowledged",
      ...(await acknowledgeFirings(deps, call, body)),
    }),
  };
}

function toGroup(row: AlertGroupRow): z.input<typeof alertGroup> {
  return {
    id: toGroupId(row),
    type: "alert_group",
    kind: row.kind,
    scope: toWireScope(row),
    scope_name: row.scopeName,
    workspace_id: row.workspaceId,
    title: describeFiring(row).title,
    severity: findHighestSeverity(row.kind, row.thresholds),
    alerts: row.alerts.map((alert) => {
      const { muted_until: at } = alert;
      return { ...alert, muted_until: at === null ? null : new Date(at).toISOString() };
    }),
    firings: row.firings,
    open_firings: row.openFirings,
    first_fired_at: row.firstFiredAt.toISOString(),
    last_fired_at: row.lastFiredAt.toISOString(),
    period_ends_at: row.facts.period_ends_at ?? null,
    newest_firing_id: row.newestFiringId,
  };
}
