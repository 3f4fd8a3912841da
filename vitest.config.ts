import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Files that take half a minute or more, the longest first. They begin first, so that both workers are busy to the end: a
 * fresh checkout knows of no times, and would begin with the largest files.
 */
const LONGEST_FIRST = [
  "console/test/pages.test.ts",
  "server/test/hard-limit.test.ts",
  "server/test/journal-in-database.test.ts",
  "server/test/every-route.test.ts",
  "server/test/processes.test.ts",
  "server/test/alerts-burst.test.ts",
  "console/test/access-reviews.test.ts",
  "server/test/database-away.test.ts",
  "console/test/reports.test.ts",
  "console/test/changes.test.ts",
  "server/test/revocation.test.ts",
  "console/test/sign-in.test.ts",
  "server/test/strict-nodes.test.ts",
  "server/test/start.test.ts",
  "server/src/db/embedded-postgres.test.ts",
  "server/test/large-export.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files);
    return others.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONGEST_FIRST.findIndex((file) => moduleId.endsWith(`/${file}`));
  return place === -1 ? LONGEST_FIRST.length : place;
}

/** Unmodified clients have a configuration of their own, because they have to be installed first. */
const NOT_OURS = ["**/node_modules/**", "server/test/clients/**"];
/** Each in a process of its own. */
const ALONE = [
  "server/test/**/*.test.ts",
  "console/test/**/*.test.ts",
  // They measure the memory of their process.
  "server/src/usage/reports/export.test.ts",
  "server/src/audit/audit-log.test.ts",
];

/** Of every test, wherever it runs. */
const every = {
  pool: "forks",
  exclude: NOT_OURS,
  // Of what hangs, not of what is slow: a machine that has other work takes many times as long. What has to happen within
  // a time says so itself.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 30_000 } },
} as const;

export default defineConfig({
  test: {
    globalSetup: ["server/test/harness/global-setup.ts"],
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // The second one writes nothing without TEST_REPORT.
    reporters: ["default", "./scripts/test-report.mjs"],
    projects: [
      {
        test: {
          ...every,
          name: "product",
          include: ALONE,
        },
      },
      {
        test: {
          ...every,
          name: "units",
          include: [
            "contract/**/*.test.ts",
            "server/**/*.test.ts",
            "console/**/*.test.ts",
            "bench/**/*.test.ts",
            "scripts/**/*.test.mjs",
          ],
          // One process for many files: to load the server anew for each takes longer than most of them. So nothing that they
          // import may register hooks, or keep what the next file would trip over.
          isolate: false,
          exclude: [...NOT_OURS, ...ALONE],
        },
      },
    ],
  },
});
