import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import type { RefusedRequests } from "./key-refusals.ts";

/** Adds to what nodes have counted. Rows are written in key order, so that two nodes wait for each other and never deadlock. */
export async function addRefusals(db: Database, counts: readonly RefusedRequests[]): Promise<void> {
  const column = <Name extends keyof RefusedRequests>(name: Name) =>
    counts.map((count) => count[name]);
  const times = counts.map(({ minuteMs }) => new Date(minuteMs));
  await sql`
    INSERT INTO refused_request AS known (organization_id, workspace_id, api_key_id, minute_at, requests)
    SELECT * FROM unnest(${column("organizationId")}::uuid[], ${column("workspaceId")}::text[],
        ${column("apiKeyId")}::text[], ${times}::timestamptz[], ${column("requests")}::integer[])
      AS counted (organization_id, workspace_id, api_key_id, minute_at, requests)
    ORDER BY api_key_id, minute_at
    ON CONFLICT (api_key_id, minute_at) DO UPDATE SET requests = known.requests + excluded.requests`.execute(
    db,
  );
}
