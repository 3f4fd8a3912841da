import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect } from "vitest";
import { checkLedger } from "#src/spend/check/check-ledger.ts";
import { listBalanceDifferences } from "#src/spend/check/verify.sql.ts";
import { addToBalances } from "#src/spend/ledger/balances.sql.ts";
import { sumCharges } from "#src/spend/ledger/charges.ts";
import { pruneBalances } from "#src/spend/ledger/prune-balances.ts";
import { test as base } from "#test/harness/database-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";
import { pruneUsageEvents } from "./prune-events.ts";
import { pruneSums } from "./prune-sums.ts";
import { findRetentionMarks } from "./retention.sql.ts";
import { type RollupUnit, rollupTableNames, rollupTables } from "./rollup-tables.ts";
import { insertBatch } from "./usage-batches.sql.ts";
import { listRollupDifferences } from "./verify.sql.ts";

const DAY_MS = 86_400_000;
const NEVER = { hourRetentionDays: Infinity, dayRetentionDays: Infinity };

let organizationId: string;

const test = base.extend("history", ({ db }) => ({
  /** Records a request of a past day, by the database's clock. */
  record: async (daysAgo: number) => {
    const end = endRecord({
      requestId: `req_${daysAgo}_${randomUUID()}`,
      organizationId,
      workspaceId: "wksp_1",
      apiKeyId: "apikey_1",
      tagIds: ["tag_1"],
      startedAtMs: Date.now() - daysAgo * DAY_MS,
    });
    await recordUsage(db.database, [end]);
    await db.database.transaction().execute((tx) => addToBalances(tx, sumCharges([end])));
  },
  /** Sum of requests of each rollup of the unit. */
  countRequests: async (unit: RollupUnit) => {
    const counts = new Set<number>();
    for (const table of rollupTableNames.filter((name) => rollupTables[name].unit === unit)) {
      const { rows } = await sql<{ count: number }>`
        SELECT coalesce(sum(requests), 0)::integer AS count FROM ${sql.table(table)}`.execute(
        db.database,
      );
      counts.add(rows[0]?.count ?? 0);
    }
    return [...counts];
  },
  verify: async () => {
    expect(await listRollupDifferences(db.database)).toEqual([]);
    expect(await listBalanceDifferences(db.database)).toEqual([]);
    expect((await checkLedger(db.database, organizationId)).differences).toEqual([]);
  },
}));

test.beforeEach(async ({ db, history }) => {
  // Every rollup is written at once.
  await sql`UPDATE rollup_progress SET hour_at = 'infinity'`.execute(db.database);
  for (const table of [
    "usage_record",
    "usage_labels",
    "usage_batch",
    "balance",
    ...rollupTableNames,
  ]) {
    await sql`TRUNCATE ${sql.table(table)}`.execute(db.database);
  }
  await sql`UPDATE retention_mark SET hours_before = NULL, days_before = NULL, balances_before = NULL`.execute(
    db.database,
  );
  await sql`UPDATE usage_weeks SET summed_before = date_trunc('week', now() - interval '2 days', 'UTC')`.execute(
    db.database,
  );
  organizationId = randomUUID();
  await db.database
    .insertInto("organization")
    .values({ id: organizationId, name: "Test" })
    .execute();
  for (const daysAgo of [0, 50, 100, 500, 2_000]) await history.record(daysAgo);
});

test("deletes hours after their retention, and all other sums add up", async ({ db, history }) => {
  await pruneSums(db.database, { ...NEVER, hourRetentionDays: 62 });
  expect(await history.countRequests("hour")).toEqual([2]);
  expect(await history.countRequests("day")).toEqual([5]);
  expect(await history.countRequests("month")).toEqual([5]);
  await history.verify();
});

test("deletes days and weeks in whole months, and keeps months", async ({ db, history }) => {
  await pruneSums(db.database, { hourRetentionDays: 62, dayRetentionDays: 400 });
  expect(await history.countRequests("day")).toEqual([3]);
  expect(await history.countRequests("month")).toEqual([5]);
  const { daysBefore } = await findRetentionMarks(db.database);
  expect(daysBefore?.getUTCDate()).toBe(1);
  await history.verify();
});

test("deletes balances of old periods, except those with leased or unresolved amounts", async ({
  db,
  history,
}) => {
  const count = async () => {
    const rows = await db.database.selectFrom("balance").select("period_start").execute();
    return rows.length;
  };
  expect(await count()).toBe(5 * 12);
  await db.database
    .updateTable("balance")
    .set({ unresolved_nano_usd: 5n })
    .where("period", "=", "daily")
    .where("scope_type", "=", "workspace")
    .where("settled_nano_usd", ">", 0n)
    .execute();
  expect(await pruneBalances(db.database, 400)).toBe(2 * 11);
  await db.database.updateTable("balance").set({ unresolved_nano_usd: 0n }).execute();
  await history.verify();
  expect(await pruneBalances(db.database, 400)).toBe(2);
  await history.verify();
});

test("a longer retention later does not move a mark back", async ({ db, history }) => {
  await pruneSums(db.database, { hourRetentionDays: 62, dayRetentionDays: 400 });
  await pruneBalances(db.database, 62);
  const marks = await findRetentionMarks(db.database);
  await pruneSums(db.database, { hourRetentionDays: 3_000, dayRetentionDays: Infinity });
  await pruneBalances(db.database, Infinity);
  expect(await findRetentionMarks(db.database)).toEqual(marks);
  await history.verify();
});

test("nothing is deleted with an unlimited retention", async ({ db, history }) => {
  expect(await pruneSums(db.database, NEVER)).toBe(0);
  expect(await pruneBalances(db.database, Infinity)).toBe(0);
  expect(await history.countRequests("hour")).toEqual([5]);
});

test("keeps days of weeks that are not summed", async ({ db, history }) => {
  await sql`UPDATE usage_weeks SET summed_before = ${new Date(Date.now() - 1_900 * DAY_MS)}`.execute(
    db.database,
  );
  await pruneSums(db.database, { hourRetentionDays: 62, dayRetentionDays: 400 });
  expect(await history.countRequests("hour")).toEqual([4]);
  expect(await history.countRequests("day")).toEqual([4]);
});

test("keeps everything since the oldest request that no fold has counted", async ({
  db,
  history,
}) => {
  await db.database.transaction().execute((tx) =>
    insertBatch(tx, {
      nodeId: "node_1",
      journalId: "journal_1",
      toSeq: 1,
      oldestMs: Date.now() - 501 * DAY_MS,
      rows: [],
      holdCharges: "[]",
    }),
  );
  const settings = { organization_id: organizationId, log_retention_days: 30 };
  await db.database
    .insertInto("usage_settings")
    .values({ ...settings, log_pruned_before: null })
    .execute();
  await pruneSums(db.database, { hourRetentionDays: 62, dayRetentionDays: 400 });
  expect(await history.countRequests("hour")).toEqual([4]);
  expect(await history.countRequests("day")).toEqual([4]);
  expect((await pruneUsageEvents(db.database)).events).toBe(1);
  await sql`DELETE FROM usage_batch`.execute(db.database);
  await pruneSums(db.database, { hourRetentionDays: 62, dayRetentionDays: 400 });
  expect(await history.countRequests("day")).toEqual([3]);
  expect((await pruneUsageEvents(db.database)).events).toBe(3);
});

test("several nodes at once delete each row once", async ({ db, history }) => {
  const retention = { hourRetentionDays: 62, dayRetentionDays: 400 };
  await Promise.all([1, 2, 3].map(() => pruneSums(db.database, retention)));
  await pruneSums(db.database, retention);
  expect(await history.countRequests("hour")).toEqual([2]);
  await history.verify();
});
