import {
  type CountColumn,
  countColumns,
  type LabelColumn,
  labelColumns,
  tokenMeasures,
} from "@bursar/contract/usage-shape.ts";
import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { inSnapshot } from "#src/db/transaction.ts";
import {
  EVENT_COUNTS,
  EVENT_STATUS,
  type RollupShape,
  type RollupTable,
  type RollupUnit,
  rollupTables,
} from "#src/recording/rollup-tables.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import type { VisibleUsage } from "#src/usage/visible-usage.ts";
import { nextEdge, type RangePart } from "./report-range.rule.ts";

// Sums over the rollups. Each report reads the smallest of them that has its labels, in the largest units that its range
// is made of; minutes of keys, people and workspaces, of which there is no rollup, are counted from the events.

/** What a report can group by: labels, and what follows from them. */
export type ReportColumn = LabelColumn | keyof typeof derived;

interface Derived {
  from: readonly LabelColumn[];
  text: string;
}
const derived = {
  /** Whom usage is attributed to: the key's owner, else the key. */
  actor: {
    from: ["member_id", "api_key_id"],
    text: "CASE WHEN member_id = '' THEN api_key_id ELSE member_id END",
  },
  actor_type: {
    from: ["member_id"],
    text: "CASE WHEN member_id = '' THEN 'api_actor' ELSE 'user_actor' END",
  },
  product: {
    from: ["service_tier", "client"],
    text: `CASE WHEN service_tier = 'batch' THEN 'message_batches_api'
      WHEN client = 'claude-code' THEN 'claude_code' ELSE 'messages_api' END`,
  },
} as const satisfies Record<string, Derived>;

export interface ReportFilter {
  organizationId: string;
  visible: VisibleUsage;
  /** Of each column that stands here, only these values. */
  values: Readonly<Partial<Record<ReportColumn, readonly string[]>>>;
  /** Only these groups, each with one value per column. */
  groups?: { columns: readonly ReportColumn[]; rows: readonly (readonly string[])[] };
  /** What began since then has its minutes in a rollup, where the report has no keys or people in it. */
  minutesFromMs?: number;
  /** Leaves out what people used who have been removed since. */
  withoutRemovedMembers?: boolean;
}

export interface ReportQuery extends ReportFilter {
  columns: readonly ReportColumn[];
  parts: readonly RangePart[];
  /** One row per bucket of the parts' one unit; else one per group. */
  isBucketed: boolean;
}

/** What a group is ranked by is summed up for all of them, everything else only for those that are shown. */
export interface RankedGroup {
  columns: string[];
  value: bigint;
}

export type UsageCounts = Record<CountColumn, bigint>;

/** `bucket_at` is null without buckets. Of the columns only those are there that the query groups by. */
export type ReportRow = UsageCounts & { bucket_at: Date | null } & Partial<
    Record<ReportColumn, string>
  >;

export type Measure = "cost" | "tokens" | "output_tokens" | "input_tokens" | "requests" | "errors";

/** Where a list goes on: after this row. `value` is what it is ordered by; null in order of time. */
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

const levels = [
  {
    minute: "usage_organization_minute",
    hour: "usage_organization_hour",
    day: "usage_organization_day",
  },
  { hour: "usage_workspace_hour", day: "usage_workspace_day" },
  { hour: "usage_member_hour", day: "usage_member_day", week: "usage_member_week" },
  // Hours per key and model would be hardly fewer rows than there are with all labels.
  { hour: "usage_hour", day: "usage_key_day", week: "usage_key_week", month: "usage_key_month" },
  { hour: "usage_hour", day: "usage_day", week: "usage_week", month: "usage_month" },
] as const satisfies Level[];
export type Level = Partial<Record<RollupUnit, RollupTable>> & { day: RollupTable };

/** The smallest rollups that have all the labels the report needs. */
export function levelFor(query: ReportFilter & Pick<ReportQuery, "columns">): Level {
  const filtered = Object.keys(query.values) as ReportColumn[];
  const grouped = query.groups?.columns ?? [];
  const needed = new Set([...query.columns, ...filtered, ...grouped].flatMap(labelsOf));
  if (query.visible.workspaceIds !== null) needed.add("workspace_id");
  if (query.visible.own !== null) needed.add("api_key_id");
  if (query.withoutRemovedMembers) needed.add("member_id");
  const level: Level | undefined = levels.find(({ day }) => {
    const labels: readonly LabelColumn[] = rollupTables[day].labels;
    return [...needed].every((label) => labels.includes(label));
  });
  return level ?? levels[4];
}

/**
 * The column whose own sums stand in smaller rollups than those of the groups it is part of, or null. No group of a key
 * has more of a measure than the key has.
 */
export function leaderOf(
  query: ReportFilter & Pick<ReportQuery, "columns">,
): "api_key_id" | "workspace_id" | null {
  const { columns } = query;
  const leader = (["api_key_id", "workspace_id"] as const).find((each) => columns.includes(each));
  if (leader === undefined || levelFor(query) !== levels[4]) return null;
  return levelFor({ ...query, columns: [leader] }) === levels[4] ? null : leader;
}

function labelsOf(column: ReportColumn): readonly LabelColumn[] {
  return isLabel(column) ? [column] : derived[column].from;
}

function isLabel(column: ReportColumn): column is LabelColumn {
  return (labelColumns as readonly ReportColumn[]).includes(column);
}

/**
 * Runs the statements of a report on one state of the database, so that they add up. Compiling a plan takes longer than
 * any report may, and ten thousand groups do not fit into the memory that a statement has otherwise. Rollups lie in order
 * of time: their index is taken for a range of days, not the whole table, which on a disk that turns would be as fast.
 * Several workers took as long as one (120 ms for 180,000 rows), and the cores that requests are recorded on.
 */
export function inReport<Result>(
  database: Database,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return inSnapshot(database, async (tx) => {
    await sql`SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true),
      set_config('random_page_cost', '1.1', true), set_config('max_parallel_workers_per_gather', '0', true)`.execute(
      tx,
    );
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

/** Rows in the order asked for, after the position, at most `limit`. Groups that nothing was used in have no row. */
export async function listReport(
  tx: Tx,
  query: ReportQuery,
  slice: ReportSlice,
): Promise<(ReportRow & { order_value: bigint | null })[]> {
  const { rows } = await sql<ReportRow & { order_value: bigint | null }>`
    ${selectOrdered(query, slice, countColumns)}`.execute(tx);
  return rows;
}

/** The groups of a report without buckets in the order of a measure, after the position, at most `limit`. */
export async function rankGroups(
  tx: Tx,
  query: Omit<ReportQuery, "isBucketed">,
  slice: RankSlice,
): Promise<RankedGroup[]> {
  const counts = measured[slice.order.by];
  const ordered = selectOrdered({ ...query, isBucketed: false }, slice, counts);
  const { rows } = await sql<ReportRow & { order_value: bigint }>`${ordered}`.execute(tx);
  return rows.map((row) => ({
    columns: query.columns.map((column) => row[column] ?? ""),
    value: row.order_value,
  }));
}

function selectOrdered(
  query: ReportQuery,
  { order, after, limit }: ReportSlice,
  counts: readonly CountColumn[],
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
  // Rows of one value stand in the order of their keys, whichever way the values run.
  const byKeys = keys.map((key) => (order.by === "time" ? sql`${key} ${direction}` : key));
  const orderBy = order.by === "time" ? byKeys : [sql`order_value ${direction}`, ...byKeys];
  return sql`
    SELECT * FROM (SELECT *, ${value} AS order_value FROM (${selectGroups(query, counts)}) AS grouped) AS valued
    ${isAfter} ${orderBy.length === 0 ? sql`` : sql`ORDER BY ${sql.join(orderBy)}`}
    LIMIT ${limit}`;
}

function isBeyond(
  query: ReportQuery,
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

/** Everything in one row; all zero where nothing was used. */
export async function sumReport(
  tx: Tx,
  query: Omit<ReportQuery, "columns" | "isBucketed">,
): Promise<UsageCounts> {
  const { rows } = await sql<UsageCounts>`
    SELECT ${sql.join(countColumns.map(sumOf))}
    FROM (${selectParts({ ...query, columns: [], isBucketed: false }, countColumns)}) AS part`.execute(
    tx,
  );
  const [row] = rows;
  if (row === undefined) throw new Error("a sum is one row");
  return row;
}

function selectGroups(query: ReportQuery, counts: readonly CountColumn[]): RawBuilder<unknown> {
  const columns = query.columns.map((column) =>
    isLabel(column) ? sql.ref(column) : sql`${sql.raw(derived[column].text)} AS ${sql.ref(column)}`,
  );
  const at = query.isBucketed ? sql`bucket_at` : sql`NULL::timestamptz AS bucket_at`;
  const groups = [
    ...(query.isBucketed ? [sql`bucket_at`] : []),
    ...query.columns.map((_, index) => sql.raw(String(index + 2))),
  ];
  return sql`SELECT ${sql.join([at, ...columns, ...counts.map(sumOf)])}
    FROM (${selectParts(query, counts)}) AS part
    ${groups.length === 0 ? sql`` : sql`GROUP BY ${sql.join(groups)}`}
    HAVING ${isDifference(query) ? sql`sum(requests) > 0` : sql`count(*) > 0`}`;
}

/** Of a difference, groups may be left that nothing was used in. */
function isDifference({ parts }: Pick<ReportQuery, "parts">): boolean {
  return parts.some(({ isSubtracted }) => isSubtracted);
}

/** Sums are numeric in PostgreSQL; back to bigint, which an amount of money and a count of tokens fit into. */
function sumOf(column: CountColumn): RawBuilder<unknown> {
  return sql`coalesce(sum(${sql.ref(column)}), 0)::bigint AS ${sql.ref(column)}`;
}

function selectParts(query: ReportQuery, counts: readonly CountColumn[]): RawBuilder<unknown> {
  const needed = isDifference(query) ? [...new Set<CountColumn>(["requests", ...counts])] : counts;
  const parts = query.parts.map((part) => selectPart(query, { part, counts: needed }));
  return sql.join(parts, sql` UNION ALL `);
}

function selectPart(
  query: ReportQuery,
  { part, counts }: { part: RangePart; counts: readonly CountColumn[] },
): RawBuilder<unknown> {
  const isOfEvents = tableOf(query, part) === "usage_event";
  const at = isOfEvents
    ? sql`date_trunc('minute', started_at, 'UTC') AS bucket_at`
    : sql`bucket_at`;
  const labels = [...new Set(query.columns.flatMap(labelsOf))].map((label) =>
    isOfEvents && label === "status" ? sql`${sql.raw(EVENT_STATUS)} AS status` : sql.ref(label),
  );
  const counted = counts.map((column) => {
    const value = (isOfEvents ? EVENT_COUNTS[column] : undefined) ?? column;
    return sql`${sql.raw(part.isSubtracted ? `-(${value})` : value)} AS ${sql.ref(column)}`;
  });
  const shown = [...(query.isBucketed ? [at] : []), ...labels, ...counted];
  const named = namedKeys(query, part);
  const conditions = [...matches(query, part), ...(named?.isOfOne ?? [])];
  const selected = sql`SELECT ${sql.join(shown)} FROM ${sql.table(tableOf(query, part))}
    WHERE ${sql.join(conditions, sql` AND `)}`;
  // OFFSET keeps the planner from reading everybody's rows of the range to find the keys in them.
  return named === null
    ? selected
    : sql`SELECT part.* FROM ${named.wanted} CROSS JOIN LATERAL (${selected} OFFSET 0) AS part`;
}

function tableOf(query: ReportQuery, { unit, startMs }: RangePart): RollupTable | "usage_event" {
  const table = levelFor(query)[unit];
  if (unit === "minute") {
    return table !== undefined && startMs >= (query.minutesFromMs ?? Infinity)
      ? table
      : "usage_event";
  }
  if (table === undefined) throw new Error(`there is no rollup per ${unit} of these labels`);
  return table;
}

function matches(query: ReportQuery, part: RangePart): RawBuilder<unknown>[] {
  const { organizationId, visible, values } = query;
  const isOfEvents = tableOf(query, part) === "usage_event";
  const conditions = [sql`organization_id = ${organizationId}`, isWithin(query, part)];
  const isVisible = isVisibleUsage(organizationId, visible);
  if (isVisible !== null) conditions.push(isVisible);
  for (const [column, wanted] of Object.entries(values) as [ReportColumn, readonly string[]][]) {
    // The rows of named keys are looked up one by one.
    if (column === "api_key_id" && namedKeys(query, part) !== null) continue;
    const text = isOfEvents && column === "status" ? EVENT_STATUS : textOf(column);
    conditions.push(sql`${sql.raw(text)} = ANY(${[...wanted]}::text[])`);
  }
  const isOfMembers = isOfKeysOfMembers(query, part);
  if (isOfMembers !== null) conditions.push(isOfMembers);
  if (query.groups && !isByKey(query.groups, part))
    conditions.push(isOneOf(query.groups, isOfEvents));
  if (query.withoutRemovedMembers) {
    conditions.push(sql`NOT (member_id = ANY(ARRAY(SELECT id FROM member
      WHERE organization_id = ${organizationId} AND status = 'removed')))`);
  }
  return conditions;
}

/** Groups by key, without the workspace that the key stands in. */
function isByKey({ columns }: NonNullable<ReportFilter["groups"]>, part: RangePart): boolean {
  const isOfEvents = part.unit === "minute";
  return !isOfEvents && columns.includes("api_key_id") && !columns.includes("workspace_id");
}

/**
 * The keys, or groups by key, that the query names, and what a row of one of them matches. A key stands in one workspace:
 * with both the index leads to its rows, a few for each bucket.
 */
function namedKeys(
  { organizationId, values, groups }: ReportQuery,
  part: RangePart,
): { wanted: RawBuilder<unknown>; isOfOne: RawBuilder<unknown>[] } | null {
  if (groups && isByKey(groups, part)) {
    const lists = groups.columns.map(
      (_, i) => sql`${groups.rows.map((row) => row[i] ?? "")}::text[]`,
    );
    const names = groups.columns.map((column) => sql.ref(column));
    const columns = groups.columns.map((_, i) => sql.ref(`wanted_${i}`));
    const wanted = sql`(SELECT key.workspace_id, listed.* FROM unnest(${sql.join(lists)}) AS listed (${sql.join(names)})
      JOIN api_key AS key ON key.organization_id = ${organizationId} AND key.id = listed.api_key_id)
      AS wanted (wanted_workspace_id, ${sql.join(columns)})`;
    const isOfOne = groups.columns.map(
      (column, i) => sql`${sql.raw(textOf(column))} = ${sql.ref(`wanted_${i}`)}`,
    );
    return { wanted, isOfOne: [sql`workspace_id = wanted_workspace_id`, ...isOfOne] };
  }
  const keys = values.api_key_id;
  if (part.unit === "minute" || keys === undefined || groups || values.workspace_id) return null;
  const wanted = sql`(SELECT workspace_id, id FROM api_key
    WHERE organization_id = ${organizationId} AND id = ANY(${[...keys]}::text[])) AS wanted (wanted_workspace_id, wanted_id)`;
  return {
    wanted,
    isOfOne: [sql`workspace_id = wanted_workspace_id`, sql`api_key_id = wanted_id`],
  };
}

/** In rollups that have keys, their workspaces and keys lead to a person's rows. */
function isOfKeysOfMembers(query: ReportQuery, part: RangePart): RawBuilder<unknown> | null {
  const { organizationId, values } = query;
  const { api_key_id: keys, member_id: members, workspace_id: workspaces } = values;
  const table = tableOf(query, part);
  if (members === undefined || keys !== undefined || workspaces !== undefined) return null;
  if (table === "usage_event") return null;
  const { labels }: RollupShape = rollupTables[table];
  if (!labels.includes("api_key_id")) return null;
  // Whose key it is now need not be whose it was; its month has it under everybody whose it was then.
  return sql`(workspace_id, api_key_id) IN (SELECT workspace_id, api_key_id FROM usage_key_month
    WHERE organization_id = ${organizationId} AND member_id = ANY(${[...members]}::text[])
      AND bucket_at >= date_trunc('month', ${new Date(part.startMs)}::timestamptz, 'UTC')
      AND bucket_at < ${new Date(part.endMs)})`;
}

function isOneOf(
  { columns, rows }: NonNullable<ReportFilter["groups"]>,
  isOfEvents: boolean,
): RawBuilder<unknown> {
  const left = columns.map((column) =>
    sql.raw(isOfEvents && column === "status" ? EVENT_STATUS : textOf(column)),
  );
  const lists = columns.map((_, index) => sql`${rows.map((row) => row[index] ?? "")}::text[]`);
  const names = columns.map((column) => sql.ref(column));
  return sql`(${sql.join(left)}) IN (SELECT * FROM unnest(${sql.join(lists)}) AS wanted (${sql.join(names)}))`;
}

function textOf(column: ReportColumn): string {
  return isLabel(column) ? column : `(${derived[column].text})`;
}

const MAX_NAMED_BUCKETS = 800;

/**
 * Where workspaces, keys or people are named, so are the buckets: the index, which begins with the time, is then looked
 * into once for each of them, in place of reading everybody's rows of the whole range.
 */
function isWithin(query: ReportQuery, part: RangePart): RawBuilder<unknown> {
  const { values, visible } = query;
  const at = sql.ref(tableOf(query, part) === "usage_event" ? "started_at" : "bucket_at");
  const isNarrow =
    visible.workspaceIds !== null ||
    values.workspace_id !== undefined ||
    values.api_key_id !== undefined ||
    values.member_id !== undefined;
  if (isNarrow && part.unit !== "minute") {
    const buckets: Date[] = [];
    for (let ms = part.startMs; ms < part.endMs; ms = nextEdge(part.unit, ms)) {
      buckets.push(new Date(ms));
    }
    if (buckets.length <= MAX_NAMED_BUCKETS) return sql`${at} = ANY(${buckets}::timestamptz[])`;
  }
  return sql`${at} >= ${new Date(part.startMs)} AND ${at} < ${new Date(part.endMs)}`;
}

/** Before which the organization's single requests have been deleted, or null. */
export async function findPrunedBefore(
  db: Database | Tx,
  organizationId: string,
): Promise<Date | null> {
  const row = await db
    .selectFrom("usage_settings")
    .select("log_pruned_before")
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row?.log_pruned_before ?? null;
}

export async function findDefaultWorkspaceId(
  db: Database | Tx,
  organizationId: string,
): Promise<string | null> {
  const row = await db
    .selectFrom("workspace")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where("is_default", "=", true)
    .executeTakeFirst();
  return row?.id ?? null;
}
