// Labels and measures of usage. Row types, SQL columns and sums, rollups, reports, files, filters and the words of the
// console follow from these tables. This file has no imports, so that the console can load it.

interface LabelRow {
  /** Name in `group_by` and in addresses of the console. */
  name: string;
  /** Column of events and rollups, field of reports, and name of the filter. */
  column: string;
  /** `id`: reports add the name. `text`: shown as it is. `status`: computed from how the request ended. */
  kind: "id" | "text" | "status";
  title: string;
}

/** Labels of a request, which reports group and filter by. */
export const usageLabels = [
  { name: "workspace", column: "workspace_id", kind: "id", title: "Workspace" },
  { name: "api_key", column: "api_key_id", kind: "id", title: "API key" },
  { name: "member", column: "member_id", kind: "id", title: "Member" },
  { name: "model", column: "model", kind: "text", title: "Model" },
  { name: "service_tier", column: "service_tier", kind: "text", title: "Service tier" },
  { name: "context_window", column: "context_window", kind: "text", title: "Context window" },
  { name: "inference_geo", column: "inference_geo", kind: "text", title: "Geography" },
  { name: "speed", column: "speed", kind: "text", title: "Speed" },
  { name: "client", column: "client", kind: "text", title: "Client" },
  { name: "status", column: "status", kind: "status", title: "Status" },
] as const satisfies readonly LabelRow[];

type UsageLabel = (typeof usageLabels)[number];
export type LabelName = UsageLabel["name"];
export type LabelColumn = UsageLabel["column"];
export const labelNames = usageLabels.map(({ name }) => name);
export const labelColumns = usageLabels.map(({ column }) => column);
/** Labels that events store. Their status is computed. */
export const eventLabels = labelColumns.filter((column) => column !== "status");
export type EventLabel = (typeof eventLabels)[number];

/** `service_tier` of requests that the simulator answered. The API has no such tier, and their cost is never billed. */
export const SIMULATED_TIER = "simulated";

/** Columns of events with sorted ids, separated by commas: groups of the key's owner, and tags. Empty: none. */
export const attributionColumns = ["group_ids", "tag_ids"] as const;
export type AttributionColumn = (typeof attributionColumns)[number];

/** Labels of which a request can have several values. `column` is the field of reports. */
export const attributionLabels = [
  { name: "group", column: "group_id", title: "Group" },
  { name: "tag", column: "tag_id", title: "Tag" },
] as const;
export type AttributionLabel = (typeof attributionLabels)[number]["column"];
/** Names in `group_by`. */
export const reportGroups = [...labelNames, ...attributionLabels.map(({ name }) => name)] as const;
export type ReportGroup = (typeof reportGroups)[number];
export const textLabels = usageLabels.filter((label) => label.kind === "text");
export type TextLabel = (typeof textLabels)[number]["column"];

/** Classes of requests that Claude Code claims. `other`: a class that is not in this list. */
export const requestClasses = [
  "main",
  "subagent",
  "workflow",
  "compaction",
  "auxiliary",
  "side_reply",
  "other",
] as const;
export type RequestClass = (typeof requestClasses)[number];

export function toRequestClass(text: string): RequestClass {
  return requestClasses.find((each) => each === text) ?? "other";
}

/** Columns of events with labels that the client claims. Null: not sent. Rollups do not have them. */
export const claimedColumns = [
  "agent_session_id",
  "prompt_id",
  "agent_id",
  "parent_agent_id",
  "request_class",
] as const;
export type ClaimedColumn = (typeof claimedColumns)[number];

interface MeasureRow {
  /** Field of a request's `TokenUsage`. */
  name: string;
  /** Column of events and rollups, and field of reports. */
  column: string;
  /** `tokens` add up to `total_tokens`. `uses` are counted apart. */
  kind: "tokens" | "uses";
  /** Part of the cost: the field of `Cost`, and of `TokenPrices` where each model has its price. */
  cost: string;
  /** The part's name on the wire: `token_type`, `cost_breakdown_usd.<part>` and column `<part>_cost_nano_usd`. */
  part: string;
  /** `model`: each model has its price per million. `fixed`: one price for all models. */
  price: "model" | "fixed";
  title: string;
  /** Series of the console's charts and tables that counts it. Null: none does. */
  series: string | null;
  /** Kind of cost, token type and description in the official reports. Null: no token type there. */
  official: { costType: "tokens" | "web_search"; tokenType: string | null; words: string };
}

/** Measures that the upstream counts and bills. Their parts of the cost add up to the cost of the request. */
export const billedMeasures = [
  {
    name: "inputTokens",
    column: "input_tokens",
    kind: "tokens",
    cost: "input",
    part: "input",
    price: "model",
    title: "Input",
    series: "input",
    official: { costType: "tokens", tokenType: "uncached_input_tokens", words: "Input Tokens" },
  },
  {
    name: "cacheWrite5mTokens",
    column: "cache_write_5m_tokens",
    kind: "tokens",
    cost: "cacheWrite5m",
    part: "cache_write_5m",
    price: "model",
    title: "Cache write, 5 minutes",
    series: "cache_write",
    official: {
      costType: "tokens",
      tokenType: "cache_creation.ephemeral_5m_input_tokens",
      words: "Input Tokens, Cache Write 5m",
    },
  },
  {
    name: "cacheWrite1hTokens",
    column: "cache_write_1h_tokens",
    kind: "tokens",
    cost: "cacheWrite1h",
    part: "cache_write_1h",
    price: "model",
    title: "Cache write, 1 hour",
    series: "cache_write",
    official: {
      costType: "tokens",
      tokenType: "cache_creation.ephemeral_1h_input_tokens",
      words: "Input Tokens, Cache Write 1h",
    },
  },
  {
    name: "cacheReadTokens",
    column: "cache_read_tokens",
    kind: "tokens",
    cost: "cacheRead",
    part: "cache_read",
    price: "model",
    title: "Cache read",
    series: "cache_read",
    official: {
      costType: "tokens",
      tokenType: "cache_read_input_tokens",
      words: "Input Tokens, Cache Read",
    },
  },
  {
    name: "outputTokens",
    column: "output_tokens",
    kind: "tokens",
    cost: "output",
    part: "output",
    price: "model",
    title: "Output",
    series: "output",
    official: { costType: "tokens", tokenType: "output_tokens", words: "Output Tokens" },
  },
  {
    name: "webSearches",
    column: "web_searches",
    kind: "uses",
    cost: "webSearch",
    part: "web_search",
    price: "fixed",
    title: "Web searches",
    series: null,
    official: { costType: "web_search", tokenType: null, words: "Web Search Usage" },
  },
] as const satisfies readonly MeasureRow[];

export type BilledMeasure = (typeof billedMeasures)[number];
export type MeasureName = BilledMeasure["name"];
export type MeasureColumn = BilledMeasure["column"];
export type CostName = BilledMeasure["cost"];
export type CostPart = BilledMeasure["part"];
export type Series = NonNullable<BilledMeasure["series"]>;
export type OfficialTokenType = NonNullable<BilledMeasure["official"]["tokenType"]>;

export const tokenMeasures = billedMeasures.filter((measure) => measure.kind === "tokens");
export const useMeasures = billedMeasures.filter((measure) => measure.kind === "uses");

/** Parts of a cost with their columns. `units` is the column of the count. */
export const costParts = billedMeasures.map(
  ({ cost, part, column }) =>
    ({ cost, part, units: column, column: `${part}_cost_nano_usd` }) as const,
);

/** Prices that each model has, with their fields on the wire and their columns in an override. */
export const tokenPrices = billedMeasures
  .filter((measure) => measure.price === "model")
  .map(
    ({ cost, part }) => ({ cost, part, field: `${part}_usd`, column: `${part}_nano_usd` }) as const,
  );
export type PriceColumn = (typeof tokenPrices)[number]["column"];
export type PricedCost = (typeof tokenPrices)[number]["cost"];

/** Counts of requests in each row of a report. */
export const requestCounts = [
  "requests",
  "errors",
  "estimated_requests",
  "unpriced_requests",
  "partly_unbilled_requests",
] as const;
export type RequestCount = (typeof requestCounts)[number];

/** Columns of one request's usage and cost. */
export const amountColumns = [
  ...billedMeasures.map(({ column }) => column),
  ...costParts.map(({ column }) => column),
  "cost_nano_usd" as const,
];
export type AmountColumn = (typeof amountColumns)[number];

/** Columns that rollups and reports add up. */
export const countColumns = [...requestCounts, ...amountColumns];
export type CountColumn = (typeof countColumns)[number];

/** An object with one property for each key, in their order. */
export function mapKeys<Key extends string, Value>(
  keys: readonly Key[],
  toValue: (key: Key) => Value,
): Record<Key, Value> {
  const entries = keys.map((key) => [key, toValue(key)] as const);
  return Object.fromEntries(entries) as Record<Key, Value>;
}

/** An object with one property for each row of a table, in their order. */
export function toRecord<Row, Key extends keyof Row, Value>(
  rows: readonly Row[],
  key: Key,
  toValue: (row: Row) => Value,
): Record<Row[Key] & string, Value> {
  const entries = rows.map((row) => [row[key], toValue(row)] as const);
  return Object.fromEntries(entries) as Record<Row[Key] & string, Value>;
}

/** Reasons why the cost of a request is doubtful. The order is part of stored records and never changes. */
export const requestDoubts = ["impossible_usage", "missing_usage", "incomplete_usage"] as const;

/** Reasons why a stream was cut by a spend limit. */
/** Reasons for which the first upstream of an order did not answer a request. */
export const failoverReasons = [
  "unreached",
  "rate_limited",
  "overloaded",
  "circuit_open",
  "unsupported",
] as const;
export type FailoverReason = (typeof failoverReasons)[number];

export const cutReasons = ["limit_spent", "limit_held", "database_unavailable"] as const;
export type CutReason = (typeof cutReasons)[number];
