import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "./program-version.ts";

const root = join(import.meta.dirname, "../../..");
const readText = (path: string) => readFileSync(join(root, path), "utf8");
const WORKSPACES = ["server", "contract", "console"];

interface Package {
  version: string;
  dependencies?: Record<string, string>;
}

test("all packages and the lockfile have the version of the program", () => {
  const lock = JSON.parse(readText("package-lock.json")) as Package & {
    packages: Record<string, Package>;
  };
  const packages = ["", ...WORKSPACES].flatMap((path) => [
    JSON.parse(readText(join(path, "package.json"))) as Package,
    lock.packages[path],
  ]);
  const versions = [lock, ...packages].flatMap((each) => [
    each?.version,
    each?.dependencies?.["@bursar/contract"] ?? VERSION,
  ]);
  expect(new Set(versions)).toEqual(new Set([VERSION]));
});

test("the changelog has a dated section for each recorded release", () => {
  const releases = readdirSync(join(root, "server/test/releases"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const dated = [...readText("CHANGELOG.md").matchAll(/^## (\S+) \(\d{4}-\d\d-\d\d\)$/gm)];
  expect(dated.map(([, version]) => version)).toEqual(expect.arrayContaining(releases));
  expect(releases).not.toContain(VERSION);
});
