import { Readable } from "node:stream";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { makeAnthropicUpstream } from "#src/upstreams/anthropic.ts";
import { test as base } from "#test/harness/database-test.ts";
import type { FakeUpstream } from "#test/harness/fake-upstream.ts";
import { SOME_TIME_MS } from "#test/harness/request-records.ts";
import {
  makeSentBatch,
  resultOf,
  SENT_LINE_COST_NANO_USD,
  type SentBatch,
} from "#test/harness/sent-batch.ts";
import { type BatchWorker, makeBatchWorker } from "./batch-worker.ts";
import { type BatchReader, makeBatchReader } from "./read-answer.ts";
import { readReported } from "./reported-batch.ts";

// Batches over their whole life at the upstream, with a clock that the test sets. The database's own clock decides when a batch
// is looked at again, so each look is made due.

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LINES = 3;
const TOTAL = BigInt(LINES) * SENT_LINE_COST_NANO_USD;

interface Followed extends SentBatch {
  /** Looks at the batch once, at this age. */
  look(ageMs: number, reader: BatchReader | null): Promise<void>;
  state(): Promise<string>;
}

const test = base.extend("batch", async ({ db: { database } }): Promise<Followed> => {
  const batch = await makeSentBatch(database, { lines: LINES });
  let nowMs = SOME_TIME_MS + 1;
  let looks = 0;
  let upstream: BatchReader | null = null;
  const worker: BatchWorker = makeBatchWorker({
    ...batch.deps,
    readerOf: ({ id }) => (id === batch.id ? upstream : null),
    databaseNowMs: () => nowMs,
    nodeId: "node_1",
    folder: "/nowhere",
    clock: { monotonicMs: () => looks * HOUR_MS },
    logger: makeLogger("silent"),
    notifications: { subscribe: () => () => undefined, isListening: () => false },
    leases: { returnFree: () => undefined },
  });
  return {
    ...batch,
    async look(ageMs, reader) {
      nowMs = SOME_TIME_MS + ageMs;
      upstream = reader;
      looks += 1;
      await sql`UPDATE message_batch SET poll_at = clock_timestamp() WHERE id = ${batch.id}
        AND state IN ('sent', 'running')`.execute(database);
      await worker.runOnce();
    },
    state: async () => (await batch.find()).state,
  };
});

/** The batch as its upstream reports it. */
const describeBatch = (
  { upstreamBatchId: id }: SentBatch,
  processing_status = "ended",
  more: object = {},
) => ({
  id,
  type: "message_batch",
  processing_status,
  request_counts: { processing: LINES, succeeded: 0 },
  created_at: new Date(SOME_TIME_MS).toISOString(),
  ...more,
});

const allResults = (result?: unknown) =>
  Array.from({ length: LINES }, (_, index) => resultOf(index, result)).join("");

/** An upstream that has the batch, which has ended. */
function readerWith(batch: SentBatch, results: string | null = allResults()): BatchReader {
  const get = () => Promise.resolve(readReported(describeBatch(batch)));
  return {
    get,
    results: () => Promise.resolve(results === null ? null : Readable.from([Buffer.from(results)])),
    listSince: async () => [await get()].filter((reported) => reported !== null),
  };
}

const refusal = () => Promise.reject(new Error("the upstream answered 401"));
const refusing: BatchReader = { get: refusal, results: refusal, listSince: refusal };
const empty: BatchReader = {
  get: () => Promise.resolve(null),
  results: () => Promise.resolve(null),
  listSince: () => Promise.resolve([]),
};

test("a batch outlives the credential of its upstream, and is metered with the next one", async ({
  batch,
  upstream,
}) => {
  await batch.run();
  serveBatch(upstream, batch, "new-key");
  await batch.look(HOUR_MS, openReader(upstream, null));
  await batch.look(HOUR_MS, openReader(upstream, "old-key"));
  expect(await batch.read()).toMatchObject({ settled: 0n, leased: batch.holdNanoUsd });
  await batch.look(HOUR_MS, openReader(upstream, "new-key"));
  expect(await batch.read()).toEqual({ settled: TOTAL, leased: 0n, unresolved: 0n });
  expect(await batch.state()).toBe("metered");
  const keys = upstream.received.map(({ headers }) => headers["x-api-key"]);
  expect(keys).toEqual([undefined, "old-key", "new-key", "new-key"]);
});

function openReader({ origin }: FakeUpstream, credential: string | null): BatchReader | null {
  const client = { idleTimeoutMs: 5_000, turnEnd: null, source: "stored" } as const;
  const upstream = makeAnthropicUpstream({ ...client, id: "ups_1", baseUrl: origin, credential });
  return makeBatchReader(upstream, { idleTimeoutMs: 5_000, signal: new AbortController().signal });
}

/** Serves the ended batch to one credential. */
function serveBatch(upstream: FakeUpstream, batch: SentBatch, credential: string): void {
  const path = `/v1/messages/batches/${batch.upstreamBatchId}`;
  upstream.script = ({ json, response, received: { url, headers } }) => {
    if (headers["x-api-key"] !== credential) {
      const error = { type: "authentication_error", message: "invalid x-api-key" };
      json({ type: "error", error }, { status: 401 });
    } else if (url === path) json(describeBatch(batch));
    else if (url === `${path}/results`) response.end(allResults());
    else json({}, { status: 404 });
  };
}

describe("a running batch without readable results", () => {
  const causes: [string, (batch: SentBatch) => BatchReader | null][] = [
    ["because its upstream cannot be used", () => null],
    ["because its upstream refuses", () => refusing],
    ["because its upstream does not know it", () => empty],
    ["because its results are gone", (batch) => readerWith(batch, null)],
  ];

  test.for(causes)(
    "keeps its hold for 29 days, which is then unresolved: %s",
    async ([, makeReader], { batch }) => {
      await batch.run();
      for (const ageMs of [HOUR_MS, 26 * HOUR_MS, 28 * DAY_MS]) {
        await batch.look(ageMs, makeReader(batch));
        expect(await batch.read()).toEqual({
          settled: 0n,
          leased: batch.holdNanoUsd,
          unresolved: 0n,
        });
      }
      await batch.look(29 * DAY_MS + 1, makeReader(batch));
      expect(await batch.read()).toEqual({
        settled: 0n,
        leased: 0n,
        unresolved: batch.holdNanoUsd,
      });
      expect(await batch.find()).toMatchObject({
        state: "metered",
        meteredLines: 0,
        costNanoUsd: 0n,
      });
      expect(await batch.records()).toEqual({ requests: 1, ids: 1, cost: 0n });
      expect(await batch.leftRows()).toEqual({ lines: 0, holds: 0 });
      expect(await batch.check()).toEqual([]);
    },
  );

  test.for(causes)("is metered if they are back before: %s", async ([, makeReader], { batch }) => {
    await batch.run();
    await batch.look(2 * DAY_MS, makeReader(batch));
    await batch.look(29 * DAY_MS - 1, readerWith(batch));
    expect(await batch.read()).toEqual({ settled: TOTAL, leased: 0n, unresolved: 0n });
  });
});

describe("a batch whose answer is lost", () => {
  test.for([
    ["cannot be used", null],
    ["refuses", refusing],
  ] as const)("keeps its hold for 29 days while its upstream %s", async ([, reader], { batch }) => {
    for (const ageMs of [HOUR_MS, 26 * HOUR_MS, 28 * DAY_MS]) {
      await batch.look(ageMs, reader);
      expect([await batch.state(), await batch.read()]).toEqual([
        "sent",
        { settled: 0n, leased: batch.holdNanoUsd, unresolved: 0n },
      ]);
    }
    await batch.look(29 * DAY_MS + 1, reader);
    expect([await batch.state(), await batch.read()]).toEqual([
      "unresolved",
      { settled: 0n, leased: 0n, unresolved: batch.holdNanoUsd },
    ]);
    expect(await batch.check()).toEqual([]);
  });

  test("is found when its upstream is back after days", async ({ batch }) => {
    await batch.look(3 * DAY_MS, refusing);
    await batch.look(3 * DAY_MS, readerWith(batch));
    expect(await batch.state()).toBe("running");
    await batch.look(3 * DAY_MS, readerWith(batch));
    expect(await batch.read()).toEqual({ settled: TOTAL, leased: 0n, unresolved: 0n });
  });

  test("is unresolved after 15 minutes if its upstream does not list it", async ({ batch }) => {
    await batch.look(15 * 60_000, empty);
    expect(await batch.state()).toBe("sent");
    await batch.look(15 * 60_000 + 1, empty);
    expect(await batch.state()).toBe("unresolved");
  });
});

test("a batch that expires at its upstream after 24 hours costs nothing and releases its hold", async ({
  batch,
}) => {
  await batch.run();
  const running = { ...empty, get: async () => readReported(describeBatch(batch, "in_progress")) };
  await batch.look(DAY_MS - 1, running);
  expect(await batch.read()).toMatchObject({ leased: batch.holdNanoUsd });
  await batch.look(DAY_MS + 60_000, readerWith(batch, allResults({ type: "expired" })));
  expect(await batch.read()).toEqual({ settled: 0n, leased: 0n, unresolved: 0n });
  expect(await batch.records()).toEqual({ requests: 0, ids: 0, cost: 0n });
  expect(await batch.find()).toMatchObject({ state: "metered", meteredLines: LINES });
});
