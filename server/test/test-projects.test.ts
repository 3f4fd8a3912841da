import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findTestFiles } from "./harness/find-test-files.ts";

const root = join(import.meta.dirname, "../..");
const files = findTestFiles();

describe("the project of a test file", () => {
  test("is database when a module that it loads opens the run's database", () => {
    expect(files.database).toContain("server/test/schema.test.ts"); // loads harness/database.ts
    expect(files.database).toContain("server/test/idempotency.test.ts"); // through harness/admin.ts
  });

  test("is product when a module that it loads starts the product", () => {
    expect(files.product).toContain("server/test/crash.test.ts"); // loads harness/server-process.ts
    expect(files.product).toContain("console/test/pages.test.ts"); // through console/test/open-console.ts
    expect(files.product).toContain("server/src/db/embedded-postgres.test.ts"); // by its own call
  });

  test("is pure otherwise", () => {
    expect(files.pure).toContain("server/test/test-projects.test.ts");
    expect(files.pure).toContain("scripts/test-parts.test.mjs");
  });

  test("is one of the three for every file", () => {
    const all = Object.values(files).flat();
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    for (const found of Object.values(files)) expect(found.length).toBeGreaterThan(20);
  });
});

test.each([
  ["database", "./harness/database.ts"],
  ["product", "./harness/server-process.ts"],
])(
  "a module that needs the project %s refuses to load in the project pure",
  async (project, path) => {
    await expect(import(path)).rejects.toThrow(
      `This test runs in the project "pure", and a module that it loads needs the project "${project}".`,
    );
  },
);
