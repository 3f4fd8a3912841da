import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "#src/config.ts";
import { checkJournal } from "./check-journal.ts";

const SEGMENT = "000000000001.journal";

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "bursar-doctor-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const configOf = (env: Record<string, string> = {}) =>
  loadConfig({ BURSAR_DATA_DIR: dataDir, BURSAR_JOURNAL_MAX_SIZE: "20MB", ...env }, dataDir).config;

function writeSegment(folder: string, bytes: number): void {
  mkdirSync(join(dataDir, folder), { recursive: true });
  writeFileSync(join(dataDir, folder, SEGMENT), Buffer.alloc(bytes));
  // Other files do not count as journal.
  writeFileSync(join(dataDir, folder, "reserve"), Buffer.alloc(1_000_000));
}

const unflushed = (...bytes: number[]) =>
  bytes.map((each, i) => `bursar_journal_unflushed_bytes{process="${i + 1}"} ${each}`).join("\n");

test("reports size, cap, unflushed part and free space of all journals", () => {
  writeSegment("journal", 1_000_000);
  writeSegment("journal-2", 400_000);
  writeFileSync(join(dataDir, "journal-2", "000000000002.journal.zst"), Buffer.alloc(60_000));
  writeFileSync(join(dataDir, "journal-2", "000000000002.index"), Buffer.alloc(40_000));
  const finding = checkJournal(configOf(), unflushed(200_000, 100_000));
  expect(finding).toMatchObject({ check: "journal", ok: true });
  expect(finding.is_note).toBeUndefined();
  expect(finding.detail).toMatch(
    /^1\.5 MB of 20 MB \(8%\), 300 kB unflushed, [\d.,]+ \wB free on its disk$/,
  );
});

test("notes a journal from 80% of its cap", () => {
  writeSegment("journal", 15_900_000);
  expect(checkJournal(configOf(), unflushed(0)).is_note).toBeUndefined();
  writeSegment("journal", 16_000_000);
  const finding = checkJournal(configOf(), unflushed(0));
  expect(finding).toMatchObject({ ok: true, is_note: true });
  expect(finding.detail).toContain("flushed segments are removed before 48 hours");
});

test("fails from 80% of the cap that is unflushed", () => {
  writeSegment("journal", 17_000_000);
  const finding = checkJournal(configOf(), unflushed(10_000_000, 6_000_000));
  expect(finding.ok).toBe(false);
  expect(finding.detail).toContain("new requests fail with 503 when it is full");
});

test("reports the size without a server, and no size for a journal in the database", () => {
  writeSegment("journal", 1_000);
  expect(checkJournal(configOf(), null).detail).toMatch(/^1 kB of 20 MB \(0%\), /);
  const inDatabase = configOf({ BURSAR_JOURNAL: "postgres" });
  expect(checkJournal(inDatabase, null).detail).toBe("in the database");
});
