import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import type { Tx } from "#src/db/pool.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { findSummedWeeksEndMs } from "#src/recording/weeks.sql.ts";
import { addRetention, refuseDeletedParts } from "./refuse-deleted-sums.ts";
import {
  findPrunedBefore,
  listReport,
  type Measure,
  type RankedGroup,
  type RankSlice,
  type ReportOrder,
  type ReportPosition,
  type ReportQuery,
  type ReportRow,
  rankGroups,
  subtractCounts,
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
import {
  findLeader,
  findLevel,
  type Level,
  type ReportColumn,
  type ReportFilter,
} from "./report-tables.ts";

// Builds pages of reports from statements that each read as little as possible.

export interface ReportPage {
  filter: ReportFilter;
  columns: readonly ReportColumn[];
  bucket: BucketName;
  range: TimeRange;
  /** True if the range ends now or later. Its last day and month can then be read as whole units. */
  isOpenEnded: boolean;
  order: ReportOrder;
  after: ReportPosition | null;
  limit: number;
}

export type ListedRow = ReportRow & { order_value: bigint | null };

const bucketUnits = { "1m": "minute", "1h": "hour", "1d": "day" } as const satisfies Partial<
  Record<BucketName, SumUnit>
>;

/** Returns at most `limit` rows of the report after the position. */
export async function listPage(tx: Tx, wanted: ReportPage): Promise<ListedRow[]> {
  const page = await addRetention(tx, wanted);
  const { filter, columns, bucket, range, order, after, limit } = page;
  if (bucket === "none") {
    const { by } = order;
    if (by !== "time" && columns.length > 0) return listRanked(tx, page, { ...order, by });
    const parts = await findParts(tx, page);
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

/** Ranks all groups by one measure, then reads all measures of the page's groups only. */
async function listRanked(
  tx: Tx,
  page: ReportPage,
  order: { by: Measure; isDescending: boolean },
): Promise<ListedRow[]> {
  const { after, limit } = page;
  const slice = { order, after, limit };
  const leaderRows = await listByLeader(tx, page, slice);
  if (leaderRows !== null) return leaderRows;
  const ranking = await rankGroups(tx, await makeRangeQuery(tx, page), slice);
  if (ranking.length === 0) return [];
  const rows = await listGroups(tx, page, ranking);
  return ranking.flatMap(({ columns: values, value }) => {
    const row = rows.get(values.join("\n"));
    return row === undefined ? [] : [{ ...row, order_value: value }];
  });
}

type RankedReport = Pick<ReportPage, "filter" | "columns" | "bucket" | "range" | "isOpenEnded">;

/** Makes the query of the whole range without buckets. */
async function makeRangeQuery(tx: Tx, report: RankedReport) {
  const { filter, columns } = report;
  return { ...filter, columns, parts: await findParts(tx, report), isBucketed: false };
}

/** Beyond this number, or a third of all leaders, reading all rows is faster. */
const MAX_LEADERS = 1_000;
const MAX_SHARE = 3;

/**
 * Finds the first groups by a measure. Smaller rollups of keys or workspaces show which of them can have a first group, and
 * only their rows are read. Returns null if that saves nothing.
 */
async function listByLeader(
  tx: Tx,
  report: RankedReport,
  slice: RankSlice,
): Promise<ListedRow[] | null> {
  const leader = slice.order.isDescending ? findLeader({ ...report.filter, ...report }) : null;
  if (leader === null) return null;
  const columns = [leader];
  const leaders = await rankGroups(tx, await makeRangeQuery(tx, { ...report, columns }), {
    ...slice,
    after: null,
    limit: MAX_LEADERS + 1,
  });
  const maxCount =
    leaders.length > MAX_LEADERS ? MAX_LEADERS : Math.floor(leaders.length / MAX_SHARE);
  // Most leaders have one large group, so fewer leaders than groups rarely suffice.
  if (maxCount < slice.limit) return null;
  let count = Math.min(maxCount, 2 * slice.limit);
  while (count > 0 && count <= maxCount) {
    const filter = narrowFilter(report.filter, columns, leaders.slice(0, count));
    const rows = await listReport(tx, await makeRangeQuery(tx, { ...report, filter }), slice);
    const last = rows.length < slice.limit ? null : (rows.at(-1)?.order_value ?? null);
    const next = leaders[count];
    if (last === null || next === undefined) return null;
    if (last > next.value) return rows;
    // A leader below the last group has no larger group, so two rounds are enough.
    const tooSmall = leaders.findIndex(({ value }) => value < last);
    count = tooSmall === -1 ? leaders.length : tooSmall;
  }
  return null;
}

async function rankFirstGroups(
  tx: Tx,
  report: RankedReport,
  order: RankSlice["order"],
  limit: number,
): Promise<RankedGroup[]> {
  const slice = { order, after: null, limit };
  const rows = await listByLeader(tx, report, slice);
  if (rows === null) return rankGroups(tx, await makeRangeQuery(tx, report), slice);
  return rows.map((row) => ({
    columns: report.columns.map((column) => row[column] ?? ""),
    value: row.order_value ?? 0n,
  }));
}

/** Returns all measures of these groups over the whole range, by their values. */
async function listGroups(
  tx: Tx,
  report: Omit<ReportPage, "order" | "after" | "limit">,
  groups: readonly RankedGroup[],
): Promise<Map<string, ReportRow>> {
  const { columns } = report;
  const within = narrowFilter(report.filter, columns, groups);
  const rows = await listReport(
    tx,
    {
      ...within,
      columns,
      parts: await findParts(tx, { ...report, filter: within }),
      isBucketed: false,
    },
    { order: { by: "time", isDescending: false }, after: null, limit: groups.length },
  );
  return new Map(rows.map((row) => [columns.map((column) => row[column] ?? "").join("\n"), row]));
}

/** Growth factor of a window of buckets with too few rows. */
const WINDOW_GROWTH = 4;

/**
 * Reads windows of buckets until there are enough rows, so that a page does not read the whole range. Windows grow, so that
 * a range with few rows needs few statements.
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

/** Returns the totals of the whole range. */
export async function sumRange(
  tx: Tx,
  wanted: Pick<ReportPage, "filter" | "bucket" | "range" | "isOpenEnded">,
): Promise<UsageCounts> {
  const page = await addRetention(tx, wanted);
  const parts = await findParts(tx, { ...page, columns: [] });
  return sumReport(tx, { ...page.filter, parts });
}

/** Sums the simulated part of each cost too, if the report has one. Reports without it read smaller rollups. */
export async function addSimulated<
  Page extends Pick<ReportPage, "filter" | "bucket" | "range" | "isOpenEnded">,
>(tx: Tx, page: Page): Promise<Page> {
  const { filter } = page;
  const simulated = narrowToSimulated(filter);
  if (simulated === null) return page;
  const { requests } = await sumRange(tx, { ...page, filter: simulated });
  return requests === 0n ? page : { ...page, filter: { ...filter, hasSimulated: true } };
}

/** Limits a filter to requests of the simulator. Null: it excludes them. */
export function narrowToSimulated(filter: ReportFilter): ReportFilter | null {
  const tiers = filter.values.service_tier;
  if (tiers !== undefined && !tiers.includes(SIMULATED_TIER)) return null;
  return { ...filter, values: { ...filter.values, service_tier: [SIMULATED_TIER] } };
}

/** Splits the range into the largest units with rollups. Minutes at its ends are read from the events. */
async function findParts(
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
  const weeksEndMs = level.week === undefined ? 0 : await findSummedWeeksEndMs(tx);
  const parts = cutRange(range, bucket === "1m" ? ["minute", ...units] : units, {
    weeksEndMs,
    isOpenEnded,
  });
  refuseDeletedParts(filter, parts);
  return parts;
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
    `requests before ${before.toISOString()} were deleted, so this range has no minutes. Use bucket 1h.`,
  );
}

export interface TopGroups extends Omit<ReportPage, "after" | "limit" | "order" | "columns"> {
  columns: readonly ReportColumn[];
  measure: Measure;
  isDescending: boolean;
  count: number;
}

export type TopRow = ReportRow & { isOther: boolean };

/**
 * Returns the rows of the first groups, in order within each bucket, and one row for all others. Only the ranking reads
 * every group, from the coarsest rollups. The others are the total minus the first groups.
 */
export async function listTop(tx: Tx, wanted: TopGroups): Promise<TopRow[]> {
  const top = await addRetention(tx, wanted);
  const { filter, columns, bucket, range, measure, isDescending, count } = top;
  await refusePrunedMinutes(tx, top);
  const ranking = await rankFirstGroups(tx, top, { by: measure, isDescending }, count);
  if (ranking.length === 0) return [];
  const isBucketed = bucket !== "none";
  const shape = async (of: Pick<ReportPage, "columns" | "filter">): Promise<ReportQuery> => ({
    ...of.filter,
    columns: of.columns,
    isBucketed,
    parts: isBucketed
      ? [{ ...range, unit: bucketUnits[bucket] }]
      : await findParts(tx, { ...top, ...of }),
  });
  const all = {
    order: { by: "time", isDescending: false },
    after: null,
    limit: 1_000_000,
  } as const;
  const inTop = { columns, filter: narrowFilter(filter, columns, ranking) };
  const rows = isBucketed
    ? await listReport(tx, await shape(inTop), all)
    : [...(await listGroups(tx, top, ranking)).values()];
  // A request in several groups is in several rows, so the others are the sum of all rows minus the first ones.
  const whole = { ...(await shape({ columns: [], filter })), countedBy: columns };
  const sums = await listReport(tx, whole, all);
  return addOthers(rows, sums, (row) => {
    const key = columns.map((column) => row[column]).join("\n");
    return ranking.findIndex((each) => each.columns.join("\n") === key);
  });
}

/** Limits a filter to the groups. The values of each column are listed too, so that an index applies. */
function narrowFilter(
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

function addOthers(
  rows: readonly ReportRow[],
  sums: readonly ReportRow[],
  rankOf: (row: ReportRow) => number,
): TopRow[] {
  const bucketOf = (row: ReportRow) => row.bucket_at?.getTime() ?? 0;
  const byBucket = Map.groupBy(rows, bucketOf);
  return sums.flatMap((sum): TopRow[] => {
    const first = (byBucket.get(bucketOf(sum)) ?? []).toSorted((a, b) => rankOf(a) - rankOf(b));
    const other: TopRow = { ...sum, isOther: true };
    for (const row of first) subtractCounts(other, row);
    const shown = first.map((row) => ({ ...row, isOther: false }));
    return other.requests > 0n ? [...shown, other] : shown;
  });
}

/** Returns the end of the row's bucket, milliseconds since the epoch. Null: a row of the whole range. */
export function rowEndMs(row: ReportRow, bucket: BucketName): number | null {
  if (row.bucket_at === null || bucket === "none") return null;
  return nextEdge(bucketUnits[bucket], row.bucket_at.getTime());
}
