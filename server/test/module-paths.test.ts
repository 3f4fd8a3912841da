import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareModulePaths } from "./harness/module-paths.ts";

const hook = pathToFileURL(join(import.meta.dirname, "harness", "resolve-modules.ts"));
let folder: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "bursar-test-")));
  writeFileSync(join(folder, "one.mjs"), "console.log('one');");
  writeFileSync(join(folder, "two.mjs"), "console.log('two');");
  writeFileSync(join(folder, "main.mjs"), "import './one.mjs';");
  writeFileSync(join(folder, "data.json"), "{}");
  writeFileSync(join(folder, "main.cjs"), "require('./data.json'); require('./one.mjs');");
});

afterAll(() => rmSync(folder, { recursive: true }));

function runMain(main = "main.mjs"): string {
  const file = new URL(hook);
  file.searchParams.set("file", join(folder, "paths.json"));
  return execFileSync(process.execPath, ["--import", file.href, join(folder, main)], {
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

test("a required module resolves from the file", () => {
  rmSync(join(folder, "paths.json"));
  expect(runMain("main.cjs")).toBe("one");
  const recorded = readFileSync(join(folder, "paths.json"), "utf8");
  expect(Object.values(JSON.parse(recorded))).toEqual([
    [pathToFileURL(join(folder, "data.json")).href, null],
    [pathToFileURL(join(folder, "one.mjs")).href, null],
  ]);
  expect(runMain("main.cjs")).toBe("one");

  writeFileSync(join(folder, "paths.json"), recorded.replace('/one.mjs"', '/two.mjs"'));
  expect(runMain("main.cjs")).toBe("two");
});

test("the file has the imports of the modules that main.ts loads later", async () => {
  const [, hookUrl = ""] = await prepareModulePaths();
  const file = new URL(hookUrl).searchParams.get("file") ?? "";
  const recorded = JSON.parse(readFileSync(file, "utf8"));
  const main = new URL("../src/main.ts", import.meta.url);
  const later = [...readFileSync(main, "utf8").matchAll(/import\("([^"]+)"\)/g)];
  expect(later).not.toEqual([]);
  for (const [, path = ""] of later) {
    const module = new URL(path, main);
    const folderUrl = module.href.slice(0, module.href.lastIndexOf("/"));
    const imports = readFileSync(module, "utf8").matchAll(
      /^import (?!type)[^;]*? from "([#.][^"]+)"/gm,
    );
    const keys = [...imports].map(([, specifier]) => `import ${specifier} ${folderUrl}`);
    expect(Object.keys(recorded)).toEqual(expect.arrayContaining(keys));
  }
});

test("an import that the file does not list resolves as usual", () => {
  writeFileSync(join(folder, "paths.json"), "{}");
  expect(runMain()).toBe("one");
});
