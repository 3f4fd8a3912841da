import { execFile } from "node:child_process";
import { readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Names one process for good: the number alone is given to another process later. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in the words of the system; null where the system does not say. */
  started: string | null;
  /** Where the number counts: a container has numbers of its own. Null outside of Linux. */
  pidNamespace: string | null;
}

export async function ownIdentity(): Promise<ProcessIdentity> {
  return {
    pid: process.pid,
    started: await startOf(process.pid),
    pidNamespace: await ownPidNamespace(),
  };
}

/** False for a process of another container: its number says nothing here. */
export async function isStillRunning(identity: ProcessIdentity): Promise<boolean> {
  if (identity.pidNamespace !== (await ownPidNamespace())) return false;
  if (!isAlive(identity.pid)) return false;
  const started = await startOf(identity.pid);
  return started === null || identity.started === null || started === identity.started;
}

/** Whether a process has this number now, whoever's it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function startOf(pid: number): Promise<string | null> {
  if (process.platform === "linux") return linuxStartOf(pid);
  if (process.platform === "win32") return null;
  const { stdout } = await run("ps", ["-o", "lstart=", "-p", String(pid)], {
    env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
  }).catch(() => ({ stdout: "" }));
  return stdout.trim() || null;
}

async function linuxStartOf(pid: number): Promise<string | null> {
  try {
    const status = await readFile(`/proc/${pid}/stat`, "utf8");
    const bootId = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    // Field 22, in clock ticks since the boot. The second field is the program's name, which may hold spaces and ")".
    const ticks = status.slice(status.lastIndexOf(")") + 2).split(" ")[19];
    return ticks === undefined ? null : `${bootId.trim()} ${ticks}`;
  } catch {
    return null;
  }
}

async function ownPidNamespace(): Promise<string | null> {
  if (process.platform !== "linux") return null;
  return readlink("/proc/self/ns/pid").catch(() => null);
}
