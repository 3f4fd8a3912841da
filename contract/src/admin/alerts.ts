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
  alertId,
  apiKeyId,
  spendLimitId,
  workspaceId,
} from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { wireScope } from "../scope.ts";
import { alertChannelKinds } from "./alert-channels.ts";

const MAX_THRESHOLDS = 20;
const MAX_CHANNELS = 20;
const MAX_NOTE_LENGTH = 500;
const MAX_PERCENT = 1_000;
const MAX_DAYS = 365;

const periods = ["daily", "weekly", "monthly"] as const;

export const alertScope = wireScope.meta({
  description: "Whose spend, requests or keys are watched.",
});

const percent = z.int().min(1).max(MAX_PERCENT);
const threshold = z
  .union([
    z.strictObject({ percent: percent.meta({ description: "Of each limit of the scope." }) }),
    z.strictObject({
      amount_usd: usdAmount,
      period: z.enum(periods).default("monthly"),
    }),
  ])
  .meta({
    description:
      "A percentage of a spend limit, or an amount that is spent in a period, whether there is a limit or not.",
  });

/** The kinds of alerts, each with what it waits for. */
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
        "More is spent than a strict limit of the scope allows: budget of a lost node was released and settled later, or requests cost more than was held. Once for each limit and period, and again after the limit was raised.",
    }),
    z.strictObject({
      kind: z.literal("forecast"),
      percent: percent
        .default(100)
        .meta({ description: "Of a limit, at the end of its period, at the present pace." }),
    }),
    z.strictObject({
      kind: z.literal("unusual_spend"),
      factor: z
        .number()
        .min(1.5)
        .max(100)
        .default(4)
        .meta({ description: "How many times as much as is usual in such an hour." }),
      min_usd: usdAmount
        .default(5)
        .meta({ description: "Hours that cost less are never unusual." }),
    }),
    z.strictObject({
      kind: z.literal("key_expiring"),
      days: z
        .array(z.int().min(0).max(MAX_DAYS))
        .min(1)
        .max(MAX_THRESHOLDS)
        .default([14, 3])
        .meta({ description: "Days before a key expires, each an alert of its own." }),
    }),
    z.strictObject({
      kind: z.literal("key_unused"),
      days: z.int().min(1).max(MAX_DAYS).default(90),
    }),
    z.strictObject({ kind: z.literal("key_new_address") }).meta({
      description:
        "A key is used from a network (IPv4 /24, IPv6 /48) that it was not used from before; the first one of a key is no news.",
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
  ])
  .meta({ description: "What the alert waits for." });
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
] as const satisfies readonly AlertCondition["kind"][];
export type AlertKind = (typeof alertKinds)[number];

const includesBelow = z.boolean().meta({
  description:
    "Also watches, each by itself, what lies inside the scope: the workspaces and keys of the organization, the keys of a workspace.",
});
const notifiesOwner = z
  .boolean()
  .meta({ description: "Also tells the person whose key it is, by mail." });
const version = z
  .int()
  .min(1)
  .meta({ description: "Another number after each change: for `if_version`." });
const ifVersion = z.int().min(1).optional().meta({
  description: "Changes it only while its `version` is this one; else 409.",
});
const mutedUntil = timestamp.nullable().meta({
  description: "Until then it fires without telling anybody. Null: it is not muted.",
});

export const alert = z
  .object({
    id: alertId,
    type: z.literal("alert"),
    name: z.string(),
    scope: alertScope,
    scope_name: z.string().meta({ description: "Name of the organization, workspace or key." }),
    includes_below: includesBelow,
    condition: alertCondition,
    channels: z.array(
      z.object({
        id: alertChannelId,
        name: z.string(),
        kind: z.enum(alertChannelKinds),
        is_working: z.boolean().meta({ description: "Neither off nor paused." }),
      }),
    ),
    notifies_owner: notifiesOwner,
    is_enabled: z.boolean(),
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
  description: "Where messages go. An empty list: firings are only seen in the console.",
});

export const createAlert = route({
  operationId: "createAlert",
  method: "POST",
  path: "/v1/admin/alerts",
  summary: "Create an alert",
  description:
    "It fires once for each scope, period and threshold; a raised limit and a new period arm it again. Alerts of the organization need an admin key or the role Owner, Admin or Billing. What has been crossed already when the alert is made fires at once.",
  action: "alerts:write",
  audited: "alert.created",
  body: z.strictObject({
    name: nameText,
    scope: alertScope,
    includes_below: includesBelow.default(false),
    condition: alertCondition,
    channel_ids: channelIds.optional().meta({
      description: "Omitted: the channel for e-mail to the organization's Owners and Admins.",
    }),
    notifies_owner: notifiesOwner.default(false),
    is_enabled: z.boolean().default(true),
  }),
  response: alert,
});

export const listAlerts = route({
  operationId: "listAlerts",
  method: "GET",
  path: "/v1/admin/alerts",
  summary: "List alerts",
  description: "Newest first; those that the caller may see.",
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
    "What is not named stays. The scope and the kind of an alert stay what they are. What fired already does not fire again because of a change.",
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
    muted_until: instant.nullable().optional().meta({
      description: "Until then it fires without telling anybody. Null ends that.",
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
  description: "The history of its firings stays.",
  action: "alerts:write",
  audited: "alert.deleted",
  params,
  response: z.object({ id: alertId, type: z.literal("alert_deleted") }),
});

/** What a message about a firing says: those that have a meaning for its kind, null else. */
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
    overrun_usd: usdText.nullable().meta({ description: "Spent beyond the limit." }),
    enforcement: z.enum(["strict", "soft", "alert_only"]).nullable(),
    forecast_usd: usdText.nullable().meta({ description: "Of the whole period." }),
    reached_at: timestamp.nullable().meta({
      description: "When the limit will be reached at the present pace.",
    }),
    usual_usd: usdText.nullable().meta({ description: "Of such an hour or day." }),
    requests: count.nullable(),
    failed_requests: count.nullable(),
    minutes: z.int().nullable(),
    expires_at: timestamp.nullable(),
    last_used_at: timestamp.nullable(),
    address_range: z.string().nullable(),
  })
  .partial()
  .meta({ description: "What was known when it fired; only what its kind has." });
export type FiringFacts = z.output<typeof firingFacts>;

const deliveryStatus = z.enum(["queued", "sent", "failed", "dropped"]);

export const alertFiring = z
  .object({
    id: alertFiringId,
    type: z.literal("alert_firing"),
    alert: z.object({ id: alertId, name: z.string(), is_deleted: z.boolean() }),
    kind: z.enum(alertKinds),
    scope: alertScope,
    scope_name: z.string(),
    workspace_id: workspaceId.nullable(),
    threshold: z.string().meta({
      description:
        "What was crossed, in a few characters: `75%`, `$100.00`, `14 days`, `over limit`.",
    }),
    title: z.string().meta({ description: "What happened, in one sentence." }),
    next: z.string().meta({ description: "What happens next, or what can be done about it." }),
    facts: firingFacts,
    is_muted: z.boolean(),
    covered_by_id: alertFiringId.nullable().meta({
      description:
        "The firing of a higher threshold that was crossed at the same time. Its messages stand for this one, which has none.",
    }),
    fired_at: timestamp,
    acknowledged_at: timestamp.nullable(),
    acknowledged_by: z.object({ type: z.string(), id: z.string() }).nullable(),
    note: z.string().nullable(),
    deliveries: z.array(
      z.object({
        channel_id: alertChannelId.nullable().meta({
          description: "Null: a message to the person whose key it is.",
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
  summary: "List what alerts fired",
  description: "Newest first; about what the caller may see.",
  action: "alerts:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    alert_id: optionalQuery(alertId),
    kinds: queryList(z.enum(alertKinds)),
    workspace_id: optionalQuery(workspaceId),
    api_key_id: optionalQuery(apiKeyId),
    is_acknowledged: queryFlag.meta({
      description: "Only those that somebody has seen to, or (`false`) nobody has.",
    }),
    is_over: queryFlag.meta({
      description:
        "Only firings whose cause has ended, or (`false`) still lasts: for a spend limit, until its period ends or the limit is raised.",
    }),
    is_superseded: queryFlag.meta({
      description:
        "Only firings that a further threshold of the same alert, scope and period has followed, or (`false`) all others.",
    }),
    fired_at_gte: optionalQuery(instant).meta({ description: "From this moment on." }),
    fired_at_lt: optionalQuery(instant).meta({ description: "Before this moment." }),
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
  description: "Says that somebody has seen to it. Again: changes the note.",
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
