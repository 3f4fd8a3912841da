import {
  type AmountColumn,
  type AttributionColumn,
  attributionColumns,
  billedMeasures,
  type ClaimedColumn,
  claimedColumns,
  costParts,
  type EventLabel,
  eventLabels,
  type FailoverReason,
  type MeasureColumn,
  type RequestClass,
} from "@bursar/contract/usage-shape.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Doubt, Outcome } from "#src/domain/request-record.ts";
import type { RequestStatus } from "#src/domain/request-status.ts";
import { EVENT_STATUS } from "#src/recording/rollup-tables.ts";
import type { StoredCut } from "#src/recording/stored-cut.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import { mergeSearches, type RequestPlace } from "./merge-searches.rule.ts";
import {
  type RequestFilter,
  type SearchPage,
  searchEvents,
  searchRecords,
} from "./search-requests.sql.ts";

export interface RequestRow
  extends Record<EventLabel | AttributionColumn, string>,
    Record<MeasureColumn | "cost_nano_usd", bigint>,
    Record<Exclude<ClaimedColumn, "request_class">, string | null> {
  request_id: string;
  started_at: Date;
  ended_at: Date;
  requested_model: string;
  status: RequestStatus;
  outcome: Outcome;
  http_status: number | null;
  is_stream: boolean;
  is_estimated: boolean;
  doubt: Doubt | null;
  /** Null: no adjustment. */
  adjustment_nano_usd: bigint | null;
  is_unpriced: boolean;
  has_unbilled_parts: boolean;
  first_byte_ms: number | null;
  upstream_request_id: string | null;
  request_class: RequestClass | null;
  upstream_id: string | null;
  failover: FailoverReason | null;
  cut: StoredCut | null;
  /** Limit that ended the stream. Null: none, or it was removed. */
  cut_limit_id: string | null;
}

export interface RequestDetailRow extends RequestRow, Record<AmountColumn, bigint> {
  prices: unknown;
  node_id: string;
}

type ComputedColumn = "status" | "adjustment_nano_usd" | "cut_limit_id";

const columns: readonly Exclude<keyof RequestRow, ComputedColumn>[] = [
  "request_id",
  "started_at",
  "ended_at",
  ...eventLabels,
  ...attributionColumns,
  "requested_model",
  "outcome",
  "http_status",
  "is_stream",
  "is_estimated",
  "doubt",
  "is_unpriced",
  "has_unbilled_parts",
  ...billedMeasures.map(({ column }) => column),
  "cost_nano_usd",
  "first_byte_ms",
  "upstream_request_id",
  ...claimedColumns,
  "upstream_id",
  "failover",
  "cut",
];

const detailColumns: readonly Exclude<keyof RequestDetailRow, ComputedColumn>[] = [
  ...columns,
  ...costParts.map(({ column }) => column),
  "prices",
  "node_id",
];

const status = sql`${sql.raw(EVENT_STATUS)} AS status`;
const adjustment = sql`(SELECT sum(a.cost_nano_usd)::bigint FROM spend_adjustment AS a
  WHERE a.request_id = recorded_request.request_id AND a.organization_id = recorded_request.organization_id)
  AS adjustment_nano_usd`;
const cutLimit = sql`CASE WHEN cut IS NOT NULL THEN (SELECT l.id FROM spend_limit AS l
  WHERE l.scope_type = cut ->> 'scope_type' AND l.scope_id = cut ->> 'scope_id' AND l.period = cut ->> 'period'
    AND l.organization_id = recorded_request.organization_id) END AS cut_limit_id`;
const computed = [status, adjustment, cutLimit];

export interface RequestPage {
  rows: RequestRow[];
  /** Position where the search ended, after the last row if others did not match. Null: the end of the log. */
  searchEnd: RequestPlace | null;
}

/** Returns at most `limit` requests before `from`, newest first. */
export async function listRequests(
  tx: Tx,
  filter: RequestFilter,
  page: SearchPage,
): Promise<RequestPage> {
  const searches = [await searchRecords(tx, filter, page), await searchEvents(tx, filter, page)];
  const { places, searchEnd } = mergeSearches(searches, page.limit);
  return { rows: await listRows(tx, places), searchEnd };
}

async function listRows(tx: Tx, places: readonly RequestPlace[]): Promise<RequestRow[]> {
  if (places.length === 0) return [];
  const times = places.map(({ startedAtMs }) => new Date(startedAtMs));
  const ids = places.map(({ requestId }) => requestId);
  const { rows } = await sql<RequestRow>`
    SELECT ${sql.join([...columns.map((column) => sql.ref(column)), ...computed])} FROM recorded_request
    WHERE started_at = ANY(${times}::timestamptz[]) AND request_id = ANY(${ids}::text[])
    ORDER BY started_at DESC, request_hash DESC`.execute(tx);
  return rows;
}

/** Returns the request with all details, or null if the caller cannot see it. */
export async function findRequest(
  db: Database | Tx,
  of: Pick<RequestFilter, "organizationId" | "visible" | "startMs" | "endMs"> & { id: string },
): Promise<RequestDetailRow | null> {
  const isVisible = isVisibleUsage(of.visible);
  const { rows } = await sql<RequestDetailRow>`
    SELECT ${sql.join([...detailColumns.map((column) => sql.ref(column)), ...computed])} FROM recorded_request
    WHERE organization_id = ${of.organizationId}
      AND request_hash = hashtextextended(${of.id}, 0) AND request_id = ${of.id}
      AND started_at >= ${new Date(of.startMs)} AND started_at < ${new Date(of.endMs)}
      ${isVisible === null ? sql`` : sql`AND ${isVisible}`}`.execute(db);
  return rows[0] ?? null;
}
