import { afterEach, expect } from "vitest";
import { inTransaction } from "#src/db/transaction.ts";
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

test.beforeEach(async ({ db, upstream }) => {
  s = await StrictGateway.start(db, upstream);
});

afterEach(() => s.stop());

test.for([1, 2, 3, 4])(
  "batches and messages together never exceed a strict limit, seed %d",
  { timeout: 60_000 },
  async (seed, { db }) => {
    const { database } = db;
    const random = seededRandom(seed);
    const limit = 12n * WORST;
    await s.limit(limit);
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
      const { status } = await s.ask();
      if (status === 200) spent += COST;
      await s.node.flush();
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

test("a batch gets the budget that a node holds in advance of its requests", async ({ db }) => {
  const { database } = db;
  const limit = 100n * WORST;
  await s.limit(limit);
  for (let asked = 0; asked < 4; asked++) await s.ask();
  await s.node.flush();
  const { settled, leased } = await s.balance();
  expect(leased).toBeGreaterThan(0n);
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
  expect(refusal).toMatchObject({ reason: "held" });
  const stored = { lineCount: 1, worstNanoUsd, openEndedNanoUsd: [], hash: "hash" };
  const { leases } = s.node;
  await holdBatch(
    { database, holdWaitMs: 10_000, publicUrl: () => null, leases },
    { id, scope: s.scope, startedAt, stored },
    new AbortController().signal,
  );
  expect(await s.balance()).toMatchObject({ settled, leased: worstNanoUsd });
});
