import { z } from "zod";
import { count, instant, optionalQuery, queryFlag, queryList, timestamp } from "../fields.ts";
import { organizationId } from "../ids.ts";
import { route } from "../route.ts";
import type { OfficialTokenType } from "../usage-shape.ts";

// Reports of the official Admin API, for dashboards. Ids of workspaces, keys and members are those of this server.

/** Text with these known values. Official clients accept later ones too. */
function openEnum<const T extends readonly string[]>(...known: T): z.ZodType<T[number], T[number]> {
  // The compiler checks for known values. At run time any text is valid.
  return z.string().meta({ examples: [...known] }) as unknown as z.ZodType<T[number], T[number]>;
}

/** Filters by any of the values. */
const ids = queryList(z.string().max(100)).meta({ description: "Ids." });
const texts = queryList(z.string().max(256)).meta({ description: "Matches any of these values." });
/** Filter by ids that this server does not have, which matches nothing. */
const unknownIds = queryList(z.string().max(100)).meta({
  description: "Ids. Nothing on this server matches.",
});
const page = optionalQuery(z.string().max(1000)).meta({
  description: "`next_page` of the previous page.",
});
const bucketWidth = z.enum(["1m", "1h", "1d"]);
const endingAt = optionalQuery(instant).meta({ description: "Exclusive. Default: now." });
const wholeNumber = (max: number) =>
  optionalQuery(
    z.coerce
      .number()
      .int()
      .min(1)
      .max(max)
      .meta({ description: "Maximum number.", override: { type: "integer" } }),
  );

const cacheCreation = z.object({
  ephemeral_1h_input_tokens: count,
  ephemeral_5m_input_tokens: count,
});
const searches = z.object({ web_search_requests: count });
const nullableText = z.string().nullable();

const MAX_MINUTES = 1440;
export const maxBuckets = { "1d": 31, "1h": 168, "1m": MAX_MINUTES } as const;

export const officialUsageGroups = [
  "api_key_id",
  "workspace_id",
  "model",
  "service_tier",
  "context_window",
  "inference_geo",
  "speed",
  "account_id",
  "service_account_id",
] as const;
export type OfficialUsageGroup = (typeof officialUsageGroups)[number];

const usageResult = z.object({
  uncached_input_tokens: count,
  cache_creation: cacheCreation,
  cache_read_input_tokens: count,
  output_tokens: count,
  server_tool_use: searches,
  api_key_id: nullableText,
  workspace_id: nullableText.meta({ description: "Null also for the default workspace." }),
  model: nullableText,
  service_tier: nullableText,
  context_window: nullableText,
  inference_geo: nullableText,
  speed: nullableText,
  account_id: nullableText,
  service_account_id: nullableText,
});

const bucketOf = <T extends z.ZodType>(result: T) =>
  z.object({ starting_at: timestamp, ending_at: timestamp, results: z.array(result) });

const buckets = <T extends z.ZodType>(result: T) =>
  z.object({
    data: z.array(bucketOf(result)),
    has_more: z.boolean(),
    next_page: z.string().nullable(),
  });

export const getOfficialUsageReport = route({
  operationId: "getOfficialUsageReport",
  method: "GET",
  path: "/v1/organizations/usage_report/messages",
  summary: "Get the usage report of messages",
  description:
    "Returns buckets oldest first, including those without requests. `limit` is the number of buckets: by default 7 days, " +
    "24 hours or 60 minutes, at most 31, 168 or 1440. A page with many groups can have fewer buckets.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    starting_at: instant,
    ending_at: endingAt,
    bucket_width: bucketWidth.default("1d"),
    limit: wholeNumber(MAX_MINUTES),
    page,
    group_by: queryList(z.enum(officialUsageGroups)),
    api_key_ids: ids,
    workspace_ids: ids,
    models: texts,
    service_tiers: texts,
    context_window: texts,
    inference_geos: texts,
    speeds: texts,
    account_ids: ids,
    service_account_ids: unknownIds,
  }),
  response: buckets(usageResult),
});

export const costTypes = ["tokens", "web_search", "code_execution", "session_usage"] as const;
export const officialTokenTypes = [
  "uncached_input_tokens",
  "output_tokens",
  "cache_read_input_tokens",
  "cache_creation.ephemeral_5m_input_tokens",
  "cache_creation.ephemeral_1h_input_tokens",
] as const satisfies readonly OfficialTokenType[];

const costResult = z.object({
  amount: z.string().meta({ description: "Cents, a decimal: 123.45 is $1.2345." }),
  currency: z.literal("USD"),
  workspace_id: nullableText,
  description: nullableText,
  cost_type: z.enum(costTypes).nullable(),
  model: nullableText,
  service_tier: nullableText,
  token_type: z.enum(officialTokenTypes).nullable(),
  context_window: nullableText,
  inference_geo: nullableText,
});

export const getOfficialCostReport = route({
  operationId: "getOfficialCostReport",
  method: "GET",
  path: "/v1/organizations/cost_report",
  summary: "Get the cost report",
  description:
    "Returns days oldest first, including those without cost. The report includes all service tiers.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    starting_at: instant,
    ending_at: endingAt,
    bucket_width: z.literal("1d").default("1d").meta({ description: "Days only." }),
    limit: wholeNumber(maxBuckets["1d"]),
    page,
    group_by: queryList(z.enum(["workspace_id", "description"])),
  }),
  response: buckets(costResult),
});

const unknownCount = z
  .null()
  .meta({ description: "Always null: only the developer's machine has this count." });
const unknownTool = z.object({ accepted: unknownCount, rejected: unknownCount });

const claudeCodeRecord = z.object({
  date: timestamp,
  actor: z.discriminatedUnion("type", [
    z.object({ type: z.literal("user_actor"), email_address: z.string() }),
    z.object({ type: z.literal("api_actor"), api_key_name: z.string() }),
  ]),
  organization_id: organizationId,
  customer_type: z.literal("api"),
  subscription_type: z.null(),
  terminal_type: z.null(),
  core_metrics: z.object({
    num_sessions: unknownCount,
    lines_of_code: z.object({ added: unknownCount, removed: unknownCount }),
    commits_by_claude_code: unknownCount,
    pull_requests_by_claude_code: unknownCount,
  }),
  tool_actions: z.object({
    edit_tool: unknownTool,
    multi_edit_tool: unknownTool,
    write_tool: unknownTool,
    notebook_edit_tool: unknownTool,
  }),
  model_breakdown: z.array(
    z.object({
      model: z.string(),
      tokens: z.object({ input: count, output: count, cache_read: count, cache_creation: count }),
      estimated_cost: z.object({
        amount: z.number().meta({ description: "Cents." }),
        currency: z.literal("USD"),
      }),
    }),
  ),
});

export const getOfficialClaudeCodeReport = route({
  operationId: "getOfficialClaudeCodeReport",
  method: "GET",
  path: "/v1/organizations/usage_report/claude_code",
  summary: "Get the Claude Code usage of one day",
  description:
    "Returns usage of Claude Code through this server on one day in UTC, per member or key. Facts that only the " +
    "developer's machine has (sessions, lines, commits) are null.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    starting_at: z.iso
      .date("expected a date such as 2026-12-01")
      .meta({ description: "The day in UTC." }),
    limit: wholeNumber(1000),
    page,
  }),
  response: z.object({
    data: z.array(claudeCodeRecord),
    has_more: z.boolean(),
    next_page: z.string().nullable(),
  }),
});

const actorTypes = ["api_actor", "federated_actor", "service_account_actor", "user_actor"] as const;
const products = [
  "chat",
  "chat_cowork_unified",
  "claude_code",
  "claude_console",
  "claude_design",
  "claude_in_chrome",
  "claude_tag",
  "cowork",
  "managed_agents_api",
  "message_batches_api",
  "messages_api",
  "office_agent",
] as const;

export const analyticsGroups = [
  "actor",
  "actor_type",
  "agent_id",
  "api_key_id",
  "claude_tag_category",
  "claude_tag_user_id",
  "context_window",
  "deployment_id",
  "environment_id",
  "inference_geo",
  "model",
  "organization_id",
  "product",
  "rbac_group_id",
  "service_tier",
  "session_id",
  "slack_channel_id",
  "speed",
  "user_profile_id",
  "workspace_id",
] as const;
export const analyticsCostGroups = [...analyticsGroups, "cost_type", "token_type"] as const;
export type AnalyticsGroup = (typeof analyticsCostGroups)[number];

const MAX_ROWS = 1000;
const analyticsQuery = {
  starting_at: instant,
  ending_at: endingAt.meta({ description: "Required with `time_bucket_width`." }),
  time_bucket_width: optionalQuery(bucketWidth),
  limit: wholeNumber(MAX_ROWS),
  page,
  order: optionalQuery(z.enum(["asc", "desc"])),
  exclude_deleted_users: queryFlag.meta({
    description: "Omits usage of removed members. Only with group_by `actor`.",
  }),
  actor_ids: ids,
  actor_types: queryList(z.enum(actorTypes)),
  agent_ids: unknownIds,
  api_key_ids: ids,
  claude_tag_categories: unknownIds,
  claude_tag_user_ids: unknownIds,
  context_windows: texts,
  deployment_ids: unknownIds,
  environment_ids: unknownIds,
  inference_geos: texts,
  models: texts,
  organization_ids: ids,
  products: queryList(z.enum(products)),
  rbac_group_ids: ids,
  service_tiers: texts,
  session_ids: unknownIds,
  slack_channel_ids: unknownIds,
  speeds: texts,
  user_profile_ids: unknownIds,
  workspace_ids: ids,
};

const analyticsActor = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("user_actor"),
    user_id: z.string(),
    name: z.string().nullable(),
    email_address: z.string().nullable(),
    deleted: z.boolean(),
  }),
  z.object({ type: z.literal("api_actor"), api_key_id: z.string() }),
]);

const analyticsGroup = {
  actor: analyticsActor.nullable(),
  actor_type: z.enum(actorTypes).nullable(),
  agent_id: z.null(),
  api_key_id: nullableText,
  claude_tag_category: z.null(),
  claude_tag_user_id: z.null(),
  context_window: openEnum("0-200k", "200k-1M").nullable(),
  deployment_id: z.null(),
  environment_id: z.null(),
  inference_geo: openEnum("global", "us").nullable().meta({
    description: "Null also for requests without one. Filter for these with `not_available`.",
  }),
  model: nullableText,
  organization_id: nullableText,
  product: nullableText,
  rbac_group_id: nullableText.meta({
    description: "A request of a member in several groups is in several rows.",
  }),
  service_tier: openEnum(
    "batch",
    "flex",
    "flex_discount",
    "priority",
    "priority_on_demand",
    "standard",
  ).nullable(),
  session_id: z.null(),
  slack_channel_id: z.null(),
  speed: openEnum("fast", "standard").nullable(),
  user_profile_id: z.null(),
  workspace_id: nullableText,
};

const reportPage = <T extends z.ZodType>(row: T) =>
  z.object({
    data: z.array(row),
    next_page: z.string().nullable(),
    has_more: z.boolean(),
    data_refreshed_at: timestamp.nullable(),
  });

const analyticsUsageRow = z.object({
  starting_at: timestamp,
  ending_at: timestamp,
  group: z.object(analyticsGroup),
  usage: z.object({
    uncached_input_tokens: count,
    cache_creation: cacheCreation,
    cache_read_input_tokens: count,
    output_tokens: count,
    total_tokens: count,
    requests: count.nullable(),
    server_tool_use: searches,
  }),
});

const analyticsNote =
  "Returns flat rows. Groups that this server does not have (agents, sessions, groups) are accepted and null. Without " +
  "`time_bucket_width` there is one row per group for the whole range, whose bounds are rounded down to the hour.";

export const listAnalyticsUsage = route({
  operationId: "listAnalyticsUsage",
  method: "GET",
  path: "/v1/organizations/analytics/usage",
  summary: "Get usage by any group",
  description: analyticsNote,
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    ...analyticsQuery,
    group_by: queryList(z.enum(analyticsGroups)),
    order_by: optionalQuery(
      z.enum(["total_tokens", "output_tokens", "requests", "uncached_input_tokens", "time"]),
    ),
  }),
  response: reportPage(analyticsUsageRow),
});

const analyticsCostRow = z.object({
  starting_at: timestamp,
  ending_at: timestamp,
  group: z.object({
    ...analyticsGroup,
    cost_type: z.enum(costTypes).nullable(),
    token_type: z.enum(officialTokenTypes).nullable(),
  }),
  cost: z.object({
    amount: z.string().meta({ description: "Cents, a decimal." }),
    list_amount: z.string(),
    currency: z.literal("USD"),
    requests: count.nullable(),
  }),
});

export const listAnalyticsCost = route({
  operationId: "listAnalyticsCost",
  method: "GET",
  path: "/v1/organizations/analytics/cost",
  summary: "Get cost by any group",
  description: analyticsNote,
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    ...analyticsQuery,
    group_by: queryList(z.enum(analyticsCostGroups)),
    order_by: optionalQuery(z.enum(["amount", "list_amount", "time"])),
  }),
  response: reportPage(analyticsCostRow),
});

export const officialReportRoutes = [
  getOfficialUsageReport,
  getOfficialCostReport,
  getOfficialClaudeCodeReport,
  listAnalyticsUsage,
  listAnalyticsCost,
] as const;
