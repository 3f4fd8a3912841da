import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Refusal, RefusalCount } from "./record-refusals.ts";
import { toRefusalFacts } from "./refusal-facts.rule.ts";

/**
 * Adds counts of refusals, by minute and by hour. Rows are written in key order, minutes first, so that two nodes wait for
 * each other and never deadlock.
 */
export async function addRefusalCounts(
  db: Database,
  counts: readonly RefusalCount[],
): Promise<void> {
  const column = <Name extends keyof RefusalCount>(name: Name) => counts.map((row) => row[name]);
  const times = counts.map(({ minuteMs }) => new Date(minuteMs));
  const counted = sql`unnest(${column("organizationId")}::uuid[], ${times}::timestamptz[],
      ${column("workspaceId")}::text[], ${column("apiKeyId")}::text[], ${column("errorCode")}::text[],
      ${column("model")}::text[], ${column("requests")}::bigint[])
    AS counted (organization_id, minute_at, workspace_id, api_key_id, error_code, model, requests)`;
  const add = (table: string, bucket: ReturnType<typeof sql>) => sql`
    INSERT INTO ${sql.table(table)} AS known
      (organization_id, bucket_at, workspace_id, api_key_id, error_code, model, requests)
    SELECT organization_id, ${bucket} AS bucket_at, workspace_id, api_key_id, error_code, model, sum(requests)
    FROM ${counted} GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (organization_id, bucket_at, workspace_id, api_key_id, error_code, model)
      DO UPDATE SET requests = known.requests + excluded.requests`;
  await inTransaction(db, async (tx) => {
    await add("refusal_minute", sql`minute_at`).execute(tx);
    await add("refusal_hour", sql`date_trunc('hour', minute_at, 'UTC')`).execute(tx);
  });
}

/**
 * Stores refusals, and deletes those of the same keys beyond the last `keep`. Rows that another node deletes are skipped, so
 * that two nodes never deadlock.
 */
export async function saveRecentRefusals(
  db: Database,
  refusals: readonly Refusal[],
  keep: number,
): Promise<void> {
  const column = <Name extends keyof Refusal>(name: Name) => refusals.map((row) => row[name]);
  const keys = [...new Map(refusals.map((row) => [row.apiKeyId, row])).values()];
  await inTransaction(db, async (tx) => {
    await sql`
      INSERT INTO refusal_recent (organization_id, workspace_id, api_key_id, refused_at, request_id, error_code,
        http_status, model, address, facts)
      SELECT * FROM unnest(${column("organizationId")}::uuid[], ${column("workspaceId")}::text[],
        ${column("apiKeyId")}::text[], ${refusals.map(({ atMs }) => new Date(atMs))}::timestamptz[],
        ${column("requestId")}::text[], ${column("errorCode")}::text[], ${column("httpStatus")}::smallint[],
        ${column("model")}::text[], ${column("address")}::text[],
        ${refusals.map(({ details }) => JSON.stringify(toRefusalFacts(details)))}::jsonb[])
      ON CONFLICT DO NOTHING`.execute(tx);
    await sql`
      DELETE FROM refusal_recent WHERE ctid = ANY(ARRAY(
        SELECT old.ctid
        FROM unnest(${keys.map((key) => key.organizationId)}::uuid[], ${keys.map((key) => key.apiKeyId)}::text[])
          AS touched (organization_id, api_key_id)
        CROSS JOIN LATERAL (
          SELECT refused_at, request_id FROM refusal_recent
          WHERE organization_id = touched.organization_id AND api_key_id = touched.api_key_id
          ORDER BY refused_at DESC, request_id DESC OFFSET ${keep - 1} LIMIT 1) AS oldest
        JOIN refusal_recent AS old ON old.organization_id = touched.organization_id
          AND old.api_key_id = touched.api_key_id
          AND (old.refused_at, old.request_id) < (oldest.refused_at, oldest.request_id)
        FOR UPDATE OF old SKIP LOCKED))`.execute(tx);
  });
}
