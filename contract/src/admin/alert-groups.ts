import { z } from "zod";
import { count, instant, optionalQuery, queryFlag, queryList, timestamp } from "../fields.ts";
import { alertFiringId, alertGroupId, apiKeyId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { wireScope } from "../scope.ts";
import { alertKinds, firedAlert, MAX_NOTE_LENGTH } from "./alerts.ts";

/** Maximum firings that one call acknowledges. */
export const MAX_ACKNOWLEDGED = 500;

export const alertGroupStates = ["open", "acknowledged", "all"] as const;

/** Orders of the list. In the second one, groups of the same severity are newest first. */
export const alertGroupOrders = ["newest", "severity"] as const;

export const alertGroup = z
  .object({
    id: alertGroupId,
    type: z.literal("alert_group"),
    kind: z.enum(alertKinds),
    scope: wireScope,
    scope_name: z.string(),
    workspace_id: workspaceId.nullable(),
    title: z.string().meta({ description: "Summary of `newest_firing_id`, in one sentence." }),
    severity: z.enum(["critical", "warning", "info"]).meta({
      description: "Highest severity of these firings.",
    }),
    alerts: z.array(firedAlert).meta({ description: "Rules of these firings." }),
    firings: count.meta({ description: "Firings of the requested state." }),
    open_firings: count.meta({ description: "Unacknowledged ones among them." }),
    first_fired_at: timestamp,
    last_fired_at: timestamp,
    period_ends_at: timestamp.nullable().meta({
      description: "End of the period of the newest firing. Null: its kind has no period.",
    }),
    newest_firing_id: alertFiringId.meta({
      description:
        "Newest firing, or the newest one that reached a limit. If one evaluation crossed several thresholds, the highest.",
    }),
  })
  .meta({ id: "AlertGroup" });

export const listAlertGroups = route({
  operationId: "listAlertGroups",
  method: "GET",
  path: "/v1/admin/alert_groups",
  summary: "List alert groups",
  description:
    "Firings with the same kind and scope are one group, also of several alerts. The group with the newest firing comes first, unless `order` asks for the highest severity.",
  action: "alerts:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    state: optionalQuery(z.enum(alertGroupStates)).meta({
      description: "Firings to group: `open` (default) are not acknowledged.",
    }),
    order: optionalQuery(z.enum(alertGroupOrders)).meta({
      description:
        "`newest` (default), or `severity`: critical groups first, the newest of them first.",
    }),
    kinds: queryList(z.enum(alertKinds)),
    workspace_id: optionalQuery(workspaceId),
    api_key_id: optionalQuery(apiKeyId),
    is_over: queryFlag.meta({
      description: "Only firings whose cause has ended, or (`false`) still lasts.",
    }),
    is_superseded: queryFlag.meta({
      description:
        "Only firings followed by a higher threshold of the same alert, scope and period, or (`false`) all others.",
    }),
  }),
  response: pageCursor(alertGroup),
});

export const acknowledgeAlertFirings = route({
  operationId: "acknowledgeAlertFirings",
  method: "POST",
  path: "/v1/admin/alert_firings/acknowledge",
  summary: "Acknowledge several firings",
  description:
    "Acknowledges open firings in one transaction, with one audit event. The body has `alert_firing_ids` or `alert_group_ids`. Firings of lower thresholds that they cover are included. Acknowledged firings keep their notes.",
  action: "alerts:write",
  audited: "alert_firing.several_acknowledged",
  body: z.strictObject({
    alert_firing_ids: z.array(alertFiringId).min(1).max(MAX_ACKNOWLEDGED).optional(),
    alert_group_ids: z.array(alertGroupId).min(1).max(MAX_ACKNOWLEDGED).optional(),
    fired_at_lte: instant.optional().meta({
      description: "Firings of the groups after this time stay open.",
    }),
    note: z.string().trim().max(MAX_NOTE_LENGTH).default(""),
  }),
  response: z.object({
    type: z.literal("alert_firings_acknowledged"),
    acknowledged: count,
    has_more: z.boolean().meta({
      description: `The groups have more open firings: one call acknowledges ${MAX_ACKNOWLEDGED}, the newest first.`,
    }),
  }),
});

export const alertGroupRoutes = [listAlertGroups, acknowledgeAlertFirings] as const;
