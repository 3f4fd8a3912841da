import { z } from "zod";
import { count, instant, optionalQuery, queryList, usdText } from "../fields.ts";
import { apiKeyId, memberId, modelName, workspaceId } from "../ids.ts";
import {
  costParts,
  type LabelColumn,
  type RequestCount,
  textLabels,
  tokenMeasures,
  toRecord,
  useMeasures,
} from "../usage-shape.ts";

// What the reports have in common: by what they group and filter, and what they count.

export const reportBuckets = ["1m", "1h", "1d", "none"] as const;
export type ReportBucket = (typeof reportBuckets)[number];

export const reportOrders = [
  "time",
  "cost",
  "tokens",
  "output_tokens",
  "requests",
  "errors",
] as const;
export type ReportOrder = (typeof reportOrders)[number];

export const requestStatuses = [
  "answered",
  "aborted",
  "rate_limited",
  "client_error",
  "server_error",
  "unreached",
  "interrupted",
] as const;
export type RequestStatusName = (typeof requestStatuses)[number];

const MAX_LABEL_LENGTH = 256;
const label = z
  .string()
  .min(1)
  .max(MAX_LABEL_LENGTH)
  .regex(/^[ -~\u00a0-\uffff]+$/, "expected a name without control characters");

const statusMeta = {
  description:
    "How requests ended: `answered`; `aborted` by the client; refused by the upstream as `rate_limited` (429), " +
    "`client_error` (other 4xx) or `server_error`; `unreached` (never got there); `interrupted` (sent, no usable answer).",
};

/** Filters of usage, cost and the request log. Several values of one: any of them. */
export const reportFilters = {
  workspace_id: queryList(workspaceId),
  api_key_id: queryList(apiKeyId),
  member_id: queryList(memberId).meta({
    description: "People whose keys they were when the requests were made.",
  }),
  model: queryList(modelName),
  service_tier: queryList(label).meta({ description: "Such as `standard` or `batch`." }),
  context_window: queryList(label).meta({ description: "`0-200k` or `200k-1M`." }),
  inference_geo: queryList(label).meta({ description: "`global`, `us` or `not_available`." }),
  speed: queryList(label).meta({ description: "`standard` or `fast`." }),
  client: queryList(label).meta({
    description: "Families of programs, such as `claude-code` or `anthropic-python`.",
  }),
  status: queryList(z.enum(requestStatuses)).meta(statusMeta),
} satisfies Record<LabelColumn, z.ZodType>;

export const reportRange = {
  starting_at: optionalQuery(instant).meta({
    description:
      "Start of the range. Default: the start of the month in UTC in which the range ends, so without a range a report " +
      "covers this month.",
  }),
  ending_at: optionalQuery(instant).meta({ description: "Exclusive; now, where it is omitted." }),
};

const MAX_TOP = 50;
export const reportShape = {
  bucket: z.enum(reportBuckets).default("1d").meta({
    description: "Length of a row's time; `none`: one row per group for the whole range.",
  }),
  top: optionalQuery(z.coerce.number().int().min(1).max(MAX_TOP)).meta({
    description:
      "Only so many groups, those that are first by `order_by` (by cost where that is `time`) over the whole range; all " +
      "others together are one more row, `is_other`. Such an answer is one page, of at most 10,000 rows.",
    override: { type: "integer" },
  }),
  order_by: optionalQuery(z.enum(reportOrders)).meta({
    description: "`time`, where it is omitted; with bucket `none`: `cost`.",
  }),
  order: optionalQuery(z.enum(["asc", "desc"])).meta({
    description: "Where it is omitted, oldest first, or largest first.",
  }),
};

/** Of what a row is: null where it is not grouped by, or where there is none (a workspace's own key has no member). */
export const groupFields = {
  workspace_id: workspaceId.nullable(),
  workspace_name: z.string().nullable(),
  api_key_id: apiKeyId.nullable(),
  api_key_name: z.string().nullable(),
  member_id: memberId.nullable(),
  member_name: z.string().nullable(),
  member_email: z.string().nullable(),
  ...toRecord(textLabels, "column", () => z.string().nullable()),
  status: z.enum(requestStatuses).nullable().meta(statusMeta),
  is_other: z.boolean().meta({ description: "The sum of all groups that are not in the `top`." }),
};

export const unpricedRequests = count.meta({
  description:
    "Requests to a model without a price, costed at the dearest known one: their cost is a guess until a price is set.",
});

/** Counts of what was used. They never overlap: cache tokens are not in `input_tokens`. */
export const measuredFields = {
  ...toRecord(tokenMeasures, "column", () => count),
  total_tokens: count,
  ...toRecord(useMeasures, "column", () => count),
};

export const costBreakdown = z.object(toRecord(costParts, "part", () => usdText));

/** Measures of a row and of the totals. */
export const usageMeasures = {
  requests: count,
  errors: count.meta({
    description:
      "Requests that were refused by the upstream, never reached it, or got no usable answer from it.",
  }),
  estimated_requests: count.meta({
    description: "Requests whose answer was cut off; their usage is what was seen of it.",
  }),
  unpriced_requests: unpricedRequests,
  ...measuredFields,
  cost_usd: usdText,
  cost_breakdown_usd: costBreakdown.meta({ description: "Adds up to `cost_usd` exactly." }),
} satisfies Record<RequestCount, z.ZodType> & z.ZodRawShape;

export const exportFormat = z
  .enum(["csv", "jsonl"])
  .default("csv")
  .meta({ description: "CSV with a heading, or one JSON object a line." });
