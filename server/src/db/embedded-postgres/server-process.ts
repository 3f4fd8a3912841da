import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile, statfs } from "node:fs/promises";
import type { PostgresBinaries } from "./binaries.ts";
import { DISK_FULL_TEXT, explainOutput } from "./explain.ts";
import { openFolderForServer } from "./folder-for-server.ts";
import { makePostgresEnvironment } from "./postgres-environment.ts";
import { runProgram } from "./run-program.ts";
import type { ServerUser } from "./server-user.ts";

export interface ServerOptions {
  binaries: PostgresBinaries;
  databaseDir: string;
  user: ServerUser | null;
  /** PostgreSQL settings. They override postgresql.conf and ALTER SYSTEM. */
  settings: Readonly<Record<string, string>>;
  logFile: string;
}

/** One run of the server, from its start to its exit. */
export interface ServerProcess {
  pid: number;
  /** Settles at the exit. Never rejects. */
  exited: Promise<ServerExit>;
  /** Fast shutdown: rolls open transactions back and closes files. After a time limit, harder signals follow. */
  stop(): Promise<void>;
  /** Requests a stop without waiting, for the exit of this process. */
  requestStop(): void;
}

export interface ServerExit {
  how: string;
  /** Last error in the log, in one sentence. */
  reason: string | null;
}

const FAST_STOP_MS = 15_000;
const IMMEDIATE_STOP_MS = 5_000;
const FULL_BELOW_BYTES = 1024 * 1024;
const LOG_TAIL_BYTES = 4_096;

export async function startServerProcess(options: ServerOptions): Promise<ServerProcess> {
  const folder = await openFolderForServer(options.databaseDir, options.user);
  const log = await open(options.logFile, "a", 0o600);
  const logStart = (await log.stat()).size;
  try {
    const child = spawn(
      options.binaries.postgres,
      makeServerArguments(folder.path, options.settings),
      {
        ...options.user,
        cwd: folder.cwd,
        env: makePostgresEnvironment(),
        // A separate session, so that Ctrl-C in the terminal reaches only this process, which stops the server later.
        detached: true,
        stdio: ["ignore", log.fd, log.fd, ...folder.descriptors],
        windowsHide: true,
      },
    );
    await waitForSpawn(child);
    return superviseChild(child, options, logStart);
  } finally {
    await log.close();
    await folder.close();
  }
}

function makeServerArguments(path: string, settings: Readonly<Record<string, string>>): string[] {
  return [
    "-D",
    path,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
}

function waitForSpawn(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
}

function superviseChild(
  child: ChildProcess,
  options: ServerOptions,
  logStart: number,
): ServerProcess {
  const exited = new Promise<ServerExit>((resolve) => {
    child.once("exit", (code, signal) => {
      const how = signal ? `ended by ${signal}` : `ended with ${code}`;
      findReason(options, logStart).then(
        (reason) => resolve({ how, reason }),
        () => resolve({ how, reason: null }),
      );
    });
  });
  child.on("error", () => undefined); // a failed signal; only the exit matters
  return {
    pid: child.pid ?? 0,
    exited,
    stop: () => stopChild(child, options, exited),
    requestStop: () => child.kill("SIGINT"),
  };
}

async function stopChild(
  child: ChildProcess,
  options: ServerOptions,
  exited: Promise<ServerExit>,
): Promise<void> {
  if (process.platform === "win32") await stopThroughPgCtl(options);
  else child.kill("SIGINT");
  if (await waitForEnd(exited, FAST_STOP_MS)) return;
  child.kill("SIGQUIT");
  if (await waitForEnd(exited, IMMEDIATE_STOP_MS)) return;
  child.kill("SIGKILL");
  await exited;
}

/** Stops the server on Windows, which has no signals. pg_ctl uses a named pipe. */
async function stopThroughPgCtl({ binaries, databaseDir, user }: ServerOptions): Promise<void> {
  const folder = await openFolderForServer(databaseDir, user);
  const args = ["stop", "--pgdata", folder.path, "--mode", "fast", "--no-wait"];
  const timeoutMs = FAST_STOP_MS;
  await runProgram({ program: binaries.pgCtl, args, user, folder, timeoutMs }).catch(
    () => undefined,
  );
  await folder.close();
}

async function waitForEnd(exited: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const { promise: timeout, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, timeoutMs, false);
  try {
    return await Promise.race([exited.then(() => true as const), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

async function findReason(options: ServerOptions, logStart: number): Promise<string | null> {
  const said = explainOutput(await readLogTail(options.logFile, logStart));
  // On a full disk the log cannot contain the reason.
  return said ?? ((await isDiskFull(options.databaseDir)) ? DISK_FULL_TEXT : null);
}

async function isDiskFull(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize < FULL_BELOW_BYTES;
}

/** Reads the last part of the output of this run. */
async function readLogTail(logFile: string, from: number): Promise<string> {
  const text = await readFile(logFile);
  return text.subarray(Math.max(from, text.length - LOG_TAIL_BYTES)).toString("utf8");
}
