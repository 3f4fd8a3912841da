// Oldest PostgreSQL: ledger
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import { startNotifications } from "#src/db/notifications.ts";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { listBalanceDifferences } from "#src/spend/check/verify.sql.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { makeSpendFold } from "#src/spend/ledger/ledger.ts";
import { upsertSpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { test as base } from "#test/harness/database-test.ts";
import { makeUnreliable } from "#test/harness/meters.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { type FoldParticipant, foldAll, foldOnce, MAX_BATCHES } from "./fold.ts";
import { lockFold } from "./fold-lock.sql.ts";
import { FoldWorker } from "./fold-worker.ts";
import { appendBatch } from "./record-usage.ts";
import { listRollupDifferences } from "./verify.sql.ts";

const logger = makeLogger("silent");
const participants = () => [makeSpendFold()];

const scope = { organizationId: randomUUID() };
const unknown = { organizationId: randomUUID(), workspaceId: "wksp_2", apiKeyId: "apikey_2" };

const test = base
  .extend("append", ({ db }) => {
    let toSeq = 0;
    /** Appends a batch of one request for each cost. */
    return async (nodeId: string, ...costs: bigint[]): Promise<EndRecord[]> => {
      const records = costs.map((nanoUsd) => endRecord(beginRecord(scope), nanoUsd));
      toSeq += records.length;
      const position = { journalId: "journal", toSeq };
      await inTransaction(db.database, async (tx) => {
        await sql`INSERT INTO node (id, journal_id, version) VALUES (${nodeId}, 'journal', '0')
          ON CONFLICT (id) DO NOTHING`.execute(tx);
        await appendBatch(tx, { nodeId, encodeHoldCharges, ...position }, records);
      });
      return records;
    };
  })
  .extend("counted", ({ db }) => async () => {
    const { rows } = await sql<{ cost: bigint; queued: bigint }>`
      SELECT coalesce((SELECT sum(cost_nano_usd) FROM usage_hour), 0)::bigint AS cost,
        (SELECT count(*) FROM usage_batch) AS queued`.execute(db.database);
    return rows[0];
  });

test.beforeEach(async ({ db }) => {
  await db.database
    .insertInto("organization")
    .values({ id: scope.organizationId, name: "Acme" })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await sql`TRUNCATE usage_batch, usage_record, balance, node`.execute(db.database);
  await upsertSpendLimit(db.database, {
    ...{ id: "spl_1", organizationId: scope.organizationId, period: "monthly" },
    ...{ scopeType: "organization", scopeId: scope.organizationId },
    ...{ amountNanoUsd: 1_000_000_000n, enforcement: "alert_only" },
  });
  const { rows } = await sql<{ name: string }>`SELECT relname AS name FROM pg_class
    WHERE relkind = 'r' AND relname ~ '^usage_.*(hour|day|week|month|minute)$'`.execute(
    db.database,
  );
  for (const { name } of rows) await sql`TRUNCATE ${sql.table(name)}`.execute(db.database);
});

async function expectSame(database: Database): Promise<void> {
  expect(await listRollupDifferences(database)).toEqual([]);
  expect(await listBalanceDifferences(database)).toEqual([]);
}

async function findAppendedSeq(database: Database): Promise<number> {
  const { rows } = await sql<{ seq: bigint }>`SELECT max(to_seq) AS seq FROM usage_batch`.execute(
    database,
  );
  return Number(rows[0]?.seq);
}

async function countWaiting(database: Database, table: string): Promise<number | undefined> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM pg_locks WHERE NOT granted AND relation = ${table}::regclass`.execute(
    database,
  );
  return rows[0]?.count;
}

test("ends after the batches that were appended before it, while nodes append more", async ({
  db,
  append,
  counted,
}) => {
  const appendMany = async (afterEach: () => Promise<unknown>) => {
    for (let i = 0; i <= MAX_BATCHES; i++) {
      await append("node_a", 1n);
      await afterEach();
    }
  };
  await appendMany(async () => undefined);
  let folds = 0;
  const appendMore: FoldParticipant = {
    fold: async (tx) => {
      folds += 1;
      // PostgreSQL ends a fold whose transaction is idle for some seconds, as on a busy machine.
      if (folds <= 2) await appendMany(() => sql`SELECT 1`.execute(tx));
    },
  };
  const all = { database: db.database, logger };
  await foldAll({ ...all, participants: [...participants(), appendMore] });
  expect(folds).toBe(2);
  expect(await counted()).toEqual({
    cost: 2n * BigInt(MAX_BATCHES),
    queued: BigInt(MAX_BATCHES + 3),
  });
  await foldAll({ ...all, participants: participants() });
  expect((await counted())?.queued).toBe(0n);
  await expectSame(db.database);
});

test("adds the batches of all nodes to rollups and balances, and advances their positions", async ({
  db,
  append,
  counted,
}) => {
  await append("node_a", 1n, 2n);
  await append("node_b", 4n);
  await append("node_a", 8n);
  expect(await counted()).toEqual({ cost: 0n, queued: 3n });
  await foldAll({ database: db.database, participants: participants(), logger });
  expect(await counted()).toEqual({ cost: 15n, queued: 0n });
  await expectSame(db.database);
  const nodes = await db.database
    .selectFrom("node")
    .select(["id", "folded_seq"])
    .orderBy("id")
    .execute();
  expect(nodes).toEqual([
    { id: "node_a", folded_seq: 4n },
    { id: "node_b", folded_seq: 3n },
  ]);
});

test("counts 200 batches in several transactions", async ({ db, append, counted }) => {
  for (let i = 0; i < 200; i++) await append("node_a", 1n);
  const first = await foldOnce(
    { database: db.database, participants: participants(), logger },
    { isWaiting: false },
  );
  expect(first).toMatchObject({ kind: "folded", hasMore: true });
  await foldAll({ database: db.database, participants: participants(), logger });
  expect(await counted()).toEqual({ cost: 200n, queued: 0n });
  await expectSame(db.database);
});

describe("counts each batch once", () => {
  test.for(["after commit", "before commit"] as const)(
    "with a connection lost %s",
    async (when, { db, append, counted }) => {
      await append("node_a", 1n);
      const database = makeUnreliable(db.database, when, 1);
      const options = { database, participants: participants(), logger };
      await expect(foldAll(options)).rejects.toThrow("connection lost");
      await append("node_a", 2n);
      await foldAll(options);
      expect(await counted()).toEqual({ cost: 3n, queued: 0n });
      await expectSame(db.database);
    },
  );

  test("with a fold that fails at any participant", async ({ db, append, counted }) => {
    await append("node_a", 1n);
    for (const place of [0, 1]) {
      const failing: FoldParticipant = { fold: () => Promise.reject(new Error("a bug")) };
      const all: FoldParticipant[] = participants();
      all.splice(place, 0, failing);
      await expect(foldAll({ database: db.database, participants: all, logger })).rejects.toThrow(
        "a bug",
      );
      expect(await counted()).toEqual({ cost: 0n, queued: 1n });
    }
    await foldAll({ database: db.database, participants: participants(), logger });
    expect(await counted()).toEqual({ cost: 1n, queued: 0n });
    await expectSame(db.database);
  });

  test("with four workers that fold at once while requests are appended", async ({
    db,
    append,
    counted,
  }) => {
    const workers = [1, 2, 3, 4].map(
      () => new FoldWorker({ database: db.database, participants: participants(), logger }),
    );
    for (const worker of workers) worker.start();
    for (let i = 0; i < 40; i++) {
      await append(`node_${i % 4}`, BigInt(i));
      if (i % 5 === 0) await Promise.all(workers.map((worker) => worker.fold()));
    }
    await Promise.all(workers.map((worker) => worker.fold()));
    for (const worker of workers) await worker.stop();
    expect(await counted()).toEqual({ cost: 780n, queued: 0n });
    await expectSame(db.database);
  });
});

test("sets a batch aside that the database refuses, and counts all others", async ({
  db,
  append,
  counted,
}) => {
  await append("node_a", 1n);
  const begin = beginRecord({ ...unknown, holdNanoUsd: 2n });
  const record = endRecord(begin, 0n, { outcome: "interrupted", holdNanoUsd: 2n });
  await inTransaction(db.database, (tx) =>
    appendBatch(tx, { nodeId: "node_a", encodeHoldCharges, journalId: "journal", toSeq: 1_000 }, [
      record,
    ]),
  );
  await append("node_a", 4n);
  await foldAll({ database: db.database, participants: participants(), logger });
  expect(await counted()).toEqual({ cost: 5n, queued: 1n });
  await sql`DELETE FROM usage_record WHERE request_id = ${record.requestId}`.execute(db.database);
  await expectSame(db.database);
});

test("sets a batch aside whose sum exceeds the highest number, and does not wrap", async ({
  db,
  append,
  counted,
}) => {
  const half = 2n ** 62n;
  await append("node_a", half);
  await append("node_a", half);
  await append("node_a", 4n);
  await foldAll({ database: db.database, participants: participants(), logger });
  expect(await counted()).toEqual({ cost: half + 4n, queued: 1n });
});

test("a fold that pauses loses its transaction after 2 s, and another node folds", async ({
  db,
  append,
  counted,
}) => {
  await append("node_a", 1n);
  const paused = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const pausing = inTransaction(db.database, async (tx) => {
    await lockFold(tx);
    locked.resolve();
    await paused.promise;
    await sql`DELETE FROM usage_batch`.execute(tx);
  });
  const lost = expect(pausing).rejects.toThrow();
  await locked.promise;
  const options = { database: db.database, participants: participants(), logger };
  expect(await foldOnce(options, { isWaiting: false })).toEqual({ kind: "busy" });
  await foldAll(options);
  paused.resolve();
  await lost;
  expect(await counted()).toEqual({ cost: 1n, queued: 0n });
  await expectSame(db.database);
});

test("a flush does not wait while a fold adds to the rollups", async ({ db, append, counted }) => {
  await append("node_a", 1n);
  const { database } = db;
  const options = { database, participants: participants(), logger };
  let folding: Promise<unknown> = Promise.resolve();
  await inTransaction(database, async (tx) => {
    await sql`LOCK TABLE usage_hour IN SHARE MODE`.execute(tx);
    folding = foldAll(options);
    await expect.poll(() => countWaiting(database, "usage_hour")).toBe(1);
    await inTransaction(database, (flush) =>
      sql`SELECT FROM node WHERE id = 'node_a' FOR UPDATE NOWAIT`.execute(flush),
    );
  });
  await folding;
  expect(await counted()).toEqual({ cost: 1n, queued: 0n });
});

test("each fold notifies the workers of other processes", async ({ db, append }) => {
  const { database, connectionString } = db;
  const clock = systemClock;
  const notifications = startNotifications({ database, connectionString, clock, logger });
  let isCounted = false;
  const seen: boolean[] = [];
  notifications.subscribe("fold", () => seen.push(isCounted));
  await expect.poll(() => notifications.isListening()).toBe(true);
  await append("node_a", 1n);
  expect(seen).not.toContain(true);
  isCounted = true;
  await foldAll({ database, participants: participants(), logger });
  await expect.poll(() => seen).toContain(true);
  await notifications.stop();
});

describe("a worker", () => {
  test("counts appended requests of a dead node", async ({ db, append, counted }) => {
    const worker = new FoldWorker({ database: db.database, participants: participants(), logger });
    worker.start();
    await append("node_dead", 5n);
    await expect.poll(counted).toEqual({ cost: 5n, queued: 0n });
    await worker.stop();
  });

  test("reports the position of another worker's folds to the followers of its node", async ({
    db,
    append,
  }) => {
    const [here, there] = [1, 2].map(
      () => new FoldWorker({ database: db.database, participants: participants(), logger }),
    );
    const seen: number[] = [];
    const participant = here?.participant("node_a", (seq) => void seen.push(seq));
    participant?.started?.({ epoch: 1n, flushedSeq: 0, isJournalWhole: true });
    here?.start();
    const records = await append("node_a", 1n, 2n);
    const flushedSeq = await findAppendedSeq(db.database);
    await there?.fold();
    participant?.committed?.(records, { flushedSeq, isCounted: true });
    await expect.poll(() => seen).toEqual([flushedSeq]);
    await here?.stop();
  });

  test("counts the first batch of a new database", async ({ db, append, counted }) => {
    await sql`UPDATE fold_state SET due_at = '-infinity'`.execute(db.database);
    const worker = new FoldWorker({ database: db.database, participants: participants(), logger });
    worker.start();
    await append("node_a", 5n);
    await expect.poll(counted).toEqual({ cost: 5n, queued: 0n });
    await worker.stop();
  });

  test("reports the age of what its process appended, until it knows that this is counted", async ({
    db,
    append,
  }) => {
    const worker = new FoldWorker({ database: db.database, participants: participants(), logger });
    const seen: number[] = [];
    const participant = worker.participant("node_a", (seq) => void seen.push(seq));
    participant.started?.({ epoch: 1n, flushedSeq: 0, isJournalWhole: true });
    const records = await append("node_a", 1n);
    const flushedSeq = await findAppendedSeq(db.database);
    await worker.fold();
    expect([seen, worker.lagMs]).toEqual([[], 0]);
    participant.committed?.(records, { flushedSeq, isCounted: true });
    await delay(5);
    expect(worker.lagMs).toBeGreaterThan(0);
    await worker.fold();
    expect([seen, worker.lagMs]).toEqual([[flushedSeq], 0]);
  });

  test("continues after a failure of the database", async ({ db, append, counted }) => {
    let isAway = true;
    const away: FoldParticipant = {
      fold: () => (isAway ? Promise.reject(new Error("away")) : Promise.resolve()),
    };
    const worker = new FoldWorker({
      database: db.database,
      participants: [...participants(), away],
      logger,
    });
    await append("node_a", 3n);
    worker.start();
    await delay(50);
    isAway = false;
    await expect.poll(counted).toEqual({ cost: 3n, queued: 0n });
    await worker.stop();
  });
});
