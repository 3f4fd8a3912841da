import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readJournalFile } from "./journal-copies.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bursar-copies-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("reads the listed size of a segment that grows", async () => {
  const name = "000000000001.journal";
  const path = join(folder, name);
  writeFileSync(path, "listed, written later");
  const file = readJournalFile({ folder: "journal", name, path, bytes: 6 });
  expect(file.name).toBe(name);
  expect(String(await buffer(file.source))).toBe("listed");
});

test("reads a segment that was compressed after the listing", async () => {
  const name = "000000000001.journal";
  const path = join(folder, name);
  writeFileSync(path, "compressed");
  renameSync(path, `${path}.zst`);
  const file = readJournalFile({ folder: "journal", name, path, bytes: 1_000 });
  expect(file.name).toBe(`${name}.zst`);
  expect(String(await buffer(file.source))).toBe("compressed");
});

test("fails for a segment that was deleted after the listing", () => {
  const name = "000000000001.journal";
  const listed = { folder: "journal", name, path: join(folder, name), bytes: 1 };
  expect(() => readJournalFile(listed)).toThrow("ENOENT");
});
