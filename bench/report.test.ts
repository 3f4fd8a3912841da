import { expect, test } from "vitest";
import type { LoadReport } from "./load.ts";
import type { Measured } from "./measure.ts";
import { summarize, toMarkdown } from "./report.ts";
import type { BenchResults } from "./results.ts";
import type { Run } from "./turns.ts";

function makeLoad(answersPerSecond: number, p50: number, p99: number): LoadReport {
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

function makeRun(target: string, scenario: string, turn: number, measured: Partial<Measured>): Run {
  return {
    target,
    scenario,
    turn,
    kind: scenario === "cold" ? "cold" : "load",
    measured: {
      load: makeLoad(1_000, 0.2, 1),
      cpuMicros: 50,
      databaseCpuMicros: null,
      databaseTransactions: null,
      busyShare: 0.05,
      ...measured,
    },
  };
}

const none: BenchResults = {
  date: "2026-11-24T10:00:00.000Z",
  isQuick: false,
  machine: { cpu: "Test CPU", cores: 2, memoryBytes: 8 * 1_073_741_824, system: "Linux 6" },
  versions: { Node: "26.0.0", PostgreSQL: "18.4" },
  cores: "Pinned.",
  runs: [],
  notes: [],
  problems: [],
};

function report(...runs: Run[]): string {
  return toMarkdown({ ...none, runs });
}

test("shows least and median of the turns, and the ratio of the leasts to nginx", () => {
  const text = report(
    makeRun("bursar", "json-1.5k", 1, { cpuMicros: 300 }),
    makeRun("nginx", "json-1.5k", 1, { cpuMicros: 22 }),
    makeRun("nginx", "json-1.5k", 2, { cpuMicros: 20 }),
    makeRun("bursar", "json-1.5k", 2, { cpuMicros: 180 }),
    makeRun("bursar", "json-1.5k", 3, { cpuMicros: 190 }),
  );
  expect(text).toContain("| requests | nginx | bursar |");
  expect(text).toContain("| JSON 1.5 KB, full load | 20 / 21 | 180 / 190 (9.0) |");
});

test("shows costs without a ratio when nginx did not run", () => {
  const text = report(makeRun("bursar", "json-20k", 1, { cpuMicros: 180 }));
  expect(text).toContain("| JSON 20 KB, full load | 180 / 180 |");
});

test("leaves a cell empty when a target did not run a scenario", () => {
  const text = report(
    makeRun("nginx", "json-rate", 1, { cpuMicros: 60 }),
    makeRun("nginx", "json-20k", 1, { cpuMicros: 20 }),
    makeRun("bursar", "json-20k", 1, { cpuMicros: 50 }),
  );
  expect(text).toContain("| JSON 1.5 KB, 1,000/s | 60 / 60 |  |");
});

test("added latency is the difference to direct requests, by quantile", () => {
  const text = report(
    makeRun("direct", "json-rate", 1, { load: makeLoad(1_000, 0.2, 1) }),
    makeRun("bursar", "json-rate", 1, { load: makeLoad(1_000, 0.35, 1.5) }),
    makeRun("bursar", "json-rate", 2, { load: makeLoad(1_000, 0.35, 2.5) }),
    makeRun("bursar", "json-rate", 3, { load: makeLoad(1_000, 0.45, 9) }),
  );
  expect(text).toContain(
    "| JSON 1.5 KB, 1,000/s | bursar | 0.35 / 2.50 | 0.35 / 2.50 | 1.50 | 1.5 to 9.0 | 0.10 / 0.30 |",
  );
});

test("a rate that the target did not limit is a lower bound", () => {
  const full = (target: string, answers: number, busyShare: number) =>
    makeRun(target, "json-1.5k", 1, { load: makeLoad(answers, 1, 2), busyShare });
  const text = report(full("nginx", 10_000, 0.5), full("bursar", 9_000, 0.98));
  expect(text).toContain("| nginx | ≥ 10,000 (CPU for 20,000) | 50 % |");
  expect(text).toContain("| bursar | 9,000 | 98 % |");
});

test("shows each kind of start, and empty cells for a target with one kind", () => {
  const text = report(
    { target: "nginx", scenario: "start", turn: 1, kind: "start", readyMs: { first: 40 } },
    {
      target: "bursar",
      scenario: "start",
      turn: 1,
      kind: "start",
      readyMs: { first: 4_000, again: 2_000 },
    },
  );
  expect(text).toContain("| target | first | again |");
  expect(text).toContain("| nginx | 40 / 40 |  |");
  expect(text).toContain("| bursar | 4,000 / 4,000 | 2,000 / 2,000 |");
});

test("shows CPU and memory of an idle target", () => {
  const residentBytes = 200 * 1_048_576;
  const idle = { target: "bursar", scenario: "idle", kind: "idle", residentBytes } as const;
  const text = report(
    { ...idle, turn: 1, cpuMsPerSecond: 2.5, databaseCpuMsPerSecond: 1 },
    { ...idle, turn: 2, cpuMsPerSecond: 3.5, databaseCpuMsPerSecond: 2 },
  );
  expect(text).toContain("| bursar | 2.5 / 3.0 | 1.0 / 1.5 | 200 MB / 200 MB |");
});

test("explains what is left out", () => {
  const note = "litellm answers 90/s, so json-rate is left out.";
  expect(toMarkdown({ ...none, notes: [note] })).toContain(note);
});

test("names a quick run and a problem", () => {
  const text = toMarkdown({ ...none, isQuick: true, problems: ["2 answers, but 1 records"] });
  expect(text).toContain("A quick run");
  expect(text).toContain("**Problem:** 2 answers, but 1 records");
});

test("the median of an even number of values is the mean of the middle two", () => {
  expect(summarize([4, 1, 3, 2])).toEqual({ least: 1, median: 2.5, highest: 4 });
});
