import type { CostGroup } from "@bursar/contract/admin/cost.ts";
import type { ReportOrder as OrderBy } from "@bursar/contract/admin/report-fields.ts";
import {
  attributionLabels,
  costParts,
  type LabelColumn,
  type ReportGroup,
  toRecord,
  usageLabels,
} from "@bursar/contract/usage-shape.ts";
import type { ReportCall } from "#src/access/call.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { ReportReader } from "#src/db/reports-database.ts";
import type { Caller } from "#src/domain/caller.ts";
import { readCursor, readCursorAmount, readCursorTime } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { isoFromMs } from "#src/domain/spend-period.ts";
import { type CursorPart, encodeCursor } from "#src/lib/page-cursor.ts";
import { MINUTES_MS } from "#src/recording/minutes.sql.ts";
import { findUsageNames, type UsageNames } from "#src/recording/usage-names.sql.ts";
import { readAttribution } from "#src/usage/attribution.sql.ts";
import { checkUsageFilters, findVisibleUsage } from "#src/usage/visible-usage.ts";
import {
  addSimulated,
  type ListedRow,
  listPage,
  listTop,
  type ReportPage,
  sumRange,
} from "./read-report.ts";
import {
  inReport,
  type ReportOrder,
  type ReportPosition,
  type ReportRow,
  type UsageCounts,
} from "./report.sql.ts";
import { type BucketName, bucketMs, reportRange, type TimeRange } from "./report-range.rule.ts";
import type { ReportColumn, ReportFilter } from "./report-tables.ts";

export interface UsageDeps {
  /** The primary, which decides what the caller can see. The call's reader has the report's data. */
  database: Database;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
}

export interface UsageFilters extends Partial<Record<LabelColumn, string[] | undefined>> {
  group_id?: string[] | undefined;
  tag_id?: string[] | undefined;
  tag?: string[] | undefined;
  without_tag?: string | undefined;
}

export interface ExportQuery extends UsageFilters {
  starting_at?: string | undefined;
  ending_at?: string | undefined;
  bucket: BucketName;
  group_by?: CostGroup[] | undefined;
  tag_name?: string | undefined;
}

export interface UsageQuery extends ExportQuery {
  limit: number;
  page?: string | undefined;
  top?: number | undefined;
  order_by?: OrderBy | undefined;
  order?: "asc" | "desc" | undefined;
}

export type ShownRow = ReportRow & { isOther: boolean };

export interface UsageReport {
  rows: ShownRow[];
  /** Labels that the rows are grouped by. */
  groupBy: ReportGroup[];
  nextPage: string | null;
  range: TimeRange;
  totals: UsageCounts;
  names: UsageNames;
  /** True: a request can be in several rows. */
  hasOverlappingRows: boolean;
  dataAsOfMs: number;
}

const MAX_TOP_ROWS = 10_000;

/**
 * Returns a page of the report with the totals of its whole range. A page that the route splits by token type has fewer
 * rows. Throws a 404 for a workspace or key that the caller cannot see.
 */
export async function getUsage(
  deps: UsageDeps,
  { caller, reader }: ReportCall,
  query: UsageQuery,
): Promise<UsageReport> {
  const { page: cursor, limit, ...filters } = query;
  const groups = selectLabels(query);
  const order = readOrder(query);
  const isSplit = query.group_by?.includes("token_type") ?? false;
  const rowLimit = isSplit ? Math.max(1, Math.floor(limit / costParts.length)) : limit;
  const shape = { order, bucket: query.bucket, columns: groups.map(({ column }) => column) };
  const range = readRange(deps, query);
  // A cursor is bound to the start, also to a default one, but not to the end, which moves with the clock.
  const cursorFilters = {
    ...filters,
    starting_at: filters.starting_at ?? isoFromMs(range.startMs),
  };
  if (query.top !== undefined) checkTop(query, range, isSplit);
  const after = cursor === undefined ? null : readPosition(cursor, cursorFilters, shape);
  const filter = await readGroupedFilter(deps, caller, query);
  const isOpenEnded = range.endMs >= deps.nowMs();
  const wanted: ReportPage = { filter, range, isOpenEnded, after, limit: rowLimit + 1, ...shape };
  return inReport(reader, async (tx) => {
    const page = await addSimulated(tx, wanted);
    const found =
      query.top === undefined ? await listPage(tx, page) : await readTop(tx, page, query.top);
    const isCut = query.top === undefined && found.length > rowLimit;
    const rows = isCut ? found.slice(0, rowLimit) : found;
    const last = rows.at(-1);
    return {
      rows: rows.map((row) => ({ isOther: false, ...row })),
      groupBy: groups.map(({ name }) => name),
      nextPage:
        isCut && last ? encodeCursor(positionOf(last as ListedRow, shape), cursorFilters) : null,
      range,
      totals: await sumRange(tx, page),
      names: await findUsageNames(tx, caller.organizationId, rows),
      hasOverlappingRows: hasOverlappingRows(query),
      dataAsOfMs: reader.dataAsOfMs(),
    };
  });
}

/** Checks the query before the first row is sent. Yields all rows, oldest first, with one page in memory at a time. */
export async function openUsageExport(
  deps: UsageDeps,
  { caller, reader }: ReportCall,
  query: ExportQuery,
): Promise<{ groupBy: ReportGroup[]; range: TimeRange; pages: AsyncGenerator<ExportPage> }> {
  const groups = selectLabels(query);
  const range = readRange(deps, query);
  const filter = await readGroupedFilter(deps, caller, query);
  const columns = groups.map(({ column }) => column);
  const order = { by: "time", isDescending: false } as const;
  const isOpenEnded = range.endMs >= deps.nowMs();
  const shape = { filter, columns, bucket: query.bucket, range, isOpenEnded, order };
  const groupBy = groups.map(({ name }) => name);
  return { groupBy, range, pages: readPages(reader, shape) };
}

export interface ExportPage {
  rows: ShownRow[];
  names: UsageNames;
}

const EXPORT_PAGE = 5_000;

async function* readPages(
  reader: ReportReader,
  shape: Omit<ReportPage, "after" | "limit">,
): AsyncGenerator<ExportPage> {
  let after: ReportPosition | null = null;
  for (;;) {
    const wanted: ReportPage = { ...shape, after, limit: EXPORT_PAGE };
    const { rows, names } = await inReport(reader, async (tx) => {
      const rows = await listPage(tx, await addSimulated(tx, wanted));
      return { rows, names: await findUsageNames(tx, shape.filter.organizationId, rows) };
    });
    const last = rows.at(-1);
    if (last === undefined) return;
    yield { rows: rows.map((row) => ({ ...row, isOther: false })), names };
    if (rows.length < EXPORT_PAGE) return;
    after = {
      value: null,
      bucketAtMs: last.bucket_at?.getTime() ?? null,
      columns: shape.columns.map((column) => last[column] ?? ""),
    };
  }
}

function readTop(tx: Tx, page: ReportPage, count: number): Promise<ShownRow[]> {
  const { order } = page;
  return listTop(tx, {
    ...page,
    measure: order.by === "time" ? "cost" : order.by,
    isDescending: order.by === "time" || order.isDescending,
    count,
  });
}

function checkTop(query: UsageQuery, range: TimeRange, isSplit: boolean): void {
  const { top = 0, page, bucket } = query;
  if (selectLabels(query).length === 0) {
    throw refuseField("top", "allowed only with group_by.");
  }
  if (page !== undefined) {
    throw refuseField("page", "a response with top has one page.");
  }
  const buckets = bucket === "none" ? 1 : (range.endMs - range.startMs) / bucketMs(bucket);
  if (buckets * (top + 1) * (isSplit ? costParts.length : 1) > MAX_TOP_ROWS) {
    throw refuseField(
      "top",
      "the response could have more than 10,000 rows. Use fewer groups, larger buckets or a shorter range.",
    );
  }
}

/** Returns the requested labels, each once, in a fixed order. */
function selectLabels(query: Pick<ExportQuery, "group_by">) {
  const all = [...usageLabels, ...attributionLabels];
  return all.filter(({ name }) => query.group_by?.includes(name));
}

/** A request has at most one tag of a name. */
function hasOverlappingRows({ group_by: groupBy = [], tag_name: tagName }: ExportQuery): boolean {
  return groupBy.includes("group") || (groupBy.includes("tag") && tagName === undefined);
}

function readOrder({ bucket, order_by, order }: UsageQuery): ReportOrder {
  const by = order_by ?? (bucket === "none" ? "cost" : "time");
  return { by, isDescending: order === undefined ? by !== "time" : order === "desc" };
}

function readRange(deps: UsageDeps, query: ExportQuery): TimeRange {
  const startingAtMs = query.starting_at === undefined ? null : Date.parse(query.starting_at);
  const endingAtMs = query.ending_at === undefined ? deps.nowMs() : Date.parse(query.ending_at);
  return reportRange(query.bucket, startingAtMs, endingAtMs);
}

/** Makes the filter of a report, with the name of its tags. */
async function readGroupedFilter(
  deps: UsageDeps,
  caller: Caller,
  query: ExportQuery,
): Promise<ReportFilter> {
  const { tag_name: tagName, group_by: groupBy = [] } = query;
  if (tagName !== undefined && !groupBy.includes("tag")) {
    throw refuseField("tag_name", "allowed only with group_by=tag.");
  }
  return { ...withMinutes(deps, await readFilter(deps.database, caller, query)), tagName };
}

/** Adds the start of the stored minutes to a filter. */
export function withMinutes({ nowMs }: Pick<UsageDeps, "nowMs">, filter: ReportFilter) {
  return { ...filter, minutesFromMs: nowMs() - MINUTES_MS };
}

/** Makes the filter of the caller's query. Throws a 404 for a workspace or key that the caller cannot see. */
export async function readFilter(
  database: Database,
  caller: Caller,
  filters: UsageFilters,
): Promise<ReportFilter> {
  const { workspace_id: workspaceIds = [], api_key_id: apiKeyIds = [] } = filters;
  await checkUsageFilters(database, caller, { workspaceIds, apiKeyIds });
  return {
    organizationId: caller.organizationId,
    visible: await findVisibleUsage(database, caller),
    values: removeUndefined(toRecord(usageLabels, "column", ({ column }) => filters[column])),
    attribution: readAttribution(filters),
  };
}

/** Removes columns without a filter. */
export function removeUndefined(
  values: Partial<Record<ReportColumn, string[] | undefined>>,
): ReportFilter["values"] {
  return Object.fromEntries(Object.entries(values).filter(([, wanted]) => wanted !== undefined));
}

type Shape = Pick<ReportPage, "order" | "bucket" | "columns">;

function positionOf(row: ListedRow, { columns }: Shape): CursorPart[] {
  return [
    String(row.order_value ?? ""),
    row.bucket_at?.getTime() ?? 0,
    ...columns.map((column) => row[column] ?? ""),
  ];
}

function readPosition(cursor: string, cursorFilters: unknown, shape: Shape): ReportPosition {
  const kinds = ["string", "number", ...shape.columns.map(() => "string" as const)] as const;
  const [value = "", bucketAt, ...columns] = readCursor(cursor, cursorFilters, kinds);
  return {
    value: shape.order.by === "time" ? null : readCursorAmount(String(value)),
    bucketAtMs: shape.bucket === "none" ? null : readCursorTime(bucketAt),
    columns: columns.map(String),
  };
}
