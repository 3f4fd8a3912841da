import { execFile } from "node:child_process";
import { readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Unique identity of a process, because process ids are reused. */
export interface ProcessIdentity {
  pid: number;
  /** Start time in the system's format. Null: not available. */
  started: string | null;
  /** Namespace of the id, because containers have their own ids. Null outside of Linux. */
  pidNamespace: string | null;
}

export async function readOwnIdentity(): Promise<ProcessIdentity> {
  return {
    pid: process.pid,
    started: await readStart(process.pid),
    pidNamespace: await readPidNamespace(),
  };
}

/** True if the process still runs. False for a process of another container, whose id has no meaning here. */
export async function isStillRunning(identity: ProcessIdentity): Promise<boolean> {
  if (identity.pidNamespace !== (await readPidNamespace())) return false;
  if (!isAlive(identity.pid)) return false;
  const started = await readStart(identity.pid);
  return started === null || identity.started === null || started === identity.started;
}

/** True if any process has this id now. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function readStart(pid: number): Promise<string | null> {
  if (process.platform === "linux") return readLinuxStart(pid);
  if (process.platform === "win32") return null;
  const { stdout } = await run("ps", ["-o", "lstart=", "-p", String(pid)], {
    env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
  }).catch(() => ({ stdout: "" }));
  return stdout.trim() || null;
}

async function readLinuxStart(pid: number): Promise<string | null> {
  try {
    const status = await readFile(`/proc/${pid}/stat`, "utf8");
    const bootId = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    // Field 22, in clock ticks since the boot. The second field is the program name, which may contain spaces and ")".
    const ticks = status.slice(status.lastIndexOf(")") + 2).split(" ")[19];
    return ticks === undefined ? null : `${bootId.trim()} ${ticks}`;
  } catch {
    return null;
  }
}

async function readPidNamespace(): Promise<string | null> {
  if (process.platform !== "linux") return null;
  return readlink("/proc/self/ns/pid").catch(() => null);
}
