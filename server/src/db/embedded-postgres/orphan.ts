import { execFile } from "node:child_process";
import { readFile, readlink, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { isAlive } from "#src/lib/running-process.ts";
import { StartError } from "#src/lib/start-error.ts";
import type { PostgresBinaries } from "./binaries.ts";
import { openByPath } from "./folder-for-server.ts";
import { runProgram } from "./run-program.ts";

const run = promisify(execFile);

const FAST_STOP_MS = 15_000;
const IMMEDIATE_STOP_MS = 5_000;
const POLL_MS = 20;

/**
 * Stops a server that outlived its Bursar (`kill -9`, a crash). The caller holds the lock of the data folder, so no
 * other process uses it. Returns the process id, or null without such a server. Another process with the same id is not
 * killed.
 */
export async function stopOrphan(
  databaseDir: string,
  binaries: PostgresBinaries,
): Promise<number | null> {
  const pidFile = join(databaseDir, "postmaster.pid");
  const pid = Number((await readFile(pidFile, "utf8").catch(() => "")).split("\n")[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isAlive(pid)) return null;
  if (!(await isServerProcess(pid, databaseDir))) {
    // PostgreSQL would mistake the other process for a running server and refuse to start.
    await rm(pidFile, { force: true });
    return null;
  }
  if (process.platform === "win32") await stopThroughPgCtl(databaseDir, binaries);
  else await stopBySignals(pid, databaseDir);
  return pid;
}

async function stopBySignals(pid: number, databaseDir: string): Promise<void> {
  const steps = [
    ["SIGINT", FAST_STOP_MS],
    ["SIGQUIT", IMMEDIATE_STOP_MS],
    ["SIGKILL", IMMEDIATE_STOP_MS],
  ] as const;
  for (const [signal, timeoutMs] of steps) {
    try {
      process.kill(pid, signal);
    } catch {
      if (!isAlive(pid)) return;
    }
    if (await waitForEnd(pid, timeoutMs)) return;
  }
  throw new StartError(
    `PostgreSQL (process ${pid}) still runs on ${databaseDir} and cannot be stopped. Stop it manually and start again.`,
  );
}

async function stopThroughPgCtl(databaseDir: string, binaries: PostgresBinaries): Promise<void> {
  await runProgram({
    program: binaries.pgCtl,
    args: ["stop", "--pgdata", databaseDir, "--mode", "fast", "--wait"],
    user: null,
    folder: openByPath(databaseDir),
    timeoutMs: FAST_STOP_MS,
  });
}

/** Polls for the exit, because the process is no child of this one. */
async function waitForEnd(pid: number, timeoutMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += POLL_MS) {
    if (!isAlive(pid)) return true;
    await delay(POLL_MS);
  }
  return !isAlive(pid);
}

/** True if process `pid` is a PostgreSQL server on exactly this folder. */
async function isServerProcess(pid: number, databaseDir: string): Promise<boolean> {
  if (process.platform === "linux") {
    const program = await readlink(`/proc/${pid}/exe`).catch(() => "");
    // The link to a replaced program file ends with "(deleted)".
    if (!/\/postgres( \(deleted\))?$/.test(program)) return false;
    const [cwd, folder] = await Promise.all([
      stat(`/proc/${pid}/cwd`).catch(() => null),
      stat(databaseDir),
    ]);
    return cwd !== null && cwd.dev === folder.dev && cwd.ino === folder.ino;
  }
  if (process.platform === "win32") return true; // pg_ctl finds the server by its named pipe, or fails
  const { stdout } = await run("ps", ["-ww", "-o", "command=", "-p", String(pid)]).catch(() => ({
    stdout: "",
  }));
  return stdout.includes("postgres") && stdout.includes(databaseDir);
}
