import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findBrokenReferences, findUnlinkedGuides } from "./document-references.mjs";

let root;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "documents-"));
  write(".gitignore", "node_modules/\n/data/\nresults/*\n!results/plans.txt\n");
  write("server/src/access/sessions.ts", "");
  write("docs/guides/backup.md", "# Backup\n\n## A drill, `daily`\n\n## A drill, daily\n");
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path, text) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function findBroken(text, document = "README.md") {
  write(document, text);
  return findBrokenReferences(root).broken;
}

describe("links", () => {
  test.each([
    "[file](docs/guides/backup.md)",
    "[folder](docs/guides)",
    "[anchor](docs/guides/backup.md#a-drill-daily)",
    "[second heading of one name](docs/guides/backup.md#a-drill-daily-1)",
    "[elsewhere](https://example.com/missing.md)",
    "`[code](missing.md)`",
    "```md\n[fenced](missing.md)\n```",
  ])("accepts %j", (text) => {
    expect(findBroken(text)).toEqual([]);
  });

  test.each([
    ["a missing file", "[a](docs/missing.md)", "docs/missing.md"],
    ["a missing anchor", "[a](docs/guides/backup.md#restore)", "docs/guides/backup.md#restore"],
    ["a missing anchor of its own page", "# Top\n[a](#bottom)", "#bottom"],
    ["a missing image", "![a](docs/a.png)", "docs/a.png"],
    ["a missing file of a named link", "[a]: docs/missing.md", "docs/missing.md"],
  ])("reports %s with its line", (_, text, target) => {
    const line = text.split("\n").length;
    expect(findBroken(text)).toEqual([`README.md:${line}: link to ${target}`]);
  });

  test("resolves a link from the folder of its document", () => {
    expect(findBroken("[a](../../README.md) [b](backup.md)", "docs/guides/nodes.md")).toEqual([
      "docs/guides/nodes.md:1: link to ../../README.md",
    ]);
  });
});

describe("paths in code", () => {
  test.each([
    ["from the root", "`server/src/access/sessions.ts`"],
    ["from the sources", "`access/sessions.ts`, `access/`"],
    ["a file name alone", "`sessions.ts`"],
    ["a pattern", "`access/*.ts`, `<room>/{sessions,keys}.ts`"],
    ["a command", "`node server/src/access/sessions.ts --help`"],
    ["what git ignores", "`./data`, `results/latest.json`"],
    ["an address", "`GET /v1/models`, `usage_report/messages`, `http://a/b.ts`"],
    ["fenced commands", "```sh\nnode missing.ts\n```"],
  ])("accepts %s", (_, text) => {
    expect(findBroken(text)).toEqual([]);
  });

  test.each([
    ["a missing file", "`server/src/access/keys.ts`", "server/src/access/keys.ts"],
    ["a missing file of the sources", "`access/keys.ts`", "access/keys.ts"],
    ["a missing folder", "`identity/`", "identity/"],
    ["a missing entry of a folder that exists", "`server/src/identity`", "server/src/identity"],
    ["a missing file name", "`keys.ts`", "keys.ts"],
    ["a pattern without a match", "`access/*.test.ts`", "access/*.test.ts"],
    ["a missing file in a map of folders", "```\nkeys.ts   finds keys\n```", "keys.ts"],
    ["a missing folder in a map of folders", "```\nserver/src/\n  keys/ access/\n```", "keys"],
  ])("reports %s", (_, text, path) => {
    const line = text.startsWith("```") ? text.split("\n").length - 1 : 1;
    expect(findBroken(text)).toEqual([`README.md:${line}: path ${path}`]);
  });

  test("finds a path in the folder of its document", () => {
    write("server/test/harness/clock.ts", "");
    expect(findBroken("`harness/clock.ts`", "server/test/README.md")).toEqual([]);
    expect(findBroken("`harness/clock.ts`")).toEqual(["README.md:1: path harness/clock.ts"]);
  });
});

test("reports a guide that the README does not link", () => {
  write("docs/guides/nodes.md", "");
  write("README.md", "[Backup](docs/guides/backup.md)");
  expect(findUnlinkedGuides(root)).toEqual(["README.md: no link to docs/guides/nodes.md"]);
});
