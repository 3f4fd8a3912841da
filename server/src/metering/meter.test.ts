import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "#src/db/pool.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { createTestDatabase, type TestDatabase } from "#test/harness/database.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import type { FlushParticipant, NodeEntry } from "./flush.ts";
import { openJournal } from "./journal.ts";
import { type JournalFiles, nodeJournalFiles } from "./journal-files.ts";
import { type Meter, type MeterOptions, makeMeter } from "./meter.ts";
import { recordUsage } from "./record-usage.ts";
import { rollupTableNames } from "./rollup-tables.ts";
import { segmentPath } from "./segments.ts";
import { listRollupDifferences } from "./verify.sql.ts";

let db: TestDatabase;
let directory: string;
let nodeId: string;
let organizationId: string;
let logged: { level: number; msg: string }[];
let meters: Meter[];

const logger = makeLogger("info", { write: (line) => logged.push(JSON.parse(line)) });

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(() => db.drop());

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(tmpdir(), "bursar-meter-"));
  nodeId = `node_${randomUUID()}`;
  organizationId = randomUUID();
  logged = [];
  meters = [];
});

afterEach(async () => {
  await Promise.all(meters.map((meter) => meter.stop()));
  fs.rmSync(directory, { recursive: true, force: true });
});

/** A process: started on the test's folder, under the test's node id. Without a stop it is as one that was killed. */
async function start(options: Partial<MeterOptions> = {}, folder = directory): Promise<Meter> {
  const journal = openJournal({ directory: folder, nodeId, clock: systemClock, logger });
  const meter = makeMeter({
    database: db.database,
    journal,
    participants: [recordUsage(nodeId)],
    version: "0.0.0",
    newInstallationId: randomUUID(),
    labelOf: (_, model) => model,
    clock: systemClock,
    logger,
    flushEveryMs: 3_600_000, // only when the test says so
    stopWithinMs: 0,
    ...options,
  });
  meters.push(meter);
  await meter.start();
  return meter;
}

const begun = (overrides: Partial<BeginRecord> = {}) =>
  beginRecord({ organizationId, ...overrides });

/** A whole request. */
function run(meter: Meter, nanoUsd: bigint, overrides: Partial<EndRecord> = {}): EndRecord {
  const begin = begun();
  meter.begin(begin);
  const end = endRecord(begin, nanoUsd, overrides);
  meter.end(end);
  return end;
}

async function recorded(): Promise<{ id: string; outcome: string; nanoUsd: bigint }[]> {
  const rows = await db.database
    .selectFrom("usage_event")
    .select(["request_id as id", "outcome", "cost_nano_usd as nanoUsd"])
    .where("organization_id", "=", organizationId)
    .orderBy("request_id")
    .execute();
  expect(await listRollupDifferences(db.database)).toEqual([]);
  return rows;
}

async function rolledUp(): Promise<{ requests: bigint; errors: bigint; nanoUsd: bigint }> {
  return await db.database
    .selectFrom("usage_hour")
    .select((eb) => [
      eb.fn.sum<string>("requests").$castTo<string>().as("requests"),
      eb.fn.sum<string>("errors").$castTo<string>().as("errors"),
      eb.fn.sum<string>("cost_nano_usd").$castTo<string>().as("nanoUsd"),
    ])
    .where("organization_id", "=", organizationId)
    .executeTakeFirstOrThrow()
    .then((row) => ({
      requests: BigInt(row.requests),
      errors: BigInt(row.errors),
      nanoUsd: BigInt(row.nanoUsd),
    }));
}

/** The database over a line that loses the answer of the next `count` commits, or breaks before them. */
function unreliable(when: "after commit" | "before commit", count: number): Database {
  let left = count;
  return new Proxy(db.database, {
    get(target, name) {
      if (name !== "transaction") {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return () => ({
        execute: async (work: Parameters<ReturnType<Database["transaction"]>["execute"]>[0]) => {
          const fails = left > 0;
          left -= 1;
          const result = await target.transaction().execute(async (tx) => {
            const value = await work(tx);
            if (fails && when === "before commit") throw new Error("connection lost");
            return value;
          });
          if (fails) throw new Error("connection lost");
          return result;
        },
      });
    },
  });
}

const errors = () => logged.filter(({ level }) => level >= 50).map(({ msg }) => msg);

describe("a flush", () => {
  test("writes one event per request with every field, and the rollups", async () => {
    const meter = await start();
    const end = run(meter, 10_500_001n, {
      isEstimated: true,
      usage: {
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
      .selectFrom("usage_event")
      .selectAll()
      .where("organization_id", "=", organizationId)
      .executeTakeFirstOrThrow();
    expect(event).toEqual({
      request_id: end.requestId,
      started_at: new Date(SOME_TIME_MS),
      ended_at: new Date(SOME_TIME_MS + 1_000),
      node_id: nodeId,
      organization_id: organizationId,
      workspace_id: "wksp_1",
      api_key_id: "apikey_1",
      member_id: "",
      outcome: "answered",
      http_status: 200,
      is_stream: false,
      is_estimated: true,
      is_unpriced: false,
      requested_model: "claude-sonnet-5",
      model: "claude-sonnet-5",
      service_tier: "standard",
      context_window: "0-200k",
      inference_geo: "not_available",
      speed: "standard",
      client: "other",
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
    expect(await rolledUp()).toEqual({ requests: 1n, errors: 0n, nanoUsd: 10_500_001n });
  });

  test("adds to rollups that are there, and counts what was refused, unreached or interrupted as errors", async () => {
    const meter = await start();
    const outcomes = ["answered", "aborted", "refused", "unreached", "interrupted"] as const;
    for (const outcome of outcomes) {
      run(meter, 7n, { outcome });
      expect(await meter.flush()).toBe(true);
    }
    expect(await recorded()).toHaveLength(5);
    expect(await rolledUp()).toEqual({ requests: 5n, errors: 3n, nanoUsd: 35n });
  });

  test("happens by itself, within the two seconds that usage may take to show", async () => {
    const meter = await start({ flushEveryMs: 50 });
    const end = run(meter, 5n);
    await expect.poll(recorded, { timeout: 2_000 }).toHaveLength(1);
    expect((await recorded())[0]?.id).toBe(end.requestId);
    expect(meter.status()).toMatchObject({ pendingRecords: 0, isFenced: false });
  });

  test("takes as many batches as it needs", async () => {
    const meter = await start({ batchSize: 3 });
    for (let i = 0; i < 10; i++) run(meter, 1n);
    expect(await meter.flush()).toBe(true);
    expect(await recorded()).toHaveLength(10);
  });

  test.each(["after commit", "before commit"] as const)(
    "whose answer is lost %s counts once",
    async (when) => {
      const meter = await start({ database: unreliable(when, 2), batchSize: 2 });
      const first = [run(meter, 1n), run(meter, 2n)];
      await meter.flush();
      // More requests end before it is known what became of the batch.
      const later = [run(meter, 4n), run(meter, 8n), run(meter, 16n)];
      for (let i = 0; i < 3; i++) await meter.flush();
      expect(meter.status().pendingRecords).toBe(0);
      expect((await recorded()).map(({ id }) => id)).toEqual(
        [...first, ...later].map(({ requestId }) => requestId),
      );
      expect(await rolledUp()).toEqual({ requests: 5n, errors: 0n, nanoUsd: 31n });
    },
  );

  test("participants take part in the order of their list, and none of it stays when one fails", async () => {
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
    const meter = await start({
      participants: [recordUsage(nodeId), named("first"), named("last")],
    });
    run(meter, 1n);
    expect(await meter.flush()).toBe(false);
    expect(await recorded()).toEqual([]);
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
    const meter = await start({ participants: [recordUsage(nodeId), poison] });
    const ends = Array.from({ length: 20 }, (_, index) => run(meter, BigInt(index)));
    expect(await meter.flush()).toBe(false);
    expect(await meter.flush()).toBe(false);
    expect(await meter.flush()).toBe(true);
    expect(await recorded()).toHaveLength(19);
    expect(errors()).toEqual([expect.stringContaining("set aside")]);
    expect(fs.readFileSync(path.join(directory, "set-aside.jsonl"), "utf8")).toContain(
      ends[13]?.requestId,
    );
    run(meter, 100n);
    expect(await meter.flush()).toBe(true);
    expect(await recorded()).toHaveLength(20);
  });

  test("texts and numbers that columns cannot take are made to fit", async () => {
    const meter = await start();
    run(meter, 1n, {
      requestedModel: "a\u0000b".repeat(500),
      model: "c\u0000d",
      firstByteMs: 12.6,
      httpStatus: 1e12,
      usage: { ...endRecord(begun(), 0n).usage, inputTokens: 1e300, outputTokens: 2.5 },
    });
    expect(await meter.flush()).toBe(true);
    expect(await recorded()).toHaveLength(1);
    expect(errors()).toEqual([]);
  });

  test("ends beyond the bound of memory wait in the journal, and none is lost", async () => {
    let isAway: boolean = true;
    const away: FlushParticipant = {
      flush: () => (isAway ? Promise.reject(new Error("database away")) : Promise.resolve()),
    };
    const meter = await start({
      maxInMemory: 4,
      batchSize: 3,
      participants: [recordUsage(nodeId), away],
    });
    const ids: string[] = [];
    for (let i = 0; i < 25; i++) ids.push(run(meter, 1n).requestId);
    await meter.flush();
    expect(meter.status().pendingRecords).toBe(25);
    isAway = false;
    expect(await meter.flush()).toBe(true);
    for (let i = 0; i < 3; i++) ids.push(run(meter, 1n).requestId);
    expect(await meter.flush()).toBe(true);
    expect((await recorded()).map(({ id }) => id)).toEqual(ids);
  });
});

describe("a restart", () => {
  test("after a kill records what had ended, and what was running as interrupted: once each", async () => {
    const killed = await start();
    const flushed = run(killed, 1n);
    await killed.flush();
    const ended = run(killed, 2n);
    const running = begun({ requestedModel: "claude-opus-5" });
    killed.begin(running);
    const meter = await start();
    expect(await meter.flush()).toBe(true);
    expect(await recorded()).toEqual([
      { id: flushed.requestId, outcome: "answered", nanoUsd: 1n },
      { id: ended.requestId, outcome: "answered", nanoUsd: 2n },
      { id: running.requestId, outcome: "interrupted", nanoUsd: 0n },
    ]);
    expect(await rolledUp()).toEqual({ requests: 3n, errors: 1n, nanoUsd: 3n });
  });

  test("that itself is killed, before or after its flush, doubles nothing", async () => {
    const running = begun();
    (await start()).begin(running);
    await start(); // killed before its flush
    await start();
    const third = await start();
    expect(await third.flush()).toBe(true);
    const fourth = await start();
    expect(await fourth.flush()).toBe(true);
    expect(await recorded()).toEqual([
      { id: running.requestId, outcome: "interrupted", nanoUsd: 0n },
    ]);
  });

  test("after a power cut that took the end of a request which the database has, does not record it again", async () => {
    const meter = await start();
    const begin = begun();
    meter.begin(begin);
    const file = path.join(
      directory,
      fs.readdirSync(directory).find((name) => name.endsWith(".journal")) ?? "",
    );
    const size = fs.statSync(file).size;
    meter.end(endRecord(begin, 9n));
    await meter.flush();
    fs.truncateSync(file, size);
    const next = await start();
    const later = run(next, 1n);
    expect(await next.flush()).toBe(true);
    await start();
    expect(await recorded()).toEqual([
      { id: begin.requestId, outcome: "answered", nanoUsd: 9n },
      { id: later.requestId, outcome: "answered", nanoUsd: 1n },
    ]);
    expect(errors()[0]).toContain("the journal ends before what the database has");
  });

  test("with the journal lost begins a new one, and says so", async () => {
    const meter = await start();
    for (let i = 0; i < 3; i++) run(meter, 1n);
    await meter.flush();
    const empty = fs.mkdtempSync(path.join(tmpdir(), "bursar-meter-"));
    const next = await start({}, empty);
    run(next, 1n);
    expect(await next.flush()).toBe(true);
    expect(await recorded()).toHaveLength(4);
    expect(errors()).toEqual([expect.stringContaining("by another journal")]);
    await next.stop();
    fs.rmSync(empty, { recursive: true, force: true });
  });

  test("after another machine ran under its id records what it had not flushed, and nothing twice", async () => {
    const other = fs.mkdtempSync(path.join(tmpdir(), "bursar-meter-"));
    const here = await start();
    run(here, 1n);
    await here.flush();
    run(here, 2n);
    here.begin(begun());
    const there = await start({}, other);
    for (const nanoUsd of [4n, 8n, 16n, 32n]) run(there, nanoUsd);
    expect(await there.flush()).toBe(true);
    run(there, 64n);
    const again = await start({ batchSize: 1 });
    expect(await again.flush()).toBe(true);
    const thereAgain = await start({}, other);
    expect(await thereAgain.flush()).toBe(true);
    const nanoUsd = (await recorded()).map((event) => event.nanoUsd);
    expect(nanoUsd.sort((a, b) => Number(a - b))).toEqual([0n, 1n, 2n, 4n, 8n, 16n, 32n, 64n]);
    expect(errors().some((message) => message.includes("by another journal"))).toBe(true);
    await thereAgain.stop();
    fs.rmSync(other, { recursive: true, force: true });
  });

  test("on a database that was restored to an earlier state flushes again what that lacks", async () => {
    const meter = await start();
    const kept = run(meter, 1n);
    await meter.flush();
    const flushedSeq = await db.database
      .selectFrom("node")
      .select("flushed_seq")
      .where("id", "=", nodeId)
      .executeTakeFirstOrThrow();
    const lost = run(meter, 2n);
    await meter.flush();
    await db.database.transaction().execute(async (tx) => {
      await tx.deleteFrom("usage_event").where("request_id", "=", lost.requestId).execute();
      for (const table of rollupTableNames) {
        await tx
          .updateTable(table)
          .set((eb) => ({
            requests: eb("requests", "-", 1n),
            input_tokens: eb("input_tokens", "-", 10n),
            output_tokens: eb("output_tokens", "-", 1n),
            output_cost_nano_usd: eb("output_cost_nano_usd", "-", 2n),
            cost_nano_usd: eb("cost_nano_usd", "-", 2n),
          }))
          .where("organization_id", "=", organizationId)
          .execute();
      }
      await tx.updateTable("node").set(flushedSeq).where("id", "=", nodeId).execute();
    });
    const next = await start();
    expect(await next.flush()).toBe(true);
    expect((await recorded()).map(({ id }) => id)).toEqual([kept.requestId, lost.requestId]);
  });

  test("on a database without its row records only what is not there yet", async () => {
    const meter = await start();
    run(meter, 1n);
    await meter.flush();
    run(meter, 2n);
    await db.database.deleteFrom("node").where("id", "=", nodeId).execute();
    const next = await start({ batchSize: 1 });
    run(next, 4n);
    expect(await next.flush()).toBe(true);
    expect((await recorded()).map(({ nanoUsd }) => nanoUsd)).toEqual([1n, 2n, 4n]);
  });

  test("on a database without its row, killed and started once more, sets nothing aside", async () => {
    const meter = await start();
    for (const nanoUsd of [1n, 2n, 4n]) run(meter, nanoUsd);
    await meter.flush();
    await db.database.deleteFrom("node").where("id", "=", nodeId).execute();
    await start({ database: unreliable("before commit", 1_000) });
    const next = await start();
    expect(await next.flush()).toBe(true);
    expect((await recorded()).map(({ nanoUsd }) => nanoUsd)).toEqual([1n, 2n, 4n]);
    expect(errors().filter((message) => message.includes("set aside"))).toEqual([]);
  });

  test("on another database is refused: these records cannot be billed there", async () => {
    const meter = await start();
    run(meter, 1n);
    const other = await createTestDatabase();
    try {
      await expect(start({ database: other.database })).rejects.toThrow(
        "belongs to another database",
      );
    } finally {
      await other.drop();
    }
  });
});

describe("fencing", () => {
  test("a second process under the id stops the first: it flushes nothing more and takes no requests", async () => {
    const first = await start();
    const running = begun();
    first.begin(running);
    const second = await start();
    first.end(endRecord(running, 5n));
    expect(await first.flush()).toBe(false);
    expect(first.status().isFenced).toBe(true);
    expect(() => first.begin(begun())).toThrow(expect.objectContaining({ code: "unavailable" }));
    expect(logged.some(({ level, msg }) => level === 60 && msg.includes("another process"))).toBe(
      true,
    );
    expect(await second.flush()).toBe(true);
    expect(await recorded()).toEqual([
      { id: running.requestId, outcome: "interrupted", nanoUsd: 0n },
    ]);
  });

  test("a database replaced under a running process stops it", async () => {
    const meter = await start();
    run(meter, 1n);
    await db.database.deleteFrom("node").where("id", "=", nodeId).execute();
    expect(await meter.flush()).toBe(false);
    expect(meter.status().isFenced).toBe(true);
    expect(await recorded()).toEqual([]);
  });
});

describe("a node that was reclaimed", () => {
  const reclaim = () =>
    db.database
      .updateTable("node")
      .set((eb) => ({ epoch: eb("epoch", "+", 1n) }))
      .where("id", "=", nodeId)
      .execute();

  test("enters again by itself at its next flush, under a new epoch, and loses nothing", async () => {
    const entered: NodeEntry[] = [];
    const listening: FlushParticipant = {
      started: (entry) => void entered.push(entry),
      flush: () => Promise.resolve(),
    };
    const meter = await start({ participants: [recordUsage(nodeId), listening] });
    const running = begun();
    meter.begin(running);
    run(meter, 1n);
    await reclaim();
    expect(await meter.flush()).toBe(true);
    meter.end(endRecord(running, 2n));
    meter.begin(begun());
    expect(await meter.flush()).toBe(true);
    expect(meter.status().isFenced).toBe(false);
    expect((await recorded()).map(({ nanoUsd }) => nanoUsd)).toEqual([2n, 1n]);
    expect(entered).toEqual([
      { epoch: 1n, flushedSeq: 0, isJournalWhole: true },
      { epoch: 3n, flushedSeq: 0, isJournalWhole: true },
    ]);
    expect(errors()).toEqual([]);
  });

  test("counts once what was flushed just before, though the answer was lost", async () => {
    const meter = await start({ database: unreliable("after commit", 1) });
    run(meter, 1n);
    expect(await meter.flush()).toBe(false);
    await reclaim();
    await meter.reenter();
    run(meter, 2n);
    expect(await meter.flush()).toBe(true);
    expect((await recorded()).map(({ nanoUsd }) => nanoUsd)).toEqual([1n, 2n]);
  });

  test("stays out where another process has taken it meanwhile", async () => {
    const first = await start();
    run(first, 1n);
    await reclaim();
    await start();
    await first.reenter();
    expect(first.status().isFenced).toBe(true);
    expect(() => first.begin(begun())).toThrow(expect.objectContaining({ code: "unavailable" }));
    await first.reenter();
    expect(logged.filter(({ msg }) => msg.includes("another process"))).toHaveLength(1);
  });
});

describe("a journal counts as whole", () => {
  let isWhole: boolean[];

  async function startIn(bootId: string | null, folder = directory): Promise<Meter> {
    const journal = openJournal({ directory: folder, nodeId, clock: systemClock, logger, bootId });
    const participant: FlushParticipant = {
      started: (entry) => void isWhole.push(entry.isJournalWhole),
      flush: () => Promise.resolve(),
    };
    return await start({ journal, participants: [recordUsage(nodeId), participant] });
  }

  beforeEach(() => {
    isWhole = [];
  });

  test("at first, after a kill, and in another boot if it was closed before", async () => {
    await startIn("boot_1");
    const second = await startIn("boot_1");
    await second.stop();
    await startIn("boot_2");
    expect(isWhole).toEqual([true, true, true]);
  });

  test("not in another boot, nor where none is known, nor after that until the database was told", async () => {
    await startIn("boot_1");
    const torn = await startIn("boot_2");
    await torn.stop();
    const told = await startIn("boot_2");
    told.journalTold();
    await startIn("boot_2");
    await startIn(null);
    expect(isWhole).toEqual([true, false, false, true, false]);
  });

  test("not where the database has more of it, or knows the node by another one, also at the next start", async () => {
    run(await startIn("boot_1"), 1n);
    await db.database
      .updateTable("node")
      .set({ flushed_seq: 1_000n })
      .where("id", "=", nodeId)
      .execute();
    await startIn("boot_1");
    await startIn("boot_1");
    const other = path.join(directory, "other");
    await startIn("boot_1", other);
    await startIn("boot_1", other);
    expect(isWhole).toEqual([true, false, false, false, false]);
  });

  test("not when its mark cannot be read", async () => {
    await startIn("boot_1");
    fs.writeFileSync(path.join(directory, "written"), "{");
    await startIn("boot_1");
    expect(isWhole).toEqual([true, false]);
  });

  test("not where a record is damaged", async () => {
    const meter = await startIn("boot_1");
    for (const nanoUsd of [1n, 2n, 3n]) run(meter, nanoUsd);
    const file = segmentPath(directory, 1);
    const whole = fs.readFileSync(file, "utf8");
    fs.writeFileSync(file, whole.replace("answered", "answerer"));
    await startIn("boot_1");
    expect(isWhole).toEqual([true, false]);
  });

  test("not once a sync has failed, since the kernel may forget what it had taken", async () => {
    const files: JournalFiles = {
      ...nodeJournalFiles,
      create: (file) => ({
        ...nodeJournalFiles.create(file),
        sync: () => Promise.reject(new Error("EIO")),
      }),
    };
    const journal = openJournal({
      directory,
      nodeId,
      clock: systemClock,
      logger,
      bootId: "boot_1",
      files,
    });
    const meter = await start({ journal });
    await expect(meter.beginSynced(begun())).rejects.toMatchObject({ code: "unavailable" });
    await startIn("boot_1");
    expect(isWhole).toEqual([false]);
  });
});

test("a stop flushes what waits and closes the journal; then no request begins", async () => {
  const meter = await start({ stopWithinMs: 5_000 });
  run(meter, 1n);
  await meter.stop();
  expect(await recorded()).toHaveLength(1);
  expect(() => meter.begin(begun())).toThrow(expect.objectContaining({ code: "unavailable" }));
});

test("a synced begin that the disk fails is refused and leaves no record; one that it takes is a request", async () => {
  let fails: boolean = false;
  const files: JournalFiles = {
    ...nodeJournalFiles,
    create: (file) => {
      const real = nodeJournalFiles.create(file);
      const sync = () => (fails ? Promise.reject(new Error("EIO")) : real.sync());
      return { ...real, sync };
    },
  };
  const journal = openJournal({ directory, nodeId, clock: systemClock, logger, files });
  const meter = await start({ journal });
  fails = true;
  await expect(meter.beginSynced(begun())).rejects.toMatchObject({ code: "unavailable" });
  expect(meter.status().isJournalHealthy).toBe(false);
  fails = false;
  const begin = begun();
  await meter.beginSynced(begin);
  expect(meter.status().isJournalHealthy).toBe(true);
  meter.end(endRecord(begin, 3n));
  await start();
  expect(await (await start()).flush()).toBe(true);
  expect(await recorded()).toEqual([{ id: begin.requestId, outcome: "answered", nanoUsd: 3n }]);
});

test("a participant's bug does not reach the request that ends", async () => {
  const broken: FlushParticipant = {
    queued: () => {
      throw new Error("a bug");
    },
    flush: () => Promise.resolve(),
  };
  const meter = await start({ participants: [recordUsage(nodeId), broken] });
  run(meter, 1n);
  expect(await meter.flush()).toBe(true);
  expect(await recorded()).toHaveLength(1);
  expect(errors()).toEqual(["a flush participant failed"]);
});

test("flushes of several nodes on the same rollups neither deadlock nor lose", async () => {
  const nodes = await Promise.all(
    [1, 2, 3].map(async (index) => {
      nodeId = `node_${index}_${organizationId}`;
      const folder = path.join(directory, String(index));
      const meter = await start({ batchSize: 7, participants: [recordUsage(nodeId)] }, folder);
      return meter;
    }),
  );
  for (let i = 0; i < 40; i++) {
    for (const meter of nodes) {
      const begin = begun({
        workspaceId: `wksp_${(i * 7) % 5}`,
        apiKeyId: `apikey_${(i * 3) % 4}`,
      });
      meter.begin(begin);
      meter.end(endRecord(begin, 1n));
    }
  }
  expect(await Promise.all(nodes.map((meter) => meter.flush()))).toEqual([true, true, true]);
  expect(await rolledUp()).toEqual({ requests: 120n, errors: 0n, nanoUsd: 120n });
  expect(await recorded()).toHaveLength(120);
});
