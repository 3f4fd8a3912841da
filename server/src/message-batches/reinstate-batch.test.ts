import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import { inTransaction } from "#src/db/transaction.ts";
import { shippedFeatures } from "#src/domain/feature-book.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { checkLedger } from "#src/spend/check/check-ledger.ts";
import { test as base } from "#test/harness/database-test.ts";
import { eventually } from "#test/harness/eventually.ts";
import { SOME_TIME_MS } from "#test/harness/request-records.ts";
import { AcceptedBatches } from "./accepted-batches.ts";
import {
  deleteBatchRow,
  endBatch,
  findBatch,
  insertBatch,
  markRunning,
  markSent,
} from "./batches.sql.ts";
import { holdBatch } from "./hold-batch.ts";
import { releaseHold } from "./meter-batch.ts";
import { reinstateBatch } from "./reinstate-batch.ts";
import { storeBody } from "./store-body.ts";

// A failover loses the last states of a batch that its upstream runs.

const ORGANIZATION = "00000000-0000-4000-8000-000000000001";
const LINES = 600;
let made = 0;

const test = base.extend("lost", async ({ db: { database } }, { onCleanup }) => {
  made += 1;
  const id = `req_lost_${made}`;
  const of = { workspaceId: `wksp_lost_${made}`, apiKeyId: `apikey_lost_${made}` };
  const folder = await mkdtemp(join(tmpdir(), "bursar-lost-"));
  onCleanup(() => rm(folder, { recursive: true }));
  await sql`INSERT INTO organization (id, name) VALUES (${ORGANIZATION}, 'A') ON CONFLICT DO NOTHING`.execute(
    database,
  );
  const batch = {
    ...{ id, organizationId: ORGANIZATION, ...of, memberId: null, groupIds: [], tagIds: [] },
    ...{ client: "other", upstreamId: "environment", isSimulated: false, nodeId: "node_1" },
    startedAt: new Date(SOME_TIME_MS),
  };
  await insertBatch(database, batch);
  const requests = Array.from({ length: LINES }, (_, index) => ({
    custom_id: `line-${index}`,
    params: {
      ...{ model: "claude-sonnet-5", max_tokens: 10 },
      messages: [{ role: "user", content: `Number ${index}` }],
    },
  }));
  const lines = { features: shippedFeatures, book: makePriceBook([]), atMs: SOME_TIME_MS };
  const body = Readable.from([Buffer.from(JSON.stringify({ requests }))]);
  const stored = await storeBody({ ...lines, check: () => undefined, database, folder }, id, body);
  const held = await holdBatch(
    {
      ...{ database, holdWaitMs: 0, publicUrl: () => null },
      leases: { listLimits: () => [], returnFree: () => undefined },
    },
    { id, scope: { organizationId: ORGANIZATION, ...of }, startedAt: batch.startedAt, stored },
    new AbortController().signal,
  );
  const upstream = { upstreamId: "upstream_2", isSimulated: false, failover: null };
  const running = {
    upstreamBatchId: `msgbatch_${id}`,
    object: { id },
    expiresAt: null,
    endedAt: null,
  };
  const accepted = { batch, held, stored, lines, upstream, running };
  return {
    id,
    folder,
    accepted,
    upstream,
    running,
    forget: () =>
      inTransaction(database, async (tx) => {
        await releaseHold(tx, { ...batch, failover: null });
        await deleteBatchRow(tx, id);
      }),
    read: async () => {
      const { rows } = await sql<{ lines: number; leased: bigint }>`
        SELECT (SELECT count(*) FROM message_batch_line WHERE batch_id = ${id})::integer AS lines,
          (SELECT leased_nano_usd FROM balance_sum WHERE scope_id = ${of.workspaceId} AND period = 'monthly') AS leased`.execute(
        database,
      );
      const found = await findBatch(database, id);
      return { state: found?.state, upstreamId: found?.upstreamId, ...rows[0] };
    },
    check: async () => (await checkLedger(database, ORGANIZATION)).differences,
  };
});

describe("a batch that its upstream runs is running and held again after a failover lost", () => {
  test.for([
    "the whole batch",
    "its mark as sent",
    "the answer of its upstream",
    "nothing",
  ] as const)("%s", async (lostPart, { db: { database }, lost }) => {
    const { id, accepted, upstream, running } = lost;
    if (lostPart === "the whole batch") await lost.forget();
    else if (lostPart !== "its mark as sent") await markSent(database, id, upstream);
    if (lostPart === "nothing") await markRunning(database, id, running);
    await reinstateBatch(database, accepted);
    await reinstateBatch(database, accepted);
    expect(await lost.read()).toEqual({
      state: "running",
      upstreamId: "upstream_2",
      lines: LINES,
      leased: accepted.stored.worstNanoUsd,
    });
    expect(await lost.check()).toEqual([]);
  });

  test("the dispatch, after a recovery has refused it", async ({ db: { database }, lost }) => {
    await inTransaction(database, async (tx) => {
      await endBatch(tx, lost.id, { from: ["held"], to: "refused" });
      await releaseHold(tx, { ...lost.accepted.batch, failover: null });
    });
    await reinstateBatch(database, lost.accepted);
    expect(await lost.read()).toMatchObject({ state: "running", lines: LINES });
    expect(await lost.check()).toEqual([]);
  });
});

test("a metered batch stays as it is", async ({ db: { database }, lost }) => {
  await markSent(database, lost.id, lost.upstream);
  await markRunning(database, lost.id, lost.running);
  await inTransaction(database, (tx) =>
    endBatch(tx, lost.id, { from: ["running"], to: "metered" }),
  );
  await reinstateBatch(database, lost.accepted);
  expect(await lost.read()).toMatchObject({ state: "metered" });
});

test("a failover writes kept batches again, and their bodies are removed at the end", async ({
  db: { database },
  lost,
}) => {
  let failOver: () => void = () => undefined;
  const onFailover = (handler: () => void) => {
    failOver = handler;
    return () => undefined;
  };
  const logger = makeLogger("silent");
  const kept = new AcceptedBatches({ database, folder: lost.folder, onFailover, logger });
  kept.keep(lost.accepted);
  await lost.forget();
  failOver();
  await eventually(10_000, "the batch is running", async () => {
    return (await lost.read()).state === "running" ? true : null;
  });
  await kept.stop();
  await expect(rm(lost.accepted.stored.path)).rejects.toMatchObject({ code: "ENOENT" });
});
