import { countColumns } from "@bursar/contract/usage-shape.ts";
import { sql } from "kysely";
import { type Database, openDatabase } from "../server/src/db/pool.ts";
import {
  EVENT_COUNTS,
  EVENT_STATUS,
  isAttributedRollup,
  rollupTableNames,
  rollupTables,
} from "../server/src/recording/rollup-tables.ts";

// Creates an artificial history of requests inside PostgreSQL: ten million take minutes. Each month is filled as a
// separate table and gets its indices when attached. Rollups are in order of time, as from the flush. All hours of the
// history are closed.

export interface HistoryOptions {
  requests: number;
  keys: number;
  workspaces: number;
  members: number;
  days: number;
  organizationId: string;
  /** End of the history and start of an hour, milliseconds since the epoch. */
  endMs: number;
  onStep: (text: string) => void;
}

/** Settings of PostgreSQL that make the history fast. A crash during it loses everything, so it is created again. */
export const historySettings = {
  max_connections: "50",
  max_wal_size: "8GB",
  wal_level: "minimal",
  max_wal_senders: "0",
};

const DAY_MS = 86_400_000;
const MONTHS_OF = /^(\d{4})-(\d{2})/;

/** Opens one connection for statements that take minutes. */
export async function openForHistory(connectionString: string): Promise<Database> {
  const separator = connectionString.includes("?") ? "&" : "?";
  const database = openDatabase({
    connectionString: `${connectionString}${separator}options=-c%20statement_timeout%3D0%20-c%20work_mem%3D512MB`,
    maxConnections: 1,
    onIdleError: () => undefined,
    silenceMs: 3_600_000,
  });
  await sql`SET statement_timeout = 0`.execute(database);
  return database;
}

export async function makeHistory(database: Database, options: HistoryOptions): Promise<void> {
  const { onStep } = options;
  await makeScopes(database, options);
  await makeAuditLog(database, options);
  const startMs = options.endMs - options.days * DAY_MS;
  for (const month of monthsBetween(startMs, options.endMs)) {
    const fromMs = Math.max(month.startMs, startMs);
    const toMs = Math.min(month.endMs, options.endMs);
    const share = (toMs - fromMs) / (options.endMs - startMs);
    const requests = Math.round(options.requests * share);
    onStep(`${month.name}: ${requests.toLocaleString("en")} requests`);
    await makeMonth(database, options, { ...month, fromMs, toMs, requests });
  }
  // No request has a group or a tag.
  for (const table of rollupTableNames.filter((name) => !isAttributedRollup(name))) {
    onStep(table);
    await rollUp(database, table);
  }
  await sql`UPDATE rollup_progress SET hour_at = ${new Date(options.endMs)}`.execute(database);
  onStep("vacuum analyze");
  await sql`VACUUM ANALYZE`.execute(database);
}

/** Inserts members, workspaces and keys. Every second key has an owner. */
export async function makeScopes(
  database: Database,
  options: Pick<HistoryOptions, "organizationId" | "workspaces" | "keys" | "members">,
): Promise<void> {
  const { organizationId, workspaces, keys, members } = options;
  await sql`INSERT INTO member (id, organization_id, email, name, role)
    SELECT 'user_' || lpad(i::text, 24, '0'), ${organizationId}::uuid, 'person' || i || '@example.com', 'Person ' || i, 'developer'
    FROM generate_series(0, ${members - 1}::int) AS i`.execute(database);
  await sql`INSERT INTO workspace (id, organization_id, name, display_color)
    SELECT 'wksp_' || lpad(i::text, 24, '0'), ${organizationId}::uuid, 'Workspace ' || i, '#6c5bb9'
    FROM generate_series(0, ${workspaces - 1}::int) AS i`.execute(database);
  await sql`INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id, owner_member_id)
    SELECT 'apikey_' || lpad(i::text, 24, '0'), ${organizationId}::uuid,
      'wksp_' || lpad((i % ${workspaces}::int)::text, 24, '0'), 'Key ' || i, 'write', 'system', 'bench',
      CASE WHEN i % 2 = 0 THEN 'user_' || lpad((i % ${members}::int)::text, 24, '0') END
    FROM generate_series(0, ${keys - 1}::int) AS i`.execute(database);
  await sql`INSERT INTO api_key_secret (api_key_id, hash, hint, created_at, last_used_at)
    SELECT id, sha256(id::bytea), 'sk-...' || right(id, 4), created_at, created_at FROM api_key`.execute(
    database,
  );
}

const AUDIT_EVENTS = 100_000;

/** Inserts audit events without a valid chain, since the benchmark verifies none. */
async function makeAuditLog(database: Database, options: HistoryOptions): Promise<void> {
  const { organizationId, days, endMs, keys, workspaces, members } = options;
  await sql`INSERT INTO audit_event (id, organization_id, seq, event, actor_type, actor_id, subject_type, subject_id,
      workspace_id, before, after, request_id, created_at, previous_hash, hash)
    SELECT 'auditevt_' || i, ${organizationId}::uuid, i,
      (ARRAY['api_key.created', 'api_key.rotated', 'api_key.updated', 'spend_limit.updated'])[1 + i % 4], 'user',
      'user_' || lpad((i % ${members}::int)::text, 24, '0'), 'api_key',
      'apikey_' || lpad((i % ${keys}::int)::text, 24, '0'),
      'wksp_' || lpad((i % ${workspaces}::int)::text, 24, '0'), '{"name": "Before"}', '{"name": "After"}', 'req_' || i,
      ${new Date(endMs)}::timestamptz - (${AUDIT_EVENTS} - i) * ${days}::int * interval '1 day' / ${AUDIT_EVENTS},
      sha256('before'), sha256('after')
    FROM generate_series(1, ${AUDIT_EVENTS}) AS i`.execute(database);
}

interface Month {
  name: string;
  startMs: number;
  endMs: number;
}

/**
 * Inserts a month of requests. A fifth of the keys make two thirds of them, and each key has one main model and one
 * client.
 */
async function makeMonth(
  database: Database,
  { organizationId, keys, workspaces, members }: HistoryOptions,
  month: Month & { fromMs: number; toMs: number; requests: number },
): Promise<void> {
  const table = sql.table(month.name);
  await sql`CREATE TABLE IF NOT EXISTS ${table} (LIKE usage_record INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`.execute(
    database,
  );
  await sql`CREATE TEMPORARY TABLE made AS
    SELECT i, r, r2, at, 'apikey_' || lpad(k::text, 24, '0') AS api_key_id,
      'wksp_' || lpad((k % ${workspaces}::int)::text, 24, '0') AS workspace_id,
      CASE WHEN k % 2 = 0 THEN 'user_' || lpad((k % ${members}::int)::text, 24, '0') ELSE '' END AS member_id,
      (ARRAY['claude-sonnet-4-5-20250929', 'claude-opus-5', 'claude-haiku-4-5-20251001', 'claude-sonnet-5'])
        [1 + (k + (r2 > 0.85)::int) % 4] AS model,
      CASE WHEN k % 40 = 0 THEN 'batch' ELSE 'standard' END AS service_tier,
      CASE WHEN r2 > 0.99 THEN '200k-1M' ELSE '0-200k' END AS context_window,
      (ARRAY['anthropic-python', 'claude-code', 'anthropic-typescript', 'litellm'])[1 + k % 4] AS client
    FROM (
      SELECT i, random() AS r, random() AS r2,
        date_trunc('milliseconds', ${new Date(month.fromMs)}::timestamptz
          + (${month.toMs - month.fromMs}::float8 * i / ${month.requests}::float8) * interval '1 ms') AS at,
        (${keys}::int * power(random(), 2))::int % ${keys}::int AS k
      FROM generate_series(0, ${month.requests - 1}::int) AS i
    ) AS drawn`.execute(database);
  // The server's ids are hashes too, but of another function.
  const labelsId = sql`hashtextextended(concat_ws('/', api_key_id, member_id, model, service_tier, context_window), 0)`;
  await sql`INSERT INTO usage_labels (id, organization_id, workspace_id, api_key_id, member_id, model, service_tier,
      context_window, inference_geo, speed, client)
    SELECT DISTINCT ${labelsId}, ${organizationId}::uuid, workspace_id, api_key_id, member_id, model, service_tier,
      context_window, 'not_available', 'standard', client
    FROM made ON CONFLICT DO NOTHING`.execute(database);
  await sql`INSERT INTO usage_prices (id, prices) VALUES (0, '{}') ON CONFLICT DO NOTHING`.execute(
    database,
  );
  await sql`INSERT INTO usage_node (id, node_id) VALUES (0, 'node_bench') ON CONFLICT DO NOTHING`.execute(
    database,
  );
  await sql`
    INSERT INTO ${table} (request_id, started_at, duration_ms, labels_id, prices_id, usage_node_id, outcome_code,
      http_status, is_stream, is_estimated, is_unpriced, input_tokens, cache_read_tokens, output_tokens,
      input_cost_nano_usd, cache_read_cost_nano_usd, output_cost_nano_usd, cost_nano_usd, upstream_request_id,
      first_byte_ms)
    SELECT 'req_' || ${idTime()} || lpad(i::text, 16, '0'), at, 500 + r * 9000, ${labelsId}, 0, 0,
      CASE WHEN r < 0.96 THEN 0 WHEN r < 0.97 THEN 1 ELSE 2 END,
      CASE WHEN r < 0.97 THEN 200 WHEN r < 0.99 THEN 429 ELSE 529 END,
      r2 < 0.7, r BETWEEN 0.96 AND 0.97, false, 1500 + (r * 1000)::int, (r2 * 20000)::int, 300 + (r * 500)::int,
      4500000, 3000000, 6000000, 13500000, 'req_upstream_' || i, 300
    FROM made ORDER BY i`.execute(database);
  await sql`DROP TABLE made`.execute(database);
  await sql`ALTER TABLE usage_record ATTACH PARTITION ${table}
    FOR VALUES FROM (${sql.lit(new Date(month.startMs).toISOString())}) TO (${sql.lit(new Date(month.endMs).toISOString())})`.execute(
    database,
  );
}

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** SQL of the eight characters of an id that encode its time. */
function idTime() {
  const digit = (power: number) =>
    `substr('${ALPHABET}', (((extract(epoch FROM at) * 1000)::int8 / ${62n ** BigInt(power)}) % 62)::int + 1, 1)`;
  return sql.raw([7, 6, 5, 4, 3, 2, 1, 0].map(digit).join(" || "));
}

async function rollUp(database: Database, table: keyof typeof rollupTables): Promise<void> {
  const { unit, labels } = rollupTables[table];
  const source =
    table === "usage_hour" || unit === "minute"
      ? "recorded_request"
      : unit === "hour"
        ? "usage_hour"
        : "usage_day";
  // Days and all other rollups that are not per hour are summed from hours.
  const from = table === "usage_day" ? "usage_hour" : source;
  const isOfEvents = from === "recorded_request";
  // Rows that a server would have: weeks that it has summed up, minutes that it still keeps.
  const kept =
    unit === "week"
      ? "WHERE bucket_at < (SELECT summed_before FROM usage_weeks)"
      : unit === "minute"
        ? "WHERE started_at >= now() - interval '8 days'"
        : "";
  const counts = countColumns.map(
    (column) => `sum(${(isOfEvents ? EVENT_COUNTS[column] : undefined) ?? column})::bigint`,
  );
  const shown = labels.map((label) => (isOfEvents && label === "status" ? EVENT_STATUS : label));
  const group = labels.map((_, index) => index + 3);
  await sql
    .raw(
      `INSERT INTO ${table} (bucket_at, organization_id, ${labels.join(", ")}, ${countColumns.join(", ")})
       SELECT date_trunc('${unit}', ${isOfEvents ? "started_at" : "bucket_at"}, 'UTC'), organization_id,
         ${shown.join(", ")}, ${counts.join(", ")} FROM ${from} ${kept} GROUP BY 1, 2, ${group.join(", ")} ORDER BY 1`,
    )
    .execute(database);
}

function monthsBetween(startMs: number, endMs: number): Month[] {
  const months: Month[] = [];
  let at = new Date(startMs);
  at = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth()));
  while (at.getTime() < endMs) {
    const next = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1));
    const [, year, month] = MONTHS_OF.exec(at.toISOString()) ?? [];
    months.push({
      name: `usage_record_${year}_${month}`,
      startMs: at.getTime(),
      endMs: next.getTime(),
    });
    at = next;
  }
  return months;
}
