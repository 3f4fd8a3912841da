import { expect, test } from "vitest";
import type { LoadReport } from "./load.ts";
import type { Measured, ScenarioResult } from "./measure.ts";
import { type BenchResults, toMarkdown } from "./report.ts";

function load(answersPerSecond: number, p50: number, p99: number): LoadReport {
  const quantiles = { p50, p90: p99, p99, max: p99 };
  return {
    sent: 100,
    answered: 100,
    errors: {},
    seconds: 1,
    answersPerSecond,
    bodyBytes: 1_000,
    mostInFlight: 3,
    firstByteMs: quantiles,
    lastByteMs: quantiles,
    latenessMs: { ...quantiles, p50: 0.1, p99: 0.3 },
  };
}

function result(target: string, fixed: LoadReport, full: Partial<Measured>): ScenarioResult {
  const measured = {
    load: fixed,
    cpuMicros: 50,
    databaseCpuMicros: null,
    databaseTransactions: null,
    busyShare: 0.05,
  };
  return {
    target,
    scenario: "JSON",
    ratePerSecond: 1_000,
    fixedRate: measured,
    fullLoad: { ...measured, ...full },
  };
}

const results: BenchResults = {
  date: "2026-11-24T10:00:00.000Z",
  isQuick: false,
  machine: { cpu: "Test CPU", cores: 2, memoryBytes: 8 * 1_073_741_824, system: "Linux 6" },
  versions: { bursar: "0.1.0", node: "26.0.0", nginx: null, postgresql: "18.4" },
  cores: "Pinned.",
  scenarios: [
    result("direct", load(1_000, 0.2, 1), { load: load(30_000, 1, 2) }),
    result("waiting", load(1_000, 0.35, 1.5), { load: load(10_000, 1, 2), busyShare: 0.5 }),
    result("busy", load(1_000, 0.35, 1.5), { load: load(9_000, 1, 2), busyShare: 0.98 }),
  ],
  memory: [],
  problems: [],
};

test("added latency is the difference to direct requests, by quantile", () => {
  expect(toMarkdown(results)).toContain(
    "| JSON | busy | 0.35 / 1.50 | 0.15 / 0.50 | 0.35 / 1.50 | 0.15 / 0.50 | 0.10 / 0.30 |",
  );
});

test("a rate that the target did not limit is a lower bound", () => {
  const text = toMarkdown(results);
  expect(text).toContain("| JSON | direct | ≥ 30,000 | 5 % |");
  expect(text).toContain("| JSON | waiting | ≥ 10,000 (CPU for 20,000) | 50 % |");
  expect(text).toContain("| JSON | busy | 9,000 | 98 % |");
});

test("the report names a quick run and a problem", () => {
  const text = toMarkdown({ ...results, isQuick: true, problems: ["2 answers, but 1 records"] });
  expect(text).toContain("A quick run");
  expect(text).toContain("**Problem:** 2 answers, but 1 records");
});
