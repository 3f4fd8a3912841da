import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect } from "vitest";
import { test as base } from "#test/harness/database-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";
import { rollupTableNames } from "./rollup-tables.ts";
import { sumWeeks } from "./sum-weeks.ts";
import { listRollupDifferences } from "./verify.sql.ts";
import { findSummedWeeksEndMs } from "./weeks.sql.ts";

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

const test = base
  /** Moves the end of the summed weeks to a past week. */
  .extend("setWeeksAgo", ({ db }) => async (weeks: number): Promise<void> => {
    await sql`UPDATE usage_weeks SET summed_before =
    date_trunc('week', now() - interval '2 days', 'UTC') - ${weeks}::int * interval '7 days'`.execute(
      db.database,
    );
  })
  /** Requests of two keys, at the first and at the last moment of a day. */
  .extend("record", ({ db }) => async (daysAgo: number): Promise<void> => {
    const dayMs = todayMs - daysAgo * DAY_MS;
    const records = [dayMs, dayMs + DAY_MS - 1].map((startedAtMs) =>
      endRecord({
        requestId: `req_${++made}`,
        organizationId,
        workspaceId: "wksp_1",
        apiKeyId: `apikey_${made % 2}`,
        startedAtMs,
      }),
    );
    await recordUsage(db.database, records);
  })
  .extend("weekRows", ({ db }) => async () => {
    const rows = await db.database
      .selectFrom("usage_week")
      .select(["bucket_at", "requests"])
      .orderBy("bucket_at")
      .execute();
    return rows.map((row) => ({ atMs: row.bucket_at.getTime(), requests: Number(row.requests) }));
  });

let organizationId: string;
/** Day of a test. Stays the same in a test that runs over midnight. */
let todayMs: number;
let made = 0;
test.beforeEach(async ({ db, setWeeksAgo }) => {
  todayMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  for (const table of ["usage_record", ...rollupTableNames, "organization"]) {
    await sql`DELETE FROM ${sql.table(table)}`.execute(db.database);
  }
  organizationId = randomUUID();
  await db.database.insertInto("organization").values({ id: organizationId, name: "T" }).execute();
  await setWeeksAgo(8);
});

test("sums every past week once, and not the current one", async ({ db, record, weekRows }) => {
  const sinceFirstMs = todayMs - (await findSummedWeeksEndMs(db.database));
  for (let daysAgo = sinceFirstMs / DAY_MS; daysAgo >= 0; daysAgo--) {
    await record(daysAgo);
  }
  expect(await weekRows()).toEqual([]);
  expect(await sumWeeks(db.database)).toBe(8);
  expect(await sumWeeks(db.database)).toBe(0);
  expect(await listRollupDifferences(db.database)).toEqual([]);
  const endMs = await findSummedWeeksEndMs(db.database);
  expect(new Date(endMs).getUTCDay()).toBe(1);
  expect(endMs).toBeLessThanOrEqual(Date.now() - 2 * DAY_MS);
  expect(endMs).toBeGreaterThan(Date.now() - 9 * DAY_MS);
  const weeks = Map.groupBy(await weekRows(), ({ atMs }) => atMs);
  const requests = [...weeks].map(([atMs, rows]) => [
    (endMs - atMs) / WEEK_MS,
    rows.reduce((sum, row) => sum + row.requests, 0),
  ]);
  expect(requests).toEqual([8, 7, 6, 5, 4, 3, 2, 1].map((ago) => [ago, 14]));
});

test("adds requests that are flushed after the sum of their week", async ({
  db,
  record,
  weekRows,
}) => {
  await record(30);
  await sumWeeks(db.database);
  const before = await weekRows();
  await record(30);
  await record(50);
  await record(1);
  expect(await listRollupDifferences(db.database)).toEqual([]);
  const requests = (rows: { requests: number }[]) =>
    rows.reduce((sum, row) => sum + row.requests, 0);
  expect([requests(before), requests(await weekRows())]).toEqual([2, 6]);
});

test("counts late requests once while several nodes sum weeks", async ({
  db,
  setWeeksAgo,
  record,
}) => {
  for (let round = 0; round < 5; round++) {
    await setWeeksAgo(8);
    for (const table of ["usage_week", "usage_key_week", "usage_member_week"] as const) {
      await db.database.deleteFrom(table).execute();
    }
    const late = [50, 40, 30, 20, 13, 10].map((daysAgo) => record(daysAgo));
    const summed = await Promise.all([sumWeeks(db.database), sumWeeks(db.database)]);
    await Promise.all(late);
    expect(summed.reduce((sum, weeks) => sum + weeks, 0)).toBe(8);
    expect(await listRollupDifferences(db.database)).toEqual([]);
  }
});

test("skips a week without usage", async ({ db, record }) => {
  await record(45);
  expect(await sumWeeks(db.database)).toBe(8);
  expect(await listRollupDifferences(db.database)).toEqual([]);
});
