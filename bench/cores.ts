import { spawnSync } from "node:child_process";
import { allowedCores } from "./proc.ts";

/** Which core the target runs on, and which are left for the generator, the mock and PostgreSQL. */
export interface CoreSplit {
  target: number;
  rest: readonly number[];
}

/** Null where nothing can be pinned: one core only, or no taskset. Then numbers per core mean little. */
export function splitCores(): CoreSplit | null {
  const [target, ...rest] = allowedCores();
  const hasTaskset = spawnSync("taskset", ["--version"]).status === 0;
  return target === undefined || rest.length === 0 || !hasTaskset ? null : { target, rest };
}

/** Moves running processes, all threads of each, to these cores. Children made later stay there too. */
export function pinProcesses(pids: readonly number[], cores: readonly number[]): void {
  for (const pid of pids) {
    spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", cores.join(","), String(pid)]);
  }
}
