import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./runtime.mjs";

const listed = execFileSync(process.execPath, [join(root, "scripts", "list-database-tests.mjs")], {
  encoding: "utf8",
})
  .trim()
  .split("\n");

test("lists tests of each topic", () => {
  expect(listed.map((path) => basename(path))).toEqual(
    expect.arrayContaining([
      "schema.test.ts",
      "upgrade.test.ts",
      "ledger.test.ts",
      "postgres-journal.test.ts",
      "partitions.test.ts",
      "sessions.test.ts",
      "backup.test.ts",
    ]),
  );
});

test("lists each marked file once, and no other", () => {
  expect(new Set(listed).size).toBe(listed.length);
  const firstLines = listed.map((path) => readFileSync(join(root, path), "utf8").split("\n")[0]);
  for (const line of firstLines) expect(line).toMatch(/^\/\/ Oldest PostgreSQL: [a-z-]+$/);
});
