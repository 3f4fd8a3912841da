import { Readable } from "node:stream";
import { sql } from "kysely";
import { expect } from "vitest";
import { inTransaction } from "#src/db/transaction.ts";
import { shippedFeatures } from "#src/domain/feature-book.ts";
import { makeModelLabels } from "#src/domain/model-labels.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { WORST_CASES } from "#src/spend/ledger/open-ended-holds.ts";
import { test as base } from "#test/harness/database-test.ts";
import { makeBatchWorker } from "./batch-worker.ts";
import {
  claimLeft,
  findBatch,
  insertBatch,
  insertLines,
  markHeld,
  markRunning,
  markSent,
} from "./batches.sql.ts";
import { findLostBatch } from "./find-lost-batch.ts";
import type { BatchReader } from "./read-answer.ts";
import { readLine } from "./read-line.ts";
import type { Reported } from "./reported-batch.ts";

// Batches whose answer was lost, among those of other workspaces at the same upstream.

const ORGANIZATION = "00000000-0000-4000-8000-000000000001";
let made = 0;

const test = base.extend("lost", async ({ db: { database } }) => {
  made += 1;
  const upstreamId = `upst_${made}`;
  const atUpstream = new Map<string, readonly string[]>();
  const running = new Set<string>();
  await sql`INSERT INTO organization (id, name) VALUES (${ORGANIZATION}, 'A') ON CONFLICT DO NOTHING`.execute(
    database,
  );
  const describe = (id: string): Reported => ({
    id,
    isEnded: !running.has(id),
    requestCount: atUpstream.get(id)?.length ?? 0,
    createdAt: new Date(),
    expiresAt: null,
    endedAt: null,
    object: { id },
  });
  const reader: BatchReader = {
    get: (id) => Promise.resolve(atUpstream.has(id) ? describe(id) : null),
    results: (id) =>
      Promise.resolve(
        Readable.from(
          (atUpstream.get(id) ?? []).map((custom_id) =>
            Buffer.from(`${JSON.stringify({ custom_id, result: { type: "expired" } })}\n`),
          ),
        ),
      ),
    listSince: () => Promise.resolve([...atUpstream.keys()].map(describe)),
  };
  let ids = 0;
  return {
    /** A batch of which this server does not know whether it arrived. */
    send: async (customIds: readonly string[], { key = "apikey_1", hash = "same" } = {}) => {
      ids += 1;
      const id = `req_lost_${made}_${ids}`;
      const startedAt = new Date();
      await insertBatch(database, {
        id,
        organizationId: ORGANIZATION,
        workspaceId: `wksp_of_${key}`,
        apiKeyId: key,
        memberId: null,
        groupIds: [],
        tagIds: [],
        client: "other",
        upstreamId,
        isSimulated: false,
        startedAt,
        nodeId: "node_1",
      });
      const deps = {
        features: shippedFeatures,
        book: makePriceBook([]),
        atMs: startedAt.getTime(),
        check: () => undefined,
      };
      const params = { model: "claude-sonnet-5", max_tokens: 1, messages: [] };
      const lines = customIds.map((custom_id, index) =>
        readLine(deps, Buffer.from(JSON.stringify({ custom_id, params })), index),
      );
      await insertLines(database, id, lines);
      const held = {
        id,
        startedAt,
        lineCount: lines.length,
        holdNanoUsd: 1n,
        bodyHash: hash,
        openEnded: WORST_CASES,
      };
      await inTransaction(database, (tx) => markHeld(tx, held));
      await markSent(database, id, { upstreamId, isSimulated: false, failover: null });
      return id;
    },
    arrive: (id: string, customIds: readonly string[], { isRunning = false } = {}) => {
      atUpstream.set(id, customIds);
      if (isRunning) running.add(id);
    },
    claim: async (id: string, upstreamBatchId: string) => {
      const none = { object: {}, expiresAt: null, endedAt: null };
      await markRunning(database, id, { upstreamBatchId, ...none });
    },
    /** Batches that the next search of a restarted node takes. */
    claim4: async () => {
      const left = await claimLeft(database, {
        nodeId: "node_1",
        startedAtMs: Date.now() + 1_000,
        limit: 4,
        forMs: 600_000,
      });
      return left.filter((batch) => batch.upstreamId === upstreamId).map(({ id }) => id);
    },
    /** A worker of a restarted node, at this upstream alone. */
    startWorker: (atThisUpstream: BatchReader) => {
      const worker = makeBatchWorker({
        database,
        prices: { get: () => makePriceBook([]) },
        labels: makeModelLabels(1),
        fold: () => Promise.resolve(),
        references: { recordGiven: () => Promise.resolve() },
        readerOf: (batch) => (batch.upstreamId === upstreamId ? atThisUpstream : null),
        databaseNowMs: () => Date.now() + 1_000,
        nodeId: "node_1",
        folder: "/nowhere",
        clock: { monotonicMs: () => performance.now() },
        logger: makeLogger("silent"),
        notifications: { subscribe: () => () => undefined, isListening: () => false },
        leases: { returnFree: () => undefined },
      });
      worker.start();
      return worker;
    },
    reader,
    find: async (id: string) => {
      const batch = await findBatch(database, id);
      if (batch === null) throw new Error("the batch has a row");
      return findLostBatch(database, reader, batch);
    },
  };
});

const IDS = ["a", "b", "c"];

test("finds the batch with exactly the custom ids", async ({ lost }) => {
  const id = await lost.send(IDS);
  lost.arrive("msgbatch_other", ["a", "b", "d"]);
  lost.arrive("msgbatch_more", [...IDS, "d"]);
  lost.arrive("msgbatch_own", ["c", "a", "b"]);
  expect(await lost.find(id)).toMatchObject({ kind: "found", reported: { id: "msgbatch_own" } });
});

test("finds nothing that another batch has", async ({ lost }) => {
  const first = await lost.send(IDS, { key: "apikey_1" });
  lost.arrive("msgbatch_first", IDS);
  await lost.claim(first, "msgbatch_first");
  const second = await lost.send(IDS, { key: "apikey_2" });
  expect(await lost.find(second)).toEqual({ kind: "none" });
});

test("adopts nothing that could belong to another workspace with the same custom ids", async ({
  lost,
}) => {
  const first = await lost.send(IDS, { key: "apikey_1" });
  const second = await lost.send(IDS, { key: "apikey_2" });
  lost.arrive("msgbatch_one", IDS);
  expect(await lost.find(first)).toEqual({ kind: "possible" });
  expect(await lost.find(second)).toEqual({ kind: "possible" });
});

test("adopts nothing if the upstream has more such batches than were lost", async ({ lost }) => {
  const id = await lost.send(IDS);
  lost.arrive("msgbatch_one", IDS);
  lost.arrive("msgbatch_two", IDS);
  expect(await lost.find(id)).toEqual({ kind: "possible" });
});

test("finds one for a repeated attempt of the same key with the same body", async ({ lost }) => {
  await lost.send(IDS);
  const second = await lost.send(IDS);
  lost.arrive("msgbatch_one", IDS);
  expect(await lost.find(second)).toMatchObject({ kind: "found" });
});

test("delays no other batch while its upstream hangs", async ({ lost, onTestFinished }) => {
  await lost.send(IDS);
  const searched = Promise.withResolvers<void>();
  const hanging = Promise.withResolvers<Reported[]>();
  const looked = Promise.withResolvers<string>();
  const worker = lost.startWorker({
    ...lost.reader,
    listSince() {
      searched.resolve();
      return hanging.promise;
    },
    get(id) {
      looked.resolve(id);
      return lost.reader.get(id);
    },
  });
  onTestFinished(async () => {
    hanging.resolve([]);
    await worker.stop();
  });
  await searched.promise;
  const other = await lost.send(["other"], { key: "apikey_2" });
  lost.arrive("msgbatch_other", ["other"], { isRunning: true });
  await lost.claim(other, "msgbatch_other");
  expect(await looked.promise).toBe("msgbatch_other");
});

test("waits for a batch that still runs", async ({ lost }) => {
  const id = await lost.send(IDS);
  lost.arrive("msgbatch_one", IDS, { isRunning: true });
  expect(await lost.find(id)).toEqual({ kind: "possible" });
});

test("finds nothing at an upstream without such a batch", async ({ lost }) => {
  const id = await lost.send(IDS);
  expect(await lost.find(id)).toEqual({ kind: "none" });
});

test("looks for each lost batch, however many wait for an upstream that does not have them", async ({
  db,
  lost,
}) => {
  await sql`UPDATE message_batch SET state = 'unresolved' WHERE state = 'sent'`.execute(
    db.database,
  );
  const sent: string[] = [];
  for (let at = 0; at < 10; at++) sent.push(await lost.send(IDS));
  const searched = [...(await lost.claim4()), ...(await lost.claim4()), ...(await lost.claim4())];
  expect(searched.toSorted()).toEqual(sent.toSorted());
  expect(await lost.claim4()).toEqual([]);
});
