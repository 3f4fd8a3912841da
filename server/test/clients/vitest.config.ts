import { defineConfig } from "vitest/config";

// Tests of clients as their makers publish them. `npm test` does not run them: the clients are no dependencies, and
// `install.mjs` installs them into the folder that BURSAR_TEST_CLIENTS names.

const root = new URL("../../../", import.meta.url).pathname;

export default defineConfig({
  test: {
    root,
    include: ["server/test/clients/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ["default", "./scripts/test-report.mjs"],
  },
});
