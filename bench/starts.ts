import { setTimeout as sleep } from "node:timers/promises";
import type { LoadReport } from "./load.ts";
import { type Bench, type Measured, measure, planFor, waitUntilIdle } from "./measure.ts";
import { monotonicMs } from "./monotonic.ts";
import { cpuMicrosOf, openFilesLimit, peakResidentBytes, residentBytesOf } from "./proc.ts";
import { coldLoad, type StartScenario } from "./scenarios.ts";
import type { Target } from "./targets/target.ts";

/** Resource usage of a target without requests. */
export interface IdleResult {
  kind: "idle";
  cpuMsPerSecond: number;
  databaseCpuMsPerSecond: number | null;
  residentBytes: number;
}

export interface SlowStreamsResult {
  kind: "slow streams";
  /** Concurrent streams. */
  streams: number;
  idleBytes: number;
  /** Highest memory since the target started. */
  peakBytes: number;
  load: LoadReport;
}

export interface ColdResult {
  kind: "cold";
  measured: Measured;
}

export interface StartResult {
  kind: "start";
  /** Time until the target serves, milliseconds, by kind of start. */
  readyMs: Record<string, number>;
}

export type StartScenarioResult = IdleResult | SlowStreamsResult | ColdResult | StartResult;

const OTHER_FILES = 500; // files of the server besides sockets: PostgreSQL, journal, modules
const SLOW_PROMPT_BYTES = 1_536;
const IDLE_AFTER_START = 3; // pauses before a new target counts as idle

/** Measures a target that has just started and has served no other request. */
export async function measureStarted(
  bench: Bench,
  target: Target,
  kind: StartScenario["kind"],
): Promise<StartScenarioResult> {
  switch (kind) {
    case "start":
      return { kind, readyMs: { first: target.readyMs } };
    case "cold":
      return await measureCold(bench, target);
    case "idle":
      return await measureIdle(bench, target);
    case "slow streams":
      return await measureSlowStreams(bench, target);
  }
}

async function measureCold(bench: Bench, target: Target): Promise<ColdResult> {
  const { prompt, mode } = coldLoad(bench.durations);
  return {
    kind: "cold",
    measured: await measure(bench, target, { ...planFor(target, prompt), mode }),
  };
}

async function measureIdle({ durations }: Bench, target: Target): Promise<IdleResult> {
  await sleep(IDLE_AFTER_START * durations.settleMs);
  await waitUntilIdle(target, durations);
  const { pids, database } = target;
  const read = () => ({
    atMs: monotonicMs(),
    own: cpuMicrosOf(pids),
    database: database?.cpuMicros() ?? 0,
  });
  const before = read();
  await sleep(durations.idleMs);
  const after = read();
  const seconds = (after.atMs - before.atMs) / 1_000;
  return {
    kind: "idle",
    cpuMsPerSecond: (after.own - before.own) / 1_000 / seconds,
    databaseCpuMsPerSecond: database && (after.database - before.database) / 1_000 / seconds,
    residentBytes: residentBytesOf(pids),
  };
}

async function measureSlowStreams(bench: Bench, target: Target): Promise<SlowStreamsResult> {
  const { count, openedPerSecond, pacing } = bench.durations.slowStreams;
  // Each stream needs two sockets of a proxy.
  const streams = Math.min(count, Math.floor((openFilesLimit() - OTHER_FILES) / 2));
  await waitUntilIdle(target, bench.durations);
  const idleBytes = residentBytesOf(target.pids);
  const { load } = await measure(bench, target, {
    ...planFor(target, { bytes: SLOW_PROMPT_BYTES, stream: pacing }),
    mode: { kind: "open", ratePerSecond: openedPerSecond, count: streams, warmConnections: 0 },
  });
  const peakBytes = target.pids.reduce((total, pid) => total + peakResidentBytes(pid), 0);
  return { kind: "slow streams", streams: load.mostInFlight, idleBytes, peakBytes, load };
}
