import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { link, mkdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert } from "./assert.ts";
import { isStillRunning, type ProcessIdentity, readOwnIdentity } from "./running-process.ts";
import { StartError } from "./start-error.ts";

// A folder belongs to one process at a time. On Linux the lock is a kernel lock (flock). Such a lock ends with the
// process and works across containers that share the folder. On other systems, and without the `flock` program, the lock is a
// file with the identity of its owner. A dead owner's file is replaced.

export interface ProcessLock {
  /** The locked folder, absolute and without links. */
  folder: string;
  /** Safe to call twice. */
  release(): Promise<void>;
}

export interface LockOptions {
  /** False uses only the file, as on systems without `flock`. */
  useKernelLock?: boolean;
}

interface LockRecord extends ProcessIdentity {
  lockedAt: string;
}

type KernelLock = { kind: "locked"; release: () => void } | { kind: "held" } | { kind: "none" };

const LOCK_FILE = "bursar.lock";
/** Maximum depth of takeovers of crashed takeovers. More than one needs repeated crashes within a millisecond. */
const MAX_DEPTH = 8;
const MAX_ATTEMPTS = 100;

/**
 * Locks a folder and creates it (0700) if it is missing. Throws a StartError with the owner's id if another process has
 * the lock. The lock of a killed process is ignored, also if another process has its id now.
 */
export async function acquireProcessLock(
  path: string,
  options: LockOptions = {},
): Promise<ProcessLock> {
  const folder = await makeFolder(path);
  const file = join(folder, LOCK_FILE);
  const record = { ...(await readOwnIdentity()), lockedAt: new Date().toISOString() };
  const useKernelLock = options.useKernelLock ?? process.platform === "linux";
  const kernel = useKernelLock ? await lockInKernel(file, record) : ({ kind: "none" } as const);
  if (kernel.kind === "held") throw makeHeldError(await readRecord(file), folder);
  if (kernel.kind === "locked") {
    return { folder, release: makeOnce(async () => kernel.release()) };
  }
  const owner = await acquireFile(file, record, 0).catch((error) => {
    throw error instanceof StartError ? error : makeLockError(error);
  });
  if (owner !== null) throw makeHeldError(owner, folder);
  return { folder, release: makeOnce(() => releaseFile(file, record)) };
}

async function makeFolder(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return await realpath(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`Cannot use the data folder ${path}: ${reason}.`, { cause: error });
  }
}

function makeHeldError(owner: LockRecord | null, folder: string): StartError {
  const who = owner ? ` (process ${owner.pid}, since ${owner.lockedAt})` : "";
  return new StartError(
    `Another Bursar${who} is using the data folder ${folder}. Stop it first, or set another folder ` +
      "in BURSAR_DATA_DIR.",
  );
}

function makeOnce(release: () => Promise<void>): () => Promise<void> {
  let released: Promise<void> | null = null;
  return () => {
    released ??= release();
    return released;
  };
}

/**
 * Locks a file in the kernel. A flock belongs to the open file, which the `flock` program inherits. The program locks
 * and ends, and the lock stays until this process closes the file or dies. The file is never removed, because a lock on
 * a removed file would not exclude other processes.
 */
async function lockInKernel(file: string, record: LockRecord): Promise<KernelLock> {
  const descriptor = openLockFile(file);
  const status = await runFlock(descriptor);
  if (status !== 0) {
    closeSync(descriptor);
    return status === 1 ? { kind: "held" } : { kind: "none" };
  }
  const previous = await readRecord(file);
  // An owner without the kernel lock (missing program) is visible only in its record.
  if (previous !== null && (await isStillRunning(previous))) {
    closeSync(descriptor);
    return { kind: "held" };
  }
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, toText(record), 0);
  } catch {
    // The disk is full: the lock is valid, but the file lacks the owner's process id.
  }
  return {
    kind: "locked",
    release: () => {
      try {
        ftruncateSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

function openLockFile(file: string): number {
  try {
    return openSync(file, "a+", 0o600);
  } catch (error) {
    throw makeLockError(error);
  }
}

function makeLockError(error: unknown): StartError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StartError(`Cannot lock the data folder: ${reason}.`, { cause: error });
}

/** Runs flock. 0: locked. 1: another process has the lock. Other values and null: flock is not available. */
function runFlock(descriptor: number): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn("flock", ["-x", "-n", "3"], {
      stdio: ["ignore", "ignore", "ignore", descriptor],
    });
    child.on("error", () => resolve(null));
    child.on("close", resolve);
  });
}

/**
 * Creates the file, or returns the record of its running owner. A dead owner's file is replaced under a second lock,
 * whose name is derived from the dead record. So exactly one of several concurrent starts replaces it.
 */
async function acquireFile(
  file: string,
  record: LockRecord,
  depth: number,
): Promise<LockRecord | null> {
  assert(depth < MAX_DEPTH, "takeovers of a lock end");
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (await createFile(file, record)) return null;
    const text = await readText(file);
    if (text === null) continue; // just released
    const owner = parseRecord(text);
    if (owner !== null && (await isStillRunning(owner))) return owner;
    const takeover = `${file}.${createHash("sha256").update(text).digest("hex").slice(0, 12)}`;
    const rival = await acquireFile(takeover, record, depth + 1);
    if (rival !== null) return rival;
    try {
      // Only the holder of the takeover may replace this text. If it is still there, this process is the holder.
      if ((await readText(file)) === text) {
        await writeAndRename(file, record);
        return null;
      }
    } finally {
      await rm(takeover, { force: true });
    }
  }
  throw new StartError(`${file} changes repeatedly: several processes compete for the folder.`);
}

/** Creates the file atomically, so that no reader sees a partial record. */
async function createFile(file: string, record: LockRecord): Promise<boolean> {
  const staging = await writeStaging(file, record);
  try {
    await link(staging, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(staging, { force: true });
  }
}

async function writeAndRename(file: string, record: LockRecord): Promise<void> {
  await rename(await writeStaging(file, record), file);
}

async function writeStaging(file: string, record: LockRecord): Promise<string> {
  const staging = `${file}.${process.pid}-${randomBytes(4).toString("hex")}`;
  await writeFile(staging, toText(record), { mode: 0o600, flag: "wx" });
  return staging;
}

async function releaseFile(file: string, record: LockRecord): Promise<void> {
  if ((await readText(file)) === toText(record)) await rm(file, { force: true });
}

async function readRecord(file: string): Promise<LockRecord | null> {
  return parseRecord((await readText(file)) ?? "");
}

async function readText(file: string): Promise<string | null> {
  return readFile(file, "utf8").catch(() => null);
}

function toText(record: LockRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** Parses a record. Null: the text is not a complete record. */
function parseRecord(text: string): LockRecord | null {
  try {
    const { pid, started, pidNamespace, lockedAt } = JSON.parse(text);
    if (!Number.isSafeInteger(pid) || pid <= 0) return null;
    return {
      pid,
      started: typeof started === "string" ? started : null,
      pidNamespace: typeof pidNamespace === "string" ? pidNamespace : null,
      lockedAt: String(lockedAt),
    };
  } catch {
    return null;
  }
}
