import {
  type CountColumn,
  costParts,
  countColumns,
  SIMULATED_TIER,
  tokenMeasures,
  toRecord,
} from "@bursar/contract/usage-shape.ts";
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { ReportReader } from "#src/db/reports-database.ts";
import { findOpenHours, isAfter, type OpenHours } from "#src/recording/open-hours.sql.ts";
import {
  EVENT_COUNTS,
  EVENT_STATUS,
  type RollupShape,
  rollupTables,
} from "#src/recording/rollup-tables.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import { selectAttribution } from "./report-attribution.sql.ts";
import { nextEdge, type RangePart } from "./report-range.rule.ts";
import {
  derived,
  includesUnattributed,
  isAttribution,
  isLabel,
  labelsOf,
  listSources,
  needsAttribution,
  type ReportColumn,
  type ReportFilter,
  type Source,
  textOf,
} from "./report-tables.ts";

// Sums over the rollups. Each report reads the smallest rollup that has its labels, in the largest units that its range
// consists of. Hours that are not in it yet are added. Minutes of keys, members and workspaces have no rollup and are
// counted from the events.

export interface ReportQuery extends ReportFilter {
  columns: readonly ReportColumn[];
  /** Further columns of which a request counts once for each value. */
  countedBy?: readonly ReportColumn[];
  parts: readonly RangePart[];
  /** True: one row per group and bucket, and all parts have the same unit. False: one row per group. */
  isBucketed: boolean;
}

/** A query with the hours that are not in all rollups on its snapshot. */
interface PlannedQuery extends ReportQuery {
  openHours: OpenHours | null;
}

/** Group with its ranking measure. Other measures are summed only for the groups of the page. */
export interface RankedGroup {
  columns: string[];
  value: bigint;
}

const costColumns = [...costParts.map(({ column }) => column), "cost_nano_usd"] as const;
export type CostColumn = (typeof costColumns)[number];
type SimulatedColumn = `simulated_${CostColumn}`;
/** Columns of the part of each cost that the simulator answered, by the column of the cost. */
const simulatedColumns = toRecord(
  costColumns.map((cost) => ({ cost, column: `simulated_${cost}` as const })),
  "column",
  ({ cost }) => cost,
);
const simulatedNames = Object.keys(simulatedColumns) as SimulatedColumn[];

/** Sums of a row. Simulated parts are omitted from a report that has none. */
export type UsageCounts = Record<CountColumn, bigint> & Partial<Record<SimulatedColumn, bigint>>;
type SumColumn = CountColumn | SimulatedColumn;

function listSums({ hasSimulated }: ReportFilter): readonly SumColumn[] {
  return hasSimulated ? [...countColumns, ...simulatedNames] : countColumns;
}

/** Part of a cost that the simulator answered, which no provider bills. Nano-USD. */
export function simulatedOf(counts: UsageCounts, column: CostColumn = "cost_nano_usd"): bigint {
  return counts[`simulated_${column}`] ?? 0n;
}

/** Subtracts all sums of a row from those of another one. */
export function subtractCounts(from: UsageCounts, row: UsageCounts): void {
  for (const column of countColumns) from[column] -= row[column];
  for (const column of simulatedNames) {
    const part = row[column];
    if (part !== undefined) from[column] = (from[column] ?? 0n) - part;
  }
}

/** Has the columns that the query groups by. `bucket_at` is null without buckets. */
export type ReportRow = UsageCounts & { bucket_at: Date | null } & Partial<
    Record<ReportColumn, string>
  >;

export type Measure = "cost" | "tokens" | "output_tokens" | "input_tokens" | "requests" | "errors";

/** Last row of the previous page. `value`: its measure. Null: the list is ordered by time. */
export interface ReportPosition {
  value: bigint | null;
  bucketAtMs: number | null;
  columns: readonly string[];
}

export interface ReportOrder {
  by: Measure | "time";
  isDescending: boolean;
}

const measured: Readonly<Record<Measure, readonly CountColumn[]>> = {
  cost: ["cost_nano_usd"],
  tokens: tokenMeasures.map(({ column }) => column),
  output_tokens: ["output_tokens"],
  input_tokens: ["input_tokens"],
  requests: ["requests"],
  errors: ["errors"],
};

/**
 * Runs the statements of a report on one snapshot of the database, so that they add up. Ten thousand groups need
 * more than the default `work_mem`. Rollups are stored in order of time, so their index finds a range of days quickly. The
 * default `random_page_cost` assumes spinning disks, and prefers the whole table. Several workers took as long as one
 * (120 ms for 180,000 rows), and used the cores that record requests.
 */
export function inReport<Result>(
  reader: Pick<ReportReader, "inSnapshot">,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return reader.inSnapshot(async (tx) => {
    await sql`SELECT set_config('work_mem', '64MB', true), set_config('random_page_cost', '1.1', true),
      set_config('max_parallel_workers_per_gather', '0', true)`.execute(tx);
    return work(tx);
  });
}

interface ReportSlice {
  order: ReportOrder;
  after: ReportPosition | null;
  limit: number;
}

export interface RankSlice extends ReportSlice {
  order: { by: Measure; isDescending: boolean };
}

/** Lists up to `limit` rows after the position, in the given order. Groups without usage have no row. */
export async function listReport(
  tx: Tx,
  query: ReportQuery,
  slice: ReportSlice,
): Promise<(ReportRow & { order_value: bigint | null })[]> {
  const openHours = await findOpenHours(tx, query.organizationId);
  const { rows } = await sql<ReportRow & { order_value: bigint | null }>`
    ${selectOrdered({ ...query, openHours }, slice, listSums(query))}`.execute(tx);
  return rows;
}

/** Lists up to `limit` groups after the position, in the order of a measure. */
export async function rankGroups(
  tx: Tx,
  query: Omit<ReportQuery, "isBucketed">,
  slice: RankSlice,
): Promise<RankedGroup[]> {
  const counts = measured[slice.order.by];
  const openHours = await findOpenHours(tx, query.organizationId);
  const ordered = selectOrdered({ ...query, openHours, isBucketed: false }, slice, counts);
  const { rows } = await sql<ReportRow & { order_value: bigint }>`${ordered}`.execute(tx);
  return rows.map((row) => ({
    columns: query.columns.map((column) => row[column] ?? ""),
    value: row.order_value,
  }));
}

function selectOrdered(
  query: PlannedQuery,
  { order, after, limit }: ReportSlice,
  counts: readonly SumColumn[],
): RawBuilder<unknown> {
  const keys = [
    ...(query.isBucketed ? [sql`bucket_at`] : []),
    ...query.columns.map((column) => sql`${sql.ref(column)} COLLATE "C"`),
  ];
  const value =
    order.by === "time"
      ? sql`NULL::bigint`
      : sql`(${sql.raw(measured[order.by].join(" + "))})::bigint`;
  const isAfter = after ? sql`WHERE ${isBeyond(query, order, after, keys)}` : sql``;
  const direction = order.isDescending ? sql`DESC` : sql`ASC`;
  // Rows with the same value are in ascending order of their keys, in both directions.
  const byKeys = keys.map((key) => (order.by === "time" ? sql`${key} ${direction}` : key));
  const orderBy = order.by === "time" ? byKeys : [sql`order_value ${direction}`, ...byKeys];
  return sql`
    SELECT * FROM (SELECT *, ${value} AS order_value FROM (${selectGroups(query, counts)}) AS grouped) AS valued
    ${isAfter} ${orderBy.length === 0 ? sql`` : sql`ORDER BY ${sql.join(orderBy)}`}
    LIMIT ${limit}`;
}

function isBeyond(
  query: PlannedQuery,
  order: ReportOrder,
  after: ReportPosition,
  keys: readonly RawBuilder<unknown>[],
): RawBuilder<unknown> {
  const at = after.bucketAtMs === null ? [] : [sql`${new Date(after.bucketAtMs)}::timestamptz`];
  const position = [
    ...(query.isBucketed ? at : []),
    ...after.columns.map((text) => sql`${text}::text`),
  ];
  const compare = (sign: "<" | ">") =>
    keys.length === 0
      ? sql`false`
      : sql`(${sql.join(keys)}) ${sql.raw(sign)} (${sql.join(position)})`;
  if (order.by === "time") return compare(order.isDescending ? "<" : ">");
  const sign = order.isDescending ? "<" : ">";
  return sql`(order_value ${sql.raw(sign)} ${after.value}::bigint
    OR (order_value = ${after.value}::bigint AND ${compare(">")}))`;
}

/** Sums the whole report. All counts are zero without usage. */
export async function sumReport(
  tx: Tx,
  query: Omit<ReportQuery, "columns" | "isBucketed">,
): Promise<UsageCounts> {
  const openHours = await findOpenHours(tx, query.organizationId);
  const planned: PlannedQuery = { ...query, openHours, columns: [], isBucketed: false };
  const counts = listSums(query);
  const { rows } = await sql<UsageCounts>`
    SELECT ${sql.join(counts.map(sumOf))} FROM ${selectAllParts(planned, counts)}`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new Error("a sum returned no row");
  return row;
}

function selectGroups(query: PlannedQuery, counts: readonly SumColumn[]): RawBuilder<unknown> {
  const columns = query.columns.map((column) =>
    isLabel(column) || isAttribution(column)
      ? sql.ref(column)
      : sql`${sql.raw(derived[column].text)} AS ${sql.ref(column)}`,
  );
  const at = query.isBucketed ? sql`bucket_at` : sql`NULL::timestamptz AS bucket_at`;
  const groups = [
    ...(query.isBucketed ? [sql`bucket_at`] : []),
    ...query.columns.map((_, index) => sql.raw(String(index + 2))),
  ];
  return sql`SELECT ${sql.join([at, ...columns, ...counts.map(sumOf)])}
    FROM ${selectAllParts(query, counts)}
    ${groups.length === 0 ? sql`` : sql`GROUP BY ${sql.join(groups)}`}
    HAVING ${isDifference(query) ? sql`sum(requests) > 0` : sql`count(*) > 0`}`;
}

/** True if a part is subtracted. Groups without usage may then remain. */
function isDifference(query: ReportQuery): boolean {
  const hasRest = needsAttribution(query) && includesUnattributed(query);
  return hasRest || query.parts.some(({ isSubtracted }) => isSubtracted);
}

/** Sums are `numeric` in PostgreSQL. Amounts and counts of tokens fit into `bigint`. */
function sumOf(column: SumColumn): RawBuilder<unknown> {
  return sql`coalesce(sum(${sql.ref(column)}), 0)::bigint AS ${sql.ref(column)}`;
}

/** Selects the rows of all parts, with their groups and tags if the query needs them. For FROM. */
function selectAllParts(query: PlannedQuery, counts: readonly SumColumn[]): RawBuilder<unknown> {
  if (!needsAttribution(query)) return sql`(${selectParts(query, counts)}) AS part`;
  const { groups, ...rest } = query;
  const parts = selectParts(rest, counts);
  const isWanted = groups === undefined ? sql`` : sql`WHERE ${isInGroups(groups, false)}`;
  return sql`(${parts}) AS part JOIN ${selectAttribution(query)} AS attribution USING (attribution_id) ${isWanted}`;
}

function selectParts(query: PlannedQuery, counts: readonly SumColumn[]): RawBuilder<unknown> {
  const needed = isDifference(query) ? [...new Set<SumColumn>(["requests", ...counts])] : counts;
  const selects = query.parts
    .flatMap((part) => listSources(query, part, query.openHours))
    .map((source) => selectSource(query, source, needed));
  return sql.join(selects, sql` UNION ALL `);
}

function selectSource(
  query: PlannedQuery,
  source: Source,
  counts: readonly SumColumn[],
): RawBuilder<unknown> {
  const isEventTable = source.table === "recorded_request";
  const labels = [...new Set(query.columns.flatMap(labelsOf))].map((label) =>
    isEventTable && label === "status" ? sql`${sql.raw(EVENT_STATUS)} AS status` : sql.ref(label),
  );
  const counted = counts.map((column) => {
    const value = readCount(column, isEventTable);
    return sql`${sql.raw(source.isSubtracted ? `-(${value})` : value)} AS ${sql.ref(column)}`;
  });
  const attribution =
    source.attribution === null
      ? []
      : [source.attribution === "own" ? sql`attribution_id` : sql`0::bigint AS attribution_id`];
  const at = query.isBucketed ? [selectBucket(source)] : [];
  const shown = [...at, ...attribution, ...labels, ...counted];
  const named = findNamedKeys(query, source);
  const conditions = [...makeConditions(query, source), ...(named?.conditions ?? [])];
  const selected = sql`SELECT ${sql.join(shown)} FROM ${sql.table(source.table)}
    WHERE ${sql.join(conditions, sql` AND `)}`;
  // OFFSET prevents a plan that reads the range for all keys and then filters.
  return named === null
    ? selected
    : sql`SELECT part.* FROM ${named.wanted} CROSS JOIN LATERAL (${selected} OFFSET 0) AS part`;
}

function readCount(column: SumColumn, isEventTable: boolean): string {
  if (isSimulated(column)) {
    return `CASE WHEN service_tier = '${SIMULATED_TIER}' THEN ${simulatedColumns[column]} ELSE 0 END`;
  }
  return (isEventTable ? EVENT_COUNTS[column] : undefined) ?? column;
}

function isSimulated(column: SumColumn): column is SimulatedColumn {
  return column in simulatedColumns;
}

function selectBucket({ table, unit, bucketUnit }: Source): RawBuilder<unknown> {
  if (table !== "recorded_request" && unit === bucketUnit) return sql`bucket_at`;
  const at = sql.ref(table === "recorded_request" ? "started_at" : "bucket_at");
  return sql`date_trunc(${sql.lit(bucketUnit)}, ${at}, 'UTC') AS bucket_at`;
}

function makeConditions(query: PlannedQuery, source: Source): RawBuilder<unknown>[] {
  const { organizationId, visible, values } = query;
  const isEventTable = source.table === "recorded_request";
  const conditions = [sql`organization_id = ${organizationId}`, isInRange(query, source)];
  if (source.isMissing && query.openHours !== null) conditions.push(isAfter(query.openHours.after));
  const isVisible = isVisibleUsage(visible);
  if (isVisible !== null) conditions.push(isVisible);
  for (const [column, wanted] of Object.entries(values) as [ReportColumn, readonly string[]][]) {
    if (isAttribution(column)) continue;
    // The rows of named keys are read key by key.
    if (column === "api_key_id" && findNamedKeys(query, source) !== null) continue;
    const text = isEventTable && column === "status" ? EVENT_STATUS : textOf(column);
    conditions.push(sql`${sql.raw(text)} = ANY(${[...wanted]}::text[])`);
  }
  const memberCondition = makeMemberCondition(query, source);
  if (memberCondition !== null) conditions.push(memberCondition);
  if (query.groups && !isGroupedByKey(query.groups, source))
    conditions.push(isInGroups(query.groups, isEventTable));
  if (query.withoutRemovedMembers) {
    conditions.push(sql`NOT (member_id = ANY(ARRAY(SELECT id FROM member
      WHERE organization_id = ${organizationId} AND status = 'removed')))`);
  }
  return conditions;
}

/** True if the groups name keys without their workspaces. */
function isGroupedByKey({ columns }: NonNullable<ReportFilter["groups"]>, source: Source): boolean {
  return (
    source.unit !== "minute" && columns.includes("api_key_id") && !columns.includes("workspace_id")
  );
}

/**
 * Returns SQL of the keys or groups by key that the query names, and the conditions on the rows of one of them. Null:
 * the query names none. The index has the workspace before the key. With both, it finds a few rows per bucket.
 */
function findNamedKeys(
  { organizationId, values, groups }: ReportQuery,
  source: Source,
): { wanted: RawBuilder<unknown>; conditions: RawBuilder<unknown>[] } | null {
  if (groups && isGroupedByKey(groups, source)) {
    const lists = groups.columns.map(
      (_, i) => sql`${groups.rows.map((row) => row[i] ?? "")}::text[]`,
    );
    const names = groups.columns.map((column) => sql.ref(column));
    const columns = groups.columns.map((_, i) => sql.ref(`wanted_${i}`));
    const wanted = sql`(SELECT key.workspace_id, listed.* FROM unnest(${sql.join(lists)}) AS listed (${sql.join(names)})
      JOIN api_key AS key ON key.organization_id = ${organizationId} AND key.id = listed.api_key_id)
      AS wanted (wanted_workspace_id, ${sql.join(columns)})`;
    const conditions = groups.columns.map(
      (column, i) => sql`${sql.raw(textOf(column))} = ${sql.ref(`wanted_${i}`)}`,
    );
    return { wanted, conditions: [sql`workspace_id = wanted_workspace_id`, ...conditions] };
  }
  const keys = values.api_key_id;
  if (source.unit === "minute" || keys === undefined || groups || values.workspace_id) return null;
  const wanted = sql`(SELECT workspace_id, id FROM api_key
    WHERE organization_id = ${organizationId} AND id = ANY(${[...keys]}::text[])) AS wanted (wanted_workspace_id, wanted_id)`;
  return {
    wanted,
    conditions: [sql`workspace_id = wanted_workspace_id`, sql`api_key_id = wanted_id`],
  };
}

/**
 * Finds the rows of members by their workspaces and keys, in a rollup that has keys. Null: not applicable, also for open
 * hours, whose keys can be missing in the rollup per month.
 */
function makeMemberCondition(query: PlannedQuery, source: Source): RawBuilder<unknown> | null {
  const { organizationId, values } = query;
  const { api_key_id: keys, member_id: members, workspace_id: workspaces } = values;
  const { table, isOpen } = source;
  if (members === undefined || keys !== undefined || workspaces !== undefined) return null;
  if (table === "recorded_request" || isOpen) return null;
  const { labels }: RollupShape = rollupTables[table];
  if (!labels.includes("api_key_id")) return null;
  // The owner of a key can change. The rollup per month has the key under each of its owners.
  return sql`(workspace_id, api_key_id) IN (SELECT workspace_id, api_key_id FROM usage_key_month
    WHERE organization_id = ${organizationId} AND member_id = ANY(${[...members]}::text[])
      AND bucket_at >= date_trunc('month', ${new Date(source.startMs)}::timestamptz, 'UTC')
      AND bucket_at < ${new Date(source.endMs)})`;
}

function isInGroups(
  { columns, rows }: NonNullable<ReportFilter["groups"]>,
  isEventTable: boolean,
): RawBuilder<unknown> {
  const left = columns.map((column) =>
    sql.raw(isEventTable && column === "status" ? EVENT_STATUS : textOf(column)),
  );
  const lists = columns.map((_, index) => sql`${rows.map((row) => row[index] ?? "")}::text[]`);
  const names = columns.map((column) => sql.ref(column));
  return sql`(${sql.join(left)}) IN (SELECT * FROM unnest(${sql.join(lists)}) AS wanted (${sql.join(names)}))`;
}

const MAX_NAMED_BUCKETS = 800;

/**
 * Condition of a part's range. A query that names workspaces, keys or members names each bucket too. The index begins
 * with the time, so PostgreSQL then searches it once per bucket instead of reading the whole range.
 */
function isInRange(query: PlannedQuery, source: Source): RawBuilder<unknown> {
  const { values, visible } = query;
  const at = sql.ref(source.table === "recorded_request" ? "started_at" : "bucket_at");
  const isNarrow =
    visible.workspaceIds !== null ||
    values.workspace_id !== undefined ||
    values.api_key_id !== undefined ||
    values.member_id !== undefined;
  if (isNarrow && source.unit !== "minute") {
    const buckets: Date[] = [];
    for (let ms = source.startMs; ms < source.endMs; ms = nextEdge(source.unit, ms)) {
      buckets.push(new Date(ms));
    }
    if (buckets.length <= MAX_NAMED_BUCKETS) return sql`${at} = ANY(${buckets}::timestamptz[])`;
  }
  return sql`${at} >= ${new Date(source.startMs)} AND ${at} < ${new Date(source.endMs)}`;
}

/** Returns the time before which requests were deleted from the log. Null: none were deleted. */
export async function findPrunedBefore(tx: Tx, organizationId: string): Promise<Date | null> {
  const { rows } = await sql<{ log_pruned_before: Date | null }>`
    SELECT log_pruned_before FROM usage_settings WHERE organization_id = ${organizationId}`.execute(
    tx,
  );
  return rows[0]?.log_pruned_before ?? null;
}

export async function findDefaultWorkspaceId(
  tx: Tx,
  organizationId: string,
): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM workspace WHERE organization_id = ${organizationId} AND is_default`.execute(tx);
  return rows[0]?.id ?? null;
}
