import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

/** A rollup row that is not the sum of its events. Integer nano-USD. */
export interface RollupDifference {
  table: "usage_hour" | "usage_day";
  bucketAt: Date;
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
  model: string;
  eventRequests: bigint;
  rollupRequests: bigint;
  eventCostNanoUsd: bigint;
  rollupCostNanoUsd: bigint;
}

const MAX_DIFFERENCES = 100;

/**
 * Compares every rollup row, in every counted column, with the sum of its events. Empty when all agree; at most 100
 * differences. Reads the whole of usage_event: for tests and for a doctor, not for requests.
 */
export async function listRollupDifferences(db: Database | Tx): Promise<RollupDifference[]> {
  const hours = await compare(db, "usage_hour", "hour");
  const days = await compare(db, "usage_day", "day");
  return [...hours, ...days];
}

const labels = [
  "bucket_at",
  "organization_id",
  "workspace_id",
  "api_key_id",
  "model",
  "service_tier",
  "context_window",
  "inference_geo",
  "speed",
  "client",
];

const amounts = [
  "input_tokens",
  "cache_write_5m_tokens",
  "cache_write_1h_tokens",
  "cache_read_tokens",
  "output_tokens",
  "web_searches",
  "input_cost_nano_usd",
  "cache_write_5m_cost_nano_usd",
  "cache_write_1h_cost_nano_usd",
  "cache_read_cost_nano_usd",
  "output_cost_nano_usd",
  "web_search_cost_nano_usd",
  "cost_nano_usd",
];

const counted = ["requests", "errors", "estimated_requests", "unpriced_requests", ...amounts];

async function compare(
  db: Database | Tx,
  table: RollupDifference["table"],
  unit: "hour" | "day",
): Promise<RollupDifference[]> {
  const sums = amounts.map((column) => sql`sum(${sql.ref(column)})::bigint AS ${sql.ref(column)}`);
  const sides = (side: string) => sql.join(counted.map((column) => sql.ref(`${side}.${column}`)));
  const { rows } = await sql<RollupDifference>`
    WITH summed AS (
      SELECT ${sql.join([sql`date_trunc(${unit}, started_at, 'UTC') AS bucket_at`, ...labels.slice(1).map((label) => sql.ref(label))])},
        count(*) AS requests,
        count(*) FILTER (WHERE outcome IN ('refused', 'unreached', 'interrupted')) AS errors,
        count(*) FILTER (WHERE is_estimated) AS estimated_requests,
        count(*) FILTER (WHERE is_unpriced) AS unpriced_requests,
        ${sql.join(sums)}
      FROM usage_event
      GROUP BY ${sql.join(labels.map((_, index) => sql.raw(String(index + 1))))}
    )
    SELECT ${sql.lit(table)} AS "table", bucket_at AS "bucketAt", organization_id AS "organizationId",
      workspace_id AS "workspaceId", api_key_id AS "apiKeyId", model,
      coalesce(summed.requests, 0) AS "eventRequests", coalesce(rollup.requests, 0) AS "rollupRequests",
      coalesce(summed.cost_nano_usd, 0) AS "eventCostNanoUsd",
      coalesce(rollup.cost_nano_usd, 0) AS "rollupCostNanoUsd"
    FROM summed FULL JOIN ${sql.table(table)} AS rollup
      USING (${sql.join(labels.map((label) => sql.ref(label)))})
    WHERE (${sides("summed")}) IS DISTINCT FROM (${sides("rollup")})
    LIMIT ${MAX_DIFFERENCES}`.execute(db);
  return rows;
}
