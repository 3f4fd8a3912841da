import { randomUUID } from "node:crypto";
import { afterEach, expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import type { BeginRecord } from "#src/domain/request-record.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { test } from "#test/harness/database-test.ts";
import { makeTestMeter } from "#test/harness/meters.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import type { FlushParticipant } from "./flush.ts";
import type { Journal } from "./journal-contract.ts";
import { listWriters } from "./journal-rows.sql.ts";
import type { Meter } from "./meter.ts";
import { openPostgresJournal } from "./postgres-journal.ts";
import { appendUsage } from "./record-usage.ts";
import type { DaySpend } from "./segment-index.ts";

// An index has the rows before each multiple of 8, so four requests.
const ROWS_PER_INDEX = 8;

let nodeId: string;
let organizationId: string;
let opened: Journal[];
let logged: { level: number; msg: string }[];
const logger = makeLogger("info", { write: (line) => logged.push(JSON.parse(line)) });
const errors = () => logged.filter(({ level }) => level >= 50).map(({ msg }) => msg);

test.beforeEach(() => {
  nodeId = `node_${randomUUID()}`;
  organizationId = randomUUID();
  opened = [];
  logged = [];
});

afterEach(async () => {
  await Promise.all(opened.map((journal) => journal.close()));
});

async function open(database: Database): Promise<Journal> {
  const journal = await openPostgresJournal({
    ...{ database, nodeId, journalId: `jrnl_${randomUUID()}`, logger },
    rowsPerIndex: ROWS_PER_INDEX,
  });
  opened.push(journal);
  return journal;
}

const newRequest = () => beginRecord({ organizationId });

/** Requests that began and ended, one after the other. */
function run(journal: Journal, count: number): BeginRecord[] {
  return Array.from({ length: count }, () => {
    const record = newRequest();
    journal.begin(record);
    journal.end(endRecord(record, 1n));
    return record;
  });
}

/** Starts a journal, and returns what it found. */
async function replay(journal: Journal, flushedSeq = 0) {
  const seqs: number[] = [];
  const ranges: { fromSeq: number; ends: number; nanoUsd: bigint }[] = [];
  const sum = (spend: readonly DaySpend[]) =>
    spend.reduce((total, { costNanoUsd }) => total + costNanoUsd, 0n);
  const found = await journal.start({
    flushedSeq,
    onUnflushedEnd: ({ seq }) => seqs.push(seq),
    onUnflushedSegment: ({ first, index }) =>
      ranges.push({ fromSeq: first.seq, ends: index.ends, nanoUsd: sum(index.spend) }),
  });
  const openIds = found.openBegins.map(({ requestId }) => requestId);
  return { seqs, ranges, openIds, lastSeq: found.lastSeq, isWhole: found.isWhole };
}

async function startMeter(
  journal: Journal,
  database: Database,
  participants: readonly FlushParticipant[] = [],
  abandoned = new AbortController().signal,
): Promise<Meter> {
  const meter = makeTestMeter({
    database,
    journal,
    logger,
    participants: [appendUsage({ nodeId, encodeHoldCharges }), ...participants],
    batchSize: 3,
    maxInMemory: 3,
    abandoned,
  });
  await meter.start();
  return meter;
}

async function listRecorded(database: Database): Promise<string[]> {
  const rows = await database
    .selectFrom("recorded_request")
    .select("request_id as id")
    .where("organization_id", "=", organizationId)
    .execute();
  return rows.map(({ id }) => id).sort();
}

async function countRows(database: Database): Promise<number> {
  const rows = await database
    .selectFrom("journal_record")
    .select("seq")
    .where("node_id", "=", nodeId)
    .execute();
  return rows.length;
}

const toIds = (records: readonly BeginRecord[]) => records.map(({ requestId }) => requestId).sort();

test("reads indexes instead of unflushed rows, and later rows one by one", async ({ db }) => {
  const killed = await open(db.database);
  await replay(killed);
  run(killed, 9);
  await killed.synced();
  // Rows 1 to 7 and the index 8, rows 9 to 15 and the index 16, rows 17 to 20.
  expect(await replay(await open(db.database))).toEqual({
    ranges: [
      { fromSeq: 1, ends: 3, nanoUsd: 3n },
      { fromSeq: 9, ends: 4, nanoUsd: 4n },
    ],
    seqs: [18, 20],
    openIds: [],
    lastSeq: 20,
    isWhole: true,
  });
});

test("writes no index while rows are flushed in time", async ({ db }) => {
  const journal = await open(db.database);
  await replay(journal);
  for (let flush = 1; flush <= 5; flush++) {
    run(journal, 3);
    journal.markFlushed(flush * 6);
  }
  await journal.synced();
  expect(journal.position().offset).toBe(31);
});

test("reads rows one by one if the database has some of their ends", async ({ db }) => {
  const killed = await open(db.database);
  await replay(killed);
  run(killed, 9);
  await killed.synced();
  const found = await replay(await open(db.database), 4);
  expect(found.ranges).toEqual([{ fromSeq: 9, ends: 4, nanoUsd: 4n }]);
  expect(found.seqs).toEqual([6, 18, 20]);
});

test("reads rows one by one if some of their ends are deleted", async ({ db }) => {
  const killed = await open(db.database);
  await replay(killed);
  run(killed, 9);
  await killed.synced();
  const rows = db.database.deleteFrom("journal_record").where("node_id", "=", nodeId);
  await rows.where("seq", "in", [1n, 2n]).execute();
  const found = await replay(await open(db.database));
  expect(found.ranges).toEqual([{ fromSeq: 9, ends: 4, nanoUsd: 4n }]);
  expect(found.seqs).toEqual([4, 6, 18, 20]);
});

test("finds open requests that began before an index, with their amended holds", async ({ db }) => {
  const killed = await open(db.database);
  await replay(killed);
  const [ended, open1, open2] = [newRequest(), newRequest(), newRequest()];
  for (const record of [ended, open1, open2]) killed.begin(record);
  killed.amendBegin({ ...open1, holdNanoUsd: 7n });
  run(killed, 4);
  killed.end(endRecord(ended, 1n));
  run(killed, 4);
  await killed.synced();
  const reopened = await open(db.database);
  const begins = (
    await reopened.start({
      flushedSeq: 0,
      onUnflushedEnd: () => undefined,
      onUnflushedSegment: () => undefined,
    })
  ).openBegins;
  expect(begins.map(({ requestId, holdNanoUsd }) => [requestId, holdNanoUsd])).toEqual([
    [open1.requestId, 7n],
    [open2.requestId, undefined],
  ]);
});

test("records each request once, and deletes all rows", async ({ db }) => {
  const killed = await open(db.database);
  await replay(killed);
  const running = newRequest();
  const refused = newRequest();
  killed.begin(running);
  killed.begin(refused);
  const ended = run(killed, 10);
  killed.removeBegin(refused.requestId);
  ended.push(...run(killed, 11));
  await killed.synced();

  const found: bigint[] = [];
  const observer: FlushParticipant = {
    found: ({ costNanoUsd }) => found.push(costNanoUsd),
    flush: async () => undefined,
  };
  const journal = await open(db.database);
  const meter = await startMeter(journal, db.database, [observer]);
  expect(found.reduce((sum, cost) => sum + cost, 0n)).toBe(19n);
  const later = newRequest();
  meter.begin(later);
  meter.end(endRecord(later, 1n));
  expect(await meter.flush()).toBe(true);
  await meter.stop();

  expect(await listRecorded(db.database)).toEqual(toIds([...ended, running, later]));
  expect(await countRows(db.database)).toBe(0);
  expect((await listWriters(db.database)).map((writer) => writer.nodeId)).not.toContain(nodeId);
  expect(errors()).toEqual([]);
});

test("records each request once if each process is killed after two flushed batches", async ({
  db,
}) => {
  const first = await open(db.database);
  await replay(first);
  const running = newRequest();
  first.begin(running);
  const ended = run(first, 20);
  await first.synced();
  const expected = toIds([...ended, running]);
  for (let isDone = false, starts = 0; !isDone; starts++) {
    expect(starts).toBeLessThan(10);
    let flushes = 0;
    const killing = new AbortController();
    const kill: FlushParticipant = {
      flush: async () => {
        flushes += 1;
        if (flushes <= 2) return;
        killing.abort();
        throw new Error("killed");
      },
    };
    const journal = await open(db.database);
    const meter = await startMeter(journal, db.database, [kill], killing.signal);
    isDone = await meter.flush();
    // Deletes the rows of flushed requests.
    await journal.close();
  }
  expect(await listRecorded(db.database)).toEqual(expected);
  expect(errors()).toEqual([]);
});
