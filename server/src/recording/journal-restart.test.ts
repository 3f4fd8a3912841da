import fs from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BeginRecord } from "#src/domain/request-record.ts";
import { endTurn, heldFiles, useJournalFolder } from "#test/harness/journal-folder.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import type { DiskJournal } from "./journal.ts";
import { RecordLines } from "./journal-lines.ts";
import { replayJournal, type UnflushedEnd } from "./replay.ts";
import { type DaySpend, indexPath } from "./segment-index.ts";

const HOUR_MS = 3_600_000;
const t = useJournalFolder();
const { open, read, segments, segmentFile, errors } = t;

describe("segments", () => {
  /** Begins and ends a request. Returns the sequence number of its end. */
  async function request(journal: DiskJournal, begin = beginRecord()): Promise<number> {
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
    t.nowMs += HOUR_MS;
    await request(journal);
    expect(segments()).toHaveLength(full + 1);
    expect((await read()).ends).toHaveLength(5);
  });

  test("a flushed segment is deleted after 48 hours, and not before", async () => {
    const { journal } = await open({ segmentBytes: 1 });
    journal.markFlushed(await request(journal));
    const before = segments().length;
    t.nowMs += 48 * HOUR_MS - 1;
    journal.prune();
    expect(segments()).toHaveLength(before);
    t.nowMs += 1;
    journal.prune();
    expect(segments().length).toBeLessThan(before);
  });

  test("a segment of any age with an unflushed end stays", async () => {
    const { journal } = await open({ segmentBytes: 1 });
    const seq = await request(journal);
    await request(journal);
    t.nowMs += 1_000 * HOUR_MS;
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
    t.nowMs += 1_000 * HOUR_MS;
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
    t.logged = [];
    await read(seq);
    const readSegments = t.logged.filter(({ msg }) => msg === "journal segment read").length;
    expect(segments().length).toBeGreaterThan(8);
    expect(readSegments).toBeLessThanOrEqual(2);
  });

  test("a segment has the begins of its ends without earlier segments", async () => {
    const { journal } = await open();
    const begin = beginRecord();
    journal.begin(begin);
    journal.amendBegin({ ...begin, holdNanoUsd: 7n });
    t.nowMs += HOUR_MS;
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
    t.logged = [];
    expect((await read(seq)).openBegins).toEqual([long]);
    expect(t.logged.filter(({ msg }) => msg === "journal segment read")).toHaveLength(1);
  });

  test("a start of a segment that is cut at any byte loses no open request", async () => {
    const { journal } = await open();
    const begins = [beginRecord(), beginRecord({ holdNanoUsd: 7n })];
    for (const begin of begins) journal.begin(begin);
    t.nowMs += HOUR_MS;
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
    t.nowMs += 48 * HOUR_MS;
    journal.prune();
    t.logged = [];
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
      directory: t.directory,
      nodeId: "node_1",
      logger: t.logger,
      flushedSeq,
      onUnflushedEnd: (end) => ends.push(end),
      onUnflushedSegment: ({ first, index }) =>
        segments.push({ first: first.seq, ends: index.ends, spend: index.spend }),
    });
    return { segments, ends, ...replayed };
  }

  /** Three requests in each of two complete segments, and one request in the newest segment. Another one is open. */
  async function writeSegments(): Promise<{ journal: DiskJournal; open: BeginRecord }> {
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
      t.nowMs += HOUR_MS;
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
    t.logged = [];
    const { segments, ends, openBegins, state, lastSeq } = await start();
    expect(segments).toEqual([
      { first: 1, ends: 3, spend },
      { first: 8, ends: 3, spend },
    ]);
    expect(ends).toHaveLength(1);
    expect(openBegins).toEqual([open]);
    expect([lastSeq, state.nextSeq, state.lastEndSeq]).toEqual([15, 16, 15]);
    expect(t.logged.filter(({ msg }) => msg === "journal segment read")).toHaveLength(1);
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
    t.nowMs += HOUR_MS;
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
    t.nowMs += HOUR_MS;
    journal.begin(beginRecord());
    const index = indexPath(segmentFile(0));
    expect(fs.existsSync(index)).toBe(false);
    release();
    await journal.synced();
    await expect.poll(() => fs.existsSync(index)).toBe(true);
    expect(syncs.length).toBeGreaterThan(0);
    journal.markFlushed(seq);
    t.nowMs += 48 * HOUR_MS;
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
      fs.rmSync(t.directory, { recursive: true, force: true });
      t.nowMs = SOME_TIME_MS;
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
        } else if (step === "hour") t.nowMs += HOUR_MS;
        else if (step === "prune") journal.prune();
      }
      await endTurn();
      const found = await read(flushedSeq);
      expect(found.openBegins).toEqual(openRequests);
      expect(found.ends.map(({ seq, record }) => ({ id: record.requestId, seq }))).toEqual(ended);
      // A late sync would write an index into the folder of the next sequence.
      for (const each of opened) await each.close();
    }),
    { numRuns: 30 },
  );
});
