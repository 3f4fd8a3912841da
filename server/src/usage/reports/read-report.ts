import { countColumns, type LabelColumn } from "@bursar/contract/usage-shape.ts";
import type { Tx } from "#src/db/pool.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { findWeeksSummedBefore } from "#src/recording/weeks.sql.ts";
import {
  findLeader,
  findLevel,
  findPrunedBefore,
  type Level,
  listReport,
  type Measure,
  type RankedGroup,
  type RankSlice,
  type ReportColumn,
  type ReportFilter,
  type ReportOrder,
  type ReportPosition,
  type ReportQuery,
  type ReportRow,
  rankGroups,
  sumReport,
  type UsageCounts,
} from "./report.sql.ts";
import {
  type BucketName,
  bucketMs,
  cutRange,
  nextEdge,
  type RangePart,
  type SumUnit,
  type TimeRange,
} from "./report-range.rule.ts";

// How the pages of a report are put together from statements, each of which reads as little as it can.

export interface ReportPage {
  filter: ReportFilter;
  columns: readonly ReportColumn[];
  bucket: BucketName;
  range: TimeRange;
  /** The range ends now or later: nothing lies beyond it, so its last day and month can be read as wholes. */
  isOpenEnded: boolean;
  order: ReportOrder;
  after: ReportPosition | null;
  limit: number;
}

export type ListedRow = ReportRow & { order_value: bigint | null };

const bucketUnits = { "1m": "minute", "1h": "hour", "1d": "day" } as const satisfies Partial<
  Record<BucketName, SumUnit>
>;

/** At most `limit` rows of the report after the position. */
export async function listPage(tx: Tx, page: ReportPage): Promise<ListedRow[]> {
  const { filter, columns, bucket, range, order, after, limit } = page;
  if (bucket === "none") {
    const { by } = order;
    if (by !== "time" && columns.length > 0) return listRanked(tx, page, { ...order, by });
    const parts = await partsOf(tx, page);
    return listReport(
      tx,
      { ...filter, columns, parts, isBucketed: false },
      { order, after, limit },
    );
  }
  await refusePrunedMinutes(tx, page);
  if (order.by === "time") return listByTime(tx, page, bucketUnits[bucket]);
  const parts = [{ ...range, unit: bucketUnits[bucket] }];
  return listReport(tx, { ...filter, columns, parts, isBucketed: true }, { order, after, limit });
}

/** Ranks the groups by the one measure first: of ten thousand, a hundred are summed up in everything. */
async function listRanked(
  tx: Tx,
  page: ReportPage,
  order: { by: Measure; isDescending: boolean },
): Promise<ListedRow[]> {
  const { after, limit } = page;
  const slice = { order, after, limit };
  const led = await listByLeader(tx, page, slice);
  if (led !== null) return led;
  const ranking = await rankGroups(tx, await overRange(tx, page), slice);
  if (ranking.length === 0) return [];
  const rows = await listGroups(tx, page, ranking);
  return ranking.flatMap(({ columns: values, value }) => {
    const row = rows.get(values.join("\n"));
    return row === undefined ? [] : [{ ...row, order_value: value }];
  });
}

type RankedReport = Pick<ReportPage, "filter" | "columns" | "bucket" | "range" | "isOpenEnded">;

/** Over the whole range, without its buckets. */
async function overRange(tx: Tx, report: RankedReport) {
  const { filter, columns } = report;
  return { ...filter, columns, parts: await partsOf(tx, report), isBucketed: false };
}

/** Of more leaders than this, or more than a third of all, everybody's rows are read in less time. */
const MAX_LEADERS = 1_000;
const MAX_SHARE = 3;

/**
 * The first groups by a measure. Where their keys or workspaces stand in smaller rollups, those say which of them can
 * have a group among the first; the rows of all others are not read. Null where that is no help.
 */
async function listByLeader(
  tx: Tx,
  report: RankedReport,
  slice: RankSlice,
): Promise<ListedRow[] | null> {
  const leader = slice.order.isDescending ? findLeader({ ...report.filter, ...report }) : null;
  if (leader === null) return null;
  const columns = [leader];
  const leaders = await rankGroups(tx, await overRange(tx, { ...report, columns }), {
    ...slice,
    after: null,
    limit: MAX_LEADERS + 1,
  });
  const most = leaders.length > MAX_LEADERS ? MAX_LEADERS : Math.floor(leaders.length / MAX_SHARE);
  let count = Math.min(most, 2 * slice.limit);
  while (count > 0 && count <= most) {
    const filter = narrowed(report.filter, columns, leaders.slice(0, count));
    const rows = await listReport(tx, await overRange(tx, { ...report, filter }), slice);
    const last = rows.length < slice.limit ? null : (rows.at(-1)?.order_value ?? null);
    const next = leaders[count];
    if (last === null || next === undefined) return null;
    if (last > next.value) return rows;
    // A leader with less than the last group has none that is larger: the second look is enough.
    const tooSmall = leaders.findIndex(({ value }) => value < last);
    count = tooSmall === -1 ? leaders.length : tooSmall;
  }
  return null;
}

async function rank(
  tx: Tx,
  report: RankedReport,
  order: RankSlice["order"],
  limit: number,
): Promise<RankedGroup[]> {
  const slice = { order, after: null, limit };
  const rows = await listByLeader(tx, report, slice);
  if (rows === null) return rankGroups(tx, await overRange(tx, report), slice);
  return rows.map((row) => ({
    columns: report.columns.map((column) => row[column] ?? ""),
    value: row.order_value ?? 0n,
  }));
}

/** Everything of these groups over the whole range, by their values. */
async function listGroups(
  tx: Tx,
  report: Omit<ReportPage, "order" | "after" | "limit">,
  groups: readonly RankedGroup[],
): Promise<Map<string, ReportRow>> {
  const { columns } = report;
  const within = narrowed(report.filter, columns, groups);
  const rows = await listReport(
    tx,
    {
      ...within,
      columns,
      parts: await partsOf(tx, { ...report, filter: within }),
      isBucketed: false,
    },
    { order: { by: "time", isDescending: false }, after: null, limit: groups.length },
  );
  return new Map(rows.map((row) => [columns.map((column) => row[column] ?? "").join("\n"), row]));
}

/** What a window of buckets grows by when it did not hold enough rows. */
const WINDOW_GROWTH = 4;

/**
 * Reads bucket after bucket until there are enough rows: a page of a long range must not cost the whole range. Windows
 * grow, so that a range with few rows takes few statements.
 */
async function listByTime(tx: Tx, page: ReportPage, unit: SumUnit): Promise<ListedRow[]> {
  const { filter, columns, bucket, range, order, after, limit } = page;
  const lengthMs = bucketMs(bucket);
  const rows: ListedRow[] = [];
  let { startMs, endMs } = range;
  if (after?.bucketAtMs !== undefined && after.bucketAtMs !== null) {
    if (order.isDescending) endMs = Math.min(endMs, after.bucketAtMs + lengthMs);
    else startMs = Math.max(startMs, after.bucketAtMs);
  }
  for (let buckets = 1; startMs < endMs && rows.length < limit; buckets *= WINDOW_GROWTH) {
    const windowMs = Math.min(buckets * lengthMs, endMs - startMs);
    const window = order.isDescending
      ? { startMs: endMs - windowMs, endMs }
      : { startMs, endMs: startMs + windowMs };
    const query: ReportQuery = {
      ...filter,
      columns,
      parts: [{ ...window, unit }],
      isBucketed: true,
    };
    rows.push(...(await listReport(tx, query, { order, after, limit: limit - rows.length })));
    if (order.isDescending) endMs = window.startMs;
    else startMs = window.endMs;
  }
  return rows;
}

/** Of the whole range, whatever the page. */
export async function sumRange(
  tx: Tx,
  page: Pick<ReportPage, "filter" | "bucket" | "range" | "isOpenEnded">,
): Promise<UsageCounts> {
  const parts = await partsOf(tx, { ...page, columns: [] });
  return sumReport(tx, { ...page.filter, parts });
}

/** The whole range in the largest units that there are rollups of; minutes at its ends come from the events. */
async function partsOf(
  tx: Tx,
  {
    filter,
    columns,
    bucket,
    range,
    isOpenEnded,
  }: Pick<ReportPage, "filter" | "columns" | "bucket" | "range" | "isOpenEnded">,
): Promise<RangePart[]> {
  const level: Level = findLevel({ ...filter, columns });
  const units = (["hour", "day", "week", "month"] as const).filter(
    (unit) => level[unit] !== undefined,
  );
  const weeksEndMs = level.week === undefined ? 0 : await findWeeksSummedBefore(tx);
  return cutRange(range, bucket === "1m" ? ["minute", ...units] : units, {
    weeksEndMs,
    isOpenEnded,
  });
}

async function refusePrunedMinutes(
  tx: Tx,
  { filter, bucket, range }: Pick<ReportPage, "filter" | "bucket" | "range">,
): Promise<void> {
  if (bucket !== "1m") return;
  const before = await findPrunedBefore(tx, filter.organizationId);
  if (before === null || range.startMs >= before.getTime()) return;
  throw refuseField(
    "starting_at",
    `single requests from before ${before.toISOString()} have been deleted, and minutes with them. Ask for bucket 1h.`,
  );
}

export interface TopGroups extends Omit<ReportPage, "after" | "limit" | "order" | "columns"> {
  columns: readonly LabelColumn[];
  measure: Measure;
  isDescending: boolean;
  count: number;
}

export type TopRow = ReportRow & { isOther: boolean };

/**
 * The rows of the first groups, in their order within each bucket, and one for all others. Only the ranking reads every
 * group, from the coarsest rollups; what the others are is the difference between everything and the first ones.
 */
export async function listTop(tx: Tx, top: TopGroups): Promise<TopRow[]> {
  const { filter, columns, bucket, range, measure, isDescending, count } = top;
  await refusePrunedMinutes(tx, top);
  const ranking = await rank(tx, top, { by: measure, isDescending }, count);
  if (ranking.length === 0) return [];
  const isBucketed = bucket !== "none";
  const shape = async (of: Pick<ReportPage, "columns" | "filter">): Promise<ReportQuery> => ({
    ...of.filter,
    columns: of.columns,
    isBucketed,
    parts: isBucketed
      ? [{ ...range, unit: bucketUnits[bucket] }]
      : await partsOf(tx, { ...top, ...of }),
  });
  const all = {
    order: { by: "time", isDescending: false },
    after: null,
    limit: 1_000_000,
  } as const;
  const inTop = { columns, filter: narrowed(filter, columns, ranking) };
  const rows = isBucketed
    ? await listReport(tx, await shape(inTop), all)
    : [...(await listGroups(tx, top, ranking)).values()];
  const sums = await listReport(tx, await shape({ columns: [], filter }), all);
  return withOthers(rows, sums, (row) => {
    const key = columns.map((column) => row[column]).join("\n");
    return ranking.findIndex((each) => each.columns.join("\n") === key);
  });
}

/** With the values of each column named too, which is what an index can use. */
function narrowed(
  filter: ReportFilter,
  columns: readonly ReportColumn[],
  groups: readonly RankedGroup[],
): ReportFilter {
  const values = columns.map(
    (column, index) =>
      [column, [...new Set(groups.map((group) => group.columns[index] ?? ""))]] as const,
  );
  const rows = groups.map((group) => group.columns);
  return {
    ...filter,
    values: { ...filter.values, ...Object.fromEntries(values) },
    ...(columns.length > 1 && { groups: { columns, rows } }),
  };
}

function withOthers(
  rows: readonly ReportRow[],
  sums: readonly ReportRow[],
  rankOf: (row: ReportRow) => number,
): TopRow[] {
  const bucketOf = (row: ReportRow) => row.bucket_at?.getTime() ?? 0;
  const byBucket = Map.groupBy(rows, bucketOf);
  return sums.flatMap((sum): TopRow[] => {
    const first = (byBucket.get(bucketOf(sum)) ?? []).toSorted((a, b) => rankOf(a) - rankOf(b));
    const other: TopRow = { ...sum, isOther: true };
    for (const row of first) {
      for (const column of countColumns) other[column] -= row[column];
    }
    const shown = first.map((row) => ({ ...row, isOther: false }));
    return other.requests > 0n ? [...shown, other] : shown;
  });
}

/** The end of the row's time, milliseconds since the epoch; null for a row of the whole range. */
export function rowEndMs(row: ReportRow, bucket: BucketName): number | null {
  if (row.bucket_at === null || bucket === "none") return null;
  return nextEdge(bucketUnits[bucket], row.bucket_at.getTime());
}
