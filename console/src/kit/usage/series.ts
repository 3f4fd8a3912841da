import {
  attributionLabels,
  billedMeasures,
  type MeasureColumn,
  mapKeys,
  type Series as SeriesName,
  toRecord,
  usageLabels,
} from "@bursar/contract/usage-shape.ts";
import { toNanoUsd } from "../../ui/format.ts";
import { bucketMs } from "./drill.ts";
import { bucketsOf, type Range } from "./range.ts";
import type { Row } from "./report-query.ts";
import { type GroupName, type Metric, seriesNames } from "./search.ts";
import { labelWords } from "./words.ts";

// Converts rows of the API into series of a chart and a table. All values are integers, money in nano-dollars, so that
// sums are exact. Only the heights of bars are doubles.

export const OTHER = "other";

const labelColumns = toRecord(
  [...usageLabels, ...attributionLabels],
  "name",
  ({ column }) => column,
);

/** Id or label of a row's group. Empty without a group, or without a value. */
export function keyOf(row: Row, groupBy: GroupName | null): string {
  if (row.is_other) return OTHER;
  switch (groupBy) {
    case null:
      return "";
    case "token_type":
      return "token_type" in row ? (row.token_type ?? "") : "";
    default:
      return row[labelColumns[groupBy]] ?? "";
  }
}

/** Name of a row's group. */
export function nameOf(row: Row, groupBy: GroupName | null): string {
  if (row.is_other) return "All others";
  const key = keyOf(row, groupBy);
  switch (groupBy) {
    case null:
      return "Everything";
    case "workspace":
      return row.workspace_name ?? key;
    case "api_key":
      return row.api_key_name ?? key;
    case "member":
      return row.member_name ?? row.member_email ?? (key || "Workspace keys (no member)");
    case "group":
      return row.group_name ?? (key || "No group");
    case "tag":
      return key === "" ? "Untagged" : `${row.tag_name ?? key}: ${row.tag_value ?? ""}`;
    default:
      return key === "" ? "None" : labelWords(groupBy, key);
  }
}

/** Value of a metric: nano-dollars, tokens or a count. */
export function measure(row: Row, metric: Metric): bigint {
  switch (metric) {
    case "cost":
      return toNanoUsd(row.cost_usd);
    case "requests":
      return BigInt(row.requests ?? 0);
    default:
      // The cost report has none of these.
      return "total_tokens" in row ? BigInt(counted(row, metric)) : 0n;
  }
}

type UsageRow = Extract<Row, { total_tokens: number }>;

function counted(row: UsageRow, metric: Exclude<Metric, "cost" | "requests">): number {
  switch (metric) {
    case "tokens":
      return row.total_tokens;
    case "errors":
      return row.errors;
    default:
      return sumOfSeries(row, metric);
  }
}

const seriesColumns = mapKeys(seriesNames, (name) =>
  billedMeasures.filter(({ series }) => series === name).map(({ column }) => column),
);

/** Tokens of one series, such as cache writes of both lifetimes. */
export function sumOfSeries(
  row: Readonly<Record<MeasureColumn, number>>,
  name: SeriesName,
): number {
  return seriesColumns[name].reduce((sum, column) => sum + row[column], 0);
}

/** Sum of one group over the whole range. */
export interface GroupSum {
  key: string;
  name: string;
  /** Null in groups by token type, because one request has several. */
  requests: number | null;
  errors: number;
  unpricedRequests: number;
  partlyUnbilledRequests: number;
  tokens: Record<SeriesName, number>;
  /** Tokens or searches of a token type. */
  units: number;
  costNano: bigint;
  /** Part of the cost that the simulator answered. */
  simulatedNano: bigint;
}

/** Returns one sum per group, in the order of their first rows. */
export function sumGroups(rows: readonly Row[], groupBy: GroupName | null): GroupSum[] {
  const sums = new Map<string, GroupSum>();
  for (const row of rows) {
    const key = keyOf(row, groupBy);
    const sum = sums.get(key) ?? emptySum(key, nameOf(row, groupBy));
    sums.set(key, sum);
    sum.requests = row.requests === null ? null : (sum.requests ?? 0) + row.requests;
    sum.unpricedRequests += row.unpriced_requests;
    sum.partlyUnbilledRequests += row.partly_unbilled_requests;
    sum.costNano += toNanoUsd(row.cost_usd);
    sum.simulatedNano += toNanoUsd(row.simulated_cost_usd);
    if ("units" in row) sum.units += row.units ?? 0;
    if (!("total_tokens" in row)) continue;
    sum.errors += row.errors;
    for (const series of seriesNames) sum.tokens[series] += sumOfSeries(row, series);
  }
  return [...sums.values()];
}

function emptySum(key: string, name: string): GroupSum {
  return {
    key,
    name,
    requests: 0,
    errors: 0,
    unpricedRequests: 0,
    partlyUnbilledRequests: 0,
    tokens: mapKeys(seriesNames, () => 0),
    units: 0,
    costNano: 0n,
    simulatedNano: 0n,
  };
}

export interface Point {
  /** Start of the bucket. */
  at: string;
  /** The bucket has started and not ended. */
  isRunning: boolean;
  /** The bucket has not started. */
  isFuture: boolean;
  values: Record<string, bigint>;
  total: bigint;
}

/** Data of a chart: for each bucket, the values of the largest groups, and the sum of the others. */
export interface Series {
  /** Keys of the groups, the largest first, OTHER last. */
  keys: string[];
  names: Record<string, string>;
  points: Point[];
}

interface SeriesInput {
  rows: readonly Row[];
  range: Range;
  groupBy: GroupName | null;
  metric: Metric;
  top: number;
  hidden: ReadonlySet<string>;
  /** Time when the rows were read. */
  readAt: string;
  /** Each bucket includes all earlier ones. */
  isRunningTotal?: boolean;
}

export function toSeries(input: SeriesInput): Series {
  const { rows, range, groupBy, metric, top, hidden, readAt, isRunningTotal } = input;
  const { keys, names } = rankKeys(rows, { groupBy, metric, top });
  const named = new Set(keys);
  const readMs = Date.parse(readAt);
  const size = bucketMs(range.bucket);
  const points: Point[] = bucketsOf(range).map((at) => {
    const startMs = Date.parse(at);
    const isFuture = startMs > readMs;
    return { at, isFuture, isRunning: !isFuture && startMs + size > readMs, values: {}, total: 0n };
  });
  const byStart = new Map(points.map((point) => [Date.parse(point.at), point]));
  for (const row of rows) {
    const point = byStart.get(Date.parse(row.starting_at));
    const own = keyOf(row, groupBy);
    const key = named.has(own) ? own : OTHER;
    if (!point || hidden.has(key)) continue;
    add(point, key, measure(row, metric));
  }
  if (isRunningTotal) accumulatePoints(points, keys);
  return { keys, names, points };
}

function add(point: Point, key: string, value: bigint): void {
  point.values[key] = (point.values[key] ?? 0n) + value;
  point.total += value;
}

/** Returns the keys of the largest groups, then OTHER. */
function rankKeys(
  rows: readonly Row[],
  { groupBy, metric, top }: Pick<SeriesInput, "groupBy" | "metric" | "top">,
): Pick<Series, "keys" | "names"> {
  const names: Record<string, string> = { [OTHER]: "All others" };
  const sizes = new Map<string, bigint>();
  for (const row of rows) {
    const key = keyOf(row, groupBy);
    names[key] = nameOf(row, groupBy);
    sizes.set(key, (sizes.get(key) ?? 0n) + measure(row, metric));
  }
  const ordered = [...sizes]
    .filter(([key, size]) => size > 0n && key !== OTHER)
    .sort(([, a], [, b]) => (a === b ? 0 : a > b ? -1 : 1))
    .map(([key]) => key);
  const keys = ordered.slice(0, top);
  const hasOthers = ordered.length > top || (sizes.get(OTHER) ?? 0n) > 0n;
  return { keys: hasOthers ? [...keys, OTHER] : keys, names };
}

function accumulatePoints(points: readonly Point[], keys: readonly string[]): void {
  let before: Point | undefined;
  for (const point of points) {
    if (point.isFuture) return;
    for (const key of keys) {
      if (before?.values[key]) add(point, key, before.values[key]);
    }
    before = point;
  }
}
