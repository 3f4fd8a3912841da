import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect } from "vitest";
import { checkLedger } from "#src/spend/check/check-ledger.ts";
import { listBalanceDifferences } from "#src/spend/check/verify.sql.ts";
import { addToBalances } from "#src/spend/ledger/balances.sql.ts";
import { sumCharges } from "#src/spend/ledger/charges.ts";
import { test as base } from "#test/harness/database-test.ts";
import { planForValues } from "#test/harness/prepare-statements.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";
import { deleteOldMinutes } from "./minutes.sql.ts";
import { attachMonth, createDetachedMonth } from "./partitions.sql.ts";
import { pruneUsageEvents } from "./prune-events.ts";
import { rollupTableNames } from "./rollup-tables.ts";
import { listRollupDifferences } from "./verify.sql.ts";

planForValues();

const DAY_MS = 86_400_000;

const test = base.extend("history", ({ db }) => {
  async function makeOrganization(): Promise<string> {
    const id = randomUUID();
    await db.database.insertInto("organization").values({ id, name: "Test" }).execute();
    return id;
  }

  /** Records a request of a past day, by the database's clock. */
  async function record(daysAgo: number, of = organizationId): Promise<string> {
    const requestId = `req_${++made}`;
    const end = endRecord({
      requestId,
      organizationId: of,
      workspaceId: "wksp_1",
      apiKeyId: "apikey_1",
      startedAtMs: Date.now() - daysAgo * DAY_MS,
    });
    await recordUsage(db.database, [end]);
    await db.database.transaction().execute((tx) => addToBalances(tx, sumCharges([end])));
    return requestId;
  }

  async function keep(days: number | null, of = organizationId): Promise<void> {
    await sql`INSERT INTO usage_settings (organization_id, log_retention_days) VALUES (${of}, ${days})
    ON CONFLICT (organization_id) DO UPDATE SET log_retention_days = excluded.log_retention_days`.execute(
      db.database,
    );
  }

  async function kept(): Promise<string[]> {
    const rows = await db.database
      .selectFrom("recorded_request")
      .select("request_id")
      .orderBy("started_at")
      .execute();
    return rows.map(({ request_id }) => request_id);
  }

  async function sums() {
    const { rows } = await sql<{ requests: bigint; cost: bigint }>`
    SELECT sum(requests)::bigint AS requests, sum(cost_nano_usd)::bigint AS cost FROM usage_day`.execute(
      db.database,
    );
    return rows[0];
  }

  return { makeOrganization, record, keep, kept, sums };
});

let organizationId: string;
let otherId: string;
let made = 0;
test.beforeEach(async ({ db, history }) => {
  for (const table of [
    "usage_record",
    "usage_settings",
    "balance",
    ...rollupTableNames,
    "organization",
  ]) {
    await sql`DELETE FROM ${sql.table(table)}`.execute(db.database);
  }
  [organizationId, otherId] = [await history.makeOrganization(), await history.makeOrganization()];
});

test("deletes requests beyond the retention of their organization only", async ({
  db,
  history,
}) => {
  const old = await history.record(40);
  const young = await history.record(5);
  const others = await history.record(40, otherId);
  await history.keep(30);
  expect(await pruneUsageEvents(db.database)).toEqual({ months: [], events: 1 });
  expect(new Set(await history.kept())).toEqual(new Set([others, young]));
  expect(await history.kept()).not.toContain(old);
});

test("keeps usage and balances unchanged, and they still verify", async ({ db, history }) => {
  for (const daysAgo of [100, 40, 31, 30.5, 2]) await history.record(daysAgo);
  await history.record(100, otherId);
  const before = await history.sums();
  await history.keep(30);
  expect((await pruneUsageEvents(db.database)).events).toBeGreaterThanOrEqual(3);
  expect(await history.sums()).toEqual(before);
  expect(await listRollupDifferences(db.database)).toEqual([]);
  expect(await listBalanceDifferences(db.database)).toEqual([]);
});

test("the check of the ledger recomputes pruned days too, and reports their differences", async ({
  db,
  history,
}) => {
  for (const daysAgo of [100, 40, 2]) await history.record(daysAgo);
  const before = await checkLedger(db.database, organizationId);
  await history.keep(30);
  await pruneUsageEvents(db.database);
  expect(await checkLedger(db.database, organizationId)).toEqual(before);
  expect([before.requests, before.differenceCount]).toEqual([3, 0]);
  await sql`UPDATE balance SET settled_nano_usd = settled_nano_usd + 1
    WHERE scope_type = 'api_key' AND period = 'daily'`.execute(db.database);
  expect((await checkLedger(db.database, organizationId)).differenceCount).toBe(3);
});

test("keeps an unresolved request and its month until a decision", async ({ db, history }) => {
  const waiting = await history.record(100);
  await history.record(100);
  await sql`INSERT INTO lease (node_id, request_id, scope_type, scope_id, period, period_start, organization_id,
      amount_nano_usd, unresolved_since)
    VALUES ('node_1', ${waiting}, 'organization', ${organizationId}, 'daily',
      (now() - interval '100 days')::date, ${organizationId}, 5, now())`.execute(db.database);
  await history.keep(30);
  expect((await pruneUsageEvents(db.database)).events).toBe(1);
  expect(await history.kept()).toEqual([waiting]);
  await sql`DELETE FROM lease`.execute(db.database);
  expect((await pruneUsageEvents(db.database)).events).toBe(1);
});

test("finds a changed rollup of pruned days by the other rollups", async ({ db, history }) => {
  await history.record(40);
  await history.keep(30);
  await pruneUsageEvents(db.database);
  await sql`UPDATE usage_day SET cost_nano_usd = cost_nano_usd + 1`.execute(db.database);
  expect((await listRollupDifferences(db.database)).map(({ table }) => table)).toContain(
    "usage_day",
  );
  expect((await listBalanceDifferences(db.database)).length).toBe(9);
});

test("deletes nothing without a retention, and nothing more in a second run", async ({
  db,
  history,
}) => {
  const old = await history.record(400);
  expect(await pruneUsageEvents(db.database)).toEqual({ months: [], events: 0 });
  await history.keep(null);
  expect(await pruneUsageEvents(db.database)).toEqual({ months: [], events: 0 });
  expect(await history.kept()).toEqual([old]);
  await history.keep(30);
  expect((await pruneUsageEvents(db.database)).events).toBe(1);
  expect(await pruneUsageEvents(db.database)).toEqual({ months: [], events: 0 });
});

test("deletes several batches in one run, and each request once with several nodes", async ({
  db,
  history,
}) => {
  const startedAtMs = Date.now() - 40 * DAY_MS;
  const records = Array.from({ length: 12_000 }, (_, index) =>
    endRecord({
      requestId: `req_${++made}`,
      organizationId,
      workspaceId: "wksp_1",
      apiKeyId: "apikey_1",
      startedAtMs: startedAtMs + index,
    }),
  );
  await recordUsage(db.database, records);
  await history.keep(30);
  const runs = await Promise.all([1, 2, 3].map(() => pruneUsageEvents(db.database)));
  const rest = await pruneUsageEvents(db.database);
  expect([...runs, rest].reduce((sum, { events }) => sum + events, 0)).toBe(12_000);
  expect(await history.kept()).toEqual([]);
});

test("drops the table of a month that is too old for every organization", async ({
  db,
  history,
}) => {
  const at = new Date(Date.now() - 100 * DAY_MS);
  const from = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth()));
  const to = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1));
  const month = {
    name: `usage_record_${from.toISOString().slice(0, 7).replace("-", "_")}`,
    from: from.toISOString(),
    to: to.toISOString(),
  };
  await db.database.transaction().execute(async (tx) => {
    await createDetachedMonth(tx, month);
    await attachMonth(tx, month);
  });
  await history.record(100);
  await history.record(100, otherId);
  await history.keep(30);
  // The other organization keeps its requests.
  expect(await pruneUsageEvents(db.database)).toEqual({ months: [], events: 1 });
  await history.keep(31, otherId);
  expect(await pruneUsageEvents(db.database)).toEqual({ months: [month.name], events: 0 });
  expect(await history.kept()).toEqual([]);
  expect(await listRollupDifferences(db.database)).toEqual([]);
});

test("a longer retention later restores nothing, and the mark stays", async ({ db, history }) => {
  await history.record(40);
  await history.keep(30);
  await pruneUsageEvents(db.database);
  const mark = async () => {
    const row = await db.database
      .selectFrom("usage_settings")
      .select("log_pruned_before")
      .executeTakeFirstOrThrow();
    return row.log_pruned_before?.getTime();
  };
  const before = await mark();
  await history.keep(null);
  await pruneUsageEvents(db.database);
  await history.keep(300);
  await pruneUsageEvents(db.database);
  expect(await mark()).toBe(before);
  expect((before ?? 0) % DAY_MS).toBe(0);
});

test("deletes minutes after some days, and the others add up", async ({ db, history }) => {
  for (const daysAgo of [1, 6, 9]) await history.record(daysAgo);
  const minutes = async () => {
    const rows = await db.database
      .selectFrom("usage_organization_minute")
      .select("bucket_at")
      .orderBy("bucket_at", "desc")
      .execute();
    return rows.map((row) => Math.round((Date.now() - row.bucket_at.getTime()) / DAY_MS));
  };
  expect(await minutes()).toEqual([1, 6, 9]);
  expect(await deleteOldMinutes(db.database)).toBe(1n);
  expect(await minutes()).toEqual([1, 6]);
  expect(await listRollupDifferences(db.database)).toEqual([]);
});
