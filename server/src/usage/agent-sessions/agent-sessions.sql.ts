import {
  billedMeasures,
  type ClaimedColumn,
  type MeasureColumn,
  type RequestClass,
  SIMULATED_TIER,
} from "@bursar/contract/usage-shape.ts";
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import type { VisibleUsage } from "#src/usage/visible-usage.ts";

// Agent sessions over usage_record. usage_event of older versions has none.

/** Id of a session. A client claims the first part, and its key decides about the second. */
export interface SessionKey {
  agentSessionId: string;
  /** Member who owned the key, or the key without an owner. */
  ownerId: string;
}

/** Position in the list: the newest request of a session. */
export interface SessionPlace {
  startedAtMs: number;
  requestId: string;
}

export interface SessionFilter {
  organizationId: string;
  visible: VisibleUsage;
  /** Milliseconds since the epoch. */
  startMs: number;
  /** Exclusive. */
  endMs: number;
  workspaceIds: readonly string[] | undefined;
  apiKeyIds: readonly string[] | undefined;
  memberIds: readonly string[] | undefined;
  agentSessionId: string | undefined;
}

export interface UsedSums extends Record<MeasureColumn | "cost_nano_usd", bigint> {
  requests: bigint;
  /** Part of the cost that the simulator answered. */
  simulated_nano_usd: bigint;
  first_at: Date;
  last_at: Date;
}

/** Most entries of the log that one page reads, in about a tenth of a second. */
const MAX_SCANNED = 50_000;

const HASH = sql`hashtextextended(request_id, 0)`;
const ORDER = sql`started_at DESC, ${HASH} DESC`;
/** Ids of members and keys have different prefixes. */
const OWNER = sql`(CASE WHEN member_id = '' THEN api_key_id ELSE member_id END)`;

interface PlaceRow {
  agent_session_id: string;
  owner_id: string;
  started_at: Date;
  request_id: string;
}

/**
 * Lists sessions by their newest request before `from`, at most `limit`. Sessions with a request at `from` or later are on
 * earlier pages. Null as the end: the log has no more.
 */
export async function listSessionKeys(
  tx: Tx,
  filter: SessionFilter,
  { from, limit }: { from: SessionPlace | null; limit: number },
): Promise<{ keys: SessionKey[]; end: SessionPlace | null }> {
  const isInRange = and([...makeRangeConditions(filter), ...(from ? [isBefore(from)] : [])]);
  const { rows } = await sql<PlaceRow>`
    WITH scanned AS MATERIALIZED (
      SELECT started_at, request_id, agent_session_id, labels_id FROM usage_record
      WHERE ${isInRange} ORDER BY ${ORDER} LIMIT ${MAX_SCANNED}
    ), newest AS MATERIALIZED (
      SELECT DISTINCT ON (agent_session_id, owner_id) * FROM (
        SELECT started_at, request_id, agent_session_id, ${OWNER} AS owner_id
        FROM scanned JOIN usage_labels ON usage_labels.id = labels_id
        WHERE agent_session_id IS NOT NULL AND ${and(makeLabelConditions(filter))}
      ) AS claimed ORDER BY agent_session_id, owner_id, ${ORDER}
    )
    SELECT agent_session_id, owner_id, started_at, request_id FROM newest
    WHERE ${from === null ? sql`true` : sql`NOT ${hasRequestFrom(filter, from)}`}
    ORDER BY ${ORDER} LIMIT ${limit + 1}`.execute(tx);
  const kept = rows.slice(0, limit);
  const keys = kept.map((row) => ({
    agentSessionId: row.agent_session_id,
    ownerId: row.owner_id,
  }));
  if (rows.length > limit) return { keys, end: toPlace(kept.at(-1)) };
  const { rows: last } = await sql<PlaceRow>`
    SELECT started_at, request_id FROM usage_record WHERE ${isInRange}
    ORDER BY ${ORDER} OFFSET ${MAX_SCANNED - 1} LIMIT 1`.execute(tx);
  return { keys, end: toPlace(last[0]) };
}

/** True if a session of `newest` has a request at the place or later. */
function hasRequestFrom(filter: SessionFilter, from: SessionPlace): RawBuilder<unknown> {
  return sql`EXISTS (SELECT FROM usage_record JOIN usage_labels ON usage_labels.id = labels_id
    WHERE usage_record.agent_session_id = newest.agent_session_id AND ${OWNER} = newest.owner_id
      AND ${and([...makeRangeConditions(filter), sql`NOT ${isBefore(from)}`, ...makeLabelConditions(filter)])})`;
}

function toPlace(row: PlaceRow | undefined): SessionPlace | null {
  return row === undefined
    ? null
    : { startedAtMs: row.started_at.getTime(), requestId: row.request_id };
}

function isBefore({ startedAtMs, requestId }: SessionPlace): RawBuilder<unknown> {
  return sql`((started_at, ${HASH}) < (${new Date(startedAtMs)}::timestamptz, hashtextextended(${requestId}, 0)))`;
}

function makeRangeConditions(filter: SessionFilter): RawBuilder<unknown>[] {
  const { startMs, endMs, agentSessionId } = filter;
  return [
    sql`started_at >= ${new Date(startMs)}`,
    sql`started_at < ${new Date(endMs)}`,
    ...(agentSessionId === undefined ? [] : [sql`agent_session_id = ${agentSessionId}`]),
  ];
}

/** Conditions on usage_labels. */
function makeLabelConditions(
  of: Pick<SessionFilter, "organizationId" | "visible"> &
    Partial<Pick<SessionFilter, "workspaceIds" | "apiKeyIds" | "memberIds">>,
): RawBuilder<unknown>[] {
  const isVisible = isVisibleUsage(of.visible);
  return [
    sql`organization_id = ${of.organizationId}`,
    ...(isVisible === null ? [] : [isVisible]),
    ...(of.workspaceIds ? [isAnyOf("workspace_id", of.workspaceIds)] : []),
    ...(of.apiKeyIds ? [isAnyOf("api_key_id", of.apiKeyIds)] : []),
    ...(of.memberIds ? [isAnyOf("member_id", of.memberIds)] : []),
  ];
}

/** Requests of sessions. */
export interface SessionScope {
  organizationId: string;
  visible: VisibleUsage;
  agentSessionIds: readonly string[];
  /** Null: all owners. */
  ownerId: string | null;
}

type GroupColumn = ClaimedColumn | "model" | "owner_id" | "member_id";

interface SumOptions<Group> {
  by: readonly Group[];
  order: RawBuilder<unknown>;
  limit?: number;
  /** Only requests of these prompts. Null in the list: those without a prompt. */
  promptIds?: readonly (string | null)[];
}

/** Sums requests of sessions by columns. A request is in one row. */
async function sumRequests<Group extends GroupColumn>(
  tx: Tx,
  of: SessionScope,
  { by, order, limit, promptIds }: SumOptions<Group>,
): Promise<(UsedSums & Record<Group, string | null> & AgentFacts)[]> {
  const columns = sql.join(by.map((column) => sql.ref(column)));
  const sums = [...billedMeasures.map(({ column }) => column), "cost_nano_usd" as const].map(
    (column) => sql`coalesce(sum_bigint(${sql.ref(column)}), 0) AS ${sql.ref(column)}`,
  );
  const { rows } = await sql<UsedSums & Record<Group, string | null> & AgentFacts>`
    SELECT ${columns}, count(*) AS requests,
      coalesce(sum_bigint(cost_nano_usd) FILTER (WHERE service_tier = ${SIMULATED_TIER}), 0) AS simulated_nano_usd,
      min(started_at) AS first_at, max(started_at) AS last_at,
      max(parent_agent_id) AS parent_agent,
      array_remove(array_agg(DISTINCT request_class), NULL) AS request_classes, ${sql.join(sums)}
    FROM (SELECT *, ${OWNER} AS owner_id FROM usage_record JOIN usage_labels ON usage_labels.id = labels_id) AS request
    WHERE ${and([
      isAnyOf("agent_session_id", of.agentSessionIds),
      ...makeLabelConditions(of),
      ...(of.ownerId === null ? [] : [sql`owner_id = ${of.ownerId}`]),
      ...(promptIds === undefined
        ? []
        : [sql`coalesce(prompt_id, '') = ANY(${promptIds.map((id) => id ?? "")}::text[])`]),
    ])}
    GROUP BY ${columns} ORDER BY ${order} ${limit === undefined ? sql`` : sql`LIMIT ${limit}`}`.execute(
    tx,
  );
  return rows;
}

interface AgentFacts {
  parent_agent: string | null;
  request_classes: RequestClass[];
}

const BY_COST = sql`cost_nano_usd DESC, model`;
const OLDEST_FIRST = sql`min(started_at), agent_id NULLS FIRST`;
const NEWEST_FIRST = sql`max(started_at) DESC, prompt_id`;

export const sumByModel = (tx: Tx, of: SessionScope) =>
  sumRequests(tx, of, {
    by: ["agent_session_id", "owner_id", "member_id", "model"],
    order: BY_COST,
  });

export const sumByOwner = (tx: Tx, of: SessionScope, limit: number) =>
  sumRequests(tx, of, {
    by: ["owner_id", "member_id"],
    order: sql`min(started_at), owner_id`,
    limit,
  });

export const sumByClass = (tx: Tx, of: SessionScope) =>
  sumRequests(tx, of, { by: ["request_class"], order: sql`request_class` });

export const sumByPrompt = (tx: Tx, of: SessionScope, limit: number) =>
  sumRequests(tx, of, { by: ["prompt_id"], order: NEWEST_FIRST, limit });

export const sumByAgent = (
  tx: Tx,
  of: SessionScope,
  { promptIds, limit }: { promptIds: readonly (string | null)[]; limit: number },
) => sumRequests(tx, of, { by: ["prompt_id", "agent_id"], order: OLDEST_FIRST, promptIds, limit });

function isAnyOf(column: string, values: readonly string[]): RawBuilder<unknown> {
  return sql`${sql.ref(column)} = ANY(${[...values]}::text[])`;
}

function and(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return sql`(${sql.join(conditions, sql` AND `)})`;
}
