import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CACHE_FOLDER, openCheckCache } from "./check-cache.mjs";

const types = { name: "types", args: ["-p"], reads: (path) => path.endsWith(".ts") };
const record = join(CACHE_FOLDER, "passed");
let root;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "check-cache-"));
  write(".gitignore", "node_modules/\n/data/\n");
  write("node_modules/.package-lock.json", "{}");
  write("package.json", "{}");
  write("server/src/cost.ts", "one");
  write("README.md", "# One\n");
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path, text) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function pass(...checks) {
  openCheckCache(root).addPassed(checks);
}

function hasPassed(check = types) {
  return openCheckCache(root).hasPassed(check);
}

test("skips a check that passed on the same files, and no other check", () => {
  pass(types);
  expect(hasPassed()).toBe(true);
  expect(hasPassed({ ...types, name: "lint" })).toBe(false);
  expect(hasPassed({ ...types, args: ["-p", "other"] })).toBe(false);
});

test("notices changed content of the same size and time", () => {
  const path = join(root, "server/src/cost.ts");
  const { atime, mtime } = statSync(path);
  pass(types);
  write("server/src/cost.ts", "two");
  utimesSync(path, atime, mtime);
  expect(hasPassed()).toBe(false);
});

test("skips the check after a change was reverted", () => {
  pass(types);
  write("server/src/cost.ts", "two");
  pass();
  write("server/src/cost.ts", "one");
  expect(hasPassed()).toBe(true);
});

test.each([
  ["an added file", () => write("server/src/price.ts", "")],
  ["a removed file", () => rmSync(join(root, "server/src/cost.ts"))],
  [
    "a renamed file",
    () => renameSync(join(root, "server/src/cost.ts"), join(root, "server/src/costs.ts")),
  ],
  ["other packages", () => write("node_modules/.package-lock.json", '{"packages":{}}')],
  ["another configuration", () => write("package.json", '{"type":"module"}')],
])("runs the check after %s", (_, change) => {
  pass(types);
  change();
  expect(hasPassed()).toBe(false);
});

test.each([
  ["a file that the check does not read", () => write("README.md", "# Two\n")],
  ["a file that git ignores", () => write("data/cost.ts", "")],
])("skips the check after a change of %s", (_, change) => {
  pass(types);
  change();
  expect(hasPassed()).toBe(true);
});

test("deletes the caches of the tools when packages or configuration change", () => {
  pass(types);
  const toolCache = join(CACHE_FOLDER, "knip", "cache");
  write(toolCache, "");
  openCheckCache(root);
  expect(existsSync(join(root, toolCache))).toBe(true);
  write("package.json", '{"type":"module"}');
  openCheckCache(root);
  expect(existsSync(join(root, toolCache))).toBe(false);
});

test.each([
  ["one that changed while the checks ran", () => write("server/src/cost.ts", "two")],
  [
    "changed back",
    () => {
      write("server/src/cost.ts", "two");
      write("server/src/cost.ts", "one");
    },
  ],
])("records nothing for files with %s", (_, change) => {
  const cache = openCheckCache(root);
  change();
  cache.addPassed([types]);
  write("server/src/cost.ts", "one");
  expect(hasPassed()).toBe(false);
});

test.each(["", '{"key":', "null", "[]", '{"key":null}', "\u0000"])(
  "runs the check when the record is %j",
  (text) => {
    pass(types);
    write(record, text);
    expect(hasPassed()).toBe(false);
    pass(types);
    expect(hasPassed()).toBe(true);
  },
);

test("runs the checks when a file cannot be read", () => {
  pass(types);
  symlinkSync("nowhere", join(root, "broken-link"));
  expect(hasPassed()).toBe(false);
  pass(types);
  rmSync(join(root, "broken-link"));
  expect(hasPassed()).toBe(false);
});
