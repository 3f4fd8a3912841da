import { countColumns } from "@bursar/contract/usage-shape.ts";
import fc from "fast-check";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { addAsVersion01 } from "#test/harness/add-as-version-01.ts";
import { test as base } from "#test/harness/database-test.ts";
import { appendAndFold } from "#test/harness/folds.ts";
import { planForValues } from "#test/harness/prepare-statements.ts";
import { countPropertyRuns } from "#test/harness/property-runs.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import {
  anyRecordWithin,
  byKey,
  FIRST_REQUEST_MS,
  keyOf,
  pickCounts,
  type Sum,
  sumUp,
} from "#test/harness/rollup-sums.ts";
import { readClosingLagMs, switchToClosing } from "./close-hours.sql.ts";
import {
  beginClosing,
  type ClosingOptions,
  closeHours,
  closeHoursBefore,
  startHourClosing,
} from "./close-hours.ts";
import { foldOnce } from "./fold.ts";
import { lockFold } from "./fold-lock.sql.ts";
import {
  findOpenHours,
  findRollupProgress,
  type RollupProgress,
  selectRollup,
  startOfHour,
} from "./open-hours.sql.ts";
import { appendBatch } from "./record-usage.ts";
import {
  closedRollups,
  isAttributedRollup,
  type RollupTable,
  rollupTableNames,
  rollupTables,
} from "./rollup-tables.ts";
import { addToRollups } from "./rollups.sql.ts";
import { sumWeeks } from "./sum-weeks.ts";
import { deleteBatches, listBatches } from "./usage-batches.sql.ts";
import { listRollupDifferences } from "./verify.sql.ts";

planForValues();

const logger = makeLogger("silent");
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FIRST_HOUR_MS = Math.floor(FIRST_REQUEST_MS / HOUR_MS) * HOUR_MS;
const FIRST_MONDAY_MS = Date.UTC(2026, 4, 25);
const organizationIds = [1, 2].map((n) => `00000000-0000-4000-8000-00000000000${n}`);

const test = base.extend("usage", ({ db: { database } }) => {
  async function setProgress({ hourMs, ...rest }: RollupProgress): Promise<void> {
    const hourAt = Number.isFinite(hourMs) ? new Date(hourMs) : "infinity";
    await sql`UPDATE rollup_progress SET hour_at = ${hourAt}, organization_id = ${rest.organizationId},
      workspace_id = ${rest.workspaceId}, api_key_id = ${rest.apiKeyId}`.execute(database);
  }

  /** Empties all tables. Hours are open from the hour of the first request on. */
  async function empty(): Promise<void> {
    for (const table of ["usage_batch", "usage_record", ...rollupTableNames]) {
      await sql`DELETE FROM ${sql.table(table)}`.execute(database);
    }
    await sql`UPDATE usage_weeks SET summed_before = ${new Date(FIRST_MONDAY_MS)}`.execute(
      database,
    );
    await setProgress(startOfHour(FIRST_HOUR_MS));
  }

  async function fold(records: readonly EndRecord[]): Promise<void> {
    await appendAndFold(database, "node_1", records);
  }

  async function append(records: readonly EndRecord[]): Promise<void> {
    const from = { nodeId: "node_1", journalId: "journal_1", toSeq: 1, encodeHoldCharges };
    await database.transaction().execute((tx) => appendBatch(tx, from, records));
  }

  const close = (endMs: number, options: ClosingOptions = {}) =>
    closeHoursBefore(database, endMs, options);

  /** Sums of a rollup with its open hours, as reports read it. */
  async function listRead(table: (typeof closedRollups)[number]): Promise<Sum[]> {
    const { labels } = rollupTables[table];
    const key = ["bucket_at", "organization_id", ...labels];
    const sums = countColumns.map(
      (column) => sql`sum(${sql.ref(column)})::bigint AS ${sql.ref(column)}`,
    );
    const read: Sum[] = [];
    for (const organizationId of organizationIds) {
      const openHours = await findOpenHours(database, organizationId);
      const { rows } = await sql<Parameters<typeof keyOf>[0] & { bucket_at: Date } & Sum>`
        SELECT ${sql.join([...key.map((column) => sql.ref(column)), ...sums])}
        FROM ${selectRollup(table, organizationId, openHours)} AS usage
        GROUP BY ${sql.join(key.map((column) => sql.ref(column)))}`.execute(database);
      read.push(
        ...rows.map((row) => ({
          ...pickCounts(row),
          key: keyOf(row, row.bucket_at.getTime(), labels),
        })),
      );
    }
    return read.sort(byKey);
  }

  /** Expects that each rollup is the sum of these requests, for its readers and in the check of the tables. */
  async function expectSums(records: readonly EndRecord[]): Promise<void> {
    for (const table of closedRollups) {
      const rows = sumUp(table, records, Number.NEGATIVE_INFINITY);
      expect({ table, rows: await listRead(table) }).toEqual({ table, rows });
    }
    expect(await listRollupDifferences(database)).toEqual([]);
  }

  async function countRequests(table: RollupTable): Promise<number> {
    const { rows } = await sql<{ count: number }>`
      SELECT coalesce(sum(requests), 0)::integer AS count FROM ${sql.table(table)}`.execute(
      database,
    );
    return rows[0]?.count ?? 0;
  }

  return { setProgress, empty, append, fold, close, expectSums, countRequests };
});

test.beforeEach(({ usage }) => usage.empty());

/** Requests at hours after the first one, of one key each. All have a tag. */
const requestsAt = (...hours: number[]): EndRecord[] =>
  hours.map((hour, index) =>
    endRecord(
      beginRecord({
        startedAtMs: FIRST_HOUR_MS + hour * HOUR_MS,
        apiKeyId: `apikey_${String(index).padStart(3, "0")}`,
        tagIds: ["tag_1"],
      }),
      BigInt(index + 1),
    ),
  );

type Step =
  | { kind: "fold"; records: EndRecord[] }
  | { kind: "close"; hours: number; rowsPerStep: number; maxSteps: number }
  | { kind: "sum weeks" };

/** Requests of these half hours, closings that often end inside an hour, and sums of weeks. */
const anySteps = (maxHalfHours: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant("fold" as const),
        records: fc.array(anyRecordWithin(maxHalfHours), { minLength: 1, maxLength: 25 }),
      }),
      fc.record({
        kind: fc.constant("close" as const),
        hours: fc.nat(Math.ceil(maxHalfHours / 2) + 2),
        rowsPerStep: fc.integer({ min: 1, max: 4 }),
        maxSteps: fc.integer({ min: 1, max: 6 }),
      }),
      fc.constant({ kind: "sum weeks" as const }),
    ),
    { minLength: 2, maxLength: 8 },
  );

test.for([1, 8, 400])(
  "each rollup is the sum of its requests in any order of folds, closings and late requests within %i half hours",
  { timeout: 60_000 },
  async (maxHalfHours, { db, usage }) => {
    await fc.assert(
      fc.asyncProperty(anySteps(maxHalfHours), async (steps) => {
        await usage.empty();
        const folded: EndRecord[] = [];
        for (const step of steps) {
          if (step.kind === "fold") {
            await usage.fold(step.records);
            folded.push(...step.records);
          } else if (step.kind === "close") {
            await usage.close(FIRST_HOUR_MS + step.hours * HOUR_MS, step);
          } else {
            await sumWeeks(db.database);
          }
        }
        await usage.expectSums(folded);
      }),
      { numRuns: countPropertyRuns(25) },
    );
  },
);

test("adds a request of an open hour to the hour and the minute only, until the hour is closed", async ({
  usage,
}) => {
  const records = requestsAt(0, 0, 1);
  await usage.fold(records);
  const count = async () => ({
    hours: await usage.countRequests("usage_hour"),
    others: await Promise.all(closedRollups.map((table) => usage.countRequests(table))),
  });
  expect(await count()).toEqual({ hours: 3, others: closedRollups.map(() => 0) });
  await usage.close(FIRST_HOUR_MS + HOUR_MS);
  expect(await count()).toEqual({ hours: 3, others: closedRollups.map(() => 2) });
  await usage.expectSums(records);
});

test("adds a late request of a closed hour to every rollup", async ({ usage }) => {
  await usage.close(FIRST_HOUR_MS + 2 * HOUR_MS);
  const records = requestsAt(0, 1);
  await usage.fold(records);
  for (const table of closedRollups) expect(await usage.countRequests(table)).toBe(2);
  await usage.expectSums(records);
});

test("counts late requests once when only some keys of their hour are closed", async ({
  usage,
}) => {
  const records = requestsAt(...Array.from({ length: 10 }, () => 0));
  await usage.fold(records);
  expect(await usage.close(FIRST_HOUR_MS + HOUR_MS, { rowsPerStep: 2, maxSteps: 2 })).toBe(2);
  expect(await usage.countRequests("usage_day")).toBe(4);
  const late = requestsAt(...Array.from({ length: 10 }, () => 0));
  await usage.fold(late);
  expect(await usage.countRequests("usage_day")).toBe(8);
  await usage.expectSums([...records, ...late]);
  await usage.close(FIRST_HOUR_MS + HOUR_MS, { rowsPerStep: 3 });
  expect(await usage.countRequests("usage_day")).toBe(20);
  await usage.expectSums([...records, ...late]);
});

test("includes a request that arrives for an hour without usage while its end is planned", async ({
  db,
  usage,
}) => {
  const late = requestsAt(1);
  await usage.fold(requestsAt(3));
  // The plan is made: the next hour with usage is the fourth. Then the fold has the lock first.
  const { promise: isLocked, resolve: locked } = Promise.withResolvers<void>();
  const { promise: isPlanned, resolve: planned } = Promise.withResolvers<void>();
  await usage.append(late);
  const folding = db.database.transaction().execute(async (tx) => {
    await lockFold(tx);
    locked();
    await isPlanned;
    const batches = await listBatches(tx, 10);
    await addToRollups(tx, batches);
    await deleteBatches(tx, batches);
  });
  await isLocked;
  const closing = usage.close(FIRST_HOUR_MS + 4 * HOUR_MS);
  const countWaiting = async () => {
    const { rows } = await sql<{
      count: number;
    }>`SELECT count(*)::integer AS count FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = 'advisory'`.execute(db.database);
    return rows[0]?.count;
  };
  await expect.poll(countWaiting, { interval: 10 }).toBe(1);
  planned();
  await folding;
  await closing;
  expect(await usage.countRequests("usage_day")).toBe(2);
});

test("two nodes that close hours during folds count each request once", async ({ usage }) => {
  const records: EndRecord[] = [];
  const ends = [1, 2, 3, 4, 5].map((hours) => FIRST_HOUR_MS + hours * HOUR_MS);
  for (const endMs of ends) {
    const batches = [0, 1, 2].map(() => requestsAt(...Array.from({ length: 30 }, (_, i) => i % 5)));
    records.push(...batches.flat());
    await Promise.all([
      ...batches.map((batch) => usage.fold(batch)),
      usage.close(endMs, { rowsPerStep: 2 }),
      usage.close(endMs, { rowsPerStep: 3 }),
    ]);
  }
  await usage.close(ends.at(-1) ?? 0);
  await usage.expectSums(records);
  expect(await usage.countRequests("usage_month")).toBe(records.length);
});

test("a step that is killed or times out changes nothing, and the next run continues", async ({
  db,
  usage,
}) => {
  const records = requestsAt(0, 0, 0, 0, 1);
  await usage.fold(records);
  await usage.close(FIRST_HOUR_MS + HOUR_MS, { rowsPerStep: 2, maxSteps: 1 });
  const before = await findRollupProgress(db.database);
  await db.database.transaction().execute(async (blocking) => {
    await sql`LOCK TABLE usage_organization_day IN SHARE MODE`.execute(blocking);
    const closing = usage.close(FIRST_HOUR_MS + 2 * HOUR_MS).catch((error: unknown) => error);
    const killWaiting = async () => {
      const { rows } = await sql<{ isKilled: boolean }>`
        SELECT pg_terminate_backend(pid) AS "isKilled" FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'relation'`.execute(db.database);
      return rows.map(({ isKilled }) => isKilled);
    };
    await expect.poll(killWaiting, { interval: 10 }).toEqual([true]);
    expect(await closing).toBeInstanceOf(Error);
    await expect(usage.close(FIRST_HOUR_MS + 2 * HOUR_MS)).rejects.toThrow("statement timeout");
  });
  expect(await findRollupProgress(db.database)).toEqual(before);
  await usage.expectSums(records);
  await usage.close(FIRST_HOUR_MS + 2 * HOUR_MS);
  expect(await usage.countRequests("usage_day")).toBe(5);
  await usage.expectSums(records);
});

test("closes nothing while every rollup is written at once", async ({ db, usage }) => {
  await usage.setProgress(startOfHour(Infinity));
  await usage.fold(requestsAt(0));
  expect(await closeHours(db.database)).toBe(0);
  expect(await usage.countRequests("usage_day")).toBe(1);
  expect(await findOpenHours(db.database, organizationIds[0] ?? "")).toBeNull();
});

test("closes hours that ended five minutes ago, by the database's clock", async ({ db, usage }) => {
  await usage.fold(requestsAt(0));
  expect(await closeHours(db.database)).toBeGreaterThan(0);
  const { rows } = await sql<{ at: Date }>`
    SELECT date_trunc('hour', now() - interval '5 minutes', 'UTC') AS at`.execute(db.database);
  expect(await findRollupProgress(db.database)).toEqual(startOfHour(rows[0]?.at.getTime() ?? 0));
  expect(await closeHours(db.database)).toBe(0);
});

test("stops between two steps when asked, and the next run continues", async ({ usage }) => {
  const records = requestsAt(0, 0, 0, 0);
  await usage.fold(records);
  const checks: number[] = [];
  const isStopped = () => checks.push(1) > 2;
  expect(await usage.close(FIRST_HOUR_MS + HOUR_MS, { isStopped, rowsPerStep: 1 })).toBe(2);
  await usage.expectSums(records);
  await usage.close(FIRST_HOUR_MS + HOUR_MS);
  await usage.expectSums(records);
});

test("a fold that does not wait runs between two steps", async ({ db, usage }) => {
  const records = requestsAt(0, 0, 0);
  await usage.fold(records);
  const results: string[] = [];
  const pause = async () => {
    await usage.append(requestsAt(0));
    const options = { database: db.database, participants: [], logger };
    results.push((await foldOnce(options, { isWaiting: false })).kind);
  };
  await usage.close(FIRST_HOUR_MS + HOUR_MS, { rowsPerStep: 1, pause });
  expect(results).toEqual(["folded", "folded", "folded", "folded"]);
  expect(await usage.countRequests("usage_day")).toBe(7);
  expect(await listRollupDifferences(db.database)).toEqual([]);
});

test("passes years without usage in one step", async ({ usage }) => {
  await usage.fold(requestsAt(0));
  expect(await usage.close(FIRST_HOUR_MS + 5 * 365 * DAY_MS)).toBe(2);
});

test("a switch while nodes of version 0.1 still commit leaves each request counted once", async ({
  db,
  usage,
}) => {
  const nowMs = Date.now();
  const records: EndRecord[] = [];
  const make = (startedAtMs: number) => {
    const made = requestsAt(0, 0, 0).map((record) => ({ ...record, startedAtMs }));
    records.push(...made);
    return made;
  };
  let oldRequests = 0;
  const flushOld = (batch: EndRecord[]) => {
    oldRequests += batch.length;
    return addAsVersion01(db.database, batch);
  };
  await usage.setProgress(startOfHour(Infinity));
  await Promise.all([flushOld(make(nowMs)), usage.fold(make(nowMs)), flushOld(make(nowMs))]);
  const switched = await db.database.transaction().execute(async (tx) => {
    const at = await switchToClosing(tx, new Date(nowMs));
    return at?.getTime() ?? 0;
  });
  expect(switched % HOUR_MS).toBe(0);
  expect(switched).toBeGreaterThan(nowMs + 5 * 60_000);
  expect(switched).toBeLessThanOrEqual(nowMs + 5 * 60_000 + HOUR_MS);
  // The transaction of an old node commits after the switch.
  await Promise.all([flushOld(make(nowMs)), usage.fold(make(nowMs)), usage.fold(make(switched))]);
  await usage.close(switched + HOUR_MS, { rowsPerStep: 1 });
  await usage.fold(make(switched));
  for (const table of ["usage_hour", ...closedRollups] as const) {
    // Nodes of version 0.1 know no tags.
    const requests = records.length - (isAttributedRollup(table) ? oldRequests : 0);
    expect({ table, requests: await usage.countRequests(table) }).toEqual({ table, requests });
  }
});

test("a switch starts after the last hour with usage, and happens once", async ({ db, usage }) => {
  await usage.setProgress(startOfHour(Infinity));
  const records = requestsAt(0, 5);
  await usage.fold(records);
  const at = new Date(FIRST_HOUR_MS + 20 * 60_000);
  const switchOnce = () => db.database.transaction().execute((tx) => switchToClosing(tx, at));
  expect(await switchOnce()).toEqual(new Date(FIRST_HOUR_MS + 6 * HOUR_MS));
  expect(await switchOnce()).toBeNull();
  const later = requestsAt(3, 6);
  await usage.fold(later);
  await usage.expectSums([...records, ...later]);
  expect(await usage.countRequests("usage_day")).toBe(3);
  await usage.close(FIRST_HOUR_MS + 7 * HOUR_MS);
  await usage.expectSums([...records, ...later]);
});

test("a week with open hours is not summed before they are closed", async ({ db, usage }) => {
  const records = requestsAt(0, 24);
  await usage.fold(records);
  expect(await sumWeeks(db.database)).toBe(0);
  await usage.close(FIRST_MONDAY_MS + 8 * DAY_MS);
  expect(await sumWeeks(db.database)).toBe(1);
  await usage.fold(requestsAt(2));
  expect(await usage.countRequests("usage_week")).toBe(3);
  expect(await listRollupDifferences(db.database)).toEqual([]);
});

test("the check finds a closed rollup that lacks an hour", async ({ db, usage }) => {
  await usage.fold(requestsAt(0));
  await usage.setProgress(startOfHour(FIRST_HOUR_MS + HOUR_MS));
  const tables = (await listRollupDifferences(db.database)).map(({ table }) => table);
  expect(tables).toContain("usage_day");
  expect(tables).toContain("usage_organization_hour");
});

describe("a node of version 0.1", () => {
  const insertOlderNode = (db: Database, seenAgo: string) =>
    sql`INSERT INTO node (id, journal_id, version, seen_at)
      VALUES ('node_old', 'journal', '0.1.0', now() - ${seenAgo}::interval)
      ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`.execute(db);
  const flush = (db: Database) =>
    sql`UPDATE node SET flushed_seq = flushed_seq + 1 WHERE id = 'node_old'`.execute(db);

  test("in contact keeps all rollups written at once, and its flush is accepted", async ({
    db,
  }) => {
    await sql`UPDATE rollup_progress SET hour_at = 'infinity'`.execute(db.database);
    await insertOlderNode(db.database, "1 minute");
    expect(await beginClosing(db.database)).toBeNull();
    await flush(db.database);
  });

  test("that was silent is refused after the switch", async ({ db }) => {
    await sql`UPDATE rollup_progress SET hour_at = 'infinity'`.execute(db.database);
    await insertOlderNode(db.database, "11 minutes");
    expect(await beginClosing(db.database)).toBeInstanceOf(Date);
    expect(await beginClosing(db.database)).toBeNull();
    await expect(flush(db.database)).rejects.toThrow("A newer version of Bursar");
    await sql`DELETE FROM node WHERE id = 'node_old'`.execute(db.database);
  });
});

test("the lag is the time since the end of the first open hour, until it is closed", async ({
  db,
  usage,
}) => {
  const hourMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 2 * HOUR_MS;
  await usage.setProgress(startOfHour(hourMs));
  const lagMs = await readClosingLagMs(db.database);
  expect(lagMs).toBeGreaterThanOrEqual(HOUR_MS);
  expect(lagMs).toBeLessThan(2 * HOUR_MS + 60_000);
  const closing = startHourClosing({ database: db.database, logger });
  // An hour is closed five minutes after its end.
  await expect.poll(() => readClosingLagMs(db.database)).toBeLessThan(6 * 60_000);
  await closing.stop();
  expect(closing.lagMs()).toBeLessThan(6 * 60_000);
  await usage.setProgress(startOfHour(Infinity));
  expect(await readClosingLagMs(db.database)).toBeNull();
});
