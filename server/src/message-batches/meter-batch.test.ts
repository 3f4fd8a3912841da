import { sql } from "kysely";
import { describe, expect } from "vitest";
import { inTransaction } from "#src/db/transaction.ts";
import { shippedFeatures } from "#src/domain/feature-book.ts";
import { makeModelLabels } from "#src/domain/model-labels.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { checkLedger } from "#src/spend/check/check-ledger.ts";
import { placeDurableHold } from "#src/spend/ledger/durable-holds.sql.ts";
import { countLimits } from "#src/spend/ledger/lease-draws.sql.ts";
import { upsertSpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { WORST_CASES } from "#src/spend/ledger/open-ended-holds.ts";
import { test as base } from "#test/harness/database-test.ts";
import { foldSpend } from "#test/harness/folds.ts";
import { SOME_TIME_MS } from "#test/harness/request-records.ts";
import {
  findBatch,
  insertBatch,
  insertLines,
  markHeld,
  markRunning,
  markSent,
} from "./batches.sql.ts";
import { type MeterDeps, meterBatch, recordUnknownBatch, scopeOfBatch } from "./meter-batch.ts";
import { readLine } from "./read-line.ts";

// Results of a batch on real balances, with failures at every step.

const ORGANIZATION = "00000000-0000-4000-8000-000000000001";
const LINES = 1_234;
const book = makePriceBook([]);
let made = 0;

const test = base.extend("batch", async ({ db: { database } }) => {
  made += 1;
  const id = `req_${String(made).padStart(24, "0")}`;
  const of = { workspaceId: `wksp_${made}`, apiKeyId: `apikey_${made}` };
  await sql`INSERT INTO organization (id, name) VALUES (${ORGANIZATION}, 'A') ON CONFLICT DO NOTHING`.execute(
    database,
  );
  await insertBatch(database, {
    id,
    organizationId: ORGANIZATION,
    ...of,
    memberId: null,
    groupIds: [],
    tagIds: [],
    client: "other",
    upstreamId: "environment",
    isSimulated: false,
    startedAt: new Date(SOME_TIME_MS),
    nodeId: "node_1",
  });
  const lines = Array.from({ length: LINES }, (_, index) =>
    readLine(
      { features: shippedFeatures, book, atMs: SOME_TIME_MS, check: () => undefined },
      Buffer.from(
        JSON.stringify({
          custom_id: `line-${index}`,
          params: {
            model: "claude-sonnet-5",
            max_tokens: 100,
            messages: [{ role: "user", content: "x".repeat(1_000) }],
          },
        }),
      ),
      index,
    ),
  );
  await insertLines(database, id, lines);
  const holdNanoUsd = lines.reduce((sum, { worstCase }) => sum + worstCase.nanoUsd, 0n);
  const find = async () => {
    const found = await findBatch(database, id);
    if (found === null) throw new Error("the batch has a row");
    return found;
  };
  const scope = scopeOfBatch(await find());
  await upsertSpendLimit(database, {
    id: `spl_${made}`,
    organizationId: ORGANIZATION,
    scopeType: "workspace",
    scopeId: of.workspaceId,
    period: "monthly",
    amountNanoUsd: holdNanoUsd,
    enforcement: "strict",
  });
  const fold = () => foldSpend(database);
  await countLimits(database, { atMs: null, lockFold, fold });
  const startedAt = new Date(SOME_TIME_MS);
  await inTransaction(database, async (tx) => {
    const hold = { holdId: id, scope, startedAtMs: SOME_TIME_MS, amountNanoUsd: holdNanoUsd };
    expect(await placeDurableHold(tx, hold)).toBeNull();
    await markHeld(tx, {
      id,
      startedAt,
      lineCount: LINES,
      holdNanoUsd,
      bodyHash: id,
      openEnded: WORST_CASES,
    });
  });
  const upstream = { upstreamId: "environment", isSimulated: false, failover: null };
  expect(await markSent(database, id, upstream)).toBe(true);
  const deps: MeterDeps = {
    database,
    prices: { get: () => book },
    labels: makeModelLabels(10),
    fold,
    references: { recordGiven: () => Promise.resolve() },
  };
  return {
    id,
    holdNanoUsd,
    deps,
    run: async () => {
      const reported = { upstreamBatchId: `msgbatch_${id}`, object: {} };
      await markRunning(database, id, { ...reported, expiresAt: null, endedAt: null });
    },
    find,
    meter: async (results: AsyncIterable<Buffer>, over: Partial<MeterDeps> = {}) => {
      const metering = {
        batch: await find(),
        upstreamBatchId: `msgbatch_${id}`,
        endedAtMs: SOME_TIME_MS + 5_000,
      };
      await meterBatch({ ...deps, ...over }, metering, results);
    },
    read: async () => {
      const { rows } = await sql<{ settled: bigint; leased: bigint; unresolved: bigint }>`
        SELECT settled_nano_usd AS settled, leased_nano_usd AS leased, unresolved_nano_usd AS unresolved
        FROM balance_sum WHERE scope_id = ${of.workspaceId} AND period = 'monthly'`.execute(
        database,
      );
      return rows[0];
    },
    records: async () => {
      const { rows } = await sql<{ requests: number; ids: number; cost: bigint }>`
        SELECT count(*)::integer AS requests, count(DISTINCT request_id)::integer AS ids,
          coalesce(sum(cost_nano_usd), 0)::bigint AS cost
        FROM recorded_request WHERE workspace_id = ${of.workspaceId}`.execute(database);
      return rows[0];
    },
    leftRows: async () => {
      const { rows } = await sql<{ lines: number; holds: number }>`
        SELECT (SELECT count(*) FROM message_batch_line WHERE batch_id = ${id})::integer AS lines,
          (SELECT count(*) FROM lease WHERE request_id = ${`batch:${id}`})::integer AS holds`.execute(
        database,
      );
      return rows[0];
    },
    check: async () => (await checkLedger(database, ORGANIZATION)).differences,
  };
});

const USAGE = { input_tokens: 1_000, output_tokens: 100, service_tier: "batch" };
/** $2 and $10 per million tokens, halved. */
const COST_OF_LINE = (1_000n * 2_000n + 100n * 10_000n) / 2n;

function resultOf(index: number, result: unknown = undefined): string {
  const message = { type: "message", model: "claude-sonnet-5", usage: USAGE };
  const succeeded = { type: "succeeded", message };
  return `${JSON.stringify({ custom_id: `line-${index}`, result: result ?? succeeded })}\n`;
}

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
  const total = BigInt(LINES) * COST_OF_LINE;
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
      const total = BigInt(LINES) * COST_OF_LINE;
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
    const total = BigInt(LINES) * COST_OF_LINE;
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
  const total = BigInt(LINES - 1) * COST_OF_LINE;
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
