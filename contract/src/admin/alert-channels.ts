import { z } from "zod";
import {
  count,
  emailAddress,
  nameText,
  queryFlag,
  queryList,
  shownOnce,
  timestamp,
} from "../fields.ts";
import { alertChannelId, alertDeliveryId, alertFiringId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { organizationRoles } from "../permissions.ts";
import { route } from "../route.ts";

const MAX_ADDRESSES = 50;
const MAX_URL_LENGTH = 2_000;
const MAX_OVERLAP_HOURS = 168;

export const alertChannelKinds = ["email", "slack", "pagerduty", "webhook"] as const;
export type AlertChannelKind = (typeof alertChannelKinds)[number];

const recipients = z
  .strictObject({
    roles: z.array(z.enum(organizationRoles)).max(organizationRoles.length).default([]),
    addresses: z.array(emailAddress).max(MAX_ADDRESSES).default([]),
  })
  .meta({
    description:
      "Recipients of e-mail: these addresses, and the active members with one of these roles when it is sent.",
  });
const httpsAddress = z.string().trim().min(1).max(MAX_URL_LENGTH);

/** Target of messages. Responses never contain a target with a secret. */
const target = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("email"), recipients }),
    z.strictObject({
      kind: z.literal("slack"),
      url: httpsAddress.meta({
        description:
          "An incoming webhook of Slack, `https://hooks.slack.com/services/…`. Another host needs `BURSAR_ALLOW_PRIVATE_TARGETS`.",
      }),
    }),
    z.strictObject({
      kind: z.literal("pagerduty"),
      routing_key: z
        .string()
        .trim()
        .regex(/^[0-9A-Za-z]{32}$/, "expected an integration key: 32 letters and digits")
        .meta({ description: "Integration key of the Events API v2." }),
      region: z
        .enum(["us", "eu"])
        .default("us")
        .meta({ description: "Service region of the PagerDuty account." }),
    }),
    z.strictObject({
      kind: z.literal("webhook"),
      url: httpsAddress.meta({
        description:
          "Receives a signed POST (Standard Webhooks). Private addresses are refused unless `BURSAR_ALLOW_PRIVATE_TARGETS` allows them.",
      }),
    }),
  ])
  .meta({ description: "Kind and target of the channel." });

const version = z.int().min(1);

export const alertChannel = z
  .object({
    id: alertChannelId,
    type: z.literal("alert_channel"),
    name: z.string(),
    kind: z.enum(alertChannelKinds),
    recipients: recipients.nullable().meta({
      description:
        "Recipients of e-mail. Null: another kind, or the caller cannot change channels.",
    }),
    target_hint: z.string().nullable().meta({
      description:
        "Recognizable part of the target's address or key. Null: e-mail, or the caller cannot change channels.",
    }),
    state: z.enum(["working", "off", "paused"]).meta({
      description: "`paused`: the server paused it after consecutive failures.",
    }),
    paused_at: timestamp.nullable(),
    pause_reason: z.string().nullable(),
    failures_in_a_row: count,
    old_secret_expires_at: timestamp.nullable().meta({
      description: "Until then, webhook messages are signed with the previous secret too.",
    }),
    alerts: count.meta({ description: "Alerts that use it." }),
    last_delivery: z
      .object({ status: z.enum(["queued", "sent", "failed", "dropped"]), at: timestamp })
      .nullable(),
    version,
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "AlertChannel" });

const signingSecret = z
  .string()
  .nullable()
  .meta({
    description:
      "`whsec_…`: verifies the signatures of webhook messages. Shown once. Null: another kind.",
    ...shownOnce,
  });

const params = z.strictObject({ alert_channel_id: alertChannelId });

export const createAlertChannel = route({
  operationId: "createAlertChannel",
  method: "POST",
  path: "/v1/admin/alert_channels",
  summary: "Create an alert channel",
  description: "The server generates the secret of a webhook, and shows it once.",
  action: "alert_channels:write",
  audited: "alert_channel.created",
  stepUp: true,
  body: z.strictObject({ name: nameText, target }),
  response: alertChannel.extend({ signing_secret: signingSecret }),
});

export const listAlertChannels = route({
  operationId: "listAlertChannels",
  method: "GET",
  path: "/v1/admin/alert_channels",
  summary: "List alert channels",
  description: "Newest first.",
  action: "alerts:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    kinds: queryList(z.enum(alertChannelKinds)),
    is_failing: queryFlag.meta({
      description:
        "Only channels that are paused or failed at least three times in a row, or (`false`) all others. Channels that are off are not failing.",
    }),
  }),
  response: pageCursor(alertChannel),
});

export const getAlertChannel = route({
  operationId: "getAlertChannel",
  method: "GET",
  path: "/v1/admin/alert_channels/{alert_channel_id}",
  summary: "Get an alert channel",
  action: "alerts:read",
  audited: null,
  params,
  response: alertChannel,
});

export const updateAlertChannel = route({
  operationId: "updateAlertChannel",
  method: "POST",
  path: "/v1/admin/alert_channels/{alert_channel_id}",
  summary: "Change an alert channel",
  description:
    "Omitted fields stay the same. The kind cannot change. `is_enabled: true` or a new target ends a pause, and waiting messages are sent.",
  action: "alert_channels:write",
  audited: "alert_channel.updated",
  stepUp: true,
  params,
  body: z.strictObject({
    name: nameText.optional(),
    target: target.optional(),
    is_enabled: z.boolean().optional(),
    if_version: version.optional(),
  }),
  response: alertChannel,
});

export const deleteAlertChannel = route({
  operationId: "deleteAlertChannel",
  method: "DELETE",
  path: "/v1/admin/alert_channels/{alert_channel_id}",
  summary: "Delete an alert channel",
  description: "Alerts continue without it. Its deliveries stay readable.",
  action: "alert_channels:write",
  audited: "alert_channel.deleted",
  stepUp: true,
  params,
  response: z.object({ id: alertChannelId, type: z.literal("alert_channel_deleted") }),
});

export const rotateAlertChannelSecret = route({
  operationId: "rotateAlertChannelSecret",
  method: "POST",
  path: "/v1/admin/alert_channels/{alert_channel_id}/rotate_secret",
  summary: "Rotate the signing secret of a webhook",
  description: "Messages are signed with both secrets until the old secret expires.",
  action: "alert_channels:write",
  audited: "alert_channel.secret_rotated",
  stepUp: true,
  params,
  body: z.strictObject({
    overlap_hours: z.int().min(0).max(MAX_OVERLAP_HOURS).default(24),
  }),
  response: alertChannel.extend({ signing_secret: signingSecret }),
});

export const alertDelivery = z
  .object({
    id: alertDeliveryId,
    type: z.literal("alert_delivery"),
    alert_firing_id: alertFiringId.nullable().meta({ description: "Null: a test." }),
    title: z.string(),
    status: z.enum(["queued", "sent", "failed", "dropped"]).meta({
      description: "`dropped`: the channel was off or deleted when the message was due.",
    }),
    attempts: count,
    last_status: z.int().nullable().meta({ description: "HTTP status of the last attempt." }),
    last_error: z.string().nullable(),
    last_attempt_at: timestamp.nullable(),
    created_at: timestamp,
    sent_at: timestamp.nullable(),
  })
  .meta({ id: "AlertDelivery" });

export const testAlertChannel = route({
  operationId: "testAlertChannel",
  method: "POST",
  path: "/v1/admin/alert_channels/{alert_channel_id}/test",
  summary: "Test an alert channel",
  description: "Sends a test message at once and returns the result. E-mail is queued instead.",
  action: "alert_channels:write",
  audited: "alert_channel.tested",
  params,
  response: alertDelivery,
});

export const listAlertDeliveries = route({
  operationId: "listAlertDeliveries",
  method: "GET",
  path: "/v1/admin/alert_channels/{alert_channel_id}/deliveries",
  summary: "List the deliveries of an alert channel",
  description: "Newest first. Deliveries are stored for 90 days.",
  action: "alert_channels:write",
  audited: null,
  params,
  query: z.strictObject({
    ...pageCursorQuery,
    statuses: queryList(z.enum(["queued", "sent", "failed", "dropped"])),
  }),
  response: pageCursor(alertDelivery),
});

export const redeliverAlert = route({
  operationId: "redeliverAlert",
  method: "POST",
  path: "/v1/admin/alert_deliveries/{alert_delivery_id}/redeliver",
  summary: "Redeliver an alert message",
  description: "Sends the same message with the same id, so that receivers can detect a duplicate.",
  action: "alert_channels:write",
  audited: "alert_delivery.redelivered",
  params: z.strictObject({ alert_delivery_id: alertDeliveryId }),
  response: alertDelivery,
});

export const alertChannelRoutes = [
  createAlertChannel,
  listAlertChannels,
  getAlertChannel,
  updateAlertChannel,
  deleteAlertChannel,
  rotateAlertChannelSecret,
  testAlertChannel,
  listAlertDeliveries,
  redeliverAlert,
] as const;
