import { type CountColumn, countColumns, type LabelColumn } from "@bursar/contract/usage-shape.ts";
import fc from "fast-check";
import { sql } from "kysely";
import { expect } from "vitest";
import type { EndRecord } from "#src/domain/request-record.ts";
import { requestStatus } from "#src/domain/request-status.ts";
import { test as base } from "#test/harness/database-test.ts";
import { appendAndFold } from "#test/harness/folds.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import {
  type RollupTable,
  type RollupUnit,
  rollupTableNames,
  rollupTables,
} from "./rollup-tables.ts";
import type { UsageEventRow } from "./usage-rows.ts";
import { toUsageEvent } from "./usage-rows.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A Thursday: the requests after it fall into two weeks and two months, all of them days ago. */
const SOME_TIME_MS = Date.UTC(2026, 4, 28, 10, 30);
const FIRST_MONDAY_MS = Date.UTC(2026, 4, 25);

const anyRecord: fc.Arbitrary<EndRecord> = fc
  .record({
    startedAtMs: fc
      .integer({ min: 0, max: 400 })
      .map((halfHours) => SOME_TIME_MS + halfHours * (HOUR_MS / 2)),
    apiKeyId: fc.constantFrom("apikey_1", "apikey_2"),
    workspaceId: fc.constantFrom("wksp_1", "wksp_2"),
    memberId: fc.constantFrom(undefined, "user_1", "user_2"),
    httpStatus: fc.constantFrom(null, 200, 400, 429, 500, 529),
    model: fc.constantFrom("claude-sonnet-5", "claude-opus-5", `${"m".repeat(300)}`, "a\u0000b"),
    client: fc.constantFrom("curl", "other"),
    speed: fc.constantFrom("standard", "fast"),
    outcome: fc.constantFrom<EndRecord["outcome"]>("answered", "refused", "interrupted"),
    isEstimated: fc.boolean(),
    isUnpriced: fc.boolean(),
    nanoUsd: fc.bigInt({ min: 0n, max: 10n ** 12n }),
  })
  .map(({ startedAtMs, apiKeyId, workspaceId, memberId, client, nanoUsd, ...rest }) => {
    const begin = beginRecord({ startedAtMs, apiKeyId, workspaceId, client });
    return endRecord(memberId === undefined ? begin : { ...begin, memberId }, nanoUsd, rest);
  });

interface Sum extends Record<CountColumn, bigint> {
  key: string;
}

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

  /** The table's rows as they stand in the database. */
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

test.beforeEach(({ rollups }) => rollups.empty());

/** Bucket and labels of a row, as the primary key of the rollup has them. */
function keyOf(
  row: Pick<UsageEventRow, Exclude<LabelColumn, "status">> & { status: string },
  atMs: number,
  labels: readonly LabelColumn[],
): string {
  return [atMs, ...labels.map((label) => row[label])].join("\n");
}

function startOf(unit: RollupUnit, at: Date): number {
  const day = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()] as const;
  if (unit === "month") return Date.UTC(day[0], day[1]);
  if (unit === "week") return Date.UTC(day[0], day[1], day[2] - ((at.getUTCDay() + 6) % 7));
  if (unit === "minute") return Math.floor(at.getTime() / 60_000) * 60_000;
  return unit === "day" ? Date.UTC(...day) : Math.floor(at.getTime() / HOUR_MS) * HOUR_MS;
}

/** What they should be: the records added up one by one. */
function sumUp(table: RollupTable, records: readonly EndRecord[], weeksBeforeMs: number): Sum[] {
  const { unit, labels } = rollupTables[table];
  const sums = new Map<string, Sum>();
  for (const record of records) {
    // Of weeks only what comes after they were summed up.
    if (unit === "week" && record.startedAtMs >= weeksBeforeMs) continue;
    const status = requestStatus(record.outcome, record.httpStatus);
    const event = { ...toUsageEvent(record, "node_1"), status };
    const key = keyOf(event, startOf(unit, event.started_at), labels);
    const counts = {
      ...event,
      requests: 1n,
      errors: record.outcome === "answered" ? 0n : 1n,
      estimated_requests: record.isEstimated ? 1n : 0n,
      unpriced_requests: record.isUnpriced ? 1n : 0n,
    };
    const known = sums.get(key);
    if (known === undefined) sums.set(key, { ...pickCounts(counts), key });
    else for (const column of countColumns) known[column] += counts[column];
  }
  return [...sums.values()].sort(byKey);
}

function pickCounts(row: Record<CountColumn, bigint>): Record<CountColumn, bigint> {
  return Object.fromEntries(countColumns.map((column) => [column, row[column]])) as Record<
    CountColumn,
    bigint
  >;
}

function byKey(a: Sum, b: Sum): number {
  return a.key < b.key ? -1 : 1;
}

test("every rollup is the sum of the requests, one row per key, however they are flushed", async ({
  rollups,
}) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anyRecord, { maxLength: 30 }), { minLength: 1, maxLength: 3 }),
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

test("a batch of today leaves the weeks alone, and the row of those that are summed up", async ({
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
