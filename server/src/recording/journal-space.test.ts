import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { BeginRecord } from "#src/domain/request-record.ts";
import type { Clock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import { type DiskJournal, openJournal } from "./journal.ts";
import { type JournalFiles, nodeJournalFiles } from "./journal-files.ts";
import type { JournalOptions } from "./journal-options.ts";
import { replayJournal } from "./replay.ts";

const MAX_BYTES = 40_000;
const RESERVE_BYTES = 50_000;
const MINUTE_MS = 60_000;

let directory: string;
let nowMs: number;
let logged: string[];
let opened: DiskJournal[];
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
const logger = makeLogger("info", { write: (line) => logged.push(JSON.parse(line).msg) });

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

/** Ends are written at the end of a turn of the event loop. */
const endTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function replay(flushedSeq: number) {
  await endTurn();
  const ends: string[] = [];
  const onUnflushedEnd = ({ record }: { record: BeginRecord }) => ends.push(record.requestId);
  const options = { directory, nodeId: "node_1", logger, flushedSeq, onUnflushedEnd };
  return { ends, ...(await replayJournal(options)) };
}

async function open(options: Partial<JournalOptions>, flushedSeq = 0): Promise<DiskJournal> {
  const { state } = await replay(flushedSeq);
  const journal = openJournal({ directory, nodeId: "node_1", clock, logger, ...options });
  journal.resume(state);
  opened.push(journal);
  return journal;
}

/** A whole request. Returns the sequence number of its end. */
async function run(journal: DiskJournal, begin = beginRecord()): Promise<number> {
  journal.begin(begin);
  const { seq = 0 } = journal.end(endRecord(begin, 1n)) ?? {};
  await endTurn();
  return seq;
}

/** Runs requests until one is refused. Returns the ids of those that were not. */
async function fill(journal: DiskJournal): Promise<{ ids: string[]; refusal: unknown }> {
  const ids: string[] = [];
  for (;;) {
    const begin = beginRecord();
    try {
      await run(journal, begin);
    } catch (refusal) {
      return { ids, refusal };
    }
    ids.push(begin.requestId);
  }
}

const segments = () => fs.readdirSync(directory).filter((name) => name.endsWith(".journal"));
const sizeOnDisk = () =>
  fs
    .readdirSync(directory)
    .filter((name) => /[.](journal|index)$/.test(name))
    .reduce((total, name) => total + fs.statSync(path.join(directory, name)).size, 0);

test("deletes flushed segments of any age at the cap, oldest first", async () => {
  const journal = await open({ maxBytes: MAX_BYTES });
  const [first] = segments();
  for (let i = 0; i < 200; i++) {
    journal.markFlushed(await run(journal));
    expect(sizeOnDisk()).toBeLessThanOrEqual(MAX_BYTES);
  }
  expect(segments()).not.toContain(first);
  expect(segments().length).toBeGreaterThan(4);
  expect(journal.usage()).toEqual({
    bytes: sizeOnDisk(),
    maxBytes: MAX_BYTES,
    unflushedBytes: 0,
    isFull: false,
  });
});

test("a full journal keeps every unflushed record and refuses new requests", async () => {
  const journal = await open({ maxBytes: MAX_BYTES });
  const { ids, refusal } = await fill(journal);
  expect(refusal).toMatchObject({
    code: "journal_full",
    headers: { "retry-after": "5" },
  });
  expect(journal.usage()).toEqual({
    bytes: sizeOnDisk(),
    maxBytes: MAX_BYTES,
    unflushedBytes: sizeOnDisk(),
    isFull: true,
  });
  expect((await replay(0)).ends).toEqual(ids);
  await fill(journal);
  expect(logged.filter((msg) => msg === "the journal is full: requests get 503")).toHaveLength(1);
});

test("running requests of a full journal end below the cap", async () => {
  const journal = await open({ maxBytes: MAX_BYTES });
  const running = [beginRecord(), beginRecord(), beginRecord()];
  for (const begin of running) journal.begin(begin);
  const { ids } = await fill(journal);
  for (const begin of running) {
    journal.amendBegin({ ...begin, holdNanoUsd: 1n });
    journal.end(endRecord(begin, 1n));
  }
  expect(sizeOnDisk()).toBeLessThanOrEqual(MAX_BYTES);
  const { ends, openBegins } = await replay(0);
  expect(ends).toEqual([...ids, ...running.map(({ requestId }) => requestId)]);
  expect(openBegins).toEqual([]);
});

test("a full journal accepts requests again after its records are flushed", async () => {
  const journal = await open({ maxBytes: MAX_BYTES });
  await fill(journal);
  const { state } = await replay(0);
  journal.markFlushed(state.lastEndSeq);
  expect(journal.usage()).toMatchObject({ unflushedBytes: 0, isFull: false });
  await run(journal);
  expect(logged).toContain("the journal has room again");
});

test("a start with a lower cap deletes flushed segments and keeps the others", async () => {
  const before = await open({ maxBytes: MAX_BYTES });
  const seqs: number[] = [];
  for (let i = 0; i < 10; i++) seqs.push(await run(before));
  const { ids } = await fill(before);
  await before.close();
  const flushedSeq = seqs.at(-1) ?? 0;
  const journal = await open({ maxBytes: MAX_BYTES / 4 }, flushedSeq);
  expect(journal.usage()).toMatchObject({ isFull: true, maxBytes: MAX_BYTES / 4 });
  await expect(run(journal)).rejects.toMatchObject({ code: "journal_full" });
  expect((await replay(flushedSeq)).ends).toEqual(ids);
});

/** A disk of limited size, on which the reserve counts too. */
function limitedDisk() {
  const disk = { freeBytes: 1_000_000 };
  const take = (bytes: number) => {
    if (bytes > disk.freeBytes) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    disk.freeBytes -= bytes;
  };
  const files: JournalFiles = {
    ...nodeJournalFiles,
    create(file) {
      const real = nodeJournalFiles.create(file);
      return {
        ...real,
        append(bytes) {
          take(bytes.length);
          real.append(bytes);
        },
      };
    },
    remove(file) {
      const bytes = fs.statSync(file).size;
      nodeJournalFiles.remove(file);
      disk.freeBytes += bytes;
    },
    fill(file, bytes) {
      take(bytes);
      nodeJournalFiles.fill(file, bytes);
    },
    freeBytes: () => disk.freeBytes,
  };
  return { disk, files };
}

test("on a full disk running requests end in the reserve, and no request begins until the reserve is restored", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { disk, files } = limitedDisk();
  const journal = await open({ files, reserveBytes: RESERVE_BYTES });
  expect(fs.statSync(path.join(directory, "reserve")).size).toBe(RESERVE_BYTES);
  const running = Array.from({ length: 20 }, () => beginRecord());
  for (const begin of running) journal.begin(begin);
  disk.freeBytes = 0;
  await expect(run(journal)).rejects.toMatchObject({ code: "journal_unavailable" });
  for (const begin of running) journal.end(endRecord(begin, 1n));
  await endTurn();
  expect(journal.isHealthy()).toBe(true);
  expect((await replay(0)).ends).toEqual(running.map(({ requestId }) => requestId));
  expect(journal.usage()?.isFull).toBe(true);
  await expect(run(journal)).rejects.toThrow(/disk .* is full/);

  // Space for the reserve alone is not enough.
  disk.freeBytes = RESERVE_BYTES + 1_000;
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(journal.usage()?.isFull).toBe(true);
  disk.freeBytes = 3 * RESERVE_BYTES;
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(journal.usage()?.isFull).toBe(false);
  await run(journal);
});

test("a start without space for the reserve accepts requests after space is freed", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { disk, files } = limitedDisk();
  disk.freeBytes = RESERVE_BYTES;
  const journal = await open({ files, reserveBytes: RESERVE_BYTES });
  await expect(run(journal)).rejects.toMatchObject({ code: "journal_full" });
  disk.freeBytes = 3 * RESERVE_BYTES;
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  await run(journal);
});
