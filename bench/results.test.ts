import { expect, test } from "vitest";
import { type BenchResults, findRunProblems, joinResults } from "./results.ts";
import type { Run } from "./turns.ts";

const quantiles = { p50: 1, p90: 1, p99: 1, max: 1 };

function makeRun(target: string, bodyBytes: number, errors: Record<string, number> = {}): Run {
  return {
    target,
    scenario: "json-1.5k",
    turn: 1,
    kind: "load",
    measured: {
      load: {
        sent: 10,
        answered: 10,
        errors,
        seconds: 1,
        answersPerSecond: 10,
        bodyBytes,
        mostInFlight: 1,
        firstByteMs: quantiles,
        lastByteMs: quantiles,
        latenessMs: quantiles,
      },
      cpuMicros: 1,
      databaseCpuMicros: null,
      databaseTransactions: null,
      busyShare: 1,
    },
  };
}

function makeResults(runs: Run[], versions: Record<string, string> = {}): BenchResults {
  return {
    date: "2026-11-24T10:00:00.000Z",
    isQuick: false,
    machine: { cpu: "Test CPU", cores: 2, memoryBytes: 1, system: "Linux 6" },
    versions,
    cores: "Pinned.",
    runs,
    notes: [],
    problems: [],
  };
}

test("reports failed requests", () => {
  expect(findRunProblems([makeRun("nginx", 100, { ECONNRESET: 2 })])).toEqual([
    'nginx: requests of "json-1.5k" failed: {"ECONNRESET":2}',
  ]);
});

test("reports a proxy that changes a body", () => {
  expect(findRunProblems([makeRun("nginx", 100), makeRun("bursar", 110)])).toEqual([
    'bursar: bodies of "json-1.5k" differ in length from those of nginx',
  ]);
  expect(findRunProblems([makeRun("nginx", 100), makeRun("bursar", 100)])).toEqual([]);
});

test("joined runs count their turns on", () => {
  const joined = joinResults(
    makeResults([makeRun("nginx", 1)]),
    makeResults([makeRun("nginx", 1)]),
  );
  expect(joined.runs.map(({ turn }) => turn)).toEqual([1, 2]);
});

test("joins the versions of different targets", () => {
  const joined = joinResults(makeResults([], { nginx: "1" }), makeResults([], { bursar: "2" }));
  expect(joined.versions).toEqual({ nginx: "1", bursar: "2" });
});

test("refuses to join runs of two versions, or of different cores", () => {
  const last = makeResults([], { bursar: "1" });
  expect(() => joinResults(last, makeResults([], { bursar: "2" }))).toThrow("bursar 1");
  expect(() => joinResults(last, { ...makeResults([]), cores: "Two." })).toThrow("differ in cores");
});
