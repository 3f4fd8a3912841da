import { idPrefixes } from "@bursar/contract/ids.ts";
import type { LabelColumn } from "@bursar/contract/usage-shape.ts";
import type { Call, ReportCall } from "#src/access/call.ts";
import type { Database } from "#src/db/pool.ts";
import type { ReportReader } from "#src/db/reports-database.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { readCursor, readCursorTime } from "#src/domain/page-position.ts";
import { readAmount } from "#src/domain/read-amount.ts";
import type { Doubt } from "#src/domain/request-record.ts";
import { findStartRange } from "#src/domain/request-times.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { findIdTimeRange } from "#src/lib/ids.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import { findUsageNames, type UsageNames } from "#src/recording/usage-names.sql.ts";
import { readAttribution } from "#src/usage/attribution.sql.ts";
import { checkYear } from "#src/usage/reports/report-range.rule.ts";
import { checkUsageFilters, findVisibleUsage } from "#src/usage/visible-usage.ts";
import type { RequestPlace } from "./merge-searches.rule.ts";
import {
  findRequest,
  listRequests as listRows,
  type RequestDetailRow,
  type RequestRow,
} from "./requests.sql.ts";
import { otherLabels, type RequestFilter } from "./search-requests.sql.ts";

export interface RequestDeps {
  /** The primary. Lists are read by the call's reader. */
  database: Database;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
}

export interface RequestQuery extends Partial<Record<LabelColumn, string[] | undefined>> {
  starting_at?: string | undefined;
  ending_at?: string | undefined;
  min_cost_usd?: string | number | undefined;
  doubt?: Doubt[] | undefined;
  is_resolved?: boolean | undefined;
  has_unbilled_parts?: boolean | undefined;
  is_cut?: boolean | undefined;
  group_id?: string[] | undefined;
  tag_id?: string[] | undefined;
  tag?: string[] | undefined;
  without_tag?: string | undefined;
  upstream_id?: string[] | undefined;
  request_id?: string | undefined;
  upstream_request_id?: string | undefined;
  agent_session_id?: string | undefined;
  prompt_id?: string | undefined;
}

export interface NamedRequests {
  rows: RequestRow[];
  names: UsageNames;
}

/** Returns a page with names, newest first. Throws a 404 for a workspace or key that the caller cannot see. */
export async function listRequests(
  deps: RequestDeps,
  { caller, reader }: ReportCall,
  query: RequestQuery & { limit: number; page?: string | undefined },
): Promise<NamedRequests & { nextPage: string | null }> {
  const { limit, page: cursor, ...filters } = query;
  const from = cursor === undefined ? null : readPlace(cursor, filters);
  const filter = await readFilter(deps, caller, filters);
  return reader.inSnapshot(async (tx) => {
    const { rows, searchEnd } =
      filter === null ? { rows: [], searchEnd: null } : await listRows(tx, filter, { from, limit });
    return {
      rows,
      names: await findUsageNames(tx, caller.organizationId, listNamed(rows)),
      nextPage: searchEnd && encodeCursor([searchEnd.startedAtMs, searchEnd.requestId], filters),
    };
  });
}

/** Rows of one page. PostgreSQL's rows of a page are parsed in one turn: 250 took up to 5 ms. */
const EXPORT_PAGE = 100;

/** Checks the query before the first line is sent. Yields all requests until now, with one page in memory at a time. */
export async function openRequestExport(
  deps: RequestDeps,
  { caller, reader }: ReportCall,
  query: RequestQuery,
): Promise<AsyncGenerator<NamedRequests>> {
  const filter = await readFilter(deps, caller, query);
  return readPages(reader, filter);
}

async function* readPages(
  reader: ReportReader,
  filter: RequestFilter | null,
): AsyncGenerator<NamedRequests> {
  let from: RequestPlace | null = null;
  while (filter !== null) {
    const page: { from: RequestPlace | null; limit: number } = { from, limit: EXPORT_PAGE };
    const { rows, names, searchEnd } = await reader.inSnapshot(async (tx) => {
      const found = await listRows(tx, filter, page);
      const named = listNamed(found.rows);
      return { ...found, names: await findUsageNames(tx, filter.organizationId, named) };
    });
    yield { rows, names };
    if (searchEnd === null) return;
    from = searchEnd;
  }
}

/** Throws a 404 if the request does not exist, was deleted by age, or is hidden from the caller. */
export async function getRequest(
  deps: RequestDeps,
  { caller }: Call,
  id: string,
): Promise<{ row: RequestDetailRow; names: UsageNames }> {
  const { organizationId } = caller;
  const idTimes = findIdTimeRange(idPrefixes.request, id);
  const row =
    idTimes &&
    (await findRequest(deps.database, {
      organizationId,
      visible: await findVisibleUsage(deps.database, caller),
      id,
      ...findStartRange(idTimes),
    }));
  if (!row)
    throw new ApiError("resource_not_found", "Request not found", {}, { resource: "request" });
  return { row, names: await findUsageNames(deps.database, organizationId, listNamed([row])) };
}

/** Rows with ids to name: the requests, and the scopes of the limits that cut them. */
function listNamed(rows: readonly RequestRow[]) {
  return rows.flatMap((row) => {
    if (row.cut === null) return [row];
    const { scope_type: scopeType, scope_id: scopeId } = row.cut;
    const { type: _, ...scope } = toWireScope({ scopeType, scopeId });
    return [row, scope];
  });
}

/** Returns null if no request can match. */
async function readFilter(
  deps: RequestDeps,
  caller: Caller,
  query: RequestQuery,
): Promise<RequestFilter | null> {
  const { workspace_id: workspaceIds, api_key_id: apiKeyIds, request_id: idPrefix } = query;
  await checkUsageFilters(deps.database, caller, {
    ...(workspaceIds && { workspaceIds }),
    ...(apiKeyIds && { apiKeyIds }),
  });
  const range = readRange(deps, query);
  const idTimes = idPrefix === undefined ? null : findIdTimeRange(idPrefixes.request, idPrefix);
  if (idPrefix !== undefined && idTimes === null) return null;
  const labels = otherLabels.flatMap((label) => {
    const wanted = query[label];
    return wanted === undefined ? [] : [[label, wanted] as const];
  });
  return {
    organizationId: caller.organizationId,
    visible: await findVisibleUsage(deps.database, caller),
    ...(idTimes === null ? range : intersectRanges(range, findStartRange(idTimes))),
    workspaceIds,
    apiKeyIds,
    statuses: query.status,
    labels: Object.fromEntries(labels),
    attribution: readAttribution(query),
    minCostNanoUsd:
      query.min_cost_usd === undefined ? undefined : readAmount("min_cost_usd", query.min_cost_usd),
    doubts: query.doubt,
    isResolved: query.is_resolved,
    hasUnbilledParts: query.has_unbilled_parts,
    isCut: query.is_cut,
    upstreamIds: query.upstream_id,
    idPrefix,
    upstreamRequestId: query.upstream_request_id,
    agentSessionId: query.agent_session_id,
    promptId: query.prompt_id,
  };
}

const BEGINNING_MS = 946_684_800_000; // 2000-01-01T00:00:00Z

function readRange(deps: RequestDeps, { starting_at, ending_at }: RequestQuery) {
  const startMs = starting_at === undefined ? BEGINNING_MS : Date.parse(starting_at);
  // Excludes later requests, because a growing log would never end.
  const endMs = ending_at === undefined ? deps.nowMs() + 1 : Date.parse(ending_at);
  if (starting_at !== undefined) checkYear("starting_at", startMs);
  if (ending_at !== undefined) checkYear("ending_at", endMs);
  return { startMs, endMs };
}

function intersectRanges(
  a: { startMs: number; endMs: number },
  b: { startMs: number; endMs: number },
): { startMs: number; endMs: number } {
  return { startMs: Math.max(a.startMs, b.startMs), endMs: Math.min(a.endMs, b.endMs) };
}

function readPlace(cursor: string, filters: unknown): RequestPlace {
  const [startedAtMs, requestId] = readCursor(cursor, filters, ["number", "string"]);
  return { startedAtMs: readCursorTime(startedAtMs), requestId: String(requestId) };
}
