import { spawnSync } from "node:child_process";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { setup as setUpDatabase } from "./database-setup.ts";
import { prepareDatabase } from "./prepared-database.ts";
import { prepareServerBundle } from "./server-bundle.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Temporary folder of the run, for data that test files share. */
    runFolder: string;
  }
}

const BUILD_SCRIPT = fileURLToPath(new URL("../../../scripts/build-console.mjs", import.meta.url));

/** Builds the console, the server and its database, and starts PostgreSQL for shared databases. Throws when a build fails. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { status } = spawnSync(process.execPath, [BUILD_SCRIPT], { stdio: "inherit" });
  if (status !== 0) throw new Error("The console could not be built. The reason is above.");
  await prepareServerBundle();
  // Otherwise the workers' first files create it at the same time: each takes 1.6 s of processor time.
  if (process.platform !== "win32") await prepareDatabase();
  const stopDatabase = await setUpDatabase(project);
  const runFolder = await realpath(await mkdtemp(join(tmpdir(), "bursar-test-shared-")));
  project.provide("runFolder", runFolder);
  return async () => {
    await rm(runFolder, { recursive: true, force: true });
    await stopDatabase();
  };
}
