import type { RefusalGroup } from "@bursar/contract/admin/refusals.ts";
import type { ReportBucket } from "@bursar/contract/admin/report-fields.ts";
import type { ReportCall } from "#src/access/call.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Caller } from "#src/domain/caller.ts";
import { readCursor, readCursorAmount, readCursorTime } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import { findRetentionMarks } from "#src/recording/retention.sql.ts";
import { findUsageNames, type UsageNames } from "#src/recording/usage-names.sql.ts";
import { checkYear } from "#src/usage/reports/report-range.rule.ts";
import { checkUsageFilters, findVisibleUsage } from "#src/usage/visible-usage.ts";
import {
  type CountPosition,
  listRefusalCounts,
  listRecentRefusals as listRows,
  type RecentRefusalRow,
  type RefusalFilter,
  type RefusalLabels,
  type RefusalRow,
  sumRefusals,
} from "./list-refusals.sql.ts";
import { findRefusalRange, type RefusalRange } from "./refusal-range.rule.ts";

export interface RefusalDeps {
  /** The primary, which decides what the caller can see. The call's reader has the data. */
  database: Database;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
}

interface RefusalFilters {
  starting_at?: string | undefined;
  ending_at?: string | undefined;
  workspace_id?: string[] | undefined;
  api_key_id?: string[] | undefined;
  error_code?: string[] | undefined;
  model?: string[] | undefined;
  is_unknown_key?: boolean | undefined;
}

interface PageQuery {
  limit: number;
  page?: string | undefined;
}

export interface RefusalReport {
  rows: RefusalRow[];
  columns: readonly (keyof RefusalLabels)[];
  names: UsageNames;
  range: RefusalRange;
  total: bigint;
  nextPage: string | null;
}

const columnOf = {
  workspace: "workspace_id",
  api_key: "api_key_id",
  error_code: "error_code",
  model: "model",
} as const satisfies Record<RefusalGroup, keyof RefusalLabels>;

/** Returns a page of counts with their sum. Throws a 404 for a workspace or key that the caller cannot see. */
export async function getRefusals(
  deps: RefusalDeps,
  { caller, reader }: ReportCall,
  query: RefusalFilters &
    PageQuery & { bucket: ReportBucket; group_by?: RefusalGroup[] | undefined },
): Promise<RefusalReport> {
  const { limit, page: cursor, ...filters } = query;
  const { bucket, group_by: groupBy = [] } = query;
  const after = cursor === undefined ? null : readCountPosition(cursor, filters);
  const given = { startMs: readTime(query.starting_at), endMs: readTime(query.ending_at) };
  const range = findRefusalRange(bucket, given, deps.nowMs());
  const filter = await readFilter(deps.database, caller, query);
  // A group by key names the workspace too.
  const columns = [...new Set(groupBy.map((group) => columnOf[group]))];
  if (columns.includes("api_key_id") && !columns.includes("workspace_id")) {
    columns.push("workspace_id");
  }
  return reader.inSnapshot(async (tx) => {
    await refuseDeletedHours(tx, range);
    const page = { filter, bucket, columns, ...range, after, limit: limit + 1 };
    const found = await listRefusalCounts(tx, page);
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    return {
      rows,
      columns,
      names: await findUsageNames(tx, caller.organizationId, rows),
      range,
      total: await sumRefusals(tx, page),
      nextPage: found.length > limit && last ? encodeCursor(positionOf(last), filters) : null,
    };
  });
}

/** Returns a page of stored refusals, newest first. Throws a 404 for a workspace or key that the caller cannot see. */
export async function listRecentRefusals(
  deps: RefusalDeps,
  { caller, reader }: ReportCall,
  query: RefusalFilters & PageQuery & { request_id?: string | undefined },
): Promise<{ rows: RecentRefusalRow[]; names: UsageNames; nextPage: string | null }> {
  const { limit, page: cursor, ...filters } = query;
  const after = cursor === undefined ? null : readRecentPosition(cursor, filters);
  const startMs = readTime(query.starting_at);
  const endMs = readTime(query.ending_at);
  if (startMs !== null) checkYear("starting_at", startMs);
  if (endMs !== null) checkYear("ending_at", endMs);
  const filter = await readFilter(deps.database, caller, query);
  return reader.inSnapshot(async (tx) => {
    const found = await listRows(tx, {
      ...{ filter, after, limit: limit + 1, idPrefix: query.request_id },
      startMs: startMs ?? 0,
      endMs: endMs ?? deps.nowMs() + CLOCK_TOLERANCE_MS,
    });
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    return {
      rows,
      names: await findUsageNames(tx, caller.organizationId, rows),
      nextPage:
        found.length > limit && last
          ? encodeCursor([last.refused_at.getTime(), last.request_id], filters)
          : null,
    };
  });
}

/** Nodes differ by less, milliseconds. */
const CLOCK_TOLERANCE_MS = 60_000;

async function readFilter(
  db: Database,
  caller: Caller,
  query: RefusalFilters,
): Promise<RefusalFilter> {
  const { workspace_id: workspaceIds, api_key_id: apiKeyIds } = query;
  await checkUsageFilters(db, caller, {
    ...(workspaceIds && { workspaceIds }),
    ...(apiKeyIds && { apiKeyIds }),
  });
  return {
    organizationId: caller.organizationId,
    visible: await findVisibleUsage(db, caller),
    seesUnknownKeys: canSeeUnknownKeys(caller),
    workspaceIds,
    apiKeyIds,
    errorCodes: query.error_code,
    models: query.model,
    isUnknownKey: query.is_unknown_key,
  };
}

/** Requests without a known key concern the whole installation: its operator and Owners see them. */
function canSeeUnknownKeys(caller: Caller): boolean {
  return caller.kind === "local_operator" || (caller.kind === "member" && caller.role === "owner");
}

async function refuseDeletedHours(tx: Tx, { parts }: RefusalRange): Promise<void> {
  const { hoursBefore } = await findRetentionMarks(tx);
  const isDeleted = parts.some(
    ({ unit, startMs }) =>
      unit === "hour" && hoursBefore !== null && startMs < hoursBefore.getTime(),
  );
  if (isDeleted) {
    throw refuseField(
      "starting_at",
      `refusals before ${hoursBefore?.toISOString()} were deleted. Use a later time.`,
    );
  }
}

function readTime(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text);
}

function positionOf(row: RefusalRow): CountPosition {
  const { workspace_id, api_key_id, error_code, model } = row;
  return [Number(row.bucket_ms), Number(row.requests), workspace_id, api_key_id, error_code, model];
}

function readCountPosition(cursor: string, filters: unknown): CountPosition {
  const shape = ["number", "number", "string", "string", "string", "string"] as const;
  const [bucketMs, requests, ...labels] = readCursor(cursor, filters, shape);
  const [workspaceId = "", apiKeyId = "", errorCode = "", model = ""] = labels.map(String);
  const count = Number(readCursorAmount(requests));
  return [Math.trunc(readCursorTime(bucketMs)), count, workspaceId, apiKeyId, errorCode, model];
}

function readRecentPosition(cursor: string, filters: unknown) {
  const [refusedAtMs, requestId] = readCursor(cursor, filters, ["number", "string"]);
  return { refusedAtMs: readCursorTime(refusedAtMs), requestId: String(requestId) };
}
