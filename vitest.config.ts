import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { findTestFiles, type TestProjectName } from "./server/test/harness/find-test-files.ts";
import { chooseTemporaryFolder } from "./server/test/harness/temporary-folder.ts";

// Three projects: see server/test/README.md. The modules that a test file loads decide its project.

const files = findTestFiles();

/**
 * Tests of whole servers wait more than half of their time, and the others compute. The full check has other parts at
 * its start, and they fill the waits. A worker serves one project, so the projects are not mixed.
 */
const PROJECT_ORDER: readonly string[] = ["product", "database", "pure"];

/**
 * Files of half a minute or more, the longest first. All workers are then busy to the end. A fresh checkout has no
 * recorded times, and would start with the largest files.
 */
const LONGEST_FIRST = [
  "console/test/pages.test.ts",
  "console/test/changes.test.ts",
  "server/test/deploy/image.test.ts",
  "server/test/journal-in-database.test.ts",
  "console/test/limits-and-alerts.test.ts",
  "console/test/reports.test.ts",
  "server/test/strict-nodes.test.ts",
  "console/test/journey-and-playground.test.ts",
  "console/test/sign-in.test.ts",
  "console/test/people.test.ts",
  "console/test/keys.test.ts",
  "server/test/secret-rotation.test.ts",
  "server/test/message-batches-crash.test.ts",
  "server/test/processes.test.ts",
  "server/test/alerts-burst.test.ts",
  "server/test/database-away.test.ts",
  "server/test/hard-limit.test.ts",
  "server/test/start.test.ts",
  "server/src/db/embedded-postgres.test.ts",
  "server/test/backup.test.ts",
  "server/test/cut-requests.test.ts",
  "server/src/db/embedded-postgres/roles.test.ts",
  "server/test/failover.test.ts",
  "server/test/failover-lost-seconds.test.ts",
  "server/test/revocation.test.ts",
  "server/test/audit-log.test.ts",
  "server/test/failover-journal-in-database.test.ts",
  "server/test/access-reviews.test.ts",
  "server/test/crash.test.ts",
  "server/test/large-export.test.ts",
  "server/test/every-route.test.ts",
  "server/test/spend.sim.test.ts",
  "server/test/hostile-input.test.ts",
  "server/test/limits-of-ranks.test.ts",
  "server/test/ranks.test.ts",
  "server/src/backup/restore.test.ts",
  "server/src/recording/fold.test.ts",
];

const missing = LONGEST_FIRST.filter((file) => !Object.values(files).flat().includes(file));
if (missing.length > 0) throw new Error(`LONGEST_FIRST names no test file: ${missing.join(", ")}`);

class LongestFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(specifications);
    return others.toSorted((a, b) => projectOf(a) - projectOf(b) || placeOf(a) - placeOf(b));
  }
}

function projectOf({ project }: TestSpecification): number {
  return PROJECT_ORDER.indexOf(project.name);
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONGEST_FIRST.findIndex((file) => moduleId.endsWith(`/${file}`));
  return place === -1 ? LONGEST_FIRST.length : place;
}

/** Folder of Node's compile cache, for workers and for their servers. */
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/compiled");

/** Whether the database tests write their statements down: see server/test/statements/. */
const isRecording = Boolean(process.env["TEST_STATEMENTS"]);

process.env["TMPDIR"] = chooseTemporaryFolder();

function defineProject(name: TestProjectName, options: object) {
  return {
    test: {
      name,
      pool: "forks",
      include: files[name],
      env: { TEST_PROJECT: name },
      // Node runs the sources itself, as in production.
      experimental: { viteModuleRunner: false, nodeLoader: false },
      // Catches hangs only, because a busy machine takes many times as long. Tests with a deadline set their own.
      testTimeout: 120_000,
      hookTimeout: 120_000,
      expect: { poll: { timeout: 30_000 } },
      ...options,
    },
  } as const;
}

export default defineConfig({
  test: {
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // The second reporter writes only with TEST_REPORT.
    reporters: ["default", "./scripts/test-report.mjs"],
    projects: [
      defineProject("pure", { isolate: false }),
      defineProject("database", {
        isolate: false,
        globalSetup: ["server/test/harness/database-setup.ts"],
        setupFiles: [
          "server/test/harness/prepare-setup.ts",
          ...(isRecording ? ["server/test/statements/record-statements.ts"] : []),
        ],
      }),
      defineProject("product", {
        isolate: false,
        globalSetup: ["server/test/harness/product-setup.ts"],
      }),
    ],
  },
});
