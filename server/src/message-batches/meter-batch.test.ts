import { setTimeout as delay } from "node:timers/promises";
import { describe, expect } from "vitest";
import { inTransaction } from "#src/db/transaction.ts";
import { test as base } from "#test/harness/database-test.ts";
import { SOME_TIME_MS } from "#test/harness/request-records.ts";
import { makeSentBatch, resultOf, SENT_LINE_COST_NANO_USD } from "#test/harness/sent-batch.ts";
import { findBatchForUpdate } from "./batches.sql.ts";
import {
  type MeterDeps,
  meterBatch,
  recordAbandonedBatch,
  recordUnknownBatch,
} from "./meter-batch.ts";

// Results of a batch on real balances, with failures at every step.

const LINES = 1_234;

const test = base.extend("batch", async ({ db: { database } }) => {
  const sent = await makeSentBatch(database, { lines: LINES });
  const meter = async (results: AsyncIterable<Buffer>, over: Partial<MeterDeps> = {}) => {
    const { upstreamBatchId } = sent;
    const endedAtMs = SOME_TIME_MS + 5_000;
    const metering = { batch: await sent.find(), upstreamBatchId, endedAtMs };
    await meterBatch({ ...sent.deps, ...over }, metering, results);
  };
  /** Abandons the batch, unless it has ended. Reads the amounts before the fold. */
  const abandon = async () => {
    await inTransaction(database, async (tx) => {
      const found = await findBatchForUpdate(tx, sent.id);
      if (found?.state !== "sent" && found?.state !== "running") return;
      await recordAbandonedBatch(tx, found, SOME_TIME_MS + 9_000);
    });
    return sent.read();
  };
  /** Expects each line in a record of its own, or in the one of all unknown lines. */
  const expectEnded = async () => {
    const { state, meteredLines } = await sent.find();
    const settled = BigInt(meteredLines) * SENT_LINE_COST_NANO_USD;
    const requests = meteredLines + (meteredLines < LINES ? 1 : 0);
    expect(state).toBe("metered");
    expect(await sent.records()).toEqual({ requests, ids: requests, cost: settled });
    const amounts = await sent.read();
    expect(amounts).toMatchObject({ settled, leased: 0n });
    expect((amounts?.unresolved ?? 0n) > 0n).toBe(meteredLines < LINES);
    expect(await sent.leftRows()).toEqual({ lines: 0, holds: 0 });
    expect(await sent.check()).toEqual([]);
    return meteredLines;
  };
  return { ...sent, meter, abandon, expectEnded };
});

async function* results(
  { from = LINES - 1, failAfter = Number.POSITIVE_INFINITY } = {},
  of: (index: number) => string = resultOf,
): AsyncGenerator<Buffer> {
  let sent = 0;
  // In another order than the requests.
  for (let index = from; index >= 0; index--) {
    if (sent >= failAfter) throw new Error("the connection broke");
    sent += 1;
    yield Buffer.from(of(index));
  }
}

test("each line is recorded once at half price, and nothing stays held", async ({ batch }) => {
  await batch.run();
  await batch.meter(results());
  const total = BigInt(LINES) * SENT_LINE_COST_NANO_USD;
  expect(await batch.records()).toEqual({ requests: LINES, ids: LINES, cost: total });
  expect(await batch.read()).toEqual({ settled: total, leased: 0n, unresolved: 0n });
  expect(await batch.find()).toMatchObject({
    state: "metered",
    meteredLines: LINES,
    costNanoUsd: total,
  });
  expect(await batch.leftRows()).toEqual({ lines: 0, holds: 0 });
  expect(await batch.check()).toEqual([]);
});

test("a second run records nothing", async ({ batch }) => {
  await batch.run();
  await batch.meter(results());
  const before = await batch.records();
  await batch.meter(results());
  expect(await batch.records()).toEqual(before);
  expect(await batch.check()).toEqual([]);
});

test("two runs at once record each line once", async ({ batch }) => {
  await batch.run();
  await Promise.allSettled([batch.meter(results()), batch.meter(results())]);
  await batch.meter(results());
  expect(await batch.records()).toMatchObject({ requests: LINES, ids: LINES });
  expect(await batch.check()).toEqual([]);
});

describe("continues after a failure", () => {
  test.for([0, 1, 499, 500, 501, 1_000, 1_233])(
    "of the results after %d lines",
    async (failAfter, { batch }) => {
      await batch.run();
      await expect(batch.meter(results({ failAfter }))).rejects.toThrow("broke");
      const middle = await batch.read();
      const held = (middle?.settled ?? 0n) + (middle?.leased ?? 0n);
      expect(held).toBeLessThanOrEqual(batch.holdNanoUsd);
      await batch.meter(results());
      const total = BigInt(LINES) * SENT_LINE_COST_NANO_USD;
      expect(await batch.records()).toEqual({ requests: LINES, ids: LINES, cost: total });
      expect(await batch.read()).toEqual({ settled: total, leased: 0n, unresolved: 0n });
      expect(await batch.check()).toEqual([]);
    },
  );

  test.for([1, 2, 3, 4])("of fold %d", async (failing, { batch }) => {
    await batch.run();
    let folds = 0;
    const fold = () => {
      folds += 1;
      return folds === failing ? Promise.reject(new Error("no database")) : batch.deps.fold();
    };
    await expect(batch.meter(results(), { fold })).rejects.toThrow("no database");
    await batch.meter(results(), { fold });
    const total = BigInt(LINES) * SENT_LINE_COST_NANO_USD;
    expect(await batch.records()).toEqual({ requests: LINES, ids: LINES, cost: total });
    expect(await batch.read()).toEqual({ settled: total, leased: 0n, unresolved: 0n });
    expect(await batch.check()).toEqual([]);
  });
});

test("lines that never ran cost nothing and release their holds", async ({ batch }) => {
  await batch.run();
  const of = (index: number) => {
    if (index % 3 === 0) return resultOf(index, { type: "expired" });
    if (index % 3 === 1) return resultOf(index, { type: "canceled" });
    const error = { type: "error", error: { type: "api_error", message: "x" } };
    return resultOf(index, { type: "errored", error });
  };
  await batch.meter(results({}, of));
  expect(await batch.read()).toEqual({ settled: 0n, leased: 0n, unresolved: 0n });
  const errored = Array.from({ length: LINES }).filter((_, index) => index % 3 === 2).length;
  expect(await batch.records()).toEqual({ requests: errored, ids: errored, cost: 0n });
});

test("lines without a result leave their holds unresolved", async ({ batch }) => {
  await batch.run();
  await batch.meter(results({ from: LINES - 2 }));
  const total = BigInt(LINES - 1) * SENT_LINE_COST_NANO_USD;
  const unresolved = batch.holdNanoUsd / BigInt(LINES);
  expect(await batch.read()).toMatchObject({ settled: total, leased: 0n });
  expect((await batch.read())?.unresolved).toBeGreaterThanOrEqual(unresolved);
  expect(await batch.check()).toEqual([]);
});

test("a batch with an unknown fate leaves its whole hold unresolved, once", async ({ batch }) => {
  const found = await batch.find();
  await recordUnknownBatch(batch.deps, found);
  await recordUnknownBatch(batch.deps, found);
  expect(await batch.read()).toEqual({
    settled: 0n,
    leased: 0n,
    unresolved: batch.holdNanoUsd,
  });
  expect(await batch.find()).toMatchObject({ state: "unresolved" });
  expect(await batch.records()).toMatchObject({ requests: 1 });
  expect(await batch.check()).toEqual([]);
});

describe("abandoned", () => {
  test("before any result, the whole hold is unresolved", async ({ batch }) => {
    await batch.run();
    const held = { settled: 0n, leased: batch.holdNanoUsd, unresolved: 0n };
    expect(await batch.abandon()).toEqual(held);
    await batch.deps.fold();
    const unresolved = batch.holdNanoUsd;
    expect(await batch.read()).toEqual({ settled: 0n, leased: 0n, unresolved });
    expect(await batch.expectEnded()).toBe(0);
  });

  test("before the answer to its dispatch, the whole hold is unresolved", async ({ batch }) => {
    await batch.abandon();
    await batch.deps.fold();
    const unresolved = batch.holdNanoUsd;
    expect(await batch.read()).toEqual({ settled: 0n, leased: 0n, unresolved });
    expect(await batch.find()).toMatchObject({ state: "unresolved" });
    expect(await batch.records()).toMatchObject({ requests: 1 });
    expect(await batch.leftRows()).toEqual({ lines: 0, holds: 0 });
    expect(await batch.check()).toEqual([]);
  });

  test.for([
    [1, 0],
    [499, 0],
    [500, 500],
    [501, 500],
    [1_000, 1_000],
  ] as const)(
    "after %d results, recorded lines keep their cost",
    async ([failAfter, recorded], { batch }) => {
      await batch.run();
      await expect(batch.meter(results({ failAfter }))).rejects.toThrow("broke");
      const { settled = 0n, leased = 0n, unresolved = 0n } = (await batch.abandon()) ?? {};
      expect(settled + leased + unresolved).toBeLessThanOrEqual(batch.holdNanoUsd);
      await batch.deps.fold();
      expect(await batch.expectEnded()).toBe(recorded);
      await batch.meter(results());
      expect(await batch.expectEnded()).toBe(recorded);
    },
  );

  test.for([
    [0, 0],
    [499, 0],
    [500, 500],
    [1_233, 1_000],
  ] as const)(
    "while result %d is read, later lines are unresolved",
    async ([at, recorded], { batch }) => {
      await batch.run();
      async function* read() {
        let index = 0;
        for await (const result of results()) {
          if (index === at) await batch.abandon();
          index += 1;
          yield result;
        }
      }
      await batch.meter(read());
      expect(await batch.expectEnded()).toBe(recorded);
    },
  );

  test.for([
    [1, 500],
    [2, 1_000],
    [3, LINES],
    [4, LINES],
  ] as const)(
    "before fold %d of its results, each line is recorded once",
    async ([at, recorded], { batch }) => {
      await batch.run();
      let folds = 0;
      const fold = async () => {
        folds += 1;
        if (folds === at) await batch.abandon();
        await batch.deps.fold();
      };
      await batch.meter(results(), { fold });
      expect(await batch.expectEnded()).toBe(recorded);
    },
  );

  test("after all lines are recorded, nothing is unresolved", async ({ batch }) => {
    await batch.run();
    let folds = 0;
    const fold = () => {
      folds += 1;
      return folds === 4 ? Promise.reject(new Error("no database")) : batch.deps.fold();
    };
    await expect(batch.meter(results(), { fold })).rejects.toThrow("no database");
    await batch.abandon();
    expect(await batch.expectEnded()).toBe(LINES);
  });

  test.for([0, 5, 15, 40, 80])(
    "%d ms after its results, each line is recorded once",
    async (ms, { batch }) => {
      await batch.run();
      await Promise.all([batch.meter(results()), delay(ms).then(batch.abandon)]);
      await batch.deps.fold();
      await batch.expectEnded();
    },
  );

  test.for([
    ["before", LINES],
    ["after", LINES],
    ["before", 0],
    ["after", 0],
  ] as const)(
    "in a transaction that writes %s a wait, metering of %d results has no effect",
    async ([order, count], { batch }) => {
      await batch.run();
      let metering: Promise<void> = Promise.resolve();
      await inTransaction(batch.deps.database, async (tx) => {
        const found = await findBatchForUpdate(tx, batch.id);
        if (found === null) throw new Error("the batch has a row");
        if (order === "before") await recordAbandonedBatch(tx, found, SOME_TIME_MS);
        metering = batch.meter(results({ from: count - 1 }));
        // The metering waits for the row.
        await delay(50);
        if (order === "after") await recordAbandonedBatch(tx, found, SOME_TIME_MS);
      });
      await metering;
      await batch.deps.fold();
      expect(await batch.expectEnded()).toBe(0);
    },
  );
});
