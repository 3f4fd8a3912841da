// Oldest PostgreSQL: journal
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { type Database, openDatabase } from "#src/db/pool.ts";
import type { BeginRecord } from "#src/domain/request-record.ts";
import type { Clock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { makeBreakable } from "#test/harness/breakable-database.ts";
import { test as base } from "#test/harness/database-test.ts";
import { eventually } from "#test/harness/eventually.ts";
import { foldRollups } from "#test/harness/folds.ts";
import { makeTestMeter } from "#test/harness/meters.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { encodeRecord } from "./journal-codec.ts";
import type { Journal } from "./journal-contract.ts";
import { RecordLines } from "./journal-lines.ts";
import { listWriters } from "./journal-rows.sql.ts";
import type { Meter } from "./meter.ts";
import {
  adoptPostgresJournal,
  openPostgresJournal,
  type PostgresJournalOptions,
} from "./postgres-journal.ts";
import { adoptDeadJournals, type Housekeeping } from "./unfinished-journals.ts";
import { listRollupDifferences } from "./verify.sql.ts";

const test = base.extend("journals", ({ db }) => {
  async function open(options: Partial<PostgresJournalOptions> = {}): Promise<Journal> {
    const journal = await openPostgresJournal({
      database: db.database,
      nodeId,
      journalId: `jrnl_${randomUUID()}`,
      logger,
      ...options,
    });
    opened.push(journal);
    return journal;
  }

  /** A process that writes its records to the database. Without a stop it counts as killed. */
  async function start(options: Partial<PostgresJournalOptions> = {}): Promise<Meter> {
    return startOn(await open(options));
  }

  async function startOn(journal: Journal): Promise<Meter> {
    const meter = makeTestMeter({ database: db.database, journal, logger });
    meters.push(meter);
    await meter.start();
    return meter;
  }

  async function recorded(): Promise<{ id: string; outcome: string; nanoUsd: bigint }[]> {
    const rows = await db.database
      .selectFrom("recorded_request")
      .select(["request_id as id", "outcome", "cost_nano_usd as nanoUsd"])
      .where("organization_id", "=", organizationId)
      .orderBy("request_id")
      .execute();
    await foldRollups(db.database);
    expect(await listRollupDifferences(db.database)).toEqual([]);
    return rows;
  }

  const rows = async () =>
    (await db.database.selectFrom("journal_record").select("seq").orderBy("seq").execute()).length;

  function watch(ownNodeId: string, adopted: string[] = []): void {
    const watcher = { reads: 0 };
    watchers.push(watcher);
    const clock: Clock = {
      nowMs: () => nowMs,
      monotonicMs: () => {
        watcher.reads += 1;
        return nowMs;
      },
    };
    housekeepings.push(
      adoptDeadJournals({
        database: db.database,
        ownNodeId,
        silentMs: SILENT_MS,
        pollMs: 20,
        subscribe: () => () => undefined,
        adopt: async (seen) => {
          const journalId = `jrnl_${randomUUID()}`;
          const journal = await adoptPostgresJournal(
            { database: db.database, journalId, logger },
            seen,
          );
          if (journal) adopted.push(ownNodeId);
          return journal && { journal, release: async () => undefined };
        },
        settle: async (journal) => {
          const meter = await startOn(journal);
          const isDone = await meter.flush();
          await meter.stop();
          return isDone;
        },
        clock,
        logger,
      }),
    );
  }

  return { open, start, startOn, recorded, rows, watch };
});

let nodeId: string;
let organizationId: string;
let logged: { level: number; msg: string }[];
let opened: Journal[];
let meters: Meter[];
let housekeepings: Housekeeping[];

const logger = makeLogger("info", { write: (line) => logged.push(JSON.parse(line)) });
const BOUND_MS = 30_000;

test.beforeEach(async ({ db }) => {
  await db.database.deleteFrom("journal_record").execute();
  await db.database.deleteFrom("journal_writer").execute();
  nodeId = `node_${randomUUID()}`;
  organizationId = randomUUID();
  logged = [];
  opened = [];
  meters = [];
  housekeepings = [];
});

afterEach(async () => {
  await Promise.all(housekeepings.map((each) => each.stop()));
  await Promise.all(meters.map((meter) => meter.stop()));
  await Promise.all(opened.map((journal) => journal.close()));
});

const begun = (overrides: Partial<BeginRecord> = {}) =>
  beginRecord({ organizationId, ...overrides });

async function begin(meter: Meter): Promise<BeginRecord> {
  const record = begun();
  await meter.beginSynced(record);
  return record;
}
const fatal = () => logged.filter(({ level }) => level >= 60).map(({ msg }) => msg);
const errors = () => logged.filter(({ level }) => level >= 50).map(({ msg }) => msg);
const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);

describe("a journal in the database", () => {
  test("commits a begin before its dispatch, and many begins in one statement", async ({
    db,
    journals,
  }) => {
    const meter = await journals.start();
    const before = (await listWriters(db.database))[0]?.beat ?? 0n;
    await Promise.all(Array.from({ length: 500 }, () => begin(meter)));
    expect(await journals.rows()).toBe(500);
    const after = (await listWriters(db.database))[0]?.beat ?? 0n;
    expect(after - before).toBeLessThanOrEqual(3n);
  });

  test("after a crash running requests become one interrupted record each, and ended ones are billed once", async ({
    journals,
  }) => {
    const killed = await journals.start();
    const [running, ended] = [await begin(killed), await begin(killed)];
    killed.end(endRecord(ended, 70n));
    await begin(killed).then((last) => killed.end(endRecord(last, 5n)));
    await eventually(BOUND_MS, "the last end", async () =>
      (await journals.rows()) === 5 ? true : null,
    );
    const meter = await journals.start();
    expect(await meter.flush()).toBe(true);
    const found = await journals.recorded();
    expect(found).toHaveLength(3);
    expect(found).toContainEqual({ id: running.requestId, outcome: "interrupted", nanoUsd: 0n });
    expect(found).toContainEqual({ id: ended.requestId, outcome: "answered", nanoUsd: 70n });
    await journals.start().then((third) => third.flush());
    expect(await journals.recorded()).toEqual(found);
    expect(errors()).toEqual([]);
  });

  test("an end that was flushed before the crash is not counted again, with any rows that stayed", async ({
    db,
    journals,
  }) => {
    const killed = await journals.start();
    const record = await begin(killed);
    killed.end(endRecord(record, 70n));
    expect(await killed.flush()).toBe(true);
    // As after a crash before the removal.
    await eventually(BOUND_MS, "the removal", async () =>
      (await journals.rows()) === 0 ? true : null,
    );
    const lines = new RecordLines();
    encodeRecord({ kind: "begin", seq: 1, record }, lines);
    const line = lines.take().subarray(0, -1);
    await db.database
      .insertInto("journal_record")
      .values({ node_id: nodeId, seq: 1n, line })
      .execute();
    const meter = await journals.start();
    expect(await meter.flush()).toBe(true);
    expect(await journals.recorded()).toEqual([
      { id: record.requestId, outcome: "answered", nanoUsd: 70n },
    ]);
    await eventually(BOUND_MS, "no row left", async () =>
      (await journals.rows()) === 0 ? true : null,
    );
  });

  test("a start that is killed before the node has an epoch leaves the journal to this node", async ({
    db,
    journals,
  }) => {
    const killed = await journals.start();
    killed.end(endRecord(await begin(killed), 70n));
    await begin(killed).then((last) => killed.end(endRecord(last, 5n)));
    await eventually(BOUND_MS, "the last end", async () =>
      (await journals.rows()) === 4 ? true : null,
    );
    await journals.open(); // It is killed before its node has an epoch.
    const again = await journals.open();
    const meter = await journals.startOn(again);
    expect(again.mark.isWhole()).toBe(true);
    expect(await meter.flush()).toBe(true);
    expect((await journals.recorded()).map(({ nanoUsd }) => nanoUsd)).toEqual([70n, 5n]);
    expect(errors()).toEqual([]);
    // The same for a node that adopts the journal.
    await meter.beginWritten(begun());
    const seen = async () => (await listWriters(db.database))[0];
    const adopt = async () => {
      const writer = await seen();
      const journalId = `jrnl_${randomUUID()}`;
      return writer && adoptPostgresJournal({ database: db.database, journalId, logger }, writer);
    };
    const first = await adopt();
    await first?.close();
    const second = await adopt();
    if (!second) throw new Error("the journal cannot be adopted");
    expect(await (await journals.startOn(second)).flush()).toBe(true);
    expect(await journals.recorded()).toHaveLength(3);
    expect(errors()).toEqual([]);
  });

  test("deletes flushed rows, and keeps rows of running requests", async ({ journals }) => {
    const meter = await journals.start();
    const running = await begin(meter);
    for (let i = 0; i < 20; i++) meter.end(endRecord(await begin(meter), 1n));
    expect(await meter.flush()).toBe(true);
    await eventually(BOUND_MS, "only the running one", async () =>
      (await journals.rows()) === 1 ? true : null,
    );
    meter.end(endRecord(running, 1n));
    expect(await meter.flush()).toBe(true);
    await eventually(BOUND_MS, "nothing", async () =>
      (await journals.rows()) === 0 ? true : null,
    );
  });

  test("interrupts an amended begin with its last hold, and deletes all of its rows", async ({
    db,
    journals,
  }) => {
    const journal = await journals.open();
    const killed = await journals.startOn(journal);
    const [running, other] = [await begin(killed), await begin(killed)];
    killed.amendBegin({ ...running, holdNanoUsd: 7n });
    killed.amendBegin({ ...other, holdNanoUsd: 9n });
    await journal.synced();
    const meter = await journals.start();
    expect(await meter.flush()).toBe(true);
    const holds = await db.database
      .selectFrom("recorded_request")
      .select(["request_id as id", "hold_nano_usd as hold"])
      .where("organization_id", "=", organizationId)
      .orderBy("request_id")
      .execute();
    expect(holds).toEqual(
      [
        { id: running.requestId, hold: 7n },
        { id: other.requestId, hold: 9n },
      ].sort(byId),
    );
    await eventually(BOUND_MS, "no row left", async () =>
      (await journals.rows()) === 0 ? true : null,
    );
  });

  test("a clean stop leaves neither rows nor a writer", async ({ db, journals }) => {
    const meter = await journals.start();
    meter.end(endRecord(await begin(meter), 9n));
    expect(await meter.flush()).toBe(true);
    await meter.stop();
    expect(await listWriters(db.database)).toEqual([]);
    expect(await journals.rows()).toBe(0);
  });
});

describe("without the database", () => {
  test("no request begins, and running ones end and are counted when it is back", async ({
    db,
    journals,
  }) => {
    const { line, database } = makeBreakable(db.database);
    const meter = await journals.start({ database, retryMs: 5 });
    const running = await begin(meter);
    line.state = "cut";
    const refused = { code: "journal_unavailable" };
    const refusals = [begin(meter), meter.beginWritten(begun())];
    for (const each of refusals) await expect(each).rejects.toMatchObject(refused);
    expect(meter.status().isJournalHealthy).toBe(false);
    expect(() => meter.begin(begun())).toThrow("cannot write its journal");
    meter.end(endRecord(running, 70n));
    line.state = "up";
    await eventually(BOUND_MS, "the journal to work again", async () =>
      meter.status().isJournalHealthy ? true : null,
    );
    const later = await begin(meter);
    meter.end(endRecord(later, 1n));
    expect(await meter.flush()).toBe(true);
    expect(await journals.recorded()).toEqual(
      [
        { id: running.requestId, outcome: "answered", nanoUsd: 70n },
        { id: later.requestId, outcome: "answered", nanoUsd: 1n },
      ].sort(byId),
    );
    // The refused begin left nothing.
    await eventually(BOUND_MS, "no rows", async () =>
      (await journals.rows()) === 0 ? true : null,
    );
  });

  test("a commit whose response was lost is written once, and its request is refused", async ({
    db,
    journals,
  }) => {
    const { line, database } = makeBreakable(db.database);
    const meter = await journals.start({ database, retryMs: 5 });
    line.state = "answers lost";
    await expect(begin(meter)).rejects.toMatchObject({ code: "journal_unavailable" });
    await eventually(BOUND_MS, "the journal to work again", async () =>
      meter.status().isJournalHealthy ? true : null,
    );
    const next = await begin(meter);
    meter.end(endRecord(next, 2n));
    expect(await meter.flush()).toBe(true);
    expect(await journals.recorded()).toEqual([
      { id: next.requestId, outcome: "answered", nanoUsd: 2n },
    ]);
    expect(fatal()).toEqual([]);
  });

  test("a database that does not respond counts as away after a bounded time", async ({
    db,
    journals,
  }) => {
    const blocker = openDatabase({
      connectionString: db.connectionString,
      maxConnections: 1,
      onIdleError: () => undefined,
    });
    const meter = await journals.start({ commitWithinMs: 100, retryMs: 20 });
    await blocker.transaction().execute(async (tx) => {
      await tx.selectFrom("journal_writer").selectAll().forUpdate().execute();
      await expect(begin(meter)).rejects.toMatchObject({ code: "journal_unavailable" });
    });
    await blocker.destroy();
    await eventually(BOUND_MS, "the journal to work again", async () =>
      meter.status().isJournalHealthy ? true : null,
    );
  });
});

describe("two writers", () => {
  test("a second process under the same id fences the first, which begins and flushes nothing more", async ({
    journals,
  }) => {
    const lost: string[] = [];
    const first = await journals.start({ onLost: (how) => lost.push(how) });
    const running = await begin(first);
    const second = await journals.start();
    await expect(begin(first)).rejects.toMatchObject({ code: "journal_unavailable" });
    expect(lost).toEqual(["taken"]);
    expect(() => first.begin(begun())).toThrow("BURSAR_NODE_ID");
    first.end(endRecord(running, 70n));
    expect(await first.flush()).toBe(false);
    expect(await second.flush()).toBe(true);
    expect(await journals.recorded()).toEqual([
      { id: running.requestId, outcome: "interrupted", nanoUsd: 0n },
    ]);
  });
});

const SILENT_MS = 300;
/** Step of the watchers' clock, milliseconds. No watcher misses it. */
const STEP_MS = 100;
/** Clock of the watchers. The test advances it, so that a slow database makes no node a dead one. */
let nowMs: number;
let watchers: { reads: number }[];

describe("a node that does not return", () => {
  beforeEach(() => {
    nowMs = 0;
    watchers = [];
  });

  /** Waits until each watcher has read the journals at this time. A watcher that finishes a journal reads no more. */
  async function allLook(): Promise<void> {
    const before = watchers.map(({ reads }) => reads);
    await eventually(BOUND_MS, "the watchers to look", async () =>
      // Each read uses the clock twice, and one read may be running.
      watchers.every(({ reads }, at) => reads >= (before[at] ?? 0) + 4) ? true : null,
    );
  }

  const waitForWriters = (database: Database, count: number) =>
    eventually(BOUND_MS, `${count} writers`, async () =>
      (await listWriters(database)).length === count ? true : null,
    );

  /** Advances the watchers' clock until nodes that are silent from now on count as dead. */
  async function passSilence(meanwhile: () => Promise<void> = async () => undefined) {
    await allLook();
    for (let passedMs = 0; passedMs < SILENT_MS; passedMs += STEP_MS) {
      await meanwhile();
      if (passedMs > 0) await allLook();
      nowMs += STEP_MS;
    }
  }

  test("is finished by exactly one other node, which interrupts running requests and bills ended ones", async ({
    db,
    journals,
  }) => {
    // Without heartbeats the node counts as killed.
    const dead = await journals.start({ heartbeatIntervalMs: 3_600_000 });
    const [running, ended] = [await begin(dead), await begin(dead)];
    dead.end(endRecord(ended, 70n));
    await eventually(BOUND_MS, "the end", async () =>
      (await journals.rows()) === 3 ? true : null,
    );
    const adopted: string[] = [];
    for (const name of ["node_a", "node_b", "node_c"]) journals.watch(name, adopted);
    await passSilence();
    await waitForWriters(db.database, 0);
    expect(adopted).toHaveLength(1);
    expect(await journals.recorded()).toEqual(
      [
        { id: running.requestId, outcome: "interrupted", nanoUsd: 0n },
        { id: ended.requestId, outcome: "answered", nanoUsd: 70n },
      ].sort(byId),
    );
    expect(await journals.rows()).toBe(0);
  });

  test("that only slept has lost its journal, reports this, and counts nothing twice", async ({
    db,
    journals,
  }) => {
    const lost: string[] = [];
    const asleep = await journals.start({
      heartbeatIntervalMs: 3_600_000,
      onLost: (how) => lost.push(how),
    });
    const running = await begin(asleep);
    journals.watch("node_a");
    await passSilence();
    await waitForWriters(db.database, 0);
    asleep.end(endRecord(running, 70n));
    await expect(begin(asleep)).rejects.toMatchObject({ code: "journal_unavailable" });
    expect(lost).toEqual(["adopted"]);
    expect(await asleep.flush()).toBe(false);
    expect(await journals.recorded()).toEqual([
      { id: running.requestId, outcome: "interrupted", nanoUsd: 0n },
    ]);
  });

  test("that lives without requests keeps its journal", async ({ db, journals }) => {
    const idle = await journals.start({ heartbeatIntervalMs: 20 });
    const running = await begin(idle);
    const dead = await journals.open({ nodeId: "node_dead", heartbeatIntervalMs: 3_600_000 });
    await dead.start({ flushedSeq: 0, onUnflushedEnd: () => undefined });
    journals.watch("node_a");
    const beatOf = async (id: string) =>
      (await listWriters(db.database)).find((writer) => writer.nodeId === id)?.beat;
    await passSilence(async () => {
      const last = await beatOf(nodeId);
      await eventually(BOUND_MS, "a beat", async () =>
        (await beatOf(nodeId)) === last ? null : true,
      );
    });
    // The end of the dead node shows that the watchers had the time to adopt the idle one.
    await waitForWriters(db.database, 1);
    idle.end(endRecord(running, 3n));
    expect(await idle.flush()).toBe(true);
    expect(await journals.recorded()).toEqual([
      { id: running.requestId, outcome: "answered", nanoUsd: 3n },
    ]);
    expect(fatal()).toEqual([]);
  });
});
