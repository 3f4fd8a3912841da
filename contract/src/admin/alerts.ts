import { z } from "zod";
import {
  count,
  instant,
  nameText,
  optionalQuery,
  queryFlag,
  queryList,
  timestamp,
  usdAmount,
  usdText,
} from "../fields.ts";
import {
  alertChannelId,
  alertFiringId,
  alertGroupId,
  alertId,
  apiKeyId,
  requestId,
  spendLimitId,
  workspaceId,
} from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { countedScope, wireScope } from "../scope.ts";
import { alertChannelKinds } from "./alert-channels.ts";
import { exceededBound } from "./exceeded-bounds.ts";

const MAX_THRESHOLDS = 20;
const MAX_CHANNELS = 20;
export const MAX_NOTE_LENGTH = 500;
const MAX_PERCENT = 1_000;
const MAX_DAYS = 365;
const MAX_COLLECT_MINUTES = 60;

const periods = ["daily", "weekly", "monthly"] as const;

export const alertScope = countedScope.meta({
  description:
    "Scope whose spend, requests or keys the alert watches. Members, groups and tags have alerts about spend: `spend_limit`, `limit_overrun` and `forecast`.",
});

const percent = z.int().min(1).max(MAX_PERCENT);
const threshold = z
  .union([
    z.strictObject({
      percent: percent.meta({ description: "Percentage of each limit of the scope." }),
    }),
    z.strictObject({
      amount_usd: usdAmount,
      period: z.enum(periods).default("monthly"),
    }),
  ])
  .meta({
    description:
      "A percentage of a spend limit, or an amount spent in a period, with or without a limit.",
  });

/** Kinds of alerts with their conditions. */
export const alertCondition = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("spend_limit"),
      thresholds: z
        .array(threshold)
        .min(1)
        .max(MAX_THRESHOLDS)
        .default([{ percent: 50 }, { percent: 75 }, { percent: 90 }, { percent: 100 }]),
    }),
    z.strictObject({ kind: z.literal("limit_overrun") }).meta({
      description:
        "Spend exceeds a strict limit of the scope. Either released budget of a lost node settled later, or requests cost more than their holds. Fires once for each limit and period. Fires again when the overrun has doubled, or after a day in which it grew, by 1 % of the limit at least, and after the limit was raised.",
    }),
    z.strictObject({
      kind: z.literal("forecast"),
      percent: percent.default(100).meta({
        description: "Percentage of a limit at the end of its period, at the current pace.",
      }),
    }),
    z.strictObject({
      kind: z.literal("unusual_spend"),
      factor: z
        .number()
        .min(1.5)
        .max(100)
        .default(4)
        .meta({ description: "Multiple of the usual spend in such an hour." }),
      min_usd: usdAmount.default(5).meta({ description: "Lowest spend of an unusual hour." }),
    }),
    z.strictObject({
      kind: z.literal("key_expiring"),
      days: z
        .array(z.int().min(0).max(MAX_DAYS))
        .min(1)
        .max(MAX_THRESHOLDS)
        .default([14, 3])
        .meta({ description: "Days before a key expires. Each fires once." }),
    }),
    z.strictObject({
      kind: z.literal("key_unused"),
      days: z.int().min(1).max(MAX_DAYS).default(90),
    }),
    z.strictObject({ kind: z.literal("key_new_address") }).meta({
      description:
        "A key is used from a new network (IPv4 /24, IPv6 /48). The first network of a key does not fire.",
    }),
    z.strictObject({
      kind: z.literal("refused_requests"),
      count: z.int().min(1).max(1_000_000).default(50),
      minutes: z.int().min(5).max(1_440).default(60),
    }),
    z.strictObject({
      kind: z.literal("upstream_errors"),
      percent: z.int().min(1).max(100).default(20),
      min_requests: z.int().min(1).max(1_000_000).default(20),
      minutes: z.int().min(5).max(1_440).default(15),
    }),
    z.strictObject({ kind: z.literal("database_failover") }).meta({
      description:
        "A standby database was promoted, which can lack the last changes. Fires once for each failover.",
    }),
    z.strictObject({ kind: z.literal("bound_exceeded") }).meta({
      description:
        "A model was faster than its highest speed, or results of a tool were beyond their bound. Streams with it are held whole from then on. Fires once for each model or tool and day.",
    }),
  ])
  .meta({ description: "Condition of the alert." });
export type AlertCondition = z.output<typeof alertCondition>;

export const alertKinds = [
  "spend_limit",
  "limit_overrun",
  "forecast",
  "unusual_spend",
  "key_expiring",
  "key_unused",
  "key_new_address",
  "refused_requests",
  "upstream_errors",
  "database_failover",
  "bound_exceeded",
] as const satisfies readonly AlertCondition["kind"][];
export type AlertKind = (typeof alertKinds)[number];

const includesBelow = z.boolean().meta({
  description:
    "Also watches each child scope on its own: workspaces and keys of the organization, or keys of a workspace. An alert of the organization about limits or forecasts also watches members, groups and tags.",
});
const notifiesOwner = z
  .boolean()
  .meta({ description: "Also notifies the owner of the key by e-mail." });
const collectMinutes = z.int().min(0).max(MAX_COLLECT_MINUTES).meta({
  description:
    "Minutes in which mail and Slack collect firings of the alert into one message. A critical firing is sent at once, with those that wait. PagerDuty and webhooks get each firing at once.",
});
const version = z
  .int()
  .min(1)
  .meta({ description: "Changes with each update. Send it as `if_version`." });
const ifVersion = z.int().min(1).optional().meta({
  description: "Changes the alert only if its `version` is the same. Otherwise a 409.",
});
const mutedUntil = timestamp.nullable().meta({
  description: "Until then, it fires without notifications. Null: it is not muted.",
});

export const alert = z
  .object({
    id: alertId,
    type: z.literal("alert"),
    name: z.string(),
    scope: alertScope,
    scope_name: z.string().meta({ description: "Name of the scope." }),
    includes_below: includesBelow,
    condition: alertCondition,
    channels: z.array(
      z.object({
        id: alertChannelId,
        name: z.string(),
        kind: z.enum(alertChannelKinds),
        is_working: z.boolean().meta({ description: "True: neither off nor paused." }),
      }),
    ),
    notifies_owner: notifiesOwner,
    is_enabled: z.boolean(),
    collect_minutes: collectMinutes,
    muted_until: mutedUntil,
    last_fired_at: timestamp.nullable(),
    firings_in_30_days: count,
    version,
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Alert" });

const params = z.strictObject({ alert_id: alertId });
const channelIds = z.array(alertChannelId).max(MAX_CHANNELS).meta({
  description: "Channels of messages. Empty: only the console shows firings.",
});

export const createAlert = route({
  operationId: "createAlert",
  method: "POST",
  path: "/v1/admin/alerts",
  summary: "Create an alert",
  description:
    "An alert fires once for each scope, period and threshold. A raised limit or a new period arms it again. Alerts of the organization need an admin key or the role Owner, Admin or Billing. Thresholds that are already crossed fire at once.",
  action: "alerts:write",
  audited: "alert.created",
  body: z.strictObject({
    name: nameText,
    scope: alertScope,
    includes_below: includesBelow.default(false),
    condition: alertCondition,
    channel_ids: channelIds.optional().meta({
      description: "Default: the channel for e-mail to the organization's Owners and Admins.",
    }),
    notifies_owner: notifiesOwner.default(false),
    is_enabled: z.boolean().default(true),
    collect_minutes: collectMinutes.default(0),
  }),
  response: alert,
});

export const listAlerts = route({
  operationId: "listAlerts",
  method: "GET",
  path: "/v1/admin/alerts",
  summary: "List alerts",
  description: "Lists alerts that the caller can see, newest first.",
  action: "alerts:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    kinds: queryList(z.enum(alertKinds)),
    workspace_id: optionalQuery(workspaceId),
    api_key_id: optionalQuery(apiKeyId),
  }),
  response: pageCursor(alert),
});

export const getAlert = route({
  operationId: "getAlert",
  method: "GET",
  path: "/v1/admin/alerts/{alert_id}",
  summary: "Get an alert",
  action: "alerts:read",
  audited: null,
  params,
  response: alert,
});

export const updateAlert = route({
  operationId: "updateAlert",
  method: "POST",
  path: "/v1/admin/alerts/{alert_id}",
  summary: "Change an alert",
  description:
    "Omitted fields stay the same. The scope and the kind cannot change. A change does not repeat past firings.",
  action: "alerts:write",
  audited: "alert.updated",
  params,
  body: z.strictObject({
    name: nameText.optional(),
    includes_below: includesBelow.optional(),
    condition: alertCondition.optional(),
    channel_ids: channelIds.optional(),
    notifies_owner: notifiesOwner.optional(),
    is_enabled: z.boolean().optional(),
    collect_minutes: collectMinutes.optional(),
    muted_until: instant.nullable().optional().meta({
      description: "Until then, it fires without notifications. Null ends the mute.",
    }),
    if_version: ifVersion,
  }),
  response: alert,
});

export const deleteAlert = route({
  operationId: "deleteAlert",
  method: "DELETE",
  path: "/v1/admin/alerts/{alert_id}",
  summary: "Delete an alert",
  description: "Its firings stay in the history.",
  action: "alerts:write",
  audited: "alert.deleted",
  params,
  response: z.object({ id: alertId, type: z.literal("alert_deleted") }),
});

/** Reasons why a request is part of an overrun. */
export const overrunCauses = [
  "node_paused",
  "billed_after_cut",
  "beyond_bound",
  "above_hold",
  "settled_late",
  "charged",
] as const;
export type OverrunCause = (typeof overrunCauses)[number];

/** Facts in a message about a firing. Null: no meaning for its kind. */
export const firingFacts = z
  .object({
    spend_limit_id: spendLimitId.nullable(),
    period: z.enum(periods).nullable(),
    period_starts_at: timestamp.nullable(),
    period_ends_at: timestamp.nullable(),
    limit_usd: usdText.nullable(),
    spent_usd: usdText.nullable(),
    held_usd: usdText.nullable(),
    unresolved_usd: usdText.nullable(),
    overrun_usd: usdText.nullable().meta({ description: "Spend beyond the limit." }),
    overrun_requests: z
      .array(
        z.object({
          id: requestId,
          cost_usd: usdText,
          held_usd: usdText.nullable().meta({ description: "Null: no strict limit held it." }),
          cause: z.enum(overrunCauses),
        }),
      )
      .nullable()
      .meta({
        description:
          "At most ten requests of the overrun, the largest cost beyond its hold first. `node_paused`: a stream ran while its node did not. " +
          "`billed_after_cut`: the cut stream can have cost more than its hold. `beyond_bound`: it was faster than the highest speed of its model, or results of a tool were beyond their bound. " +
          "`above_hold`: the request cost more than its hold. `settled_late`: others had used its budget. `charged`: an administrator set its cost.",
      }),
    enforcement: z.enum(["strict", "soft", "alert_only"]).nullable(),
    forecast_usd: usdText.nullable().meta({ description: "Forecast for the whole period." }),
    reached_at: timestamp.nullable().meta({
      description: "When spend reaches the limit at the current pace.",
    }),
    usual_usd: usdText.nullable().meta({ description: "Usual spend of such an hour or day." }),
    requests: count.nullable(),
    failed_requests: count.nullable(),
    top_error_code: z.string().nullable().meta({
      description: "Most frequent `error_code` of the refused requests.",
    }),
    top_error_requests: count.nullable().meta({
      description: "Requests that were refused with `top_error_code`.",
    }),
    minutes: z.int().nullable(),
    expires_at: timestamp.nullable(),
    last_used_at: timestamp.nullable(),
    address_range: z.string().nullable(),
    exceeded_bound: exceededBound
      .pick({
        kind: true,
        name: true,
        observed_tokens: true,
        allowed_tokens: true,
        request_id: true,
      })
      .nullable()
      .meta({ description: "Model or tool that is held whole from now on." }),
    lost_events: count.nullable().meta({
      description: "Events of the audit log that the promoted database lacks, as far as known.",
    }),
    lost_changes: z.array(z.string()).nullable().meta({
      description: "Some of the lost changes: the event and the id of its subject.",
    }),
    restored_restrictions: count.nullable().meta({
      description: "Keys, members and other subjects whose lost restrictions were applied again.",
    }),
  })
  .partial()
  .meta({ description: "Facts at the time of firing. Each kind has its own." });
export type FiringFacts = z.output<typeof firingFacts>;

const deliveryStatus = z.enum(["queued", "sent", "failed", "dropped"]);

/** Rule of a firing. */
export const firedAlert = z.object({
  id: alertId,
  name: z.string(),
  is_deleted: z.boolean(),
  muted_until: mutedUntil,
});

export const alertFiring = z
  .object({
    id: alertFiringId,
    type: z.literal("alert_firing"),
    alert: firedAlert,
    kind: z.enum(alertKinds),
    scope: wireScope,
    scope_name: z.string(),
    workspace_id: workspaceId.nullable(),
    threshold: z.string().meta({
      description:
        "The crossed threshold as short text: `75%`, `$100.00`, `14 days`, `over limit`.",
    }),
    title: z.string().meta({ description: "Summary in one sentence." }),
    next: z.string().meta({ description: "Consequence or possible actions, in one sentence." }),
    facts: firingFacts,
    is_muted: z.boolean(),
    covered_by_id: alertFiringId.nullable().meta({
      description:
        "Firing of a higher threshold that was crossed at the same time. Its messages replace those of this firing.",
    }),
    fired_at: timestamp,
    acknowledged_at: timestamp.nullable(),
    acknowledged_by: z.object({ type: z.string(), id: z.string() }).nullable(),
    note: z.string().nullable(),
    deliveries: z.array(
      z.object({
        channel_id: alertChannelId.nullable().meta({
          description: "Null: a message to the owner of the key.",
        }),
        channel_name: z.string().nullable(),
        status: deliveryStatus,
      }),
    ),
  })
  .meta({ id: "AlertFiring" });

const firingParams = z.strictObject({ alert_firing_id: alertFiringId });

export const listAlertFirings = route({
  operationId: "listAlertFirings",
  method: "GET",
  path: "/v1/admin/alert_firings",
  summary: "List firings",
  description: "Lists firings of scopes that the caller can see, newest first.",
  action: "alerts:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    alert_id: optionalQuery(alertId),
    alert_group_id: optionalQuery(alertGroupId),
    kinds: queryList(z.enum(alertKinds)),
    workspace_id: optionalQuery(workspaceId),
    api_key_id: optionalQuery(apiKeyId),
    is_acknowledged: queryFlag.meta({
      description: "Only acknowledged firings, or (`false`) only unacknowledged ones.",
    }),
    is_over: queryFlag.meta({
      description:
        "Only firings whose cause has ended, or (`false`) still lasts. A spend limit's cause lasts until its period ends or the limit is raised.",
    }),
    is_superseded: queryFlag.meta({
      description:
        "Only firings followed by a higher threshold of the same alert, scope and period, or (`false`) all others.",
    }),
    fired_at_gte: optionalQuery(instant).meta({ description: "Fired at this time or later." }),
    fired_at_lt: optionalQuery(instant).meta({ description: "Fired before this time." }),
  }),
  response: pageCursor(alertFiring),
});

export const getAlertFiring = route({
  operationId: "getAlertFiring",
  method: "GET",
  path: "/v1/admin/alert_firings/{alert_firing_id}",
  summary: "Get a firing",
  action: "alerts:read",
  audited: null,
  params: firingParams,
  response: alertFiring,
});

export const acknowledgeAlertFiring = route({
  operationId: "acknowledgeAlertFiring",
  method: "POST",
  path: "/v1/admin/alert_firings/{alert_firing_id}/acknowledge",
  summary: "Acknowledge a firing",
  description: "Marks the firing as handled. Another call replaces the note.",
  action: "alerts:write",
  audited: "alert_firing.acknowledged",
  params: firingParams,
  body: z.strictObject({
    note: z.string().trim().max(MAX_NOTE_LENGTH).default(""),
  }),
  response: alertFiring,
});

export const alertRoutes = [
  createAlert,
  listAlerts,
  getAlert,
  updateAlert,
  deleteAlert,
  listAlertFirings,
  getAlertFiring,
  acknowledgeAlertFiring,
] as const;
