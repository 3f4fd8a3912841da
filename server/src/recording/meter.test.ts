import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect } from "vitest";
import { noTokens } from "#src/domain/usage.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { test } from "#test/harness/database-test.ts";
import { makeTestMeters, makeUnreliable, type TestMeters } from "#test/harness/meters.ts";
import { endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import type { FlushParticipant } from "./flush.ts";
import { type JournalFiles, nodeJournalFiles } from "./journal-files.ts";
import type { Meter } from "./meter.ts";
import { appendUsage } from "./record-usage.ts";

// The way of ended requests to the database, and the guarantees of begin and end.

let t: TestMeters;

test.beforeEach(({ db }) => {
  t = makeTestMeters(db.database);
});

afterEach(() => t.stop());

describe("a flush", () => {
  test("writes one event per request with every field, and the rollups", async ({ db }) => {
    const meter = await t.start();
    const end = t.run(meter, 10_500_001n, {
      isEstimated: true,
      usage: {
        ...noTokens,
        inputTokens: 1,
        cacheWrite5mTokens: 2,
        cacheWrite1hTokens: 3,
        cacheReadTokens: 4,
        outputTokens: 5,
        webSearches: 6,
      },
      prices: '{"list":"2026-10-24"}',
      holdNanoUsd: 12_000_000n,
    });
    expect(await meter.flush()).toBe(true);
    const event = await db.database
      .selectFrom("recorded_request")
      .selectAll()
      .where("organization_id", "=", t.organizationId)
      .executeTakeFirstOrThrow();
    expect(event).toEqual({
      request_id: end.requestId,
      request_hash: expect.any(BigInt),
      outcome_code: 0,
      started_at: new Date(SOME_TIME_MS),
      ended_at: new Date(SOME_TIME_MS + 1_000),
      node_id: t.nodeId,
      organization_id: t.organizationId,
      workspace_id: "wksp_1",
      api_key_id: "apikey_1",
      member_id: "",
      group_ids: "",
      tag_ids: "",
      attribution_id: 0n,
      outcome: "answered",
      http_status: 200,
      is_stream: false,
      is_estimated: true,
      doubt: null,
      has_unbilled_parts: false,
      is_unpriced: false,
      requested_model: "claude-sonnet-5",
      model: "claude-sonnet-5",
      service_tier: "standard",
      context_window: "0-200k",
      inference_geo: "not_available",
      speed: "standard",
      client: "other",
      agent_session_id: null,
      prompt_id: null,
      agent_id: null,
      parent_agent_id: null,
      request_class: null,
      cut: null,
      upstream_id: null,
      failover: null,
      input_tokens: 1n,
      cache_write_5m_tokens: 2n,
      cache_write_1h_tokens: 3n,
      cache_read_tokens: 4n,
      output_tokens: 5n,
      web_searches: 6n,
      input_cost_nano_usd: 3_500_000n,
      cache_write_5m_cost_nano_usd: 0n,
      cache_write_1h_cost_nano_usd: 0n,
      cache_read_cost_nano_usd: 0n,
      output_cost_nano_usd: 7_000_001n,
      web_search_cost_nano_usd: 0n,
      cost_nano_usd: 10_500_001n,
      prices: { list: "2026-10-24" },
      upstream_request_id: "req_upstream",
      hold_nano_usd: 12_000_000n,
      first_byte_ms: 12,
    });
    expect(await t.rolledUp()).toEqual({ requests: 1n, errors: 0n, nanoUsd: 10_500_001n });
  });

  test("adds to existing rollups, and counts refused, unreached and interrupted requests as errors", async () => {
    const meter = await t.start();
    const outcomes = ["answered", "aborted", "refused", "unreached", "interrupted"] as const;
    for (const outcome of outcomes) {
      t.run(meter, 7n, { outcome });
      expect(await meter.flush()).toBe(true);
    }
    expect(await t.recorded()).toHaveLength(5);
    expect(await t.rolledUp()).toEqual({ requests: 5n, errors: 3n, nanoUsd: 35n });
  });

  test("runs without a call", async () => {
    const meter = await t.start({ flushEveryMs: 50 });
    const end = t.run(meter, 5n);
    await expect.poll(t.recorded).toHaveLength(1);
    expect((await t.recorded())[0]?.id).toBe(end.requestId);
    expect(meter.status()).toMatchObject({ pendingRecords: 0, isFenced: false });
  });

  test("takes as many batches as it needs", async () => {
    const meter = await t.start({ batchSize: 3 });
    for (let i = 0; i < 10; i++) t.run(meter, 1n);
    expect(await meter.flush()).toBe(true);
    expect(await t.recorded()).toHaveLength(10);
  });

  test.for(["after commit", "before commit"] as const)(
    "whose response is lost %s counts once",
    async (when, { db }) => {
      const meter = await t.start({ database: makeUnreliable(db.database, when, 2), batchSize: 2 });
      const first = [t.run(meter, 1n), t.run(meter, 2n)];
      await meter.flush();
      // More requests end before the result of the batch is known.
      const later = [t.run(meter, 4n), t.run(meter, 8n), t.run(meter, 16n)];
      for (let i = 0; i < 3; i++) await meter.flush();
      expect(meter.status().pendingRecords).toBe(0);
      expect((await t.recorded()).map(({ id }) => id)).toEqual(
        [...first, ...later].map(({ requestId }) => requestId),
      );
      expect(await t.rolledUp()).toEqual({ requests: 5n, errors: 0n, nanoUsd: 31n });
    },
  );

  test("participants run in the order of their list, and a failure of one rolls back all", async () => {
    const calls: string[] = [];
    let fails = true;
    const named = (name: string): FlushParticipant => ({
      queued: () => calls.push(`${name} queued`),
      flush: async () => {
        calls.push(`${name} flush`);
        if (name === "last" && fails) throw new Error("a bug");
      },
      committed: (batch) => calls.push(`${name} committed ${batch.length}`),
    });
    const meter = await t.start({
      participants: [
        appendUsage({ nodeId: t.nodeId, encodeHoldCharges }),
        named("first"),
        named("last"),
      ],
    });
    t.run(meter, 1n);
    expect(await meter.flush()).toBe(false);
    expect(await t.recorded()).toEqual([]);
    fails = false;
    expect(await meter.flush()).toBe(true);
    expect(calls).toEqual([
      "first queued",
      "last queued",
      "first flush",
      "last flush",
      "first flush",
      "last flush",
      "first committed 1",
      "last committed 1",
    ]);
  });

  test("a record that the database refuses is set aside, and all others are counted", async () => {
    const poison: FlushParticipant = {
      flush: async (_, batch) => {
        if (!batch.some(({ cost }) => cost.total === 13n)) return;
        throw Object.assign(new Error("value out of range"), { code: "22003" });
      },
    };
    const meter = await t.start({
      participants: [appendUsage({ nodeId: t.nodeId, encodeHoldCharges }), poison],
    });
    const ends = Array.from({ length: 20 }, (_, index) => t.run(meter, BigInt(index)));
    expect(await meter.flush()).toBe(false);
    expect(await meter.flush()).toBe(false);
    expect(await meter.flush()).toBe(true);
    expect(await t.recorded()).toHaveLength(19);
    expect(t.errors()).toEqual([expect.stringContaining("set aside")]);
    expect(fs.readFileSync(path.join(t.directory, "set-aside.jsonl"), "utf8")).toContain(
      ends[13]?.requestId,
    );
    t.run(meter, 100n);
    expect(await meter.flush()).toBe(true);
    expect(await t.recorded()).toHaveLength(20);
  });

  test("limits texts and numbers to the range of their columns", async () => {
    const meter = await t.start();
    t.run(meter, 1n, {
      requestedModel: "a\u0000b".repeat(500),
      model: "c\u0000d",
      firstByteMs: 12.6,
      httpStatus: 1e12,
      usage: { ...endRecord(t.begun(), 0n).usage, inputTokens: 1e300, outputTokens: 2.5 },
    });
    expect(await meter.flush()).toBe(true);
    expect(await t.recorded()).toHaveLength(1);
    expect(t.errors()).toEqual([]);
  });

  test("ends beyond the bound of memory wait in the journal, and all are flushed", async () => {
    let isAway: boolean = true;
    const away: FlushParticipant = {
      flush: () => (isAway ? Promise.reject(new Error("database away")) : Promise.resolve()),
    };
    const meter = await t.start({
      maxInMemory: 4,
      batchSize: 3,
      participants: [appendUsage({ nodeId: t.nodeId, encodeHoldCharges }), away],
    });
    const ids: string[] = [];
    for (let i = 0; i < 25; i++) ids.push(t.run(meter, 1n).requestId);
    await meter.flush();
    expect(meter.status().pendingRecords).toBe(25);
    isAway = false;
    expect(await meter.flush()).toBe(true);
    for (let i = 0; i < 3; i++) ids.push(t.run(meter, 1n).requestId);
    expect(await meter.flush()).toBe(true);
    expect((await t.recorded()).map(({ id }) => id)).toEqual(ids);
  });
});

test("a stop flushes pending ends and closes the journal, and no request begins after it", async () => {
  const meter = await t.start({ stopWithinMs: 5_000 });
  t.run(meter, 1n);
  await meter.stop();
  expect(await t.recorded()).toHaveLength(1);
  const refusal = expect.objectContaining({ code: "server_not_ready" });
  expect(() => meter.begin(t.begun())).toThrow(refusal);
  expect(() => meter.beginWritten(t.begun())).toThrow(refusal);
});

test("a request that began at the end of a turn is interrupted if the process dies", async () => {
  const meter = await t.start();
  const [ended, running] = [t.begun(), t.begun({ holdNanoUsd: 9n })];
  await Promise.all([meter.beginWritten(ended), meter.beginWritten(running)]);
  meter.end(endRecord(ended, 3n));
  expect(await (await t.start()).flush()).toBe(true);
  expect((await t.recorded()).map(({ id, outcome }) => [id, outcome])).toEqual([
    [ended.requestId, "answered"],
    [running.requestId, "interrupted"],
  ]);
});

describe("a stop ends after its time, and the next start flushes the rest", () => {
  const REQUESTS = 60;

  function runMany(meter: Meter): void {
    for (let i = 0; i < REQUESTS; i++) t.run(meter, 1n);
  }

  async function expectAllAfterStart(): Promise<void> {
    expect(await (await t.start()).flush()).toBe(true);
    expect(await t.recorded()).toHaveLength(REQUESTS);
  }

  test("with a slow database", async () => {
    const slow: FlushParticipant = { flush: () => delay(200) };
    const meter = await t.start({
      participants: [appendUsage({ nodeId: t.nodeId, encodeHoldCharges }), slow],
      batchSize: 1,
      stopWithinMs: 1_000,
    });
    runMany(meter);
    await meter.stop();
    const { pendingRecords } = meter.status();
    expect(pendingRecords).toBeGreaterThan(0);
    expect(t.logged).toContainEqual(
      expect.objectContaining({
        records: pendingRecords,
        msg: "unflushed records stay in the journal: the next start flushes them",
      }),
    );
    await expectAllAfterStart();
  });

  test("at once with an abandoned database", async () => {
    const away: FlushParticipant = { flush: () => Promise.reject(new Error("away")) };
    const abandoning = new AbortController();
    const meter = await t.start({
      participants: [appendUsage({ nodeId: t.nodeId, encodeHoldCharges }), away],
      stopWithinMs: 3_600_000,
      abandoned: abandoning.signal,
    });
    runMany(meter);
    abandoning.abort();
    await meter.stop();
    expect(meter.status().pendingRecords).toBe(REQUESTS);
    await expectAllAfterStart();
  });

  test("with a database that does not respond", async () => {
    const answer = Promise.withResolvers<void>();
    const silent: FlushParticipant = { flush: () => answer.promise };
    const meter = await t.start({
      participants: [appendUsage({ nodeId: t.nodeId, encodeHoldCharges }), silent],
      stopWithinMs: 1_000,
    });
    runMany(meter);
    await meter.stop();
    expect(meter.status().pendingRecords).toBe(REQUESTS);
    answer.reject(new Error("the connection is lost"));
    await expectAllAfterStart();
  });
});

test("a synced begin is refused and leaves no record if the sync fails, and succeeds otherwise", async () => {
  let fails: boolean = false;
  const files: JournalFiles = {
    ...nodeJournalFiles,
    create: (file) => {
      const real = nodeJournalFiles.create(file);
      const sync = () => (fails ? Promise.reject(new Error("EIO")) : real.sync());
      return { ...real, sync };
    },
  };
  const journal = t.openJournal({ files });
  const meter = await t.start({ journal });
  fails = true;
  await expect(meter.beginSynced(t.begun())).rejects.toMatchObject({ code: "journal_unavailable" });
  expect(meter.status().isJournalHealthy).toBe(false);
  fails = false;
  const begin = t.begun();
  await meter.beginSynced(begin);
  expect(meter.status().isJournalHealthy).toBe(true);
  meter.end(endRecord(begin, 3n));
  await t.start();
  expect(await (await t.start()).flush()).toBe(true);
  expect(await t.recorded()).toEqual([{ id: begin.requestId, outcome: "answered", nanoUsd: 3n }]);
});

test("a failure of a participant does not affect the ended request", async () => {
  const broken: FlushParticipant = {
    queued: () => {
      throw new Error("a bug");
    },
    flush: () => Promise.resolve(),
  };
  const meter = await t.start({
    participants: [appendUsage({ nodeId: t.nodeId, encodeHoldCharges }), broken],
  });
  t.run(meter, 1n);
  expect(await meter.flush()).toBe(true);
  expect(await t.recorded()).toHaveLength(1);
  expect(t.errors()).toEqual(["a flush participant failed"]);
});

test("flushes of several nodes to the same rollups neither deadlock nor lose requests", async () => {
  const nodes = await Promise.all(
    [1, 2, 3].map(async (index) => {
      t.nodeId = `node_${index}_${t.organizationId}`;
      const folder = path.join(t.directory, String(index));
      const meter = await t.start(
        { batchSize: 7, participants: [appendUsage({ nodeId: t.nodeId, encodeHoldCharges })] },
        folder,
      );
      return meter;
    }),
  );
  for (let i = 0; i < 40; i++) {
    for (const meter of nodes) {
      const begin = t.begun({
        workspaceId: `wksp_${(i * 7) % 5}`,
        apiKeyId: `apikey_${(i * 3) % 4}`,
      });
      meter.begin(begin);
      meter.end(endRecord(begin, 1n));
    }
  }
  expect(await Promise.all(nodes.map((meter) => meter.flush()))).toEqual([true, true, true]);
  expect(await t.rolledUp()).toEqual({ requests: 120n, errors: 0n, nanoUsd: 120n });
  expect(await t.recorded()).toHaveLength(120);
});
