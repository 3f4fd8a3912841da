import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../../scripts/build-console.mjs", import.meta.url));

/** Builds the console, unless it is built from these sources. */
export function setup(): void {
  const { status } = spawnSync(process.execPath, [SCRIPT], { stdio: "inherit" });
  if (status !== 0) throw new Error("The console could not be built. The reason is above.");
}
