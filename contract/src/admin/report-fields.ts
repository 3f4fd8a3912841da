import { z } from "zod";
import { count, instant, optionalQuery, queryList, tagName, usdText } from "../fields.ts";
import { apiKeyId, groupId, memberId, modelName, tagId, workspaceId } from "../ids.ts";
import {
  costParts,
  type LabelColumn,
  type RequestCount,
  textLabels,
  tokenMeasures,
  toRecord,
  useMeasures,
} from "../usage-shape.ts";

// Labels, filters and measures that all reports share.

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
    "End of the request. `answered`: the upstream responded. `aborted`: the client disconnected. `rate_limited` (429), " +
    "`client_error` (other 4xx) and `server_error`: refused by the upstream. `unreached`: never sent. `interrupted`: sent, " +
    "without a usable response.",
};

/** Filters of usage, cost and the request log. Each matches any of its values. */
export const reportFilters = {
  workspace_id: queryList(workspaceId),
  api_key_id: queryList(apiKeyId),
  member_id: queryList(memberId).meta({
    description: "Members who owned the keys at the time of the requests.",
  }),
  model: queryList(modelName),
  service_tier: queryList(label).meta({
    description: "Such as `standard` or `batch`. `simulated`: the simulator answered.",
  }),
  context_window: queryList(label).meta({ description: "`0-200k` or `200k-1M`." }),
  inference_geo: queryList(label).meta({ description: "`global`, `us` or `not_available`." }),
  speed: queryList(label).meta({ description: "`standard` or `fast`." }),
  client: queryList(label).meta({
    description: "Families of programs, such as `claude-code` or `anthropic-python`.",
  }),
  status: queryList(z.enum(requestStatuses)).meta(statusMeta),
} satisfies Record<LabelColumn, z.ZodType>;

const MAX_TAG_LENGTH = 400;
/** Filters by groups and tags that the requests had at their start. */
export const attributionFilters = {
  group_id: queryList(groupId).meta({
    description: "Groups of the key's owner at the start of the request.",
  }),
  tag_id: queryList(tagId).meta({ description: "Tags at the start of the request." }),
  tag: queryList(
    z
      .string()
      .max(MAX_TAG_LENGTH)
      .regex(/^[^:]+:./, "expected a name and a value, such as cost_center:4711"),
  ).meta({
    description:
      "Tags as `name:value`, such as `cost_center:4711`. A value with a comma is found by `tag_id` only.",
  }),
  without_tag: optionalQuery(tagName).meta({
    description: "Requests without a tag of this name.",
  }),
};

/** Splits `group_by=tag` by the value of one name. */
export const tagNameQuery = optionalQuery(tagName).meta({
  description:
    "With `group_by=tag`: only tags with this name, such as `cost_center`. Requests without one are in the row without a tag. Omitted: all tags.",
});

export const hasOverlappingRows = z.boolean().meta({
  description:
    "True: a request can be in several rows, because a member can be in several groups, and a request can have several tags. `totals` count each request once.",
});

export const reportRange = {
  starting_at: optionalQuery(instant).meta({
    description:
      "Start of the range. Default: the start of the month in UTC in which the range ends. Without a range, a report " +
      "covers this month.",
  }),
  ending_at: optionalQuery(instant).meta({ description: "Exclusive. Default: now." }),
};

const MAX_TOP = 50;
export const reportShape = {
  bucket: z.enum(reportBuckets).default("1d").meta({
    description: "Time of one row. `none`: one row per group for the whole range.",
  }),
  top: optionalQuery(z.coerce.number().int().min(1).max(MAX_TOP)).meta({
    description:
      "Number of groups: the first by `order_by` over the whole range, or by cost if that is `time`. One more row with " +
      "`is_other` sums up all other groups. The response is one page of at most 10,000 rows.",
    override: { type: "integer" },
  }),
  order_by: optionalQuery(z.enum(reportOrders)).meta({
    description: "Default: `time`, or `cost` with bucket `none`.",
  }),
  order: optionalQuery(z.enum(["asc", "desc"])).meta({
    description: "Default: oldest first for `time`, otherwise largest first.",
  }),
};

/** Labels of a row. Null: not grouped by it, or without a value (a key of a workspace has no member). */
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
  is_other: z.boolean().meta({ description: "True: the sum of all groups beyond `top`." }),
};

/** Group and tag of a row. Null: not grouped by it, or the usage without one. */
export const attributionFields = {
  group_id: groupId.nullable(),
  group_name: z.string().nullable().meta({ description: "Null: the group was deleted." }),
  tag_id: tagId.nullable(),
  tag_name: z.string().nullable(),
  tag_value: z.string().nullable(),
};

export const unpricedRequests = count.meta({
  description:
    "Requests to models without a price. Their cost is estimated at the highest rate until a price is set.",
});

export const partlyUnbilledRequests = count.meta({
  description:
    "Requests in which features that are billed by time could run, such as code execution. No cost includes that time. See `has_unbilled_parts` of a request.",
});

/** Usage counts. They never overlap: `input_tokens` excludes cache tokens. */
export const measuredFields = {
  ...toRecord(tokenMeasures, "column", () => count),
  total_tokens: count,
  ...toRecord(useMeasures, "column", () => count),
};

export const simulatedCost = usdText.meta({
  description: "Part of `cost_usd` that the simulator answered, which no provider bills.",
});

export const costBreakdown = z.object(toRecord(costParts, "part", () => usdText));

/** Measures of a row and of the totals. */
export const usageMeasures = {
  requests: count,
  errors: count.meta({
    description:
      "Requests that the upstream refused, that never reached it, or that got no usable response from it.",
  }),
  estimated_requests: count.meta({
    description: "Requests with an incomplete response. Their usage is what the response reported.",
  }),
  unpriced_requests: unpricedRequests,
  partly_unbilled_requests: partlyUnbilledRequests,
  ...measuredFields,
  cost_usd: usdText,
  cost_breakdown_usd: costBreakdown.meta({ description: "Adds up to `cost_usd` exactly." }),
  simulated_cost_usd: simulatedCost,
} satisfies Record<RequestCount, z.ZodType> & z.ZodRawShape;

export const exportFormat = z
  .enum(["csv", "jsonl"])
  .default("csv")
  .meta({ description: "CSV with a heading, or one JSON object per line." });
