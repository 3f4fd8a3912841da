import { toNanoUsd } from "../../ui/format.ts";
import type { Group, UsageRow } from "./queries.ts";

export const metrics = {
  cost: "Cost",
  tokens: "Tokens",
  requests: "Requests",
  errors: "Errors",
} as const;
export type Metric = keyof typeof metrics;

/** What one group used in the whole range; money as nano-dollars, so that sums are exact. */
export interface GroupSum {
  /** Id of the workspace or key, name of the model; empty where nothing is grouped by. */
  key: string;
  requests: number;
  errors: number;
  estimatedRequests: number;
  unpricedRequests: number;
  inputTokens: number;
  cacheWriteTokens: number;
  cacheReadTokens: number;
  outputTokens: number;
  totalTokens: number;
  costNano: bigint;
}

export function groupKeyOf(row: UsageRow, groupBy: Group | null): string {
  switch (groupBy) {
    case "workspace":
      return row.workspace_id ?? "";
    case "api_key":
      return row.api_key_id ?? "";
    case "model":
      return row.model ?? "";
    case null:
      return "";
  }
}

/** Sums per group, the dearest first; groups of equal cost by tokens. */
export function sumByGroup(rows: readonly UsageRow[], groupBy: Group | null): GroupSum[] {
  const sums = new Map<string, GroupSum>();
  for (const row of rows) {
    const key = groupKeyOf(row, groupBy);
    const sum = sums.get(key) ?? emptySum(key);
    sum.requests += row.requests;
    sum.errors += row.errors;
    sum.estimatedRequests += row.estimated_requests;
    sum.unpricedRequests += row.unpriced_requests;
    sum.inputTokens += row.input_tokens;
    sum.cacheWriteTokens += row.cache_write_5m_tokens + row.cache_write_1h_tokens;
    sum.cacheReadTokens += row.cache_read_tokens;
    sum.outputTokens += row.output_tokens;
    sum.totalTokens += row.total_tokens;
    sum.costNano += toNanoUsd(row.cost_usd);
    sums.set(key, sum);
  }
  return [...sums.values()].sort(byCost);
}

function byCost(a: GroupSum, b: GroupSum): number {
  if (a.costNano !== b.costNano) return a.costNano > b.costNano ? -1 : 1;
  return b.totalTokens - a.totalTokens;
}

function emptySum(key: string): GroupSum {
  return {
    key,
    requests: 0,
    errors: 0,
    estimatedRequests: 0,
    unpricedRequests: 0,
    inputTokens: 0,
    cacheWriteTokens: 0,
    cacheReadTokens: 0,
    outputTokens: 0,
    totalTokens: 0,
    costNano: 0n,
  };
}

export function measure(row: UsageRow, metric: Metric): number {
  switch (metric) {
    case "cost":
      return Number(row.cost_usd);
    case "tokens":
      return row.total_tokens;
    case "requests":
      return row.requests;
    case "errors":
      return row.errors;
  }
}

export const OTHER = "other";
/** As many as the palette tells apart. */
const MAX_SERIES = 8;

/** What a chart draws: for each bucket the value of each of the largest groups, and of all others together. */
export interface Series {
  keys: string[];
  points: { at: string; values: Record<string, number> }[];
}

export function toSeries(input: {
  rows: readonly UsageRow[];
  buckets: readonly string[];
  groupBy: Group | null;
  metric: Metric;
  hidden: ReadonlySet<string>;
}): Series {
  const { rows, buckets, groupBy, metric, hidden } = input;
  const sizes = new Map<string, number>();
  for (const row of rows) {
    const key = groupKeyOf(row, groupBy);
    sizes.set(key, (sizes.get(key) ?? 0) + measure(row, metric));
  }
  const ordered = [...sizes].filter(([, size]) => size > 0).sort(([, a], [, b]) => b - a);
  const named = ordered.slice(0, ordered.length > MAX_SERIES ? MAX_SERIES - 1 : MAX_SERIES);
  const keys = named.map(([key]) => key);
  const isNamed = new Set(keys);
  if (ordered.length > keys.length) keys.push(OTHER);
  const byBucket = new Map<number, Record<string, number>>(
    buckets.map((at) => [Date.parse(at), {}]),
  );
  for (const row of rows) {
    const values = byBucket.get(Date.parse(row.starting_at));
    const own = groupKeyOf(row, groupBy);
    const key = isNamed.has(own) ? own : OTHER;
    if (values && !hidden.has(key)) values[key] = (values[key] ?? 0) + measure(row, metric);
  }
  return {
    keys,
    points: buckets.map((at) => ({ at, values: byBucket.get(Date.parse(at)) ?? {} })),
  };
}
