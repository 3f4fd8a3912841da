import fs from "node:fs";
import { describe, expect, test } from "vitest";
import { endTurn, useJournalFolder } from "#test/harness/journal-folder.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { type JournalFiles, nodeJournalFiles } from "./journal-files.ts";
import { RecordLines } from "./journal-lines.ts";
import { replayJournal, type UnflushedEnd } from "./replay.ts";

const t = useJournalFolder();
const { open, read, segmentFile, errors } = t;
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
      directory: t.directory,
      nodeId: "node_2",
      logger: t.logger,
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
      t.logged = [];
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

const realisticBegin = {
  organizationId: "6c6cd838-680b-4a43-b4d1-bb68ffe67f2b",
  workspaceId: "wksp_0VcAbwPrYSSss4oV5R22YGJf",
  apiKeyId: "apikey_0VcAbwQEZGRTEpE43NRpKvAe",
  memberId: "user_0VcAbwQEZGRTEpE43NRpKvAe",
  groupIds: ["group_0VcAbwPrYSSss4oV5R22YGJf"],
  tagIds: ["tag_5feceb66ffc86f38d952786c"],
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
