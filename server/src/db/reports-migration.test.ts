// Oldest PostgreSQL: schema
import { randomUUID } from "node:crypto";
import { countColumns } from "@bursar/contract/usage-shape.ts";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { rollupTables } from "#src/recording/rollup-tables.ts";
import { listRollupDifferences } from "#src/recording/verify.sql.ts";
import { createEmptyDatabase } from "#test/harness/database.ts";
import { planForValues } from "#test/harness/prepare-statements.ts";
import { migrate } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";
import type { Database } from "./pool.ts";

planForValues();

async function migrateBefore(connectionString: string, name: string): Promise<void> {
  const migrations = await readMigrations();
  const end = migrations.findIndex((migration) => migration.name === name);
  expect(end).toBeGreaterThan(0);
  await migrate({ connectionString, migrations: migrations.slice(0, end) });
}

/** Six requests of two keys around the end of October, one of them owned by a member. */
async function recordRequests(database: Database): Promise<void> {
  const organizationId = randomUUID();
  await sql`INSERT INTO organization (id, name) VALUES (${organizationId}, 'Test')`.execute(
    database,
  );
  await sql`INSERT INTO workspace (id, organization_id, name, display_color)
    VALUES ('wksp_1', ${organizationId}, 'One', '#000000')`.execute(database);
  await sql`INSERT INTO member (id, organization_id, email, name, role)
    VALUES ('user_1', ${organizationId}, 'ada@example.com', 'Ada', 'user')`.execute(database);
  await sql`INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id,
      owner_member_id)
    SELECT id, ${organizationId}, 'wksp_1', id, 'write', 'system', '0', owner
    FROM (VALUES ('apikey_1', 'user_1'), ('apikey_2', NULL)) AS key (id, owner)`.execute(database);
  await sql`INSERT INTO usage_event (request_id, started_at, ended_at, node_id, organization_id, workspace_id, api_key_id,
      outcome, http_status, is_stream, is_estimated, is_unpriced, requested_model, model, service_tier, context_window,
      inference_geo, speed, client, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens,
      output_tokens, web_searches, input_cost_nano_usd, cache_write_5m_cost_nano_usd, cache_write_1h_cost_nano_usd,
      cache_read_cost_nano_usd, output_cost_nano_usd, web_search_cost_nano_usd, cost_nano_usd, prices)
    SELECT 'req_' || n, timestamptz '2026-10-31T23:00:00Z' + n * interval '30 minutes', now(), 'node_1', ${organizationId},
      'wksp_1', 'apikey_' || 1 + n % 2, (ARRAY['answered', 'refused', 'refused'])[1 + n % 3],
      (ARRAY[200, 429, 529])[1 + n % 3], false, false, false, 'm', 'm', 'standard', '0-200k', 'global', 'standard', 'curl',
      n, 1, 2, 3, 4, 0, 5, 0, 0, 0, n, 0, 5 + n, '{}'
    FROM generate_series(0, 5) AS n`.execute(database);
}

test("adds earlier requests to every rollup, by key owner and outcome", async () => {
  const { database, connectionString, drop } = await createEmptyDatabase();
  await migrateBefore(connectionString, "reports");
  await recordRequests(database);
  await migrate({ connectionString });
  expect(await listRollupDifferences(database)).toEqual([]);
  const months = await database
    .selectFrom("usage_month")
    .select(["bucket_at", "member_id", "status", "requests", "cost_nano_usd"])
    .execute();
  const shown = months.map((row) => [
    row.bucket_at.toISOString().slice(0, 7),
    row.member_id,
    row.status,
    row.requests,
    row.cost_nano_usd,
  ]);
  expect(new Set(shown)).toEqual(
    new Set([
      ["2026-10", "user_1", "answered", 1n, 5n],
      ["2026-10", "", "rate_limited", 1n, 6n],
      ["2026-11", "user_1", "server_error", 1n, 7n],
      ["2026-11", "", "answered", 1n, 8n],
      ["2026-11", "user_1", "rate_limited", 1n, 9n],
      ["2026-11", "", "server_error", 1n, 10n],
    ]),
  );
  await drop();
});

test("adds earlier hours, days and weeks of members to their rollups", async () => {
  const { database, connectionString, drop } = await createEmptyDatabase();
  await migrateBefore(connectionString, "reports");
  await recordRequests(database);
  await migrateBefore(connectionString, "finer_reports");
  // A later migration adds this column.
  const counts = countColumns.filter((column) => column !== "partly_unbilled_requests");
  const sums = sql.join(counts.map((column) => sql`sum(${sql.ref(column)})`));
  for (const table of ["usage_week", "usage_key_week"] as const) {
    const labels = sql.join(rollupTables[table].labels.map((label) => sql.ref(label)));
    await sql`INSERT INTO ${sql.table(table)} (bucket_at, organization_id, ${labels}, ${sql.join(counts.map((column) => sql.ref(column)))})
      SELECT date_trunc('week', bucket_at, 'UTC') AS at, organization_id, ${labels}, ${sums} FROM usage_day
      GROUP BY at, organization_id, ${labels}`.execute(database);
  }
  await sql`UPDATE usage_weeks SET summed_before = '2026-11-02'`.execute(database);

  await migrate({ connectionString });
  expect(await listRollupDifferences(database)).toEqual([]);
  for (const table of ["usage_member_hour", "usage_member_day", "usage_member_week"] as const) {
    const rows = await database
      .selectFrom(table)
      .select(({ fn }) => ["member_id", fn.sum<bigint>("requests").as("requests")])
      .groupBy("member_id")
      .orderBy("member_id")
      .execute();
    expect(rows.map((row) => [row.member_id, Number(row.requests)])).toEqual([
      ["", 3],
      ["user_1", 3],
    ]);
  }
  await drop();
});
