import { amountColumns, eventLabels, mapKeys } from "@bursar/contract/usage-shape.ts";
import { CompiledQuery, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { prepareOnce } from "#src/db/prepared.ts";
import { type ColumnTypes, columnParameters, columnTexts } from "./column-arrays.ts";
import type { UsageEventRow } from "./usage-rows.ts";

// Batches travel as one array per column: one statement however many rows (measured about 75,000 rows/s).

const eventTypes: ColumnTypes<UsageEventRow> = {
  request_id: "text",
  started_at: "timestamptz",
  ended_at: "timestamptz",
  node_id: "text",
  organization_id: "uuid",
  ...mapKeys(eventLabels, () => "text"),
  outcome: "text",
  http_status: "integer",
  is_stream: "boolean",
  is_estimated: "boolean",
  is_unpriced: "boolean",
  requested_model: "text",
  ...mapKeys(amountColumns, () => "bigint"),
  prices: "jsonb",
  upstream_request_id: "text",
  hold_nano_usd: "bigint",
  first_byte_ms: "integer",
};

const INSERT_EVENTS = prepareOnce(
  "insert_usage_events",
  `INSERT INTO usage_event (${Object.keys(eventTypes).join(", ")})
  SELECT * FROM unnest(${columnParameters(eventTypes)})`,
);

/** Appends the events. A request that is already there is an error: nothing may be recorded twice. */
export async function insertUsageEvents(tx: Tx, rows: readonly UsageEventRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.executeQuery(CompiledQuery.raw(INSERT_EVENTS, columnTexts(eventTypes, rows)));
}

/** Which of these requests have their event already: ids. */
export async function listRecordedRequests(
  db: Database | Tx,
  requests: readonly { requestId: string; startedAtMs: number }[],
): Promise<Set<string>> {
  if (requests.length === 0) return new Set();
  const { rows } = await sql<{ request_id: string }>`
    SELECT e.request_id
    FROM unnest(${requests.map((request) => new Date(request.startedAtMs))}::timestamptz[],
      ${requests.map((request) => request.requestId)}::text[]) AS asked (started_at, request_id)
    JOIN usage_event e USING (started_at, request_id)`.execute(db);
  return new Set(rows.map((row) => row.request_id));
}

/** Model names that stand in the reports of the last 31 days: those that count towards the cap of reported names. */
export async function listReportedModels(db: Database | Tx): Promise<string[]> {
  const { rows } = await sql<{ model: string }>`
    SELECT DISTINCT model FROM usage_organization_day WHERE bucket_at >= now() - interval '31 days'
    ORDER BY model`.execute(db);
  return rows.map((row) => row.model);
}
