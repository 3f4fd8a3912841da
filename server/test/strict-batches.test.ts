import { afterEach, expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { makeModelLabels } from "#src/domain/model-labels.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { type BatchWorker, makeBatchWorker } from "#src/message-batches/batch-worker.ts";
import { insertBatch } from "#src/message-batches/batches.sql.ts";
import { holdBatch } from "#src/message-batches/hold-batch.ts";
import { appendBatch } from "#src/recording/record-usage.ts";
import { BATCHES_NODE } from "#src/spend/ledger/batches-node.ts";
import { listChainKeys, placeDurableHold } from "#src/spend/ledger/durable-holds.sql.ts";
import { encodeLineCharges } from "#src/spend/ledger/hold-charges.ts";
import { test } from "./harness/database-test.ts";
import { passMonthEnd } from "./harness/month-end.ts";
import { beginRecord, endRecord } from "./harness/request-records.ts";
import { seededRandom } from "./harness/seeded-random.ts";
import { COST, StrictGateway, WORST } from "./harness/strict-gateway.ts";

// Batches and messages under one strict limit, at the same time.

// Waits here, outside the time limits of tests and hooks.
await passMonthEnd();

let s: StrictGateway;
/** Another node for the same key. */
let second: StrictGateway;

test.beforeEach(async ({ db, upstream }) => {
  s = await StrictGateway.start(db, upstream);
  second = await s.startSecond();
});

afterEach(async () => {
  await second.stop();
  await s.stop();
});

test.for([1, 2, 3, 4])(
  "batches and messages of two nodes together never exceed a strict limit, seed %d",
  { timeout: 60_000 },
  async (seed, { db }) => {
    const { database } = db;
    const random = seededRandom(seed);
    const limit = 12n * WORST;
    await s.limit(limit);
    await second.node.ledger.refresh();
    let isOver = false;
    let highest = 0n;
    const watch = (async () => {
      while (!isOver) {
        const { settled, leased, unresolved } = await s.balance();
        const used = settled + leased + unresolved;
        if (used > highest) highest = used;
      }
    })();
    let spent = 0n;

    /** Holds a batch, and records its lines at a part of their holds. */
    const runBatch = async (name: string): Promise<void> => {
      const lines = 1 + Math.floor(random() * 4);
      const startedAtMs = Date.now();
      const amountNanoUsd = BigInt(lines) * WORST;
      const hold = { holdId: `req_${seed}_${name}`, scope: s.scope, startedAtMs, amountNanoUsd };
      const refusal = await inTransaction(database, (tx) => placeDurableHold(tx, hold), {
        deadlockRetries: 3,
      });
      if (refusal !== null) return;
      const cost = BigInt(Math.floor(random() * Number(WORST)));
      for (let line = 0; line < lines; line++) {
        const begin = beginRecord({ ...s.scope, startedAtMs, holdNanoUsd: WORST });
        const record = endRecord(begin, cost, { holdNanoUsd: WORST });
        const releases = listChainKeys(s.scope, startedAtMs).map((key) => {
          return { ...key, holdId: hold.holdId, nanoUsd: WORST };
        });
        const place = { nodeId: BATCHES_NODE, journalId: hold.holdId, toSeq: 0 };
        const encodeHoldCharges = () => encodeLineCharges([record], releases);
        await inTransaction(database, (tx) =>
          appendBatch(tx, { ...place, encodeHoldCharges }, [record]),
        );
        spent += cost;
        await s.node.flush();
      }
    };
    const runMessage = async (): Promise<void> => {
      const gateway = random() < 0.5 ? s : second;
      const { status } = await gateway.ask();
      if (status === 200) spent += COST;
      await gateway.node.flush();
    };
    for (let round = 0; round < 6; round++) {
      const calls = Array.from({ length: 6 }, (_, at) =>
        random() < 0.5 ? runBatch(`${round}_${at}`) : runMessage(),
      );
      await Promise.all(calls);
    }
    isOver = true;
    await watch;
    await s.node.flush();
    const { settled, unresolved, overrun } = await s.balance();
    expect({ settled, unresolved, overrun }).toEqual({
      settled: spent,
      unresolved: 0n,
      overrun: 0n,
    });
    expect(highest).toBeGreaterThan(0n);
    expect(highest).toBeLessThanOrEqual(limit);
  },
);

test("a batch gets the budget that two nodes hold in advance of their requests", async ({ db }) => {
  const { database } = db;
  const limit = 100n * WORST;
  await s.limit(limit);
  await second.node.ledger.refresh();
  for (const gateway of [s, second]) {
    for (let asked = 0; asked < 4; asked++) expect((await gateway.ask()).status).toBe(200);
    await gateway.node.flush();
  }
  const { settled, leased } = await s.balance();
  const holders = await database
    .selectFrom("lease_left")
    .select(["node_id", "amount_nano_usd"])
    .where("scope_id", "=", s.scope.workspaceId)
    .where("period", "=", "monthly")
    .where("amount_nano_usd", ">", 0n)
    .execute();
  expect(new Set(holders.map(({ node_id }) => node_id)).size).toBe(2);
  const startedAt = new Date();
  const id = "req_whole_rest";
  const { organizationId, workspaceId, apiKeyId } = s.scope;
  const facts = { client: "other", upstreamId: "environment", isSimulated: false, startedAt };
  await insertBatch(database, {
    ...{ id, organizationId, workspaceId, apiKeyId, memberId: null, groupIds: [], tagIds: [] },
    ...{ ...facts, nodeId: "node_test" },
  });
  const worstNanoUsd = limit - settled;
  const hold = { holdId: id, scope: s.scope, startedAtMs: startedAt.getTime() };
  const refusal = await inTransaction(database, (tx) =>
    placeDurableHold(tx, { ...hold, amountNanoUsd: worstNanoUsd }),
  );
  expect(refusal).toMatchObject({ reason: "held", figures: { leasedNanoUsd: leased } });
  const stored = { lineCount: 1, worstNanoUsd, openEndedNanoUsd: [], hash: "hash" };
  const worker = makeWorkerOf(second, database);
  worker.start();
  const { leases } = s.node;
  await holdBatch(
    { database, holdWaitMs: 10_000, publicUrl: () => null, leases },
    { id, scope: s.scope, startedAt, stored },
    new AbortController().signal,
  );
  await worker.stop();
  expect(await s.balance()).toMatchObject({ settled, leased: worstNanoUsd });
  const sent = s.countMessages();
  for (const gateway of [s, second]) expect((await gateway.ask()).status).toBe(429);
  expect(s.countMessages()).toBe(sent);
});

/** The worker of a node, which reads every second which batches wait. */
function makeWorkerOf({ node }: StrictGateway, database: Database): BatchWorker {
  const { nodeId, leases } = node;
  return makeBatchWorker({
    ...{ database, nodeId, leases, clock: systemClock, logger: makeLogger("silent") },
    fold: async () => void (await node.flush()),
    prices: { get: () => makePriceBook([]) },
    labels: makeModelLabels(10),
    references: { recordGiven: () => Promise.resolve() },
    readerOf: () => null,
    databaseNowMs: Date.now,
    folder: "/nowhere",
    notifications: { subscribe: () => () => undefined, isListening: () => false },
  });
}
