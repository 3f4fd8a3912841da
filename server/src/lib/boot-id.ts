import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const DARWIN_TIMEOUT_MS = 2_000;

/** Names the time since the machine was switched on; null where the system does not say. */
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
