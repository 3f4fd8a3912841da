import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect } from "vitest";
import { listHours } from "#src/alerts/firing/watched-usage.sql.ts";
import { readPrimary } from "#src/db/reports-database.ts";
import { listMemberSpend } from "#src/spend/limits/member-spend.sql.ts";
import { findFirstUses } from "#src/system/first-uses.sql.ts";
import { listPage } from "#src/usage/reports/read-report.ts";
import { inReport } from "#src/usage/reports/report.sql.ts";
import type { ReportColumn } from "#src/usage/reports/report-tables.ts";
import { test as base } from "#test/harness/database-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";
import { closeHoursBefore } from "./close-hours.ts";
import { pruneUsageEvents } from "./prune-events.ts";
import { listReportedModels } from "./usage.sql.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The hours of a test stay the same when it runs over the end of an hour. */
const NOW_HOUR_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;

const test = base.extend("organizationId", async ({ db }) => {
  const id = randomUUID();
  await db.database.insertInto("organization").values({ id, name: "Test" }).execute();
  await sql`INSERT INTO member (id, organization_id, email, name, role)
    VALUES ('user_1', ${id}, 'ada@example.com', 'Ada', 'user') ON CONFLICT DO NOTHING`.execute(
    db.database,
  );
  return id;
});

test("readers of rollups return the same before, while and after hours are closed", async ({
  db: { database },
  organizationId,
}) => {
  const setOpenFrom = (ms: number) =>
    database
      .updateTable("rollup_progress")
      .set({ hour_at: new Date(ms) })
      .execute();
  await setOpenFrom(NOW_HOUR_MS - 3 * HOUR_MS);
  const at = (hours: number, key: number) =>
    endRecord({
      requestId: `req_${hours}_${key}`,
      organizationId,
      workspaceId: `wksp_${key % 2}`,
      apiKeyId: `apikey_${key}`,
      ...(key === 1 && { memberId: "user_1" }),
      model: `model-${hours}`,
      startedAtMs: NOW_HOUR_MS - hours * HOUR_MS,
    });
  await recordUsage(
    database,
    [0, 1, 2, 5].flatMap((hours) => [0, 1, 2].map((key) => at(hours, key))),
  );
  const read = async () => {
    const scope = { organizationId, workspaceId: "wksp_0" };
    const range = { startMs: NOW_HOUR_MS - 6 * HOUR_MS, endMs: NOW_HOUR_MS + HOUR_MS };
    const from = new Date(NOW_HOUR_MS - 7 * DAY_MS);
    const hours = await Promise.all([
      listHours(
        database,
        [{ organizationId, workspaceId: null, scopeType: "organization", scopeId: organizationId }],
        range,
      ),
      listHours(database, [{ ...scope, scopeType: "workspace", scopeId: "wksp_0" }], range),
      listHours(database, [{ ...scope, scopeType: "api_key", scopeId: "apikey_2" }], range),
    ]);
    const members = await listMemberSpend(database, {
      organizationId,
      starts: { daily: from, weekly: from, monthly: from },
      order: { by: "daily", after: null },
      limit: 10,
    });
    const filter = { organizationId, visible: { workspaceIds: null, own: null }, values: {} };
    const report = (bucket: "1h" | "1d", columns: readonly ReportColumn[]) =>
      inReport(readPrimary({ primary: database, nowMs: () => NOW_HOUR_MS }), async (tx) => {
        const order = { by: "time", isDescending: false } as const;
        const page = { filter, columns, bucket, isOpenEnded: true, order };
        const unitMs = bucket === "1d" ? DAY_MS : HOUR_MS;
        const startMs = Math.floor(range.startMs / unitMs) * unitMs;
        const endMs = Math.ceil(range.endMs / unitMs) * unitMs;
        const rows = await listPage(tx, {
          ...page,
          range: { startMs, endMs },
          after: null,
          limit: 100,
        });
        return rows.map((row) => row.requests);
      });
    return {
      byHour: await report("1h", []),
      byModel: await report("1h", ["model"]),
      byWorkspace: await report("1h", ["workspace_id"]),
      byDay: (await report("1d", [])).reduce((sum, requests) => sum + requests, 0n),
      hours: hours.map((list) => list.map(({ atMs, nanoUsd }) => [atMs - NOW_HOUR_MS, nanoUsd])),
      spend: members.map(({ id, daily, monthly }) => ({ id, daily, monthly })),
      models: await listReportedModels(database),
      uses: await findFirstUses(database, organizationId),
    };
  };
  const cost = 81_100n;
  const hoursWith = (requests: bigint) =>
    [-5, -2, -1, 0].map((hour) => [hour * HOUR_MS, requests * cost]);
  const expected = {
    byHour: [3n, 3n, 3n, 3n],
    byModel: [3n, 3n, 3n, 3n],
    byWorkspace: [2n, 1n, 2n, 1n, 2n, 1n, 2n, 1n],
    byDay: 12n,
    hours: [hoursWith(3n), hoursWith(2n), hoursWith(1n)],
    spend: [{ id: "user_1", daily: 4n * cost, monthly: 4n * cost }],
    models: ["model-0", "model-1", "model-2", "model-5"],
    uses: { hasAdminKey: false, hasApiKey: false, hasRequest: true },
  };
  expect(await read()).toEqual(expected);
  await closeHoursBefore(database, NOW_HOUR_MS, { rowsPerStep: 1, maxSteps: 2 });
  expect(await read()).toEqual(expected);
  await closeHoursBefore(database, NOW_HOUR_MS + HOUR_MS);
  expect(await read()).toEqual(expected);
});

test("keeps requests of a day with open hours, beyond its retention", async ({
  db: { database },
  organizationId,
}) => {
  const closedMs = Math.floor(NOW_HOUR_MS / DAY_MS) * DAY_MS - 40 * DAY_MS;
  await sql`UPDATE rollup_progress SET hour_at = ${new Date(closedMs + HOUR_MS)}, workspace_id = ''`.execute(
    database,
  );
  await database
    .insertInto("usage_settings")
    .values({ organization_id: organizationId, log_retention_days: 30, log_pruned_before: null })
    .execute();
  const request = (startedAtMs: number) =>
    endRecord({
      requestId: `req_${startedAtMs}`,
      organizationId,
      workspaceId: "wksp_1",
      apiKeyId: "apikey_1",
      startedAtMs,
    });
  await recordUsage(database, [closedMs - 1, closedMs, closedMs + 2 * HOUR_MS].map(request));
  expect((await pruneUsageEvents(database)).events).toBe(1);
  await closeHoursBefore(database, closedMs + 2 * DAY_MS);
  expect((await pruneUsageEvents(database)).events).toBe(2);
});
