import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { setup as setUpDatabase } from "./database-setup.ts";

const BUILD_SCRIPT = fileURLToPath(new URL("../../../scripts/build-console.mjs", import.meta.url));

/** The console's build, and PostgreSQL for what shares one database between processes. */
export function setup(project: TestProject): Promise<() => Promise<void>> {
  spawnSync(process.execPath, [BUILD_SCRIPT], { stdio: "inherit" });
  return setUpDatabase(project);
}
