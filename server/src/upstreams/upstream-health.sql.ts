import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import type { CircuitState, HealthFacts } from "./upstream-health.ts";

/** Health of one upstream on one node. */
export interface NodeHealthRow {
  node_id: string;
  state: CircuitState;
  answers: bigint;
  failures: bigint;
  failures_in_row: number;
  last_answer_at: Date | null;
  last_failure_at: Date | null;
  last_failure: string | null;
  reported_at: Date;
}

/** Lists the reports about an upstream since a time, one of each node. */
export async function listNodeHealth(
  db: Database,
  of: { organizationId: string; upstreamId: string; since: Date },
): Promise<NodeHealthRow[]> {
  const { rows } = await sql<NodeHealthRow>`
    SELECT node_id, state, answers, failures, failures_in_row, last_answer_at, last_failure_at, last_failure, reported_at
    FROM upstream_node_health JOIN upstream ON upstream.id = upstream_id
    WHERE upstream_id = ${of.upstreamId} AND organization_id = ${of.organizationId} AND reported_at >= ${of.since}
    ORDER BY node_id`.execute(db);
  return rows;
}

/** Lists the reports about all upstreams of an organization since a time. */
export async function listOrganizationHealth(
  db: Database,
  of: { organizationId: string; since: Date },
): Promise<(NodeHealthRow & { upstream_id: string })[]> {
  const { rows } = await sql<NodeHealthRow & { upstream_id: string }>`
    SELECT upstream_id, node_id, state, answers, failures, failures_in_row, last_answer_at, last_failure_at, last_failure,
      reported_at
    FROM upstream_node_health JOIN upstream ON upstream.id = upstream_id
    WHERE organization_id = ${of.organizationId} AND reported_at >= ${of.since}
    ORDER BY upstream_id, node_id`.execute(db);
  return rows;
}

/** Stores the report of a node. An upstream that was deleted meanwhile is left out. */
export async function saveNodeHealth(
  db: Database,
  nodeId: string,
  { upstreamId, facts, reportedAt }: { upstreamId: string; facts: HealthFacts; reportedAt: Date },
): Promise<void> {
  const toDate = (ms: number | null) => (ms === null ? null : new Date(ms));
  await sql`
    INSERT INTO upstream_node_health (upstream_id, node_id, state, answers, failures, failures_in_row, last_answer_at,
      last_failure_at, last_failure, reported_at)
    SELECT id, ${nodeId}::text, ${facts.state}::text, ${facts.answers}::bigint, ${facts.failures}::bigint,
      ${facts.failuresInRow}::integer, ${toDate(facts.lastAnswerAtMs)}::timestamptz,
      ${toDate(facts.lastFailureAtMs)}::timestamptz, ${facts.lastFailure}::text, ${reportedAt}::timestamptz
    FROM upstream WHERE id = ${upstreamId}
    ON CONFLICT (upstream_id, node_id) DO UPDATE SET state = excluded.state, answers = excluded.answers,
      failures = excluded.failures, failures_in_row = excluded.failures_in_row, last_answer_at = excluded.last_answer_at,
      last_failure_at = excluded.last_failure_at, last_failure = excluded.last_failure,
      reported_at = excluded.reported_at`.execute(db);
}

/** Deletes reports before a time, of nodes that are gone. */
export async function deleteOldHealth(db: Database, before: Date): Promise<void> {
  await sql`DELETE FROM upstream_node_health WHERE reported_at < ${before}`.execute(db);
}
