import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect } from "vitest";
import type { BeginRecord } from "#src/domain/request-record.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { failOverToSnapshot, takeSnapshot } from "#test/harness/database-snapshot.ts";
import { test as base } from "#test/harness/database-test.ts";
import { eventually } from "#test/harness/eventually.ts";
import { foldRollups } from "#test/harness/folds.ts";
import { makeTestMeter } from "#test/harness/meters.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import type { Journal } from "./journal-contract.ts";
import { listWriters } from "./journal-rows.sql.ts";
import type { Meter } from "./meter.ts";
import { openPostgresJournal, type PostgresJournalOptions } from "./postgres-journal.ts";
import { RecentRows } from "./recent-rows.ts";
import { listRollupDifferences } from "./verify.sql.ts";

// A journal in a database that fails over to a server without its last commits.

const BOUND_MS = 30_000;

let nodeId: string;
let organizationId: string;
let opened: Journal[];
let meters: Meter[];
let lines: { level: number; msg: string }[];
const logger = makeLogger("info", { write: (line) => lines.push(JSON.parse(line)) });

const test = base.extend("journals", ({ db }) => {
  async function start(options: Partial<PostgresJournalOptions> = {}): Promise<Meter> {
    const journal = await openPostgresJournal({
      database: db.database,
      nodeId,
      journalId: `jrnl_${randomUUID()}`,
      logger,
      // Only the test sends heartbeats.
      heartbeatIntervalMs: 3_600_000,
      ...options,
    });
    opened.push(journal);
    const meter = makeTestMeter({ database: db.database, journal, logger });
    meters.push(meter);
    await meter.start();
    return meter;
  }

  /** Ids and costs, in the order of the ids. Throws when the rollups do not add up to all events. */
  async function recorded(): Promise<[string, string, bigint][]> {
    const rows = await db.database
      .selectFrom("recorded_request")
      .select(["request_id as id", "outcome", "cost_nano_usd as nanoUsd"])
      .where("organization_id", "=", organizationId)
      .orderBy("request_id")
      .execute();
    await foldRollups(db.database);
    expect(await listRollupDifferences(db.database)).toEqual([]);
    return rows.map(({ id, outcome, nanoUsd }) => [id, outcome, nanoUsd]);
  }

  const countRows = async () =>
    (await db.database.selectFrom("journal_record").select("seq").execute()).length;

  const expectRows = (count: number) =>
    eventually(BOUND_MS, `${count} rows`, async () => {
      for (const journal of opened) journal.prune();
      return (await countRows()) === count ? true : null;
    });

  return { start, recorded, expectRows };
});

beforeEach(() => {
  nodeId = `node_${randomUUID()}`;
  organizationId = randomUUID();
  opened = [];
  meters = [];
  lines = [];
});

afterEach(async () => {
  for (const meter of meters) await meter.stop();
  for (const journal of opened) await journal.close();
});

async function begin(meter: Meter): Promise<BeginRecord> {
  const record = beginRecord({ organizationId });
  await meter.beginSynced(record);
  return record;
}

async function run(meter: Meter, nanoUsd: bigint): Promise<string> {
  const record = await begin(meter);
  meter.end(endRecord(record, nanoUsd));
  return record.requestId;
}

const errors = () => lines.filter(({ level }) => level >= 50).map(({ msg }) => msg);

describe("after a failover without the last commits, a node with its journal in the database", () => {
  test("writes lost records again, and appends each lost end once", async ({ db, journals }) => {
    const meter = await journals.start();
    const kept = await run(meter, 1n);
    await meter.flush();
    const early = await begin(meter);
    await takeSnapshot(db.database);
    const lost = await run(meter, 2n);
    await meter.flush();
    await journals.expectRows(1);
    const late = await begin(meter);
    const unflushed = await run(meter, 3n);
    await failOverToSnapshot(db.database);
    meter.end(endRecord(early, 4n));
    expect(await meter.flush()).toBe(true);
    expect(meter.status().reappended).toMatchObject({ lost: 1, appended: 1, unrecoverable: 0 });
    meter.end(endRecord(late, 5n));
    const next = await run(meter, 6n);
    expect(await meter.flush()).toBe(true);
    expect(await journals.recorded()).toEqual([
      [kept, "answered", 1n],
      [early.requestId, "answered", 4n],
      [lost, "answered", 2n],
      [late.requestId, "answered", 5n],
      [unflushed, "answered", 3n],
      [next, "answered", 6n],
    ]);
    await journals.expectRows(0);
    expect(errors()).toEqual([]);
  });

  test("has the begins of its running requests again before the next crash", async ({
    db,
    journals,
  }) => {
    const meter = await journals.start();
    const early = await begin(meter);
    await takeSnapshot(db.database);
    const late = await begin(meter);
    const ended = await run(meter, 2n);
    await failOverToSnapshot(db.database);
    // The next begin finds that the database went back.
    const last = await begin(meter);
    // A kill.
    const again = await journals.start();
    expect(await again.flush()).toBe(true);
    expect(await journals.recorded()).toEqual([
      [early.requestId, "interrupted", 0n],
      [late.requestId, "interrupted", 0n],
      [ended, "answered", 2n],
      [last.requestId, "interrupted", 0n],
    ]);
  });

  test("deletes no row whose flush was lost", async ({ db, journals }) => {
    const meter = await journals.start();
    const first = await run(meter, 1n);
    await takeSnapshot(db.database);
    // Its rows can be deleted now, and the deletion reaches the database only after the failover.
    await meter.flush();
    await failOverToSnapshot(db.database);
    for (const journal of opened) journal.prune();
    expect(await meter.flush()).toBe(true);
    await meter.reenter();
    expect(await meter.flush()).toBe(true);
    expect(await journals.recorded()).toEqual([[first, "answered", 1n]]);
    await journals.expectRows(0);
  });

  test("takes its journal over that the lost start had", async ({ db, journals }) => {
    const killed = await journals.start();
    const interrupted = await begin(killed);
    const flushed = await run(killed, 1n);
    await killed.flush();
    await takeSnapshot(db.database);
    const running = await begin(killed);
    const meter = await journals.start();
    const ended = await run(meter, 2n);
    expect(await meter.flush()).toBe(true);
    const open = await begin(meter);
    await failOverToSnapshot(db.database);
    const next = await run(meter, 3n);
    expect(await meter.flush()).toBe(true);
    await meter.reenter();
    while (!(await meter.flush()));
    meter.end(endRecord(open, 4n));
    while (!(await meter.flush()));
    expect(await journals.recorded()).toEqual([
      [interrupted.requestId, "interrupted", 0n],
      [flushed, "answered", 1n],
      [running.requestId, "interrupted", 0n],
      [ended, "answered", 2n],
      [open.requestId, "answered", 4n],
      [next, "answered", 3n],
    ]);
    await journals.expectRows(0);
    expect(errors()).toEqual([]);
  });

  test("creates its journal again if the failover lost it", async ({ db, journals }) => {
    await takeSnapshot(db.database);
    const meter = await journals.start();
    const ended = await run(meter, 1n);
    expect(await meter.flush()).toBe(true);
    const open = await begin(meter);
    await failOverToSnapshot(db.database);
    const next = await run(meter, 2n);
    expect(await meter.flush()).toBe(true);
    meter.end(endRecord(open, 3n));
    while (!(await meter.flush()));
    expect(await journals.recorded()).toEqual([
      [ended, "answered", 1n],
      [open.requestId, "answered", 3n],
      [next, "answered", 2n],
    ]);
    await journals.expectRows(0);
    expect(errors()).toEqual([]);
  });

  test("loses it to a node that has adopted it after the failover", async ({ db, journals }) => {
    const how: string[] = [];
    await takeSnapshot(db.database);
    const meter = await journals.start({ onLost: (reason) => how.push(reason) });
    await begin(meter);
    await failOverToSnapshot(db.database);
    await begin(meter);
    const [writer] = (await listWriters(db.database)).filter((each) => each.nodeId === nodeId);
    expect(writer?.epoch).toBeGreaterThan(1n << 32n);
    await db.database
      .updateTable("journal_writer")
      .set({ journal_id: "jrnl_adopter", epoch: (writer?.epoch ?? 0n) + 1n, is_adopted: true })
      .where("node_id", "=", nodeId)
      .execute();
    await expect(begin(meter)).rejects.toThrow();
    expect(how).toEqual(["adopted"]);
  });

  test("reports records that it no longer has, and marks its journal", async ({ db, journals }) => {
    const meter = await journals.start({ keepRowsMs: 0 });
    await takeSnapshot(db.database);
    await run(meter, 1n);
    const open = await begin(meter);
    await meter.flush();
    await failOverToSnapshot(db.database);
    await meter.reenter();
    meter.end(endRecord(open, 2n));
    expect(await meter.flush()).toBe(true);
    expect(await journals.recorded()).toEqual([[open.requestId, "answered", 2n]]);
    expect(meter.status().reappended).toMatchObject({ lost: 0, unrecoverable: 2 });
    expect(errors()).toEqual([
      "the database lost records that the journal has deleted: their usage is in no report",
    ]);
    expect(opened[0]?.mark.isWhole()).toBe(false);
  });
});

describe("kept records", () => {
  const rowsOf = (...seqs: number[]) =>
    seqs.map((seq) => ({ seq, line: Buffer.from(`{"seq":${seq}}`) }));

  test("are returned in order, and forgotten by age", () => {
    const recent = new RecentRows({ keepMs: 10 });
    recent.add(rowsOf(1, 2), 0);
    recent.add(rowsOf(3, 4, 5), 5);
    expect(recent.listAfter(3)).toEqual(rowsOf(4, 5));
    expect(recent.listAfter(0)).toEqual(rowsOf(1, 2, 3, 4, 5));
    recent.forgetOld(10);
    expect([recent.listAfter(0), recent.forgottenSeq]).toEqual([rowsOf(3, 4, 5), 2]);
    recent.forgetOld(15);
    expect([recent.listAfter(0), recent.forgottenSeq, recent.bytes]).toEqual([[], 5, 0]);
  });

  test("are forgotten by size", () => {
    const recent = new RecentRows({ maxBytes: 25 });
    recent.add(rowsOf(1, 2), 0);
    recent.add(rowsOf(3), 0);
    expect([recent.listAfter(0), recent.forgottenSeq]).toEqual([rowsOf(3), 2]);
  });
});
