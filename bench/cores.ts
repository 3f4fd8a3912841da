import { spawnSync } from "node:child_process";
import { setPriority } from "node:os";
import { allowedCores } from "./proc.ts";

/** Core of the target, and cores of the other processes. */
export interface CoreSplit {
  target: number;
  rest: readonly number[];
}

/**
 * Splits the cores. Null when nothing can be pinned: one core only, or no taskset. Numbers per core mean little then.
 */
export function splitCores(): CoreSplit | null {
  const [target, ...rest] = allowedCores();
  const hasTaskset = spawnSync("taskset", ["--version"]).status === 0;
  return target === undefined || rest.length === 0 || !hasTaskset ? null : { target, rest };
}

/** Cores of a target with a number of cores, and the others. Without others, the target's cores are shared. */
export function allotCores(
  { target, rest }: CoreSplit,
  count: number,
): { target: readonly number[]; rest: readonly number[] } {
  const all = [target, ...rest];
  return { target: all.slice(0, count), rest: count < all.length ? all.slice(count) : all };
}

/** Moves running processes with all threads to these cores. Later children stay there too. */
export function pinProcesses(pids: readonly number[], cores: readonly number[]): void {
  for (const pid of pids) {
    spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", cores.join(","), String(pid)]);
  }
}

/** Lets the first processes run before the others of their core, as far as this user may. Later threads follow. */
export function rankProcesses(first: readonly number[], last: readonly number[]): void {
  for (const pid of last) setPriority(pid, 19);
  try {
    for (const pid of first) setPriority(pid, -20);
  } catch {
    // Only root may raise a priority. The last ones are behind the others without it too.
  }
}
