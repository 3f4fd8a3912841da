import fs from "node:fs";
import path from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { useJournalFolder } from "#test/harness/journal-folder.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import type { DiskJournal } from "./journal.ts";
import { type JournalFiles, nodeJournalFiles } from "./journal-files.ts";
import type { JournalOptions } from "./journal-options.ts";
import { indexPath } from "./segment-index.ts";

const HOUR_MS = 3_600_000;
/** Requests of one segment, which is large enough to be compressed. */
const REQUESTS = 300;
const MIB = 1024 * 1024;

const t = useJournalFolder();
const compressed = () => fs.readdirSync(t.directory).filter((name) => name.endsWith(".zst"));
const compressedFile = (position: number) => path.join(t.directory, compressed()[position] ?? "");
const drafts = () => fs.readdirSync(t.directory).filter((name) => name.endsWith(".new"));
const idsOf = (ends: readonly { record: { requestId: string } }[]) =>
  ends.map(({ record }) => record.requestId);

/** Opens a journal whose segments are complete after an hour, and compressed at once. */
async function open(options: Partial<JournalOptions> = {}, flushedSeq = 0): Promise<DiskJournal> {
  return (await t.open({ compressAfterMs: 0, segmentMs: HOUR_MS, ...options }, flushedSeq)).journal;
}

/** Runs whole requests. Returns their ids, and the sequence number of the last end. */
function run(journal: DiskJournal, requests = REQUESTS): { ids: string[]; lastSeq: number } {
  let lastSeq = 0;
  const ids = Array.from({ length: requests }, () => {
    const begin = beginRecord();
    journal.begin(begin);
    lastSeq = journal.end(endRecord(begin, 5n))?.seq ?? 0;
    return begin.requestId;
  });
  return { ids, lastSeq };
}

/** Completes the current segment and begins the next one. */
async function turnOver(journal: DiskJournal): Promise<void> {
  t.nowMs += HOUR_MS;
  journal.begin(beginRecord());
  await journal.synced();
}

/** Compressed segments whose original is not deleted yet. */
const doubled = () =>
  compressed().filter((name) => fs.existsSync(path.join(t.directory, path.parse(name).name)));

const isCompressed = (count = 1) =>
  expect
    .poll(() => [compressed(), drafts(), doubled()].map(({ length }) => length), { interval: 5 })
    .toEqual([count, 0, 0]);

describe("a complete segment", () => {
  test("is compressed with its index, and a start reads the same records", async () => {
    const journal = await open();
    const open1 = beginRecord();
    journal.begin(open1);
    const { ids } = run(journal);
    await turnOver(journal);
    const raw = fs.readFileSync(t.segmentFile(0));
    await isCompressed();
    expect(zstdDecompressSync(fs.readFileSync(compressedFile(0))).equals(raw)).toBe(true);
    expect(fs.existsSync(indexPath(compressedFile(0)))).toBe(true);
    expect(t.segments()).toHaveLength(1);
    const { ends, openIds } = await t.read();
    expect(idsOf(ends)).toEqual(ids);
    expect(openIds).toContain(open1.requestId);
    expect(t.errors()).toEqual([]);
  });

  test("of several hundred kilobytes is several blocks, and is read from any end on", async () => {
    const journal = await open();
    const accepted = run(journal, 200);
    const later = run(journal, 1_500);
    const reader = journal.readFrom({
      seq: accepted.lastSeq + 2,
      position: { ordinal: 1, offset: 0 },
    });
    expect(idsOf(await reader.read(700))).toEqual(later.ids.slice(0, 700));
    await turnOver(journal);
    await isCompressed();
    // The reader continues in the compressed form.
    expect(idsOf(await reader.read(5_000))).toEqual(later.ids.slice(700));
    expect(idsOf((await t.read()).ends)).toEqual([...accepted.ids, ...later.ids]);
  });

  test("counts against the cap with its compressed size", async () => {
    const journal = await open({ maxBytes: 10 * MIB, segmentBytes: 10 * MIB });
    run(journal);
    await turnOver(journal);
    const before = journal.usage().bytes;
    await isCompressed();
    const files = fs.readdirSync(t.directory).filter((name) => /journal|index/.test(name));
    const sizes = files
      .filter((name) => !name.endsWith("-id"))
      .map((name) => fs.statSync(path.join(t.directory, name)).size);
    expect(journal.usage().bytes).toBe(sizes.reduce((total, size) => total + size, 0));
    expect(journal.usage().bytes).toBeLessThan(before / 2);
    const again = await open({}, 0);
    expect(again.usage().bytes).toBeLessThan(before / 2);
  });

  test("is deleted 48 hours after its last record, also after a later compression", async () => {
    const first = await open({ compressAfterMs: HOUR_MS });
    const { lastSeq } = run(first);
    await first.close();
    const writtenAt = new Date(t.nowMs - 47 * HOUR_MS);
    fs.utimesSync(t.segmentFile(0), writtenAt, writtenAt);
    const second = await open({}, lastSeq);
    await isCompressed();
    await second.close();
    const third = await open({}, lastSeq);
    expect(compressed()).toHaveLength(1);
    t.nowMs += HOUR_MS;
    third.prune();
    expect(compressed()).toEqual([]);
    expect(fs.readdirSync(t.directory).filter((name) => name.endsWith(".index"))).toEqual([]);
  });

  test("that is small stays as it is", async () => {
    const journal = await open();
    run(journal, 3);
    await turnOver(journal);
    run(journal);
    await turnOver(journal);
    await isCompressed();
    expect(compressed()).toEqual(["000000000002.journal.zst"]);
  });
});

describe("a crash during the compression", () => {
  test("before the new name leaves a draft, which the next start removes", async () => {
    const first = await open({ compressAfterMs: HOUR_MS });
    const { ids } = run(first);
    await first.close();
    const draft = `${t.segmentFile(0)}.zst.new`;
    fs.writeFileSync(draft, "half a file");
    const second = await open({ compressAfterMs: HOUR_MS });
    expect(fs.existsSync(draft)).toBe(false);
    await second.close();
    expect(idsOf((await t.read()).ends)).toEqual(ids);
  });

  test("before the original is deleted leaves both, which are read once and compressed again", async () => {
    const first = await open();
    const { ids } = run(first);
    await turnOver(first);
    const raw = fs.readFileSync(t.segmentFile(0));
    const original = t.segmentFile(0);
    await isCompressed();
    await first.close();
    fs.writeFileSync(original, raw);
    expect(idsOf((await t.read()).ends)).toEqual(ids);
    const second = await open();
    expect(second.usage().bytes).toBeGreaterThan(raw.length);
    await isCompressed();
    expect(fs.existsSync(original)).toBe(false);
    expect(idsOf((await t.read()).ends)).toEqual(ids);
  });
});

test("a close during the compression leaves the original", async () => {
  const journal = await open();
  const { ids } = run(journal, 5_000);
  await turnOver(journal);
  await expect.poll(() => drafts().length, { interval: 1 }).toBe(1);
  await journal.close();
  expect([drafts(), compressed()]).toEqual([[], []]);
  expect(idsOf((await t.read()).ends)).toEqual(ids);
});

test("a segment that is deleted during its compression stays deleted", async () => {
  const pruned = { journal: null as DiskJournal | null };
  const files: JournalFiles = {
    ...nodeJournalFiles,
    syncDirectory: async (directory) => {
      await nodeJournalFiles.syncDirectory(directory);
      if (compressed().length === 0) return;
      t.nowMs += 48 * HOUR_MS;
      pruned.journal?.prune();
    },
  };
  const journal = await open({ files });
  pruned.journal = journal;
  const { lastSeq } = run(journal);
  journal.markFlushed(lastSeq);
  await turnOver(journal);
  await expect.poll(() => t.segments().length).toBe(1);
  await isCompressed(0);
  expect(journal.usage().unflushedBytes).toBe(0);
});

test("a disk without room for the compressed form keeps the original", async () => {
  const files: JournalFiles = {
    ...nodeJournalFiles,
    create: (file) => {
      const real = nodeJournalFiles.create(file);
      if (!file.endsWith(".new")) return real;
      return {
        ...real,
        append: () => {
          throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
        },
      };
    },
  };
  const journal = await open({ files });
  const { ids } = run(journal);
  await turnOver(journal);
  await expect
    .poll(() => t.logged.map(({ msg }) => msg))
    .toContain("a journal segment stays uncompressed");
  expect([drafts(), compressed()]).toEqual([[], []]);
  expect(idsOf((await t.read()).ends)).toEqual(ids);
});

describe("damage of a compressed segment", () => {
  /** Returns the ids of all requests in one compressed segment. */
  async function writeCompressed(): Promise<string[]> {
    const journal = await open();
    const { ids } = run(journal, 3_000);
    await turnOver(journal);
    await isCompressed();
    await journal.close();
    return ids;
  }

  test("at any byte costs the records of one block, and is reported", async () => {
    const ids = await writeCompressed();
    const file = compressedFile(0);
    const bytes = fs.readFileSync(file);
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 60)) {
      t.logged = [];
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      fs.writeFileSync(file, damaged);
      const { ends } = await t.read();
      // A block has at most 256 KiB of lines, of about 550 requests. An end can also lose its begin in the block before.
      expect(ends.length).toBeGreaterThan(ids.length - 1_200);
      const known = new Set(ids);
      expect(idsOf(ends).filter((id) => !known.has(id))).toEqual([]);
      if (ends.length < ids.length) {
        expect(t.errors()).toContain(
          "the journal is damaged: usage of these records may be missing",
        );
      }
    }
  });

  test("a missing rest of the file is reported", async () => {
    const ids = await writeCompressed();
    const file = compressedFile(0);
    fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2));
    const { ends } = await t.read();
    // The last end is in the next segment.
    const read = idsOf(ends).slice(0, -1);
    expect(read).toEqual(ids.slice(0, read.length));
    expect(ends.length).toBeGreaterThan(1_000);
    expect(t.errors()).toContain("the journal is damaged: usage of these records may be missing");
  });

  test("a missing end mark is reported, and all records are read", async () => {
    const ids = await writeCompressed();
    const file = compressedFile(0);
    fs.truncateSync(file, fs.statSync(file).size - 24);
    expect(idsOf((await t.read()).ends)).toEqual(ids);
    expect(t.errors()).toContain("the journal is damaged: usage of these records may be missing");
  });
});
