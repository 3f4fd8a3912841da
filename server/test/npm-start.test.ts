import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { isAlive, postgresPid } from "#test/harness/embedded-database.ts";
import { eventually } from "#test/harness/eventually.ts";
import { copyPreparedDatabase } from "#test/harness/prepared-database.ts";
import {
  root,
  serverEnvironment,
  stopAllServers,
  temporaryFolder,
} from "#test/harness/server-process.ts";

// The server under `npm start`: npm, its shell, the launcher, the server, PostgreSQL.

const READY_MS = 150_000; // the first start builds the console
const END_MS = 60_000;

let npm: ChildProcess | null = null;
let databasePid = 0;
afterEach(() => {
  if (npm?.pid !== undefined) endGroup(npm.pid, "SIGKILL");
  if (databasePid > 0 && isAlive(databasePid)) process.kill(databasePid, "SIGQUIT");
});
afterAll(stopAllServers);

/** Sends a signal to every process of npm's group. Returns false when the group is empty. */
function endGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

async function startThroughNpm() {
  const dataDir = join(await temporaryFolder(), "data");
  await copyPreparedDatabase(dataDir);
  const child = spawn("npm", ["start", "--", "--simulator"], {
    cwd: root,
    env: serverEnvironment(dataDir),
    stdio: "ignore",
    detached: true, // a separate process group, as in a terminal or a service manager
  });
  npm = child;
  await once(child, "spawn");
  const file = join(dataDir, "server.json");
  const serverPid = await eventually(READY_MS, "the server to be ready", async () =>
    existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { pid: number }).pid : null,
  );
  databasePid = postgresPid(dataDir) ?? 0;
  return { npmPid: child.pid ?? 0, serverPid, dataDir };
}

test.each([
  ["npm", (pid: number) => process.kill(pid, "SIGTERM")],
  ["the process group of npm", (pid: number) => endGroup(pid, "SIGTERM")],
])("SIGTERM to %s ends the server and PostgreSQL", { timeout: 300_000 }, async (_, terminate) => {
  const { npmPid, serverPid, dataDir } = await startThroughNpm();
  expect([serverPid, databasePid].map(isAlive)).toEqual([true, true]);
  terminate(npmPid);
  await eventually(END_MS, "every process to end", async () =>
    [serverPid, databasePid].some(isAlive) || endGroup(npmPid, 0) ? null : true,
  );
  // A clean stop removes this file.
  expect(existsSync(join(dataDir, "server.json"))).toBe(false);
});
