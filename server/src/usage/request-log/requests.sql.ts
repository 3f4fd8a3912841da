import {
  type AmountColumn,
  billedMeasures,
  costParts,
  type EventLabel,
  eventLabels,
  type MeasureColumn,
} from "@bursar/contract/usage-shape.ts";
import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Outcome } from "#src/domain/request-record.ts";
import type { RequestStatus } from "#src/domain/request-status.ts";
import { EVENT_STATUS } from "#src/recording/rollup-tables.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import type { VisibleUsage } from "#src/usage/visible-usage.ts";

export interface RequestRow
  extends Record<EventLabel, string>,
    Record<MeasureColumn | "cost_nano_usd", bigint> {
  request_id: string;
  started_at: Date;
  ended_at: Date;
  requested_model: string;
  status: RequestStatus;
  outcome: Outcome;
  http_status: number | null;
  is_stream: boolean;
  is_estimated: boolean;
  is_unpriced: boolean;
  first_byte_ms: number | null;
  upstream_request_id: string | null;
}

export interface RequestDetailRow extends RequestRow, Record<AmountColumn, bigint> {
  prices: unknown;
  node_id: string;
}

const columns: readonly (keyof RequestRow)[] = [
  "request_id",
  "started_at",
  "ended_at",
  ...eventLabels,
  "requested_model",
  "outcome",
  "http_status",
  "is_stream",
  "is_estimated",
  "is_unpriced",
  ...billedMeasures.map(({ column }) => column),
  "cost_nano_usd",
  "first_byte_ms",
  "upstream_request_id",
];

const detailColumns: readonly (keyof RequestDetailRow)[] = [
  ...columns,
  ...costParts.map(({ column }) => column),
  "prices",
  "node_id",
];

const status = sql`${sql.raw(EVENT_STATUS)} AS status`;

/** Labels without an index. */
export const unindexedLabels = eventLabels.filter(
  (column) => column !== "workspace_id" && column !== "api_key_id",
);
type UnindexedLabel = (typeof unindexedLabels)[number];

export interface RequestFilter {
  organizationId: string;
  visible: VisibleUsage;
  /** Milliseconds since the epoch. */
  startMs: number;
  /** Exclusive. */
  endMs: number;
  workspaceIds: readonly string[] | undefined;
  apiKeyIds: readonly string[] | undefined;
  statuses: readonly string[] | undefined;
  labels: Partial<Record<UnindexedLabel, readonly string[]>>;
  minCostNanoUsd: bigint | undefined;
  /** Prefix of ids. */
  idPrefix: string | undefined;
  upstreamRequestId: string | undefined;
}

export interface RequestPlace {
  startedAtMs: number;
  requestId: string;
}

export interface RequestPage {
  rows: RequestRow[];
  /** Position where the search ended, after the last row if others did not match. Null: the end of the log. */
  searchEnd: RequestPlace | null;
}

/** Most entries that one page scans, in about a tenth of a second, however rare the matches. */
const MAX_SCANNED = 50_000;

/** Returns at most `limit` requests before `from`, newest first. */
export async function listRequests(
  tx: Tx,
  filter: RequestFilter,
  page: { from: RequestPlace | null; limit: number },
): Promise<RequestPage> {
  const { limit } = page;
  const indexed = makeIndexedConditions(filter, page.from);
  const others = makeOtherConditions(filter);
  const isSimple = others.length === 0;
  const scanLimit = isSimple ? limit + 1 : MAX_SCANNED;
  const { rows } = await sql<RequestRow>`
    SELECT * FROM (
      SELECT ${sql.join([...columns.map((column) => sql.ref(column)), status])} FROM usage_event
      WHERE ${sql.join(indexed, sql` AND `)}
      ORDER BY started_at DESC, request_id DESC LIMIT ${scanLimit}
    ) AS scanned
    ${isSimple ? sql`` : sql`WHERE ${sql.join(others, sql` AND `)}`}
    ORDER BY started_at DESC, request_id DESC LIMIT ${limit + 1}`.execute(tx);
  if (rows.length > limit) {
    const shown = rows.slice(0, limit);
    return { rows: shown, searchEnd: toPlace(shown.at(-1)) };
  }
  const last = isSimple ? null : await findLastScanned(tx, indexed);
  return { rows, searchEnd: last };
}

/** Returns the entry where the search ended, or null at the end of the log. */
async function findLastScanned(
  tx: Tx,
  indexed: readonly RawBuilder<unknown>[],
): Promise<RequestPlace | null> {
  const { rows } = await sql<Pick<RequestRow, "started_at" | "request_id">>`
    SELECT started_at, request_id FROM usage_event WHERE ${sql.join(indexed, sql` AND `)}
    ORDER BY started_at DESC, request_id DESC OFFSET ${MAX_SCANNED - 1} LIMIT 1`.execute(tx);
  return toPlace(rows[0]);
}

function toPlace(
  row: Pick<RequestRow, "started_at" | "request_id"> | undefined,
): RequestPlace | null {
  return row ? { startedAtMs: row.started_at.getTime(), requestId: row.request_id } : null;
}

/** Conditions that an index supports. They decide which entries are scanned. */
function makeIndexedConditions(
  filter: RequestFilter,
  from: RequestPlace | null,
): RawBuilder<unknown>[] {
  const { organizationId, visible, workspaceIds, apiKeyIds, statuses } = filter;
  const conditions = [
    sql`organization_id = ${organizationId}`,
    sql`started_at >= ${new Date(filter.startMs)}`,
    sql`started_at < ${new Date(filter.endMs)}`,
  ];
  const isVisible = isVisibleUsage(organizationId, visible);
  if (isVisible !== null) conditions.push(isVisible);
  if (workspaceIds) conditions.push(sql`workspace_id = ANY(${[...workspaceIds]}::text[])`);
  if (apiKeyIds) conditions.push(sql`api_key_id = ANY(${[...apiKeyIds]}::text[])`);
  // The predicate of the partial index of failed requests.
  if (statuses?.every((each) => each !== "answered" && each !== "aborted")) {
    conditions.push(sql`outcome NOT IN ('answered', 'aborted')`);
  }
  if (from) {
    const place = sql`(${new Date(from.startedAtMs)}::timestamptz, ${from.requestId}::text)`;
    conditions.push(sql`(started_at, request_id) < ${place}`);
  }
  return conditions;
}

function makeOtherConditions(filter: RequestFilter): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [];
  const { statuses, minCostNanoUsd, idPrefix, upstreamRequestId } = filter;
  for (const label of unindexedLabels) {
    const wanted = filter.labels[label];
    if (wanted) conditions.push(sql`${sql.ref(label)} = ANY(${[...wanted]}::text[])`);
  }
  if (statuses) conditions.push(sql`status = ANY(${[...statuses]}::text[])`);
  if (minCostNanoUsd !== undefined) conditions.push(sql`cost_nano_usd >= ${minCostNanoUsd}`);
  if (idPrefix !== undefined) conditions.push(sql`starts_with(request_id, ${idPrefix})`);
  if (upstreamRequestId !== undefined) {
    conditions.push(sql`upstream_request_id = ${upstreamRequestId}`);
  }
  return conditions;
}

/** Returns the request with all details, or null if the caller cannot see it. */
export async function findRequest(
  db: Database | Tx,
  of: Pick<RequestFilter, "organizationId" | "visible" | "startMs" | "endMs"> & { id: string },
): Promise<RequestDetailRow | null> {
  const isVisible = isVisibleUsage(of.organizationId, of.visible);
  const { rows } = await sql<RequestDetailRow>`
    SELECT ${sql.join([...detailColumns.map((column) => sql.ref(column)), status])} FROM usage_event
    WHERE organization_id = ${of.organizationId} AND request_id = ${of.id}
      AND started_at >= ${new Date(of.startMs)} AND started_at < ${new Date(of.endMs)}
      ${isVisible === null ? sql`` : sql`AND ${isVisible}`}`.execute(db);
  return rows[0] ?? null;
}
