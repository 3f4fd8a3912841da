import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

// CPU time and memory from the kernel (Linux: proc(5)). A process or thread that ends during a read counts as
// nothing.

export interface ProcessStat {
  pid: number;
  parentPid: number;
  /** CPU time of the process with all threads, clock ticks. */
  cpuTicks: number;
  /** Ticks of its children that have ended and were waited for. */
  endedChildrenTicks: number;
}

/** Parses `/proc/<pid>/stat`. The program name is in parentheses and may contain spaces and parentheses. */
export function parseStat(text: string): ProcessStat {
  const afterName = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // proc(5) counts fields from 1. The third, the state, is the first after the name.
  const field = (number: number) => Number(afterName[number - 3]);
  return {
    pid: Number.parseInt(text, 10),
    parentPid: field(4),
    cpuTicks: field(14) + field(15),
    endedChildrenTicks: field(16) + field(17),
  };
}

/**
 * Parses `/proc/<pid>/task/<tid>/schedstat`: time of one thread on a core, microseconds. The kernel keeps
 * nanoseconds. A clock tick is 10 ms, the work of dozens of requests.
 */
export function parseSchedstatMicros(text: string): number {
  const nanoseconds = /^\d+/.exec(text)?.[0];
  return nanoseconds === undefined ? 0 : Number(nanoseconds) / 1_000;
}

/** Value of one `kB` line of `/proc/<pid>/status`, in bytes. 0 when missing. */
export function parseStatusBytes(text: string, name: string): number {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
  return kilobytes === undefined ? 0 : Number.parseInt(kilobytes, 10) * 1024;
}

/** Parses `Cpus_allowed_list`: `0-2,5` → [0, 1, 2, 5]. */
export function parseCoreList(text: string): number[] {
  return text
    .trim()
    .split(",")
    .filter((range) => range !== "")
    .flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

/** Cores that this process may use. */
export function allowedCores(): number[] {
  const status = readFileSync("/proc/self/status", "utf8");
  return parseCoreList(/^Cpus_allowed_list:\s+(.+)$/m.exec(status)?.[1] ?? "");
}

/** Processes below `pid` at any depth, without `pid` itself. */
export function listDescendants(pid: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : null;
    if (!stat) continue;
    childrenOf.set(stat.parentPid, [...(childrenOf.get(stat.parentPid) ?? []), stat.pid]);
  }
  const found: number[] = [];
  const waiting = [pid];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    const children = childrenOf.get(parent) ?? [];
    found.push(...children);
    waiting.push(...children);
  }
  return found;
}

/** Path of the program that a process runs. Empty after its end. */
export function executableOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return "";
  }
}

/** CPU time of these processes since their start, microseconds. */
export function cpuMicrosOf(pids: readonly number[]): number {
  return sum(pids, (pid) => processMicros(pid, readStat(pid)));
}

/** CPU time of `root` and all processes below, including ended ones, microseconds. */
export function treeCpuMicros(root: number): number {
  return sum([root, ...listDescendants(root)], (pid) => {
    const stat = readStat(pid);
    return processMicros(pid, stat) + (stat?.endedChildrenTicks ?? 0) * MICROS_PER_TICK;
  });
}

/** Resident memory of these processes now, bytes. Shared pages count for each. */
export function residentBytesOf(pids: readonly number[]): number {
  return sum(pids, (pid) => parseStatusBytes(readProcess(pid, "status"), "VmRSS"));
}

/** Highest resident memory of one process since its start, bytes. */
export function peakResidentBytes(pid: number): number {
  return parseStatusBytes(readProcess(pid, "status"), "VmHWM");
}

/** Highest number of open files of a process started here. */
export function openFilesLimit(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(
    readFileSync("/proc/self/limits", "utf8"),
  )?.[1];
  return hard === undefined || hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}

const MICROS_PER_TICK = 1_000_000 / clockTicksPerSecond();

function clockTicksPerSecond(): number {
  const ticks = Number(spawnSync("getconf", ["CLK_TCK"], { encoding: "utf8" }).stdout);
  return ticks > 0 ? ticks : 100; // 100 on every common Linux
}

/** Ticks are rounded down, and ended threads are not among the tasks. So the larger value is the closer one. */
function processMicros(pid: number, stat: ProcessStat | null): number {
  return stat === null ? 0 : Math.max(stat.cpuTicks * MICROS_PER_TICK, threadsMicros(pid));
}

/** Returns 0 under a kernel without `schedstat`. */
function threadsMicros(pid: number): number {
  return sum(listThreads(pid), (tid) =>
    parseSchedstatMicros(readProcess(pid, `task/${tid}/schedstat`)),
  );
}

function listThreads(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

function readStat(pid: number): ProcessStat | null {
  const text = readProcess(pid, "stat");
  return text === "" ? null : parseStat(text);
}

function readProcess(pid: number, file: "stat" | "status" | `task/${number}/schedstat`): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

function sum(pids: readonly number[], measure: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + measure(pid), 0);
}
