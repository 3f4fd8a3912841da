import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import type { BeginRecord } from "#src/domain/request-record.ts";
import type { Clock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import { type JournalOnDisk, openJournal } from "./journal.ts";
import { encodeRecord } from "./journal-codec.ts";
import { type JournalFiles, nodeJournalFiles } from "./journal-files.ts";
import { RecordLines } from "./journal-lines.ts";
import type { JournalOptions } from "./journal-options.ts";
import type { NewRecord } from "./journal-record.ts";
import { replayJournal, type UnflushedEnd } from "./replay.ts";
import { type DaySpend, indexPath } from "./segment-index.ts";

const HOUR_MS = 3_600_000;

let directory: string;
let nowMs: number;
let logged: { level: number; msg: string }[];
let opened: JournalOnDisk[];

const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
const logger = makeLogger("debug", { write: (line) => logged.push(JSON.parse(line)) });

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(tmpdir(), "bursar-journal-"));
  nowMs = SOME_TIME_MS;
  logged = [];
  opened = [];
});

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(opened.map((journal) => journal.close()));
  fs.rmSync(directory, { recursive: true, force: true });
});

interface Opened {
  journal: JournalOnDisk;
  ends: UnflushedEnd[];
  openIds: string[];
}

/** Ends are written at the end of a turn of the event loop. */
const endTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Starts a journal: returns the records that it found, and the journal after them. */
async function open(options: Partial<JournalOptions> = {}, flushedSeq = 0): Promise<Opened> {
  await endTurn();
  const ends: UnflushedEnd[] = [];
  const replayed = await replayJournal({
    directory,
    nodeId: "node_1",
    logger,
    flushedSeq,
    onUnflushedEnd: (end) => ends.push(end),
  });
  const journal = openJournal({ directory, nodeId: "node_1", clock, logger, ...options });
  journal.resume(replayed.state);
  opened.push(journal);
  return { journal, ends, openIds: replayed.openBegins.map(({ requestId }) => requestId) };
}

interface Read extends Omit<Opened, "journal"> {
  openBegins: readonly BeginRecord[];
  lastSeq: number;
}

async function read(flushedSeq = 0): Promise<Read> {
  await endTurn();
  const ends: UnflushedEnd[] = [];
  const replayed = await replayJournal({
    directory,
    nodeId: "node_1",
    logger,
    flushedSeq,
    onUnflushedEnd: (end) => ends.push(end),
  });
  return {
    ends,
    openIds: replayed.openBegins.map(({ requestId }) => requestId),
    openBegins: replayed.openBegins,
    lastSeq: replayed.lastSeq,
  };
}

const lengthOf = (record: NewRecord) => {
  const lines = new RecordLines();
  encodeRecord(record, lines);
  return lines.take().length;
};
const segments = () => fs.readdirSync(directory).filter((name) => name.endsWith(".journal"));
const segmentFile = (index: number) => path.join(directory, segments()[index] ?? "");
const errors = () => logged.filter(({ level }) => level >= 50).map(({ msg }) => msg);
const idsOf = (ends: readonly UnflushedEnd[]) => ends.map(({ record }) => record.requestId);

describe("a start reads written records", () => {
  test("a begun request is open, and an ended one is equal in every field", async () => {
    const { journal } = await open();
    const [first, second] = [beginRecord(), beginRecord({ requestedModel: 'ü"\n\u0000' })];
    journal.begin(first);
    journal.begin(second);
    const end = endRecord(second, 9_223_372_036_854_775_807n);
    journal.end(end);
    const { ends, openIds } = await read();
    expect(openIds).toEqual([first.requestId]);
    expect(ends.map(({ record }) => record)).toEqual([end]);
  });

  test("a request takes at most 900 bytes with every field, and its prices are written once a segment", async () => {
    const { journal } = await open();
    const before = journal.position().offset;
    const ends = Array.from({ length: 100 }, () => {
      const begin = beginRecord(realisticBegin);
      journal.begin(begin);
      const end = endRecord(begin, 51_846_500n, realisticEnd);
      journal.end(end);
      return end;
    });
    expect((journal.position().offset - before) / ends.length).toBeLessThanOrEqual(700);
    expect(fs.readFileSync(segmentFile(0), "utf8").split("usd_per_million_tokens")).toHaveLength(2);
    expect((await read()).ends.map(({ record }) => record)).toEqual(ends);
  });

  test("an end without its begin, which is damaged, is reported as lost", async () => {
    const { journal } = await open();
    const [first, second] = [beginRecord(), beginRecord()];
    const start = journal.position().offset;
    for (const begin of [first, second]) journal.begin(begin);
    for (const begin of [first, second]) journal.end(endRecord(begin, 1n));
    await endTurn();
    const bytes = fs.readFileSync(segmentFile(0));
    bytes[start + 20] = 0;
    fs.writeFileSync(segmentFile(0), bytes);
    expect(idsOf((await read()).ends)).toEqual([second.requestId]);
    expect(errors()).toContain("the begin of an ended request is missing: its usage is lost");
  });

  test("an end with damaged prices keeps its cost", async () => {
    const { journal } = await open();
    const begin = beginRecord();
    journal.begin(begin);
    const start = journal.position().offset;
    const end = endRecord(begin, 5n, { prices: realisticEnd.prices });
    journal.end(end);
    await endTurn();
    const bytes = fs.readFileSync(segmentFile(0));
    bytes[start + 20] = 0;
    fs.writeFileSync(segmentFile(0), bytes);
    expect((await read()).ends.map(({ record }) => record)).toEqual([{ ...end, prices: "{}" }]);
  });

  test("after kill -9 without a close, because begin has written the record when it returns", async () => {
    const { journal } = await open();
    const begin = beginRecord();
    journal.begin(begin);
    expect(fs.readFileSync(segmentFile(0), "utf8")).toContain(begin.requestId);
  });

  test("only known fields are written", async () => {
    const { journal } = await open();
    const begin = { ...beginRecord(), prompt: "a secret prompt" };
    journal.begin(begin);
    journal.end({ ...endRecord(begin, 1n) });
    expect(fs.readFileSync(segmentFile(0), "utf8")).not.toContain("secret prompt");
  });

  test("ends of one turn of the event loop are one write, and a begin writes earlier ends too", async () => {
    const writes: number[] = [];
    const files: JournalFiles = {
      ...nodeJournalFiles,
      create: (file) => {
        const real = nodeJournalFiles.create(file);
        return {
          ...real,
          append: (bytes) => {
            writes.push(bytes.toString("latin1").split("\n").length - 1);
            real.append(bytes);
          },
        };
      },
    };
    const { journal } = await open({ files });
    const begins = [beginRecord(), beginRecord(), beginRecord(), beginRecord()];
    for (const begin of begins) journal.begin(begin);
    writes.length = 0;
    const [first, second, ...others] = begins.map((begin) => endRecord(begin, 1n));
    for (const end of [first, second]) if (end) journal.end(end);
    journal.begin(beginRecord());
    expect(writes).toEqual([3]);
    for (const end of others) journal.end(end);
    expect(writes).toEqual([3]);
    await endTurn();
    expect(writes).toEqual([3, 2]);
    expect((await read()).ends).toHaveLength(4);
  });

  test("ends are written before a sync and before a close", async () => {
    const { journal } = await open();
    const [first, second] = [beginRecord(), beginRecord()];
    for (const begin of [first, second]) journal.begin(begin);
    journal.end(endRecord(first, 1n));
    const synced = journal.synced();
    expect(fs.readFileSync(segmentFile(0), "utf8")).toContain('"k":"e"');
    await synced;
    journal.end(endRecord(second, 1n));
    await journal.close();
    expect((await read()).openIds).toEqual([]);
  });

  test("a client-chosen text of any length is cut to a short record", async () => {
    const { journal } = await open();
    journal.begin(beginRecord({ requestedModel: "m".repeat(1_000_000) }));
    expect(fs.statSync(segmentFile(0)).size).toBeLessThan(2_000);
  });

  test("only ends that the database lacks are returned, in order", async () => {
    const { journal } = await open();
    const seqs = [1n, 2n, 3n].map((nanoUsd) => {
      const begin = beginRecord();
      journal.begin(begin);
      return journal.end(endRecord(begin, nanoUsd))?.seq ?? 0;
    });
    const { ends } = await read(seqs[0]);
    expect(ends.map(({ seq }) => seq)).toEqual(seqs.slice(1));
  });

  test("a request ends once: a second end is refused and not written", async () => {
    const { journal } = await open();
    const begin = beginRecord();
    journal.begin(begin);
    expect(journal.end(endRecord(begin, 1n))).not.toBeNull();
    expect(journal.end(endRecord(begin, 1n))).toBeNull();
    expect(journal.end(endRecord(beginRecord(), 1n))).toBeNull();
    expect((await read()).ends).toHaveLength(1);
  });

  test("a removed begin leaves no open request", async () => {
    const { journal } = await open();
    const begin = beginRecord();
    journal.begin(begin);
    journal.removeBegin(begin.requestId);
    expect(await read()).toMatchObject({ ends: [], openIds: [] });
  });

  test("an amended begin has its last fields, and is not written after its end", async () => {
    const { journal } = await open();
    const [begin, ended] = [beginRecord(), beginRecord()];
    journal.begin(begin);
    journal.begin(ended);
    journal.amendBegin({ ...begin, holdNanoUsd: 7n });
    const end = endRecord(ended, 1n);
    journal.end(end);
    journal.amendBegin({ ...ended, holdNanoUsd: 7n });
    const found = await read();
    expect(found.openBegins).toEqual([{ ...begin, holdNanoUsd: 7n }]);
    expect(found.ends.map(({ record }) => record)).toEqual([end]);
    journal.end(endRecord(begin, 1n));
    expect((await read()).openIds).toEqual([]);
  });

  test("sequence numbers grow over restarts, also above those that only the database has", async () => {
    const seqs: number[] = [];
    for (const flushedSeq of [0, 0, 1_000]) {
      const { journal } = await open({}, flushedSeq);
      const begin = beginRecord();
      journal.begin(begin);
      seqs.push(journal.end(endRecord(begin, 1n))?.seq ?? 0);
    }
    expect(seqs).toEqual([2, 4, 1_002]);
    expect(errors()).toEqual([expect.stringContaining("the journal ends before")]);
  });

  test("a journal of another node is refused", async () => {
    const { journal } = await open();
    journal.begin(beginRecord());
    const options = {
      directory,
      nodeId: "node_2",
      logger,
      flushedSeq: 0,
      onUnflushedEnd: () => {},
    };
    await expect(replayJournal(options)).rejects.toThrow("written by another node, node_1");
  });

  test("a record of a newer release stops the start and is not skipped", async () => {
    const { journal } = await open();
    journal.begin(beginRecord());
    const lines = new RecordLines();
    lines.add('{"v":3,"k":"b","s":9,"r":{}}');
    fs.appendFileSync(segmentFile(0), lines.take());
    await expect(read()).rejects.toThrow(
      "records of version 3, and this release reads versions 1 and 2",
    );
  });
});

describe("damage", () => {
  test("a last record that is cut at any byte counts as not written, and the next start continues", async () => {
    const { journal } = await open();
    const [first, last] = [beginRecord(), beginRecord()];
    journal.begin(first);
    const before = journal.position().offset;
    journal.begin(last);
    const whole = fs.readFileSync(segmentFile(0));
    for (let size = before; size < whole.length; size++) {
      fs.writeFileSync(segmentFile(0), whole.subarray(0, size));
      expect((await read()).openIds).toEqual([first.requestId]);
    }
    const again = await open();
    again.journal.begin(last);
    expect((await read()).openIds).toEqual([first.requestId, last.requestId]);
    expect(errors()).toEqual([]);
  });

  test("a first record that is cut at any byte loses nothing, and the folder starts again", async () => {
    await open();
    const whole = fs.readFileSync(segmentFile(0));
    for (let size = 0; size < whole.length; size++) {
      fs.writeFileSync(segmentFile(0), whole.subarray(0, size));
      expect(await read()).toMatchObject({ ends: [], openIds: [] });
    }
  });

  test("a damaged byte in the middle loses only its record, and is reported", async () => {
    const { journal } = await open();
    const begins = [beginRecord(), beginRecord(), beginRecord(), beginRecord()];
    const bounds = begins.map((begin) => {
      journal.begin(begin);
      return journal.position().offset;
    });
    const whole = fs.readFileSync(segmentFile(0));
    const ids = begins.map(({ requestId }) => requestId);
    const [start = 0, end = 0] = bounds;
    for (let at = start; at < end; at++) {
      logged = [];
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x15;
      fs.writeFileSync(segmentFile(0), damaged);
      // Without its newline, a record damages the next one too.
      const lost = at === end - 1 ? [1, 2] : [1];
      expect((await read()).openIds).toEqual(ids.filter((_, index) => !lost.includes(index)));
      expect(errors().length).toBeGreaterThanOrEqual(2);
    }
  });

  test("older segments are read after a damaged first record of the newest one", async () => {
    const first = beginRecord();
    (await open()).journal.begin(first);
    const { journal } = await open();
    journal.begin(beginRecord());
    const bytes = fs.readFileSync(segmentFile(1));
    bytes[3] = 0;
    fs.writeFileSync(segmentFile(1), bytes);
    expect((await read()).openIds).toContain(first.requestId);
  });
});

/** Ids, labels and prices of a real request. */
const realisticBegin = {
  organizationId: "6c6cd838-680b-4a43-b4d1-bb68ffe67f2b",
  workspaceId: "wksp_0VcAbwPrYSSss4oV5R22YGJf",
  apiKeyId: "apikey_0VcAbwQEZGRTEpE43NRpKvAe",
  memberId: "user_0VcAbwQEZGRTEpE43NRpKvAe",
  requestedModel: "claude-opus-4-5",
  isStream: true,
  client: "claude_code",
  holdNanoUsd: 1_016_500_000n,
  smallerHolds: [{ scopeType: "workspace", period: "monthly", nanoUsd: 700_000_000n }],
} as const;
const realisticEnd = {
  model: "claude-opus-4-5-20251101",
  upstreamRequestId: "req_0VcAbxEcqtpxhmkzM3kAqWca",
  firstByteMs: 312,
  usage: {
    inputTokens: 912,
    cacheWrite5mTokens: 1_204,
    cacheWrite1hTokens: 0,
    cacheReadTokens: 48_123,
    outputTokens: 628,
    webSearches: 0,
  },
  prices: JSON.stringify({
    list: "2026-10-24",
    rows: [
      {
        model: "claude-opus-4-5-20251101",
        row: "claude-opus-4-5",
        source: "list",
        band: "standard",
        multiplier: "1",
        usd_per_million_tokens: {
          input: "5.00",
          cache_write_5m: "6.25",
          cache_write_1h: "10.00",
          cache_read: "0.50",
          output: "25.00",
        },
      },
    ],
  }),
};

/** Files of a disk that can be full or broken. The disk accepts `room` more bytes, and then a part of a record. */
function failingFiles(disk: { room: number; code: string; truncates: boolean }): JournalFiles {
  const fail = () => Object.assign(new Error(disk.code), { code: disk.code });
  return {
    ...nodeJournalFiles,
    create(file) {
      const real = nodeJournalFiles.create(file);
      return {
        ...real,
        append(bytes) {
          const fitting = bytes.subarray(0, Math.min(disk.room, bytes.length));
          if (fitting.length > 0) real.append(fitting);
          disk.room -= fitting.length;
          if (fitting.length < bytes.length) throw fail();
        },
        truncate(size) {
          if (!disk.truncates) throw fail();
          real.truncate(size);
        },
      };
    },
  };
}

const refusal = () => expect.objectContaining({ code: "journal_unavailable" });

describe("a full or broken disk", () => {
  test.each([true, false])(
    "refuses a begin if its write stops at any byte, and leaves no record (truncate works: %s)",
    async (truncates) => {
      const disk = { room: Number.POSITIVE_INFINITY, code: "ENOSPC", truncates };
      const { journal } = await open({ files: failingFiles(disk) });
      const kept = [beginRecord()];
      for (const begin of kept) journal.begin(begin);
      const refused = beginRecord();
      const size = lengthOf({ kind: "begin", seq: 2, record: refused });
      for (let room = 0; room < size; room++) {
        disk.room = room;
        expect(() => journal.begin(refused)).toThrow(refusal());
        expect(journal.isHealthy()).toBe(false);
        disk.room = Number.POSITIVE_INFINITY;
        const next = beginRecord();
        journal.begin(next);
        kept.push(next);
        expect(journal.isHealthy()).toBe(true);
      }
      expect((await read()).openIds).toEqual(kept.map(({ requestId }) => requestId));
    },
  );

  test("the refusal names the problem and its solution", async () => {
    const disk = { room: Number.POSITIVE_INFINITY, code: "EIO", truncates: true };
    const { journal } = await open({ files: failingFiles(disk) });
    disk.room = 0;
    let caught: unknown;
    try {
      journal.begin(beginRecord());
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ApiError);
    expect(caught).toMatchObject({ message: expect.stringContaining("cannot write its journal") });
  });

  test("an unwritten end is accepted, delays new begins, and is written before them", async () => {
    const disk = { room: Number.POSITIVE_INFINITY, code: "ENOSPC", truncates: true };
    const { journal } = await open({ files: failingFiles(disk) });
    const [first, second, third] = [beginRecord(), beginRecord(), beginRecord()];
    journal.begin(first);
    journal.begin(second);
    disk.room = 10;
    expect(journal.end(endRecord(first, 5n))?.seq).toBe(3);
    expect(journal.end(endRecord(second, 6n))?.seq).toBe(4);
    expect(journal.end(endRecord(first, 5n))).toBeNull();
    expect(() => journal.begin(third)).toThrow(refusal());
    expect((await read()).openIds).toEqual([first.requestId, second.requestId]);
    disk.room = Number.POSITIVE_INFINITY;
    journal.begin(third);
    const { ends, openIds } = await read();
    expect(ends.map(({ seq }) => seq)).toEqual([3, 4]);
    expect(openIds).toEqual([third.requestId]);
    expect(journal.isHealthy()).toBe(true);
  });

  test("the journal detects without a request that the disk works again", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const disk = { room: Number.POSITIVE_INFINITY, code: "ENOSPC", truncates: true };
    const { journal } = await open({ files: failingFiles(disk) });
    const begin = beginRecord();
    journal.begin(begin);
    disk.room = 0;
    journal.end(endRecord(begin, 5n));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(journal.isHealthy()).toBe(false);
    disk.room = Number.POSITIVE_INFINITY;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(journal.isHealthy()).toBe(true);
    vi.useRealTimers();
    expect(idsOf((await read()).ends)).toEqual([begin.requestId]);
  });

  test("a full disk deletes flushed segments before it refuses a request, and never unflushed ones", async () => {
    const disk = { room: Number.POSITIVE_INFINITY, code: "ENOSPC", truncates: true };
    const files: JournalFiles = {
      ...failingFiles(disk),
      remove(file) {
        disk.room += fs.statSync(file).size;
        nodeJournalFiles.remove(file);
      },
    };
    const { journal } = await open({ files, segmentBytes: 1 });
    const seqs: number[] = [];
    for (const begin of [beginRecord(), beginRecord()]) {
      journal.begin(begin);
      seqs.push(journal.end(endRecord(begin, 1n))?.seq ?? 0);
      await endTurn();
    }
    journal.markFlushed(seqs[0] ?? 0);
    disk.room = 0;
    journal.begin(beginRecord());
    expect(errors()).toContain("disk full: a flushed journal segment was removed before its time");
    disk.room = 0;
    let refused = 0;
    for (let i = 0; i < 10; i++) {
      try {
        journal.begin(beginRecord());
      } catch {
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(0);
    expect((await read(seqs[0])).ends.map(({ seq }) => seq)).toEqual([seqs[1]]);
  });
});

/** Files whose syncs the test ends, until it releases them. */
function heldFiles() {
  const syncs: { finish: (error?: Error) => void }[] = [];
  let isHeld = true;
  const files: JournalFiles = {
    ...nodeJournalFiles,
    syncDirectory: () => Promise.resolve(),
    create: (file) => {
      const real = nodeJournalFiles.create(file);
      let isClosed = false;
      return {
        ...real,
        close: () => {
          isClosed = true;
          real.close();
        },
        sync: () =>
          new Promise<void>((resolve, reject) => {
            if (isClosed) reject(new Error("EBADF"));
            syncs.push({ finish: (error) => (error ? reject(error) : resolve()) });
            if (!isHeld) resolve();
          }),
      };
    },
  };
  const release = () => {
    isHeld = false;
    for (const sync of syncs) sync.finish();
  };
  return { files, syncs, release };
}

describe("syncs", () => {
  test("a wait ends with a sync that began after the write, and not with a running one", async () => {
    const { files, syncs, release } = heldFiles();
    const { journal } = await open({ files });
    const order: string[] = [];
    journal.begin(beginRecord());
    const first = journal.synced().then(() => order.push("first"));
    journal.begin(beginRecord());
    const second = journal.synced().then(() => order.push("second"));
    const third = journal.synced().then(() => order.push("third"));
    expect(syncs).toHaveLength(1);
    syncs[0]?.finish();
    await first;
    expect(order).toEqual(["first"]);
    await expect.poll(() => syncs).toHaveLength(2);
    syncs[1]?.finish();
    await Promise.all([second, third]);
    expect(syncs).toHaveLength(2);
    release();
  });

  test("a failed sync rejects its waiters, marks the journal, and opens a new segment", async () => {
    const { files, syncs, release } = heldFiles();
    const { journal } = await open({ files });
    journal.begin(beginRecord());
    const waiting = journal.synced();
    syncs[0]?.finish(new Error("EIO"));
    await expect(waiting).rejects.toThrow("EIO");
    expect(journal.isHealthy()).toBe(false);
    expect(segments()).toHaveLength(2);
    const again = journal.synced();
    await expect.poll(() => syncs.length).toBeGreaterThan(1);
    release();
    await again;
    expect(journal.isHealthy()).toBe(true);
  });

  test("a segment that ends during a sync is synced once more before it is closed", async () => {
    const { files, syncs, release } = heldFiles();
    const { journal } = await open({ files, segmentBytes: 300 });
    journal.begin(beginRecord());
    const waiting = journal.synced();
    for (let i = 0; i < 3; i++) journal.begin(beginRecord());
    expect(segments().length).toBeGreaterThan(1);
    syncs[0]?.finish();
    await waiting;
    release();
    await journal.synced();
    expect(errors()).toEqual([]);
    expect(journal.isHealthy()).toBe(true);
  });

  test("written records are synced within the interval without a waiter", async () => {
    const { files, syncs, release } = heldFiles();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { journal } = await open({ files });
    journal.begin(beginRecord());
    expect(syncs).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(50);
    expect(syncs).toHaveLength(1);
    release();
  });
});

describe("segments", () => {
  /** Begins and ends a request. Returns the sequence number of its end. */
  async function request(journal: JournalOnDisk, begin = beginRecord()): Promise<number> {
    journal.begin(begin);
    const { seq = 0 } = journal.end(endRecord(begin, 1n)) ?? {};
    await endTurn();
    return seq;
  }

  test("a segment ends when it is full and when it is an hour old", async () => {
    const { journal } = await open({ segmentBytes: 700 });
    for (let i = 0; i < 4; i++) await request(journal);
    const full = segments().length;
    expect(full).toBeGreaterThan(1);
    nowMs += HOUR_MS;
    await request(journal);
    expect(segments()).toHaveLength(full + 1);
    expect((await read()).ends).toHaveLength(5);
  });

  test("a flushed segment is deleted after 48 hours, and not before", async () => {
    const { journal } = await open({ segmentBytes: 1 });
    journal.markFlushed(await request(journal));
    const before = segments().length;
    nowMs += 48 * HOUR_MS - 1;
    journal.prune();
    expect(segments()).toHaveLength(before);
    nowMs += 1;
    journal.prune();
    expect(segments().length).toBeLessThan(before);
  });

  test("a segment of any age with an unflushed end stays", async () => {
    const { journal } = await open({ segmentBytes: 1 });
    const seq = await request(journal);
    await request(journal);
    nowMs += 1_000 * HOUR_MS;
    journal.prune();
    expect((await read()).ends).toHaveLength(2);
    journal.markFlushed(seq);
    journal.prune();
    expect((await read(seq)).ends).toHaveLength(1);
  });

  test("an open begin keeps its segment and all later ones, so that no end loses its begin", async () => {
    const { journal } = await open({ segmentBytes: 1 });
    const long = beginRecord();
    journal.begin(long);
    let seq = 0;
    for (let i = 0; i < 5; i++) seq = await request(journal);
    journal.markFlushed(seq);
    nowMs += 1_000 * HOUR_MS;
    const before = segments().length;
    journal.prune();
    expect(segments()).toHaveLength(before);
    expect((await read(seq)).openIds).toEqual([long.requestId]);
    journal.markFlushed(journal.end(endRecord(long, 1n))?.seq ?? 0);
    await endTurn();
    journal.prune();
    expect(segments().length).toBeLessThanOrEqual(2);
  });

  test("a start reads no segment without new records", async () => {
    const { journal } = await open({ segmentBytes: 1 });
    let seq = 0;
    for (let i = 0; i < 5; i++) seq = await request(journal);
    await journal.close();
    logged = [];
    await read(seq);
    const readSegments = logged.filter(({ msg }) => msg === "journal segment read").length;
    expect(segments().length).toBeGreaterThan(8);
    expect(readSegments).toBeLessThanOrEqual(2);
  });

  test("a segment has the begins of its ends without earlier segments", async () => {
    const { journal } = await open();
    const begin = beginRecord();
    journal.begin(begin);
    journal.amendBegin({ ...begin, holdNanoUsd: 7n });
    nowMs += HOUR_MS;
    await request(journal);
    const end = endRecord({ ...begin, holdNanoUsd: 7n }, 5n);
    journal.end(end);
    fs.rmSync(segmentFile(0));
    const { ends, openIds } = await read();
    expect(ends.map(({ record }) => record)).toContainEqual(end);
    expect(openIds).toEqual([]);
  });

  test("a start does not read the segment of a begin that a later segment repeats", async () => {
    const { journal } = await open({ segmentBytes: 1 });
    const long = beginRecord();
    journal.begin(long);
    let seq = 0;
    for (let i = 0; i < 5; i++) seq = await request(journal);
    logged = [];
    expect((await read(seq)).openBegins).toEqual([long]);
    expect(logged.filter(({ msg }) => msg === "journal segment read")).toHaveLength(1);
  });

  test("a start of a segment that is cut at any byte loses no open request", async () => {
    const { journal } = await open();
    const begins = [beginRecord(), beginRecord({ holdNanoUsd: 7n })];
    for (const begin of begins) journal.begin(begin);
    nowMs += HOUR_MS;
    journal.begin(beginRecord());
    const [, second = Buffer.alloc(0)] = [0, 1].map((index) => fs.readFileSync(segmentFile(index)));
    for (let size = 0; size <= second.length; size++) {
      fs.writeFileSync(segmentFile(1), second.subarray(0, size));
      expect((await read()).openBegins.slice(0, 2)).toEqual(begins);
    }
  });

  test("starts without requests leave no segments", async () => {
    for (let i = 0; i < 5; i++) await (await open()).journal.close();
    expect(segments()).toHaveLength(1);
  });

  test("a start reports that the database lacks ends of deleted segments", async () => {
    const { journal } = await open({ segmentBytes: 1 });
    const seq = await request(journal);
    journal.markFlushed(await request(journal));
    nowMs += 48 * HOUR_MS;
    journal.prune();
    logged = [];
    await read(seq - 1);
    expect(errors()).toEqual([expect.stringContaining("the database lacks usage")]);
  });
});

describe("indexes", () => {
  const DAY_MS = 24 * HOUR_MS;

  interface Indexed {
    first: number;
    ends: number;
    spend: readonly DaySpend[];
  }

  async function start(flushedSeq = 0) {
    await endTurn();
    const segments: Indexed[] = [];
    const ends: UnflushedEnd[] = [];
    const replayed = await replayJournal({
      directory,
      nodeId: "node_1",
      logger,
      flushedSeq,
      onUnflushedEnd: (end) => ends.push(end),
      onUnflushedSegment: ({ first, index }) =>
        segments.push({ first: first.seq, ends: index.ends, spend: index.spend }),
    });
    return { segments, ends, ...replayed };
  }

  /** Three requests in each of two complete segments, and one request in the newest segment. Another one is open. */
  async function writeSegments(): Promise<{ journal: JournalOnDisk; open: BeginRecord }> {
    const { journal } = await open();
    const unfinished = beginRecord();
    journal.begin(unfinished);
    for (const count of [3, 3, 1]) {
      for (let i = 0; i < count; i++) {
        const begin = beginRecord({ startedAtMs: SOME_TIME_MS + (i === 2 ? DAY_MS : 0) });
        journal.begin(begin);
        journal.end(endRecord(begin, 10n));
      }
      await journal.synced();
      nowMs += HOUR_MS;
    }
    return { journal, open: unfinished };
  }

  const spendOf = (startedAtMs: number, costNanoUsd: bigint) => {
    const { organizationId, workspaceId, apiKeyId } = beginRecord();
    const origin = { organizationId, workspaceId, apiKeyId, startedAtMs };
    return { ...origin, costNanoUsd, unresolvedNanoUsd: 0n };
  };
  const spend = [spendOf(SOME_TIME_MS, 20n), spendOf(SOME_TIME_MS + DAY_MS, 10n)];

  test("a start reads the newest segment, and of the others only their indexes", async () => {
    const { open } = await writeSegments();
    logged = [];
    const { segments, ends, openBegins, state, lastSeq } = await start();
    expect(segments).toEqual([
      { first: 1, ends: 3, spend },
      { first: 8, ends: 3, spend },
    ]);
    expect(ends).toHaveLength(1);
    expect(openBegins).toEqual([open]);
    expect([lastSeq, state.nextSeq, state.lastEndSeq]).toEqual([15, 16, 15]);
    expect(logged.filter(({ msg }) => msg === "journal segment read")).toHaveLength(1);
    expect(errors()).toEqual([]);
  });

  test("a segment with flushed ends is read", async () => {
    await writeSegments();
    const { segments, ends } = await start(3);
    expect(segments).toEqual([{ first: 8, ends: 3, spend }]);
    expect(ends.map(({ seq }) => seq)).toEqual([5, 7, 15]);
  });

  test("a segment without index, or with a damaged one, is read", async () => {
    await writeSegments();
    const [first = "", second = ""] = [0, 1].map((at) => indexPath(segmentFile(at)));
    fs.rmSync(first);
    fs.writeFileSync(second, fs.readFileSync(second).subarray(0, -10));
    const { segments, ends } = await start();
    expect(segments).toEqual([]);
    expect(ends).toHaveLength(7);
  });

  test("an index of a newer release stops the start", async () => {
    await writeSegments();
    const lines = new RecordLines();
    lines.add('{"v":2}');
    fs.writeFileSync(indexPath(segmentFile(1)), lines.take());
    await expect(start()).rejects.toThrow("has version 2, and this release reads version 1");
  });

  test("an interrupted request with unknown usage counts with its hold", async () => {
    const { journal } = await open();
    const begin = beginRecord({ holdNanoUsd: 9n });
    journal.begin(begin);
    journal.end(endRecord(begin, 0n, { outcome: "interrupted" }));
    await endTurn();
    nowMs += HOUR_MS;
    journal.begin(beginRecord());
    await journal.synced();
    const { segments } = await start();
    expect(segments[0]?.spend).toEqual([{ ...spendOf(SOME_TIME_MS, 0n), unresolvedNanoUsd: 9n }]);
  });

  test("an index is written after its segment is on the disk, and deleted with it", async () => {
    const { files, syncs, release } = heldFiles();
    const { journal } = await open({ files });
    const begin = beginRecord();
    journal.begin(begin);
    const seq = journal.end(endRecord(begin, 1n))?.seq ?? 0;
    await endTurn();
    nowMs += HOUR_MS;
    journal.begin(beginRecord());
    const index = indexPath(segmentFile(0));
    expect(fs.existsSync(index)).toBe(false);
    release();
    await journal.synced();
    await expect.poll(() => fs.existsSync(index)).toBe(true);
    expect(syncs.length).toBeGreaterThan(0);
    journal.markFlushed(seq);
    nowMs += 48 * HOUR_MS;
    journal.prune();
    expect(fs.existsSync(index)).toBe(false);
  });

  test("a segment whose sync failed gets no index", async () => {
    const { files, syncs, release } = heldFiles();
    const { journal } = await open({ files });
    const begin = beginRecord();
    journal.begin(begin);
    journal.end(endRecord(begin, 1n));
    const failed = journal.synced().catch(() => undefined);
    await expect.poll(() => syncs.length).toBeGreaterThan(0);
    for (const sync of syncs) sync.finish(new Error("EIO"));
    await failed;
    release();
    await journal.close();
    expect(fs.existsSync(indexPath(segmentFile(0)))).toBe(false);
  });
});

type Step = "begin" | "amend" | "end" | "removeBegin" | "crash" | "hour" | "flush" | "prune";

test("after any events in any order, a start finds exactly the open requests and the unflushed ends", async () => {
  const steps = fc.array(
    fc.constantFrom<Step>(
      "begin",
      "begin",
      "amend",
      "end",
      "end",
      "removeBegin",
      "crash",
      "hour",
      "flush",
      "prune",
    ),
    { maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      fs.rmSync(directory, { recursive: true, force: true });
      nowMs = SOME_TIME_MS;
      const options = { segmentBytes: 600, retainMs: 2 * HOUR_MS };
      let { journal } = await open(options);
      const opened = [journal];
      let openRequests: BeginRecord[] = [];
      let ended: { id: string; seq: number }[] = [];
      let flushedSeq = 0;
      for (const step of sequence) {
        const oldest = openRequests[0];
        if (step === "begin") {
          const begin = beginRecord();
          journal.begin(begin);
          openRequests = [...openRequests, begin];
        } else if (step === "amend" && oldest) {
          const amended = { ...oldest, holdNanoUsd: (oldest.holdNanoUsd ?? 0n) + 1n };
          journal.amendBegin(amended);
          openRequests = [amended, ...openRequests.slice(1)];
        } else if (step === "end" && oldest) {
          const seq = journal.end(endRecord(oldest, 1n))?.seq ?? 0;
          ended = [...ended, { id: oldest.requestId, seq }];
          openRequests = openRequests.slice(1);
        } else if (step === "removeBegin" && oldest) {
          journal.removeBegin(oldest.requestId);
          openRequests = openRequests.slice(1);
        } else if (step === "flush") {
          flushedSeq = ended.at(Math.floor(ended.length / 2))?.seq ?? flushedSeq;
          ended = ended.filter(({ seq }) => seq > flushedSeq);
          journal.markFlushed(flushedSeq);
        } else if (step === "crash") {
          // A killed process writes nothing later, so the turn ends first.
          await endTurn();
          ({ journal } = await open(options, flushedSeq));
          opened.push(journal);
        } else if (step === "hour") nowMs += HOUR_MS;
        else if (step === "prune") journal.prune();
      }
      await endTurn();
      const found = await read(flushedSeq);
      expect(found.openBegins).toEqual(openRequests);
      expect(found.ends.map(({ seq, record }) => ({ id: record.requestId, seq }))).toEqual(ended);
      // A late sync would write an index into the folder of the next sequence.
      for (const each of opened) await each.close();
    }),
    { numRuns: 60 },
  );
});
