import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findDecisionFaults } from "./decision-records.mjs";

let root;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "decisions-"));
  mkdirSync(join(root, "docs/decisions"), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path, text) {
  writeFileSync(join(root, path), text);
}

const facts = "Date: 2026-11-24 · Status: accepted";

function findFaults(records) {
  const rows = Object.keys(records).map((name) => `| [${name.slice(0, 4)}](${name}) | A choice |`);
  write("docs/decisions/README.md", rows.join("\n"));
  for (const [name, text] of Object.entries(records)) write(`docs/decisions/${name}`, text);
  return findDecisionFaults(root).map((fault) => fault.replace("docs/decisions/", ""));
}

test("accepts records with date, status and row, and earlier gaps", () => {
  const records = {
    "0001-a.md": "# 0001 A\n\nDate: 2026-11-24 · Status: superseded by 0043\n",
    "0043-b.md": `# 0043 B\n\n${facts}\n`,
    "0044-c.md": `# 0044 C\n\n${facts}\n`,
  };
  expect(findFaults(records)).toEqual([]);
});

test.each([
  ["no date", "# 0001 A\n\n**Choice.** B\n", "line 3 is not"],
  ["an unknown status", "# 0001 A\n\nDate: 2026-11-24 · Status: done\n", "line 3 is not"],
  ["an unknown successor", "# 0001 A\n\nDate: 2026-11-24 · Status: superseded by 0002\n", "0002"],
  ["another number in its title", `# 0002 A\n\n${facts}\n`, "the title does not begin"],
])("reports a record with %s", (_, text, fault) => {
  expect(findFaults({ "0001-a.md": text })).toEqual([expect.stringContaining(fault)]);
});

test("reports a record without a row", () => {
  expect(findFaults({ "0001-a.md": `# 0001 A\n\n${facts}\n` })).toEqual([]);
  write("docs/decisions/README.md", "");
  expect(findDecisionFaults(root)).toEqual(["docs/decisions/0001-a.md: no row in the README"]);
});

test("reports a new gap and a duplicate number", () => {
  const text = (number) => `# ${number} A\n\n${facts}\n`;
  const records = {
    "0043-a.md": text("0043"),
    "0045-b.md": text("0045"),
    "0045-c.md": text("0045"),
  };
  expect(findFaults(records)).toEqual([
    "0045-b.md: another record has the number 0045",
    "0045-b.md: no record has the number before 0045",
    "0045-c.md: another record has the number 0045",
    "0045-c.md: no record has the number before 0045",
  ]);
});
