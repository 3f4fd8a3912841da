import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const hook = pathToFileURL(join(import.meta.dirname, "harness", "resolve-modules.ts"));
let folder: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "bursar-test-")));
  writeFileSync(join(folder, "one.mjs"), "console.log('one');");
  writeFileSync(join(folder, "two.mjs"), "console.log('two');");
  writeFileSync(join(folder, "main.mjs"), "import './one.mjs';");
});

afterAll(() => rmSync(folder, { recursive: true }));

function runMain(): string {
  const file = new URL(hook);
  file.searchParams.set("file", join(folder, "paths.json"));
  return execFileSync(process.execPath, ["--import", file.href, join(folder, "main.mjs")], {
    encoding: "utf8",
  }).trim();
}

test("a run without the file records its imports, and the next run resolves from them", () => {
  const file = join(folder, "paths.json");
  expect(runMain()).toBe("one");
  const recorded = readFileSync(file, "utf8");
  expect(Object.values(JSON.parse(recorded))).toEqual([
    [pathToFileURL(join(folder, "one.mjs")).href, "module"],
  ]);
  expect(runMain()).toBe("one");

  writeFileSync(file, recorded.replace('/one.mjs"', '/two.mjs"'));
  expect(runMain()).toBe("two");
});

test("an import that the file does not list resolves as usual", () => {
  writeFileSync(join(folder, "paths.json"), "{}");
  expect(runMain()).toBe("one");
});
