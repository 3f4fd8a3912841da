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
const logger = makeLogger("silent");

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

describe("after a failover without the last commits, a node with its journal in the database", () => {
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
