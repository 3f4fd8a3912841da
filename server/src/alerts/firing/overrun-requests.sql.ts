import { type RawBuilder, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { StoredCut } from "#src/recording/stored-cut.ts";
import type { OverrunPlace } from "./overrun-alerts.sql.ts";

// Requests that an alert about an overrun names: those that cost most beyond their holds. Each search is bounded, because
// it can run in a fold.

export interface OverrunRequestRow {
  requestId: string;
  costNanoUsd: bigint;
  holdNanoUsd: bigint | null;
  cut: StoredCut | null;
  /** Its model or a tool exceeded a bound in this request. */
  isBeyondBound: boolean;
}

/** Most requests that a firing names. */
const MAX_NAMED = 10;
/** Most requests that a search outside a fold reads, the newest first: a tenth of a second. */
const MAX_SCANNED = 50_000;

const excess = sql`greatest(coalesce(record.cost_nano_usd, 0) - record.hold_nano_usd, 0)`;
const columns = sql`record.request_id AS "requestId", coalesce(record.cost_nano_usd, 0) AS "costNanoUsd",
  record.hold_nano_usd AS "holdNanoUsd", record.cut, ${excess} AS excess,
  EXISTS (SELECT FROM exceeded_bound AS bound WHERE bound.organization_id = labels.organization_id
    AND bound.request_id = record.request_id) AS "isBeyondBound"`;

/**
 * Lists requests of the scope among those of these batches, with the largest cost beyond its hold first. The batches are not
 * deleted yet. A batch knows minutes and labels, so a request of the same node, minute and labels can be listed too.
 */
export async function listRequestsOfBatches(
  tx: Tx,
  place: OverrunPlace,
  batchIds: readonly bigint[],
): Promise<OverrunRequestRow[]> {
  const { rows } = await sql<OverrunRequestRow>`
    SELECT ${columns}
    FROM (
      SELECT DISTINCT batch.node_id, one.bucket_at, one.labels_id
      FROM usage_batch AS batch CROSS JOIN LATERAL unnest(batch.bucket_at, batch.labels_id) AS one (bucket_at, labels_id)
      WHERE batch.id = ANY(${[...batchIds]}::bigint[])
    ) AS minute
    JOIN usage_labels AS labels ON labels.id = minute.labels_id
    JOIN usage_record AS record ON record.labels_id = minute.labels_id AND record.started_at >= minute.bucket_at
      AND record.started_at < minute.bucket_at + interval '1 minute'
    JOIN usage_node AS node ON node.id = record.usage_node_id AND node.node_id = minute.node_id
    WHERE ${isInScope(place)} AND ${isInPeriod(place)} AND record.cost_nano_usd > 0
    ORDER BY excess DESC NULLS LAST, record.cost_nano_usd DESC, record.started_at DESC LIMIT ${MAX_NAMED}`.execute(
    tx,
  );
  return rows;
}

/** Lists the newest requests of the scope in the period that cost more than their holds, the largest excess first. */
export async function listRequestsBeyondHolds(
  tx: Tx,
  place: OverrunPlace,
): Promise<OverrunRequestRow[]> {
  const { rows } = await sql<OverrunRequestRow>`
    SELECT ${columns}
    FROM (
      SELECT * FROM usage_record AS record WHERE ${isInPeriod(place)}
      ORDER BY record.started_at DESC, hashtextextended(record.request_id, 0) DESC LIMIT ${MAX_SCANNED}
    ) AS record
    JOIN usage_labels AS labels ON labels.id = record.labels_id
    WHERE ${isInScope(place)} AND record.cost_nano_usd > record.hold_nano_usd
    ORDER BY excess DESC, record.started_at DESC LIMIT ${MAX_NAMED}`.execute(tx);
  return rows;
}

function isInScope({ scopeType, scopeId }: OverrunPlace): RawBuilder<boolean> {
  switch (scopeType) {
    case "organization":
      return sql`labels.organization_id = ${scopeId}::uuid`;
    case "workspace":
      return sql`labels.workspace_id = ${scopeId}`;
    case "api_key":
      return sql`labels.api_key_id = ${scopeId}`;
    case "member":
      return sql`labels.member_id = ${scopeId}`;
    case "group":
      return sql`${scopeId} = ANY(string_to_array(labels.group_ids, ','))`;
    case "tag":
      return sql`${scopeId} = ANY(string_to_array(labels.tag_ids, ','))`;
    case "group_member":
      return sql`false`;
  }
}

function isInPeriod({ period, periodStart }: OverrunPlace): RawBuilder<boolean> {
  const unit = { daily: "1 day", weekly: "7 days", monthly: "1 month" }[period];
  return sql`(record.started_at >= (${periodStart}::date AT TIME ZONE 'UTC')
    AND record.started_at < ((${periodStart}::date + ${unit}::interval) AT TIME ZONE 'UTC'))`;
}
