import { z } from "zod";
import { count, instant, optionalQuery, queryList, timestamp, usdText } from "../fields.ts";
import { apiKeyId, modelName, workspaceId } from "../ids.ts";
import { pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

const usageBuckets = ["1m", "1h", "1d"] as const;
export type UsageBucket = (typeof usageBuckets)[number];

const usageGroups = ["workspace", "api_key", "model"] as const;
export type UsageGroup = (typeof usageGroups)[number];

/** What one row and the totals have in common. Token counts never overlap: cache tokens are not in `input_tokens`. */
const measures = {
  requests: count,
  errors: count.meta({
    description:
      "Requests that were refused by the upstream, never reached it, or got no usable answer from it.",
  }),
  estimated_requests: count.meta({
    description: "Requests whose answer was cut off; their usage is what was seen of it.",
  }),
  unpriced_requests: count.meta({
    description: "Requests to a model without a price, costed at the dearest known one.",
  }),
  input_tokens: count,
  cache_write_5m_tokens: count,
  cache_write_1h_tokens: count,
  cache_read_tokens: count,
  output_tokens: count,
  total_tokens: count,
  web_searches: count,
  cost_usd: usdText,
  cost_breakdown_usd: z
    .object({
      input: usdText,
      cache_write_5m: usdText,
      cache_write_1h: usdText,
      cache_read: usdText,
      output: usdText,
      web_search: usdText,
    })
    .meta({ description: "Adds up to `cost_usd` exactly." }),
};

export const usageRow = z
  .object({
    starting_at: timestamp,
    ending_at: timestamp,
    workspace_id: workspaceId.nullable(),
    api_key_id: apiKeyId.nullable(),
    model: z.string().nullable(),
    ...measures,
  })
  .meta({ id: "UsageRow" });

export const usageTotals = z.object(measures).meta({ id: "UsageTotals" });

export const getUsage = route({
  operationId: "getUsage",
  method: "GET",
  path: "/v1/admin/usage",
  summary: "Usage and cost",
  description:
    "One row per bucket and group, oldest first; a bucket without requests has no row. Bounds are widened to whole " +
    "buckets in UTC, and `ending_at` (now, if omitted) is exclusive. A range spans at most 24 hours of 1m, 31 days of " +
    "1h, 366 days of 1d buckets. A field that is not grouped by is null. `totals` covers the whole range, not the page. " +
    "A request appears within two seconds of its end, in the bucket of its start.",
  action: "usage:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    starting_at: instant,
    ending_at: optionalQuery(instant),
    bucket: z.enum(usageBuckets).default("1d").meta({ description: "Length of a row's time." }),
    group_by: queryList(z.enum(usageGroups)).meta({
      description: "One row for each of them. Repeated, or separated by commas.",
    }),
    workspace_id: queryList(workspaceId),
    api_key_id: queryList(apiKeyId),
    model: queryList(modelName),
  }),
  response: z.object({
    data: z.array(usageRow),
    next_page: z.string().nullable(),
    bucket: z.enum(usageBuckets),
    starting_at: timestamp,
    ending_at: timestamp,
    totals: usageTotals,
  }),
});

export const usageRoutes = [getUsage] as const;
