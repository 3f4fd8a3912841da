import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { prepareServerBundle } from "./harness/server-bundle.ts";

const main = await prepareServerBundle();
const folder = dirname(main);
const source = join(import.meta.dirname, "..", "src");

test("the bundle is the program of the server", () => {
  const { status, stderr } = spawnSync(process.execPath, [main], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: "Usage: main.ts start [--simulator] [--processes N]\n",
  });
});

test("the program of further processes is in the bundle, and the supervisor starts it", () => {
  expect(existsSync(join(folder, "node-process.mjs"))).toBe(true);
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  const starts = texts.flatMap((text) => [
    ...text.matchAll(/new URL\("[^"]*node-process\.[^)]*\)/g),
  ]);
  expect(starts.map(([text]) => text)).toEqual([
    'new URL("./node-process.mjs", import.meta["url"])',
  ]);
});

test("a module of the bundle has the path of its source", () => {
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  const url = JSON.stringify(pathToFileURL(join(source, "lib", "program-version.ts")).href);
  expect(
    texts.filter((text) => text.includes(`new URL("../../package.json", ${url})`)),
  ).toHaveLength(1);
  expect(texts.filter((text) => /\bimport\.meta\.(?:url|dirname|filename)\b/.test(text))).toEqual(
    [],
  );
});
