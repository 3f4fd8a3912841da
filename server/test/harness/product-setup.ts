import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { setup as setUpDatabase } from "./database-setup.ts";

const BUILD_SCRIPT = fileURLToPath(new URL("../../../scripts/build-console.mjs", import.meta.url));

/** Builds the console, and starts PostgreSQL for tests whose processes share a database. Throws where the build fails. */
export function setup(project: TestProject): Promise<() => Promise<void>> {
  const { status } = spawnSync(process.execPath, [BUILD_SCRIPT], { stdio: "inherit" });
  if (status !== 0) throw new Error("The console could not be built. The reason is above.");
  return setUpDatabase(project);
}
