import { readFileSync } from "node:fs";

const UNKNOWN_LIMIT = 20_000;

/** Number of files and sockets that this process may open. Node raises the soft limit to the hard one at its start. */
export function readOpenFileLimit(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? UNKNOWN_LIMIT : Number(soft);
  } catch {
    return UNKNOWN_LIMIT; // no Linux
  }
}
