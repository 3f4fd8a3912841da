import { eventLabels } from "@bursar/contract/usage-shape.ts";
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { Doubt } from "#src/domain/request-record.ts";
import { EVENT_STATUS } from "#src/recording/rollup-tables.ts";
import { doubts, outcomes } from "#src/recording/usage-record-rows.ts";
import {
  type AttributionFilter,
  makeAttributionConditions,
  matchesNone,
} from "#src/usage/attribution.sql.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import type { VisibleUsage } from "#src/usage/visible-usage.ts";
import type { FoundPlace, RequestPlace, RequestSearch } from "./merge-searches.rule.ts";

// Searches for requests in usage_record, and in usage_event of older versions. Each search reads a bounded number of
// entries, however rare the matches.

/** Labels that have no parameter of their own in the filter. */
export const otherLabels = eventLabels.filter(
  (column) => column !== "workspace_id" && column !== "api_key_id",
);
type OtherLabel = (typeof otherLabels)[number];

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
  labels: Partial<Record<OtherLabel, readonly string[]>>;
  attribution: AttributionFilter | null;
  minCostNanoUsd: bigint | undefined;
  doubts: readonly Doubt[] | undefined;
  /** True: with a decision about the cost. */
  isResolved: boolean | undefined;
  /** True: features that are billed by time could run. */
  hasUnbilledParts: boolean | undefined;
  /** True: streams that a spend limit ended. */
  isCut: boolean | undefined;
  /** Stored upstreams that requests were sent to. */
  upstreamIds: readonly string[] | undefined;
  /** Prefix of ids. */
  idPrefix: string | undefined;
  upstreamRequestId: string | undefined;
  /** Labels that the client claims. */
  agentSessionId: string | undefined;
  promptId: string | undefined;
}

export interface SearchPage {
  from: RequestPlace | null;
  limit: number;
}

/** Most entries that one search reads, in about a tenth of a second. */
const MAX_SCANNED = 50_000;
/** Entries that a search reads before it looks up labels: enough if a tenth of them match. */
const FIRST_SCANNED = 2_000;
const FIRST_SCANNED_PER_ROW = 10;
/** Most combinations of labels that are searched one by one. */
const MAX_PROBED = 1_000;

const HASH = sql`hashtextextended(request_id, 0)`;
const PLACE = sql`started_at, request_id, ${HASH} AS request_hash`;
/** The order of the unique index of usage_record. */
const ORDER = sql`ORDER BY started_at DESC, ${HASH} DESC`;
const outcome = sql.raw(`(ARRAY['${outcomes.join("', '")}'])[outcome_code + 1]`);

interface PlaceRow {
  started_at: Date;
  request_id: string;
  request_hash: bigint;
}

/**
 * Searches usage_record. The newest entries come first, since most filters match some of them. Then few combinations of
 * labels are searched by their index, and many are searched in a longer part of the log.
 */
export async function searchRecords(
  tx: Tx,
  filter: RequestFilter,
  page: SearchPage,
): Promise<RequestSearch> {
  // The index of agent sessions has the order of the log.
  if (filter.agentSessionId !== undefined) return scanRecords(tx, filter, page, MAX_SCANNED);
  const firstScanned = Math.max(FIRST_SCANNED, page.limit * FIRST_SCANNED_PER_ROW);
  const newest = await scanRecords(tx, filter, page, firstScanned);
  if (newest.end === null || newest.matches.length > page.limit) return newest;
  const labelIds = await listLabelIds(tx, filter);
  if (labelIds.length === 0) return { matches: [], end: null };
  if (labelIds.length > MAX_PROBED) return scanRecords(tx, filter, page, MAX_SCANNED);
  return probeRecords(tx, filter, page, labelIds);
}

/** Reads the newest entries of all labels. */
async function scanRecords(
  tx: Tx,
  filter: RequestFilter,
  { from, limit }: SearchPage,
  maxScanned: number,
): Promise<RequestSearch> {
  const isInRange = and([
    ...makeRangeConditions(filter, from),
    ...makeMarkConditions(filter),
    ...(hasOnlyFailed(filter) ? [sql`outcome_code >= 2`] : []),
  ]);
  const conditions = [...makeLabelConditions(filter), ...makeOtherConditions(filter)];
  const { rows } = await sql<PlaceRow>`
    SELECT ${PLACE} FROM (
      SELECT *, ${outcome} AS outcome FROM usage_record WHERE ${isInRange} ${ORDER} LIMIT ${maxScanned}
    ) AS scanned JOIN usage_labels ON usage_labels.id = labels_id
    WHERE ${and(conditions)} ${ORDER} LIMIT ${limit + 1}`.execute(tx);
  if (rows.length > limit) return toSearch(rows, rows.at(-1));
  const { rows: last } = await sql<PlaceRow>`
    SELECT ${PLACE} FROM usage_record WHERE ${isInRange}
    ${ORDER} OFFSET ${maxScanned - 1} LIMIT 1`.execute(tx);
  return toSearch(rows, last[0]);
}

/**
 * Reads the newest entries of each combination of labels. The search ends at the newest position where one of them has
 * more entries than were read.
 */
async function probeRecords(
  tx: Tx,
  filter: RequestFilter,
  { from, limit }: SearchPage,
  labelIds: readonly bigint[],
): Promise<RequestSearch> {
  const others = makeOtherConditions(filter);
  const isInRange = [...makeRangeConditions(filter, from), ...makeMarkConditions(filter)];
  const share = Math.floor(MAX_SCANNED / labelIds.length);
  const perLabel = others.length === 0 ? Math.min(share, limit + 1) : share;
  const { rows } = await sql<PlaceRow & { is_match: boolean; rank: bigint }>`
    WITH scanned AS MATERIALIZED (
      SELECT entry.* FROM unnest(${labelIds.map(String)}::bigint[]) AS label (id) CROSS JOIN LATERAL (
        SELECT ${PLACE}, ${others.length === 0 ? sql`true` : and(others)} AS is_match,
          row_number() OVER (${ORDER}) AS rank
        FROM (
          SELECT *, ${outcome} AS outcome FROM usage_record
          WHERE labels_id = label.id AND ${and(isInRange)} ${ORDER} LIMIT ${perLabel}
        ) AS newest
      ) AS entry
    )
    (SELECT * FROM scanned WHERE rank = ${perLabel} ${ORDER} LIMIT 1)
    UNION
    (SELECT * FROM scanned WHERE is_match ${ORDER} LIMIT ${limit + 1})
    ORDER BY started_at DESC, request_hash DESC`.execute(tx);
  const end = rows.find(({ rank }) => Number(rank) === perLabel);
  return toSearch(
    rows.filter((row) => row.is_match),
    end,
  );
}

async function listLabelIds(tx: Tx, filter: RequestFilter): Promise<bigint[]> {
  const { rows } = await sql<{ id: bigint }>`
    SELECT id FROM usage_labels WHERE ${and(makeLabelConditions(filter))}
    LIMIT ${MAX_PROBED + 1}`.execute(tx);
  return rows.map(({ id }) => id);
}

/**
 * Searches usage_event, whose indexes have workspaces and keys. Its requests have no doubt, no unbilled parts, no cut, no
 * upstream, no groups, no tags and no claimed labels.
 */
export async function searchEvents(
  tx: Tx,
  filter: RequestFilter,
  { from, limit }: SearchPage,
): Promise<RequestSearch> {
  const { workspaceIds, apiKeyIds, organizationId, visible } = filter;
  const isAttributed = filter.attribution !== null && !matchesNone(filter.attribution);
  const isClaimed = filter.agentSessionId !== undefined || filter.promptId !== undefined;
  if (
    filter.doubts !== undefined ||
    filter.hasUnbilledParts === true ||
    filter.isCut === true ||
    filter.upstreamIds !== undefined ||
    isAttributed ||
    isClaimed
  ) {
    return { matches: [], end: null };
  }
  const isVisible = isVisibleUsage(visible);
  const isIndexed = and([
    sql`organization_id = ${organizationId}`,
    ...makeRangeConditions(filter, from),
    ...(isVisible === null ? [] : [isVisible]),
    ...(workspaceIds ? [isAnyOf("workspace_id", workspaceIds)] : []),
    ...(apiKeyIds ? [isAnyOf("api_key_id", apiKeyIds)] : []),
    ...(hasOnlyFailed(filter) ? [sql`outcome NOT IN ('answered', 'aborted')`] : []),
  ]);
  const others = [...makeOtherLabelConditions(filter), ...makeOtherConditions(filter)];
  const isSimple = others.length === 0;
  const { rows } = await sql<PlaceRow>`
    SELECT ${PLACE} FROM (
      SELECT * FROM usage_event WHERE ${isIndexed} ${ORDER} LIMIT ${isSimple ? limit + 1 : MAX_SCANNED}
    ) AS scanned
    ${isSimple ? sql`` : sql`WHERE ${and(others)}`} ${ORDER} LIMIT ${limit + 1}`.execute(tx);
  if (rows.length > limit) return toSearch(rows, rows.at(-1));
  if (isSimple) return toSearch(rows, undefined);
  const { rows: last } = await sql<PlaceRow>`
    SELECT ${PLACE} FROM usage_event WHERE ${isIndexed}
    ${ORDER} OFFSET ${MAX_SCANNED - 1} LIMIT 1`.execute(tx);
  return toSearch(rows, last[0]);
}

function toSearch(rows: readonly PlaceRow[], end: PlaceRow | undefined): RequestSearch {
  return { matches: rows.map(toPlace), end: end === undefined ? null : toPlace(end) };
}

function toPlace(row: PlaceRow): FoundPlace {
  return {
    startedAtMs: row.started_at.getTime(),
    requestId: row.request_id,
    requestHash: row.request_hash,
  };
}

function makeRangeConditions(
  filter: RequestFilter,
  from: RequestPlace | null,
): RawBuilder<unknown>[] {
  const conditions = [
    sql`started_at >= ${new Date(filter.startMs)}`,
    sql`started_at < ${new Date(filter.endMs)}`,
  ];
  if (from) {
    const place = sql`(${new Date(from.startedAtMs)}::timestamptz, hashtextextended(${from.requestId}, 0))`;
    conditions.push(sql`(started_at, ${HASH}) < ${place}`);
  }
  return conditions;
}

/** Conditions on usage_labels. */
function makeLabelConditions(filter: RequestFilter): RawBuilder<unknown>[] {
  const { organizationId, visible, workspaceIds, apiKeyIds } = filter;
  const isVisible = isVisibleUsage(visible);
  return [
    sql`organization_id = ${organizationId}`,
    ...(isVisible === null ? [] : [isVisible]),
    ...(workspaceIds ? [isAnyOf("workspace_id", workspaceIds)] : []),
    ...(apiKeyIds ? [isAnyOf("api_key_id", apiKeyIds)] : []),
    ...makeOtherLabelConditions(filter),
    ...makeAttributionConditions(organizationId, filter.attribution ?? {}),
  ];
}

function makeOtherLabelConditions({ labels }: RequestFilter): RawBuilder<unknown>[] {
  return otherLabels.flatMap((label) => {
    const wanted = labels[label];
    return wanted === undefined ? [] : [isAnyOf(label, wanted)];
  });
}

/** Conditions on the request itself. */
function makeOtherConditions(filter: RequestFilter): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [];
  const { statuses, minCostNanoUsd, idPrefix, upstreamRequestId, isResolved, promptId } = filter;
  const { upstreamIds } = filter;
  if (statuses) conditions.push(sql`${sql.raw(EVENT_STATUS)} = ANY(${[...statuses]}::text[])`);
  if (minCostNanoUsd !== undefined) {
    conditions.push(sql`coalesce(cost_nano_usd, 0) >= ${minCostNanoUsd}`);
  }
  if (idPrefix !== undefined) conditions.push(sql`starts_with(request_id, ${idPrefix})`);
  if (upstreamRequestId !== undefined) {
    conditions.push(sql`upstream_request_id = ${upstreamRequestId}`);
  }
  if (upstreamIds !== undefined) {
    conditions.push(sql`split_part(served_by, ' ', 1) = ANY(${[...upstreamIds]}::text[])`);
  }
  if (promptId !== undefined) conditions.push(sql`prompt_id = ${promptId}`);
  if (isResolved !== undefined) {
    const resolved = sql`request_id IN (SELECT a.request_id FROM spend_adjustment AS a
      WHERE a.organization_id = ${filter.organizationId})`;
    conditions.push(isResolved ? resolved : sql`NOT ${resolved}`);
  }
  return conditions;
}

/** Conditions of the partial indexes of agent sessions, of doubtful and cut requests, and of those with unbilled parts. */
function makeMarkConditions(filter: RequestFilter): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [];
  if (filter.agentSessionId !== undefined) {
    conditions.push(sql`agent_session_id = ${filter.agentSessionId}`);
  }
  if (filter.doubts !== undefined) {
    const codes = filter.doubts.map((doubt) => doubts.indexOf(doubt) + 1);
    conditions.push(sql`doubt_code IS NOT NULL AND doubt_code = ANY(${codes}::smallint[])`);
  }
  if (filter.hasUnbilledParts !== undefined) {
    conditions.push(
      filter.hasUnbilledParts ? sql`has_unbilled_parts` : sql`has_unbilled_parts IS NOT TRUE`,
    );
  }
  if (filter.isCut !== undefined) {
    conditions.push(filter.isCut ? sql`cut IS NOT NULL` : sql`cut IS NULL`);
  }
  return conditions;
}

/** True if the partial index of failed requests has all matches. */
function hasOnlyFailed({ statuses }: RequestFilter): boolean {
  return statuses?.every((each) => each !== "answered" && each !== "aborted") ?? false;
}

function isAnyOf(column: string, values: readonly string[]): RawBuilder<unknown> {
  return sql`${sql.ref(column)} = ANY(${[...values]}::text[])`;
}

function and(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return sql`(${sql.join(conditions, sql` AND `)})`;
}
