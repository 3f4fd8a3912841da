import { setTimeout as sleep } from "node:timers/promises";
import type { ScriptProcess } from "./children.ts";
import type { LoadPlan, LoadReport } from "./load.ts";
import { monotonicMs } from "./monotonic.ts";
import { cpuMicrosOf, openFilesLimit, peakResidentBytes, residentBytesOf } from "./proc.ts";
import { messagesBody, type StreamPacing } from "./prompts.ts";
import type { Durations, Scenario } from "./scenarios.ts";
import type { Target } from "./targets/target.ts";

export interface Measured {
  load: LoadReport;
  /** CPU time of the target's processes per response, microseconds. */
  cpuMicros: number;
  /** CPU time of its PostgreSQL, which works in batches. */
  databaseCpuMicros: number | null;
  databaseTransactions: number | null;
  /** Share of one core that the target used: 1 is all of it. */
  busyShare: number;
}

export interface ScenarioResult {
  target: string;
  scenario: string;
  ratePerSecond: number;
  fixedRate: Measured;
  fullLoad: Measured;
}

export interface MemoryResult {
  target: string;
  /** Concurrent streams. */
  streams: number;
  idleBytes: number;
  /** Highest memory since the target started. */
  peakBytes: number;
  load: LoadReport;
}

export interface Bench {
  load: ScriptProcess;
  durations: Durations;
  /** Reports responses that the target should have recorded. */
  onAnswers(count: number): void;
}

const OTHER_FILES = 500; // files of the server besides sockets: PostgreSQL, journal, modules
const WARM_CONNECTIONS = 64; // more than any scenario has in flight at its fixed rate

/** Measures one kind of request against one target: warm-up, fixed rate, full load. */
export async function measureScenario(
  bench: Bench,
  target: Target,
  scenario: Scenario,
): Promise<ScenarioResult> {
  const { durations } = bench;
  const prompt = { bytes: scenario.promptBytes, stream: scenario.stream };
  const closedLoop = (durationMs: number): LoadPlan => ({
    ...planFor(target, prompt),
    mode: { kind: "closed", connections: scenario.connections, durationMs },
  });
  const openLoop: LoadPlan = {
    ...planFor(target, prompt),
    mode: {
      kind: "open",
      ratePerSecond: scenario.ratePerSecond,
      count: Math.ceil((scenario.ratePerSecond * durations.fixedRateMs) / 1_000),
      warmConnections: WARM_CONNECTIONS,
    },
  };
  await measure(bench, target, closedLoop(durations.warmUpMs));
  return {
    target: target.name,
    scenario: scenario.name,
    ratePerSecond: scenario.ratePerSecond,
    fixedRate: await measure(bench, target, openLoop),
    fullLoad: await measure(bench, target, closedLoop(durations.fullLoadMs)),
  };
}

/** Measures memory with many slow streams open at once. Only the first run of a target is meaningful. */
export async function measureMemory(bench: Bench, target: Target): Promise<MemoryResult> {
  const { count, openedPerSecond, pacing } = bench.durations.slowStreams;
  // Each stream needs two sockets of a proxy.
  const streams = Math.min(count, Math.floor((openFilesLimit() - OTHER_FILES) / 2));
  const idleBytes = residentBytesOf(target.pids);
  const { load } = await measure(bench, target, {
    ...planFor(target, { bytes: 2_048, stream: pacing }),
    mode: { kind: "open", ratePerSecond: openedPerSecond, count: streams, warmConnections: 0 },
  });
  const peakBytes = target.pids.reduce((total, pid) => total + peakResidentBytes(pid), 0);
  return { target: target.name, streams: load.mostInFlight, idleBytes, peakBytes, load };
}

/** Runs one load against a target, and measures it. Throws if the target answers nothing. */
export async function measure(bench: Bench, target: Target, plan: LoadPlan): Promise<Measured> {
  await sleep(bench.durations.settleMs);
  const before = await readCounters(target);
  const load = await bench.load.ask<LoadReport>(plan);
  const after = await readCounters(target);
  bench.onAnswers(load.answered);
  if (load.answered === 0) {
    throw new Error(`${target.name} answered nothing: ${JSON.stringify(load.errors)}`);
  }
  const perAnswer = (from: number, to: number) => (to - from) / load.answered;
  const cpuMicros = perAnswer(before.cpuMicros, after.cpuMicros);
  return {
    load,
    cpuMicros,
    databaseCpuMicros:
      before.database && after.database
        ? perAnswer(before.database.cpuMicros, after.database.cpuMicros)
        : null,
    databaseTransactions:
      before.database && after.database
        ? perAnswer(before.database.transactions, after.database.transactions)
        : null,
    busyShare: (cpuMicros * load.answered) / ((after.atMs - before.atMs) * 1_000),
  };
}

interface Counters {
  atMs: number;
  cpuMicros: number;
  database: { cpuMicros: number; transactions: number } | null;
}

async function readCounters({ pids, database }: Target): Promise<Counters> {
  return {
    database: database && {
      cpuMicros: database.cpuMicros(),
      transactions: await database.countTransactions(),
    },
    cpuMicros: cpuMicrosOf(pids),
    atMs: monotonicMs(),
  };
}

/** Load of JSON or stream requests with one prompt, with the target's key. */
export function planFor(
  target: Target,
  prompt: { bytes: number; stream: StreamPacing | null },
): Omit<LoadPlan, "mode"> {
  return {
    port: target.port,
    path: "/v1/messages",
    // Headers of the official SDKs, which a proxy must read.
    headers: {
      accept: "application/json",
      "content-type": "application/json",
      "user-agent": "Anthropic/JS 1.14.0",
      "anthropic-version": "2023-06-01",
      "x-stainless-lang": "js",
      "x-stainless-os": "Linux",
      "x-stainless-arch": "x64",
      "x-stainless-runtime": "node",
      "x-stainless-runtime-version": process.version,
      "x-stainless-retry-count": "0",
      "x-stainless-timeout": "600",
      ...target.headers,
    },
    body: messagesBody(prompt),
  };
}
