import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig, settings } from "#src/config.ts";
import { TEST_SECRET } from "#test/harness/test-secret.ts";
import { listCodeBlocks, readGuide, readRepositoryFile, root } from "./repository-files.ts";

const unit = readRepositoryFile("deploy/bursar.service");
const guide = readGuide("systemd.md");
const dropIns = listCodeBlocks(guide, "ini");
const INSTALLED_IN = "/opt/bursar";
/** Exposure as in the guide, in tenths. */
const HIGHEST_EXPOSURE = 11;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bursar-unit-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Values of a key, from all lines that set it. */
function valuesOf(text: string, key: string): string[] {
  return text
    .split("\n")
    .flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
}

function variablesOf(text: string): Record<string, string> {
  const pairs = valuesOf(text, "Environment").flatMap((line) => line.split(" "));
  return Object.fromEntries(pairs.map((pair) => pair.split("=") as [string, string]));
}

test("starts the server in the guide's folder, with existing settings", () => {
  expect(valuesOf(unit, "WorkingDirectory")).toEqual([INSTALLED_IN]);
  expect(valuesOf(unit, "ExecStart")).toEqual([
    `${INSTALLED_IN}/node_modules/.bin/node --max-semi-space-size=8 --v8-pool-size=1 --heap-growing-percent=100 server/src/main.ts start`,
  ]);
  expect(guide).toContain(`git clone <this repository> ${INSTALLED_IN}`);
  const { BURSAR_DATA_DIR, TMPDIR, NODE_COMPILE_CACHE, ...others } = variablesOf(unit);
  expect([BURSAR_DATA_DIR, TMPDIR, NODE_COMPILE_CACHE]).toEqual([
    "%S/bursar",
    "%t/bursar",
    "%C/bursar",
  ]);
  expect(others).toEqual({});
});

test("allows time for the drain and the last records", () => {
  const drainSeconds = Number.parseInt(settings.drainMs.fallback, 10);
  const [stop = ""] = valuesOf(unit, "TimeoutStopSec");
  expect(Number.parseInt(stop, 10)).toBeGreaterThanOrEqual(drainSeconds + 45);
  expect(valuesOf(unit, "KillMode")).toEqual(["mixed"]);
});

test("sets only variables that the configuration accepts in the drop-ins of the guide", () => {
  expect(dropIns).toHaveLength(2);
  for (const dropIn of dropIns) {
    const credentials = valuesOf(dropIn, "LoadCredential").map((line) => line.split(":")[0] ?? "");
    for (const name of credentials) {
      const content = name === "database-url" ? "postgres://u:p@localhost/bursar" : TEST_SECRET;
      writeFileSync(join(folder, name), content);
    }
    const named = Object.values(variablesOf(dropIn)).filter((value) => value.startsWith("%d/"));
    expect(named.map((value) => value.slice(3))).toEqual(credentials);
    const env = Object.entries(variablesOf(dropIn)).map(([name, value]) => [
      name,
      value.replace("%d", folder),
    ]);
    expect(() => loadConfig(Object.fromEntries(env), folder)).not.toThrow();
  }
});

const withSystemd = test.skipIf(spawnSync("systemd-analyze", ["--version"]).status !== 0);

/** Installs the unit files, with the server of this checkout. */
function install(dropIn: string | null): string {
  const file = join(folder, "bursar.service");
  writeFileSync(file, unit.replaceAll(`=${INSTALLED_IN}`, `=${root.replace(/\/$/, "")}`));
  if (dropIn !== null) {
    mkdirSync(join(folder, "bursar.service.d"));
    writeFileSync(join(folder, "bursar.service.d", "override.conf"), dropIn);
  }
  return file;
}

withSystemd.each([null, ...dropIns])("systemd accepts the unit with the drop-in %j", (dropIn) => {
  const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", install(dropIn)], {
    encoding: "utf8",
    env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
  });
  expect([status, stdout + stderr]).toEqual([0, ""]);
});

withSystemd("the exposure does not exceed the guide's value", () => {
  const args = ["security", "--offline=true", "--no-pager", `--threshold=${HIGHEST_EXPOSURE}`];
  const { status, stdout } = spawnSync("systemd-analyze", [...args, install(null)], {
    encoding: "utf8",
  });
  expect([status, stdout]).toEqual([0, expect.stringContaining("Overall exposure level")]);
  expect(guide).toContain(`The exposure is ${HIGHEST_EXPOSURE / 10} `);
});
