import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { chooseTemporaryFolder } from "../harness/temporary-folder.ts";

// Tests of unmodified clients. `npm test` does not run them, because the clients are not dependencies. `install.mjs`
// installs the clients into the folder in BURSAR_TEST_CLIENTS.

const root = new URL("../../../", import.meta.url).pathname;
process.env["TMPDIR"] = chooseTemporaryFolder();
process.env["NODE_COMPILE_CACHE"] ??= join(root, "node_modules/.cache/compiled");

export default defineConfig({
  test: {
    root,
    include: ["server/test/clients/*.test.ts"],
    globalSetup: ["server/test/clients/build-console.ts"],
    pool: "forks",
    isolate: false,
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 30_000 } },
    reporters: ["default", "./scripts/test-report.mjs"],
  },
});
