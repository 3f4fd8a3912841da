import type { OfficialUsageGroup } from "@bursar/contract/admin/official-reports.ts";
import { maxBuckets } from "@bursar/contract/admin/official-reports.ts";
import type { ReportCall } from "#src/access/call.ts";
import type { Tx } from "#src/db/pool.ts";
import { readCursor, readCursorTime } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import { findVisibleUsage } from "#src/usage/visible-usage.ts";
import { listPage, type ReportPage } from "./read-report.ts";
import { findDefaultWorkspaceId, inReport, type ReportRow } from "./report.sql.ts";
import { bucketMs, checkYear } from "./report-range.rule.ts";
import type { ReportColumn, ReportFilter } from "./report-tables.ts";
import { removeUndefined, type UsageDeps, withMinutes } from "./usage.ts";

// The official bucketed reports. A page has some buckets, each with all of its groups.

export interface BucketQuery {
  starting_at: string;
  ending_at?: string | undefined;
  bucket_width: "1m" | "1h" | "1d";
  limit?: number | undefined;
  page?: string | undefined;
}

export interface UsageReportQuery extends BucketQuery {
  group_by?: OfficialUsageGroup[] | undefined;
  api_key_ids?: string[] | undefined;
  workspace_ids?: string[] | undefined;
  models?: string[] | undefined;
  service_tiers?: string[] | undefined;
  context_window?: string[] | undefined;
  inference_geos?: string[] | undefined;
  speeds?: string[] | undefined;
  account_ids?: string[] | undefined;
  service_account_ids?: string[] | undefined;
}

export interface Bucket {
  startMs: number;
  endMs: number;
  rows: ReportRow[];
}

export interface BucketReport {
  buckets: Bucket[];
  nextPage: string | null;
  columns: readonly ReportColumn[];
  /** Id of the default workspace, which is null in these reports. */
  defaultWorkspaceId: string | null;
}

const defaultBuckets = { "1d": 7, "1h": 24, "1m": 60 } as const;
/** Most groups on a page. The first bucket may have more. */
const MAX_RESULTS = 10_000;

const columnOf = {
  api_key_id: "api_key_id",
  workspace_id: "workspace_id",
  model: "model",
  service_tier: "service_tier",
  context_window: "context_window",
  inference_geo: "inference_geo",
  speed: "speed",
  account_id: "member_id",
  service_account_id: null,
} as const satisfies Record<OfficialUsageGroup, ReportColumn | null>;

/** Returns the official usage report of messages. Filters by unknown ids match nothing. */
export function getUsageReport(
  deps: UsageDeps,
  call: ReportCall,
  query: UsageReportQuery,
): Promise<BucketReport> {
  const columns = [...new Set(query.group_by)]
    .map((group) => columnOf[group])
    .filter((column) => column !== null);
  const wanted = {
    api_key_id: query.api_key_ids,
    workspace_id: query.workspace_ids,
    model: query.models,
    service_tier: query.service_tiers,
    context_window: query.context_window,
    inference_geo: query.inference_geos,
    speed: query.speeds,
    // Bursar has no service accounts, so this filter matches nothing.
    member_id: query.service_account_ids === undefined ? query.account_ids : [],
  };
  return readBuckets(deps, call, { query, columns, values: removeUndefined(wanted) });
}

/** Returns the official cost report. */
export function getCostReport(
  deps: UsageDeps,
  call: ReportCall,
  query: BucketQuery & { group_by?: ("workspace_id" | "description")[] | undefined },
): Promise<BucketReport> {
  const descriptionColumns: readonly ReportColumn[] = [
    "model",
    "service_tier",
    "context_window",
    "inference_geo",
  ];
  const columns: ReportColumn[] = [];
  if (query.group_by?.includes("workspace_id")) columns.push("workspace_id");
  if (query.group_by?.includes("description")) columns.push(...descriptionColumns);
  return readBuckets(deps, call, { query, columns, values: {} });
}

async function readBuckets(
  deps: UsageDeps,
  { caller, reader }: ReportCall,
  report: { query: BucketQuery; columns: readonly ReportColumn[]; values: ReportFilter["values"] },
): Promise<BucketReport> {
  const { query, columns, values } = report;
  const { page: cursor, limit, ...filters } = query;
  const width = query.bucket_width;
  const maxLimit = maxBuckets[width];
  if (limit !== undefined && limit > maxLimit) {
    throw refuseField("limit", `with bucket_width ${width} expected at most ${maxLimit}.`);
  }
  const lengthMs = bucketMs(width);
  const { startMs, endMs } = readRange(deps, query, lengthMs);
  const fromMs =
    cursor === undefined ? startMs : readStart(cursor, filters, { startMs, endMs, lengthMs });
  const toMs = Math.min(endMs, fromMs + (limit ?? defaultBuckets[width]) * lengthMs);
  const { organizationId } = caller;
  const visible = await findVisibleUsage(deps.database, caller);
  const page: ReportPage = {
    filter: withMinutes(deps, { organizationId, visible, values }),
    columns,
    bucket: width,
    range: { startMs: fromMs, endMs: toMs },
    isOpenEnded: false,
    order: { by: "time", isDescending: false },
    after: null,
    limit: MAX_RESULTS + 1,
  };
  return inReport(reader, async (tx) => {
    const { rows, endMs: shownToMs } = await listWholeBuckets(tx, page, lengthMs);
    return {
      buckets: toBuckets(rows, { startMs: fromMs, endMs: shownToMs, lengthMs }),
      nextPage: shownToMs < endMs ? encodeCursor([shownToMs], filters) : null,
      columns,
      defaultWorkspaceId: await findDefaultWorkspaceId(tx, organizationId),
    };
  });
}

/** Returns rows up to the end of the last whole bucket of the page. */
async function listWholeBuckets(
  tx: Tx,
  page: ReportPage,
  lengthMs: number,
): Promise<{ rows: ReportRow[]; endMs: number }> {
  const rows = await listPage(tx, page);
  const last = rows.at(-1)?.bucket_at?.getTime();
  if (rows.length <= MAX_RESULTS || last === undefined) return { rows, endMs: page.range.endMs };
  const whole = rows.filter((row) => row.bucket_at?.getTime() !== last);
  if (whole.length > 0) return { rows: whole, endMs: last };
  const endMs = last + lengthMs;
  const range = { startMs: page.range.startMs, endMs };
  return { rows: await listPage(tx, { ...page, range, limit: 1_000_000 }), endMs };
}

function toBuckets(
  rows: readonly ReportRow[],
  { startMs, endMs, lengthMs }: { startMs: number; endMs: number; lengthMs: number },
): Bucket[] {
  const byStart = Map.groupBy(rows, (row) => row.bucket_at?.getTime() ?? 0);
  const buckets: Bucket[] = [];
  for (let ms = startMs; ms < endMs; ms += lengthMs) {
    buckets.push({ startMs: ms, endMs: ms + lengthMs, rows: byStart.get(ms) ?? [] });
  }
  return buckets;
}

function readRange(deps: UsageDeps, query: BucketQuery, lengthMs: number) {
  const startingAtMs = Date.parse(query.starting_at);
  const endingAtMs = query.ending_at === undefined ? deps.nowMs() : Date.parse(query.ending_at);
  checkYear("starting_at", startingAtMs);
  checkYear("ending_at", endingAtMs);
  if (startingAtMs >= endingAtMs) {
    throw refuseField("starting_at", "expected a time before ending_at, whose default is now.");
  }
  return {
    startMs: Math.floor(startingAtMs / lengthMs) * lengthMs,
    endMs: Math.ceil(endingAtMs / lengthMs) * lengthMs,
  };
}

function readStart(
  cursor: string,
  filters: unknown,
  { startMs, endMs, lengthMs }: { startMs: number; endMs: number; lengthMs: number },
): number {
  const [part] = readCursor(cursor, filters, ["number"]);
  const ms = readCursorTime(part);
  // Clients can forge cursors, so the start is limited to the requested range.
  return Math.min(Math.max(Math.floor(ms / lengthMs) * lengthMs, startMs), endMs);
}
