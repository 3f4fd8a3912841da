import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const DARWIN_TIMEOUT_MS = 2_000;

/** Id of the current boot of the machine. Null: the system has none. */
export function readBootId(): string | null {
  try {
    if (process.platform === "linux") {
      return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim() || null;
    }
    if (process.platform !== "darwin") return null;
    const options = { encoding: "utf8", timeout: DARWIN_TIMEOUT_MS } as const;
    return execFileSync("sysctl", ["-n", "kern.bootsessionuuid"], options).trim() || null;
  } catch {
    return null;
  }
}
