import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./runtime.mjs";

const listed = execFileSync(process.execPath, [join(root, "scripts", "list-database-tests.mjs")], {
  encoding: "utf8",
})
  .trim()
  .split("\n");

test("a test that uses a database, by itself or through the harness, is listed", () => {
  expect(listed).toEqual(
    expect.arrayContaining([
      "server/src/audit/separate-roles.test.ts", // asks vitest for the address
      "server/src/db/pool.test.ts", // harness/database.ts
      "server/src/people/invites/invites.test.ts", // harness/admin.ts, which imports it
      "server/test/schema.test.ts",
    ]),
  );
});

test("a test that uses no database, or starts one of its own, is not listed", () => {
  const without = [
    "server/src/db/embedded-postgres.test.ts",
    "server/src/domain/cost.test.ts",
    "server/src/gateway/parse-message.test.ts",
  ];
  for (const path of without) expect(existsSync(join(root, path))).toBe(true);
  expect(listed.filter((path) => without.includes(path))).toEqual([]);
});

test("every file that is listed exists, once", () => {
  expect(listed.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  expect(new Set(listed).size).toBe(listed.length);
});
