import fc from "fast-check";
import { sql } from "kysely";
import { expect } from "vitest";
import type { EndRecord } from "#src/domain/request-record.ts";
import { test as base } from "#test/harness/database-test.ts";
import { appendAndFold } from "#test/harness/folds.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import {
  anyRecordWithin,
  byKey,
  keyOf,
  pickCounts,
  type Sum,
  sumUp,
} from "#test/harness/rollup-sums.ts";
import { type RollupTable, rollupTableNames, rollupTables } from "./rollup-tables.ts";

const DAY_MS = 86_400_000;
const FIRST_MONDAY_MS = Date.UTC(2026, 4, 25);

const test = base.extend("rollups", ({ db }) => {
  async function empty(): Promise<void> {
    for (const table of ["usage_record", ...rollupTableNames]) {
      await sql`TRUNCATE ${sql.table(table)}`.execute(db.database);
    }
  }

  async function flush(records: readonly EndRecord[]): Promise<void> {
    await appendAndFold(db.database, "node_1", records);
  }

  async function setWeeksSummedBefore(ms: number): Promise<void> {
    await sql`UPDATE usage_weeks SET summed_before = ${new Date(ms)}`.execute(db.database);
  }

  /** Rows of the table. */
  async function listSums(table: RollupTable): Promise<Sum[]> {
    const { rows } = await sql<Parameters<typeof keyOf>[0] & { bucket_at: Date } & Sum>`
    SELECT * FROM ${sql.table(table)}`.execute(db.database);
    return rows
      .map((row) => ({
        ...pickCounts(row),
        key: keyOf(row, row.bucket_at.getTime(), rollupTables[table].labels),
      }))
      .sort(byKey);
  }

  return { empty, flush, setWeeksSummedBefore, listSums };
});

test.beforeEach(async ({ db, rollups }) => {
  // Every rollup is written at once.
  await sql`UPDATE rollup_progress SET hour_at = 'infinity'`.execute(db.database);
  await rollups.empty();
});

test("every rollup is the sum of the requests with one row per key, in any batches", async ({
  rollups,
}) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anyRecordWithin(400), { maxLength: 30 }), { minLength: 1, maxLength: 3 }),
      fc.nat(2),
      async (batches, weeks) => {
        await rollups.empty();
        const weeksBeforeMs = FIRST_MONDAY_MS + weeks * 7 * DAY_MS;
        await rollups.setWeeksSummedBefore(weeksBeforeMs);
        for (const batch of batches) await rollups.flush(batch);
        for (const table of rollupTableNames) {
          const expected = sumUp(table, batches.flat(), weeksBeforeMs);
          expect({ table, rows: await rollups.listSums(table) }).toEqual({ table, rows: expected });
        }
      },
    ),
    { numRuns: 25 },
  );
});

test("a batch of today changes no week, and does not lock the row of summed weeks", async ({
  db,
  rollups,
}) => {
  await rollups.setWeeksSummedBefore(FIRST_MONDAY_MS);
  await db.database.transaction().execute(async (summing) => {
    await sql`SELECT 1 FROM usage_weeks FOR UPDATE`.execute(summing);
    await rollups.flush([endRecord(beginRecord({ startedAtMs: Date.now() }), 7n)]);
  });
  expect((await rollups.listSums("usage_day")).map((row) => row.cost_nano_usd)).toEqual([7n]);
  expect(await rollups.listSums("usage_week")).toEqual([]);
});
