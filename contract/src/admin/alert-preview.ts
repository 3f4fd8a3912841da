import { z } from "zod";
import { count, timestamp } from "../fields.ts";
import { alertChannelId, alertId } from "../ids.ts";
import { route } from "../route.ts";
import { wireScope } from "../scope.ts";
import { alertCondition, alertScope } from "./alerts.ts";

/** Days that a preview replays. */
export const PREVIEW_DAYS = 30;
/** Maximum scopes that a preview replays: the scope itself, and the child scopes with the highest spend. */
export const MAX_REPLAYED_SCOPES = 60;
/** The same for unusual spend, whose rule reads weeks of hours for each hour. */
export const MAX_UNUSUAL_SCOPES = 12;
const MAX_CHANNELS = 20;

const coverage = z.enum(["whole", "part"]);

const coveringAlert = z.object({
  id: alertId,
  name: z.string(),
  scope: wireScope,
  scope_name: z.string(),
  includes_below: z.boolean(),
  condition: alertCondition,
  is_enabled: z.boolean(),
  muted_until: timestamp.nullable(),
  coverage: coverage.meta({
    description:
      "`whole`: it fires whenever the new alert would. `part`: for some scopes or thresholds.",
  }),
});

const replayedFiring = z.object({
  at: timestamp.meta({ description: "End of the hour in which the alert would have fired." }),
  scope: wireScope,
  scope_name: z.string(),
  threshold: z.string(),
  title: z.string(),
});

export const alertPreview = z
  .object({
    type: z.literal("alert_preview"),
    covered_by: z.array(coveringAlert).meta({
      description:
        "Existing alerts of the same kind that watch the same scopes, the closest first.",
    }),
    adds_nothing: z.boolean().meta({
      description:
        "One enabled alert fires for all of it already, and notifies all of its receivers.",
    }),
    replay: z
      .object({
        from: timestamp,
        to: timestamp,
        firings: count,
        messages: count.meta({
          description: "Messages to one person. Firings of one hour share a message.",
        }),
        days: z.array(z.object({ date: z.iso.date(), firings: count })),
        newest: z.array(replayedFiring).meta({ description: "At most 20 firings, newest first." }),
        scopes: count.meta({ description: "Replayed scopes." }),
        scopes_left_out: count.meta({
          description: `Scopes beyond the ${MAX_REPLAYED_SCOPES} with the highest spend, or the ${MAX_UNUSUAL_SCOPES} for unusual spend.`,
        }),
      })
      .nullable()
      .meta({ description: "Null: this condition cannot be replayed." }),
    note: z.string().meta({
      description: "Assumption of the replay, or the reason why none is possible.",
    }),
  })
  .meta({ id: "AlertPreview" });

export const previewAlert = route({
  operationId: "previewAlert",
  method: "POST",
  path: "/v1/admin/alerts/preview",
  summary: "Preview an alert",
  description: `Names existing alerts that cover the new one, and computes from recorded spend when it would have fired in the last ${PREVIEW_DAYS} days. Changes nothing.`,
  action: "alerts:write",
  audited: null,
  body: z.strictObject({
    scope: alertScope,
    includes_below: z.boolean().default(false),
    condition: alertCondition,
    channel_ids: z.array(alertChannelId).max(MAX_CHANNELS).default([]),
    notifies_owner: z.boolean().default(false),
    alert_id: alertId
      .optional()
      .meta({ description: "Alert to change, which is left out of `covered_by`." }),
  }),
  response: alertPreview,
});

export const alertPreviewRoutes = [previewAlert] as const;
