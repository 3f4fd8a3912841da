import { statSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { makeTurnEnd } from "#src/lib/turn-end.ts";
import { useJournalFolder } from "#test/harness/journal-folder.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { encodeRecord } from "./journal-codec.ts";
import { type JournalFiles, nodeJournalFiles } from "./journal-files.ts";
import { RecordLines } from "./journal-lines.ts";
import type { NewRecord } from "./journal-record.ts";

const t = useJournalFolder();
const { open, read, errors } = t;

interface Disk {
  /** Bytes that still fit. */
  room: number;
  canTruncate: boolean;
  /** True: removed bytes are room again. */
  isReusable: boolean;
  writes: number;
}

const makeDisk = (isReusable = false): Disk => {
  return { room: Number.POSITIVE_INFINITY, canTruncate: true, isReusable, writes: 0 };
};

/** Files of a disk that can be full. */
function filesOn(disk: Disk): JournalFiles {
  const fail = () => Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
  return {
    ...nodeJournalFiles,
    create(file) {
      const real = nodeJournalFiles.create(file);
      let size = 0;
      return {
        ...real,
        append(bytes) {
          disk.writes += 1;
          const fitting = bytes.subarray(0, Math.min(disk.room, bytes.length));
          if (fitting.length > 0) real.append(fitting);
          disk.room -= fitting.length;
          size += fitting.length;
          if (fitting.length < bytes.length) throw fail();
        },
        truncate(newSize) {
          if (!disk.canTruncate) throw fail();
          real.truncate(newSize);
          if (disk.isReusable) disk.room += size - newSize;
          size = newSize;
        },
      };
    },
  };
}

const lengthOf = (record: NewRecord) => {
  const lines = new RecordLines();
  encodeRecord(record, lines);
  return lines.take().length;
};
const settled = (promises: readonly Promise<void>[]) =>
  Promise.allSettled(promises).then((results) => results.map(({ status }) => status));
const idsOf = (records: readonly { requestId: string }[]) => records.map((each) => each.requestId);
const refusal = (code: string) => expect.objectContaining({ code });

describe("records of one turn", () => {
  test("begins and ends of one turn are one write, in the order of their numbers", async () => {
    const disk = makeDisk();
    const { journal } = await open({ files: filesOn(disk) });
    const [first, second, third] = [beginRecord(), beginRecord(), beginRecord()];
    await journal.beginWritten(first);
    disk.writes = 0;
    const waiting = [journal.beginWritten(second), journal.beginWritten(third)];
    expect(journal.end(endRecord(first, 5n))?.seq).toBe(2);
    expect(disk.writes).toBe(0);
    await Promise.all(waiting);
    expect(disk.writes).toBe(1);
    const { ends, openIds, lastSeq } = await read();
    expect(ends.map(({ seq }) => seq)).toEqual([2]);
    expect(openIds).toEqual(idsOf([second, third]));
    expect(lastSeq).toBe(4);
  });

  test("a begin is in the file when its promise resolves, before the socket work of the turn", async () => {
    const turnEnd = makeTurnEnd();
    const { journal } = await open({ turnEnd });
    const begin = beginRecord();
    const order: string[] = [];
    turnEnd.add("sockets", () => order.push(`sockets ${journal.position().offset > 0}`));
    const { offset } = journal.position();
    const written = journal.beginWritten(begin).then(() => {
      order.push(`written ${journal.position().offset > offset}`);
      turnEnd.add("sockets", () => order.push("dispatch"));
    });
    await nextTurn();
    expect(order).toEqual(["written true", "sockets true", "dispatch"]);
    await written;
  });

  test("a process that dies before the end of the turn leaves no begin, and nothing was sent", async () => {
    const { journal } = await open();
    const known = beginRecord();
    await journal.beginWritten(known);
    let isSent = false;
    const waiting = journal.beginWritten(beginRecord()).then(() => {
      isSent = true;
    });
    // A start after the death of the process sees the files as they are now.
    const { size } = statSync(t.segmentFile(0));
    expect(journal.position().offset).toBe(size);
    expect(isSent).toBe(false);
    await waiting;
    expect(journal.position().offset).toBeGreaterThan(size);
  });

  test("a begin that gets its hold while it waits is written with the hold", async () => {
    const { journal } = await open();
    const begin = beginRecord();
    const waiting = journal.beginWritten(begin);
    journal.amendBegin({ ...begin, holdNanoUsd: 7n });
    await waiting;
    expect((await read()).openBegins).toEqual([{ ...begin, holdNanoUsd: 7n }]);
  });

  test("a wait for the disk also writes the begins of the turn", async () => {
    const { journal } = await open();
    const begin = beginRecord();
    const waiting = journal.beginWritten(begin);
    await journal.synced();
    await waiting;
    expect((await read()).openIds).toEqual([begin.requestId]);
  });

  test("more begins than one write may have are all written", async () => {
    const { journal } = await open();
    const begins = Array.from({ length: 1_201 }, () => beginRecord());
    await Promise.all(begins.map((begin) => journal.beginWritten(begin)));
    expect((await read()).openIds).toEqual(idsOf(begins));
  });

  test("a journal that closes refuses the begins that wait, and writes none", async () => {
    const { journal } = await open();
    const waiting = journal.beginWritten(beginRecord());
    const refused = expect(waiting).rejects.toEqual(refusal("server_not_ready"));
    await journal.close();
    await refused;
    await expect(journal.beginWritten(beginRecord())).rejects.toEqual(refusal("server_not_ready"));
    expect((await read()).openIds).toEqual([]);
  });
});

describe("begins of one turn on a full or broken disk", () => {
  test("those that fit are written, and the others are refused without a record", async () => {
    const disk = makeDisk(true);
    const { journal } = await open({ files: filesOn(disk) });
    const begins = [beginRecord(), beginRecord(), beginRecord()];
    const size = lengthOf({ kind: "begin", seq: 1, record: beginRecord() });
    disk.room = 2 * size + 5;
    const waiting = begins.map((begin) => journal.beginWritten(begin));
    expect(await settled(waiting)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect((await read()).openIds).toEqual(idsOf(begins.slice(0, 2)));
  });

  test.each([true, false])(
    "a write that stops at any byte refuses all of them, and leaves no begin (truncate works: %s)",
    async (canTruncate) => {
      const disk = makeDisk();
      const { journal } = await open({ files: filesOn(disk) });
      const known = beginRecord();
      journal.begin(known);
      const kept = [known.requestId];
      const size = lengthOf({ kind: "begin", seq: 2, record: beginRecord() });
      for (let room = 0; room < 3 * size - 3; room += 7) {
        disk.room = room;
        disk.canTruncate = canTruncate;
        const waiting = [1, 2, 3].map(() => journal.beginWritten(beginRecord()));
        expect(await settled(waiting)).toEqual(["rejected", "rejected", "rejected"]);
        expect(journal.isHealthy()).toBe(false);
        disk.room = Number.POSITIVE_INFINITY;
        disk.canTruncate = true;
        const next = beginRecord();
        await journal.beginWritten(next);
        kept.push(next.requestId);
        expect(journal.isHealthy()).toBe(true);
      }
      expect((await read()).openIds).toEqual(kept);
      expect(errors()).not.toContain(
        "the journal is damaged: usage of these records may be missing",
      );
    },
  );

  test("a refused begin that stays whole in the file is void when the disk works again", async () => {
    const disk = makeDisk();
    const { journal } = await open({ files: filesOn(disk) });
    const size = lengthOf({ kind: "begin", seq: 1, record: beginRecord() });
    Object.assign(disk, { room: 2 * size + 5, canTruncate: false });
    const waiting = [1, 2, 3].map(() => journal.beginWritten(beginRecord()));
    expect(await settled(waiting)).toEqual(["rejected", "rejected", "rejected"]);
    expect((await read()).openIds).toHaveLength(2);
    disk.room = Number.POSITIVE_INFINITY;
    await journal.synced();
    expect((await read()).openIds).toEqual([]);
  });

  test("an end that stays whole in the file is read once after it is written again", async () => {
    const disk = makeDisk();
    const { journal } = await open({ files: filesOn(disk) });
    const begins = [beginRecord(), beginRecord()];
    for (const begin of begins) journal.begin(begin);
    const ends = begins.map((begin) => endRecord(begin, 5n));
    const seqs = ends.map((end) => journal.end(end)?.seq);
    const [end = endRecord(beginRecord(), 5n)] = ends;
    const size = lengthOf({ kind: "end", seq: 3, beginSeq: 1, changes: null, end });
    Object.assign(disk, { room: size + 5, canTruncate: false });
    await expect(journal.beginWritten(beginRecord())).rejects.toEqual(
      refusal("journal_unavailable"),
    );
    const left = (await read()).ends.map(({ seq }) => seq);
    disk.room = Number.POSITIVE_INFINITY;
    await journal.synced();
    const { ends: found, openIds } = await read();
    expect([left, found.map(({ seq }) => seq), openIds]).toEqual([[seqs[0]], seqs, []]);
  });

  test("ends of the turn are kept when its begins are refused", async () => {
    const disk = makeDisk();
    const { journal } = await open({ files: filesOn(disk) });
    const [ended, running] = [beginRecord(), beginRecord()];
    await Promise.all([journal.beginWritten(ended), journal.beginWritten(running)]);
    disk.room = 10;
    const waiting = [journal.beginWritten(beginRecord()), journal.beginWritten(beginRecord())];
    journal.end(endRecord(ended, 5n));
    expect(await settled(waiting)).toEqual(["rejected", "rejected"]);
    disk.room = Number.POSITIVE_INFINITY;
    await journal.beginWritten(beginRecord());
    const { ends, openIds } = await read();
    expect(ends.map(({ record }) => record.requestId)).toEqual([ended.requestId]);
    expect(openIds).toHaveLength(2);
  });

  test("at the cap, those with space below it begin, and the others get the refusal of a full journal", async () => {
    const { journal } = await open({ maxBytes: 3 * 4_096, segmentBytes: 1e6 });
    const waiting = [1, 2, 3, 4].map(() => journal.beginWritten(beginRecord()));
    const results = await Promise.allSettled(waiting);
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
    ]);
    expect(results.at(-1)).toMatchObject({ reason: refusal("journal_full") });
  });
});
