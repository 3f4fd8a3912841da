import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { RefusedRequests } from "./key-refusals.ts";

/**
 * Adds counts of refused requests, by minute and by hour. Rows are written in key order, minutes first, so that two
 * nodes wait for each other and never deadlock.
 */
export async function addRefusals(db: Database, counts: readonly RefusedRequests[]): Promise<void> {
  const column = <Name extends keyof RefusedRequests>(name: Name) =>
    counts.map((count) => count[name]);
  const times = counts.map(({ minuteMs }) => new Date(minuteMs));
  const counted = sql`unnest(${column("organizationId")}::uuid[], ${column("workspaceId")}::text[],
      ${column("apiKeyId")}::text[], ${times}::timestamptz[], ${column("requests")}::integer[])
    AS counted (organization_id, workspace_id, api_key_id, minute_at, requests)`;
  await inTransaction(db, async (tx) => {
    await sql`
      INSERT INTO refused_request AS known (organization_id, workspace_id, api_key_id, minute_at, requests)
      SELECT * FROM ${counted}
      ORDER BY api_key_id, minute_at
      ON CONFLICT (api_key_id, minute_at) DO UPDATE SET requests = known.requests + excluded.requests`.execute(
      tx,
    );
    await sql`
      INSERT INTO refused_request_hour AS known (organization_id, workspace_id, api_key_id, hour_at, requests)
      SELECT organization_id, workspace_id, api_key_id, date_trunc('hour', minute_at, 'UTC') AS hour_at, sum(requests)
      FROM ${counted} GROUP BY organization_id, workspace_id, api_key_id, hour_at
      ORDER BY api_key_id, hour_at
      ON CONFLICT (api_key_id, hour_at) DO UPDATE SET requests = known.requests + excluded.requests`.execute(
      tx,
    );
  });
}
