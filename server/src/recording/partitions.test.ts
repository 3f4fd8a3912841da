// Oldest PostgreSQL: background
import { sql } from "kysely";
import { expect } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { createTestDatabase } from "#test/harness/database.ts";
import { test as base } from "#test/harness/database-test.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { readDatabaseNowMs } from "./node.sql.ts";
import { ensureUsagePartitions, startPartitionMaintenance } from "./partitions.ts";
import { insertUsageEvents } from "./usage.sql.ts";

const test = base
  .extend("record", ({ db }) => async (startedAtMs: number): Promise<string> => {
    const begin = beginRecord({ startedAtMs });
    await db.database
      .transaction()
      .execute((tx) =>
        insertUsageEvents(tx, { nodeId: "node_1", records: [endRecord(begin, 1n)] }),
      );
    return begin.requestId;
  })
  /** Partition of each event. */
  .extend("places", ({ db }) => async (): Promise<Record<string, string>> => {
    const { rows } = await sql<{ request_id: string; place: string }>`
    SELECT request_id, tableoid::regclass::text AS place FROM usage_record`.execute(db.database);
    return Object.fromEntries(rows.map((row) => [row.request_id, row.place]));
  });

let nowMs: number;

test.beforeEach(async ({ db }) => {
  nowMs = await readDatabaseNowMs(db.database);
  for (const { name } of months()) await db.database.schema.dropTable(name).ifExists().execute();
  await db.database.deleteFrom("usage_record").execute();
});

/** The month of the database's clock and the next one. */
function months(): { name: string; startMs: number; endMs: number }[] {
  const now = new Date(nowMs);
  return [0, 1].map((ahead) => {
    const [startMs, endMs] = [0, 1].map((n) =>
      Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead + n),
    ) as [number, number];
    const name = `usage_record_${new Date(startMs).toISOString().slice(0, 7).replace("-", "_")}`;
    return { name, startMs, endMs };
  });
}

test("this and the next month get a partition, once", async ({ db }) => {
  const names = months().map(({ name }) => name);
  expect(await ensureUsagePartitions(db.database)).toEqual(names);
  expect(await ensureUsagePartitions(db.database)).toEqual([]);
});

test("several nodes that start together create each partition once", async ({ db }) => {
  const made = await Promise.all([1, 2, 3, 4].map(() => ensureUsagePartitions(db.database)));
  expect(made.flat()).toEqual(months().map(({ name }) => name));
});

test("bounds are the month in UTC, and earlier events stay in the default partition", async ({
  db,
  record,
  places,
}) => {
  await ensureUsagePartitions(db.database);
  const [current, next] = months();
  const expected: Record<string, string> = {};
  for (const { name, startMs, endMs } of [current, next].filter((month) => month !== undefined)) {
    expected[await record(startMs)] = name;
    expected[await record(endMs - 1)] = name;
  }
  expected[await record((current?.startMs ?? 0) - 1)] = "usage_record_default";
  expected[await record(next?.endMs ?? 0)] = "usage_record_default";
  expect(await places()).toEqual(expected);
});

test("events move into their partition when it is created, and none is lost", async ({
  db,
  record,
  places,
}) => {
  const [current] = months();
  const early = await record(current?.startMs ?? 0);
  const old = await record((current?.startMs ?? 0) - 1);
  await ensureUsagePartitions(db.database);
  expect(await places()).toEqual({ [early]: current?.name, [old]: "usage_record_default" });
});

test("no event is lost while a partition is created", async ({ db, record, places }) => {
  const [current] = months();
  const ids: string[] = [];
  const writing = (async () => {
    for (let i = 0; i < 50; i++) ids.push(await record((current?.startMs ?? 0) + i));
  })();
  await ensureUsagePartitions(db.database);
  await writing;
  expect(Object.keys(await places())).toHaveLength(50);
  expect(ids).toHaveLength(50);
});

test("a failure is logged and does not stop the start", async () => {
  const closed = await createTestDatabase();
  await readDatabaseNowMs(closed.database);
  await closed.database.destroy();
  const logged: string[] = [];
  const logger = makeLogger("warn", { write: (line) => logged.push(line) });
  const keeper = await startPartitionMaintenance({ database: closed.database, logger });
  keeper.stop();
  expect(logged).toEqual([expect.stringContaining("usage partitions could not be created")]);
  await closed.drop();
});
