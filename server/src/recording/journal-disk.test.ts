import fs from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { endTurn, heldFiles, useJournalFolder } from "#test/harness/journal-folder.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { encodeRecord } from "./journal-codec.ts";
import { type JournalFiles, nodeJournalFiles } from "./journal-files.ts";
import { RecordLines } from "./journal-lines.ts";
import type { NewRecord } from "./journal-record.ts";
import type { UnflushedEnd } from "./replay.ts";

const t = useJournalFolder();
const { open, read, segments, errors } = t;
const lengthOf = (record: NewRecord) => {
  const lines = new RecordLines();
  encodeRecord(record, lines);
  return lines.take().length;
};
const idsOf = (ends: readonly UnflushedEnd[]) => ends.map(({ record }) => record.requestId);

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
