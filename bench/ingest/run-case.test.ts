import { expect, test } from "vitest";
import { compare } from "./run-case.ts";

test("costs are differences between two marks, per settled request", () => {
  const first = {
    atMs: 1_000,
    settled: 500,
    settledNanoUsd: 0,
    walBytes: 10_000,
    databaseCpuMicros: 100_000,
    nodesCpuMicros: 50_000,
  };
  const last = {
    atMs: 3_000,
    settled: 2_500,
    settledNanoUsd: 0,
    walBytes: 2_010_000,
    databaseCpuMicros: 600_000,
    nodesCpuMicros: 1_050_000,
  };
  expect(compare(first, last)).toEqual({
    requests: 2_000,
    settledPerSecond: 1_000,
    databaseCpuMicros: 250,
    nodesCpuMicros: 500,
    databaseBusyShare: 0.25,
    nodesBusyShare: 0.5,
    walBytes: 1_000,
  });
});
