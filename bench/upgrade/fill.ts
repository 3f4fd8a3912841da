import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { sql } from "kysely";
import type { Database } from "../../server/src/db/pool.ts";

// Fills a database of version 0.1 with events, and with the rollups and balances that its servers would have. The shape
// of a released version never changes, so the statements are written for it.

/** Exports of 0.1's `server/src/metering/rollup-tables.ts`. */
interface ReleasedRollups {
  rollupTables: Record<string, { unit: string; labels: readonly string[] }>;
  countColumns: readonly string[];
  EVENT_COUNTS: Record<string, string>;
  EVENT_STATUS: string;
}

const DAYS = 90;
const DAY_MS = 86_400_000;
const KEYS = 1_000;
const WORKSPACES = 100;

/** Inserts events of the last 90 days. `source` is a checkout of 0.1, which has migrated the database. */
export async function fillDatabase(
  database: Database,
  fill: { source: string; events: number; onStep: (text: string) => void },
): Promise<void> {
  const path = join(fill.source, "server/src/metering/rollup-tables.ts");
  const rollups = (await import(pathToFileURL(path).href)) as ReleasedRollups;
  const endMs = Date.now();
  fill.onStep(`${fill.events.toLocaleString("en")} events`);
  await createMonths(database, endMs - DAYS * DAY_MS, endMs);
  await insertScopes(database);
  await insertEvents(database, { events: fill.events, endMs });
  for (const table of Object.keys(rollups.rollupTables)) {
    fill.onStep(table);
    await insertRollup(database, rollups, table);
  }
  fill.onStep("balances");
  await insertBalances(database);
  await sql`VACUUM ANALYZE`.execute(database);
}

/** Creates the partitions of past months, as 0.1 names them. */
async function createMonths(database: Database, startMs: number, endMs: number): Promise<void> {
  const start = new Date(startMs);
  let at = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth()));
  while (at.getTime() < endMs) {
    const next = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1));
    const table = sql.table(`usage_event_${at.toISOString().slice(0, 7).replace("-", "_")}`);
    await sql`CREATE TABLE IF NOT EXISTS ${table} PARTITION OF usage_event
      FOR VALUES FROM (${sql.lit(at.toISOString())}) TO (${sql.lit(next.toISOString())})`.execute(
      database,
    );
    at = next;
  }
}

async function insertScopes(database: Database): Promise<void> {
  await sql`INSERT INTO workspace (id, organization_id, name, display_color)
    SELECT 'wksp_' || lpad(i::text, 24, '0'), organization.id, 'Workspace ' || i, '#6c5bb9'
    FROM organization, generate_series(0, ${WORKSPACES - 1}::int) AS i`.execute(database);
  await sql`INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id)
    SELECT 'apikey_' || lpad(i::text, 24, '0'), organization.id,
      'wksp_' || lpad((i % ${WORKSPACES}::int)::text, 24, '0'), 'Key ' || i, 'write', 'system', 'bench'
    FROM organization, generate_series(0, ${KEYS - 1}::int) AS i`.execute(database);
}

async function insertEvents(
  database: Database,
  { events, endMs }: { events: number; endMs: number },
): Promise<void> {
  await sql`
    INSERT INTO usage_event (request_id, started_at, ended_at, node_id, organization_id, workspace_id, api_key_id,
      member_id, outcome, http_status, is_stream, is_estimated, is_unpriced, requested_model, model, service_tier,
      context_window, inference_geo, speed, client, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
      cache_read_tokens, output_tokens, web_searches, input_cost_nano_usd, cache_write_5m_cost_nano_usd,
      cache_write_1h_cost_nano_usd, cache_read_cost_nano_usd, output_cost_nano_usd, web_search_cost_nano_usd,
      cost_nano_usd, prices, upstream_request_id, first_byte_ms)
    SELECT 'req_' || lpad(i::text, 24, '0'), at, at + interval '2 s', 'node_filled', organization.id,
      'wksp_' || lpad((k % ${WORKSPACES}::int)::text, 24, '0'), 'apikey_' || lpad(k::text, 24, '0'), '',
      CASE WHEN r < 0.97 THEN 'answered' ELSE 'refused' END, CASE WHEN r < 0.97 THEN 200 ELSE 529 END,
      true, false, false, model, model, 'standard', '0-200k', 'not_available', 'standard', 'anthropic-python',
      1500, 0, 0, 2000, 300, 0, 1500 * i, 0, 0, 3000000, 6000000, 0, 1500 * i + 9000000, '{}', 'req_upstream_' || i, 300
    FROM organization, LATERAL (
      SELECT i, k, r, at, (ARRAY['claude-opus-5', 'claude-haiku-4-5-20251001'])[1 + (k + (r > 0.8)::int) % 2] AS model
      FROM (
        SELECT i, random() AS r, floor(${KEYS}::int * power(random(), 2))::int AS k,
          date_trunc('milliseconds', ${new Date(endMs)}::timestamptz
            - (${DAYS * DAY_MS}::float8 * i / ${events}::float8) * interval '1 ms') AS at
        FROM generate_series(1, ${events}::int) AS i
      ) AS drawn
    ) AS made`.execute(database);
}

async function insertRollup(
  database: Database,
  { rollupTables, countColumns, EVENT_COUNTS, EVENT_STATUS }: ReleasedRollups,
  table: string,
): Promise<void> {
  const shape = rollupTables[table];
  if (shape === undefined) throw new Error(`${table} is no rollup`);
  const { unit, labels } = shape;
  // Rows that a server has: weeks that it summed, and minutes that it keeps.
  const kept =
    unit === "week"
      ? "WHERE started_at < (SELECT summed_before FROM usage_weeks)"
      : unit === "minute"
        ? "WHERE started_at >= now() - interval '8 days'"
        : "";
  const shown = labels.map((label) => (label === "status" ? EVENT_STATUS : label));
  const counts = countColumns.map((column) => `sum(${EVENT_COUNTS[column] ?? column})::bigint`);
  const group = labels.map((_, index) => index + 3);
  await sql
    .raw(
      `INSERT INTO ${table} (bucket_at, organization_id, ${labels.join(", ")}, ${countColumns.join(", ")})
       SELECT date_trunc('${unit}', started_at, 'UTC'), organization_id, ${shown.join(", ")}, ${counts.join(", ")}
       FROM usage_event ${kept} GROUP BY 1, 2, ${group.join(", ")} ORDER BY 1`,
    )
    .execute(database);
}

async function insertBalances(database: Database): Promise<void> {
  await sql`
    INSERT INTO balance (scope_type, scope_id, period, period_start, organization_id, settled_nano_usd)
    SELECT scope_type, scope_id, period, date_trunc(unit, started_at AT TIME ZONE 'UTC')::date, organization_id,
      sum(cost_nano_usd)
    FROM usage_event
    CROSS JOIN LATERAL (VALUES ('organization', organization_id::text), ('workspace', workspace_id),
      ('api_key', api_key_id)) AS scope (scope_type, scope_id)
    CROSS JOIN (VALUES ('daily', 'day'), ('weekly', 'week'), ('monthly', 'month')) AS length (period, unit)
    GROUP BY 1, 2, 3, 4, 5`.execute(database);
}
