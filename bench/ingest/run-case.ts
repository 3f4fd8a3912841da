import { setTimeout as sleep } from "node:timers/promises";
import type { CoreSplit } from "../cores.ts";
import { monotonicMs } from "../monotonic.ts";
import { computeQuantiles, type Quantiles } from "../quantiles.ts";
import { type BenchDatabase, copyFolder, openBenchDatabase, type Sample } from "./database.ts";
import type { NodeReport } from "./messages.ts";
import { BenchNodes } from "./nodes.ts";
import type { IngestOptions, Limits } from "./options.ts";

export interface IngestCase {
  keys: number;
  nodes: number;
  limits: Limits;
}

/** Waiting times of holds. */
export interface Grants {
  /** Holds that needed a grant, as a part of all. */
  waitedShare: number;
  waitMs: Quantiles;
}

/** One turn of one case. "Per request" is per settled request. */
export interface CaseResult extends IngestCase {
  requests: number;
  settledPerSecond: number;
  /** CPU time per request, microseconds. */
  databaseCpuMicros: number;
  nodesCpuMicros: number;
  /** Part of one core: 1 is all of it. */
  databaseBusyShare: number;
  nodesBusyShare: number;
  /** Write-ahead log per request. */
  walBytes: number;
  /** Growth of all tables and indexes per request, since the start. */
  storedBytes: number;
  storedByTable: Record<string, number>;
  grants: Grants | null;
  refused: Record<string, number>;
  problems: string[];
}

const POLL_MS = 100;
const STEP_POLL_MS = 20;
/** Bounds of waits for progress. */
const WARM_WITHIN_MS = 120_000;
const STEP_WITHIN_MS = 60_000;
const MEASURED_WITHIN_MS = 3_600_000;
const SETTLED_WITHIN_MS = 120_000;

interface Run {
  options: IngestOptions;
  database: BenchDatabase;
  nodes: BenchNodes;
}

/** Counters at the end of a transaction that settled requests. */
interface Mark extends Sample {
  databaseCpuMicros: number;
  nodesCpuMicros: number;
  /** Requests that are in the balances and in the report. */
  settled: number;
}

/** Runs one case on a copy of the prepared data folder. */
export async function runCase(
  one: IngestCase,
  run: {
    options: IngestOptions;
    source: string;
    /** Prepared data folder of the same checkout. */
    prepared: string;
    /** New data folder. The caller removes it. */
    folder: string;
    split: CoreSplit | null;
  },
): Promise<CaseResult> {
  const { options, source, folder, split } = run;
  copyFolder(run.prepared, folder);
  const database = await openBenchDatabase({ source, folder, nodes: one.nodes, split });
  try {
    await database.setLimits(one.limits, one.keys);
    if (options.hours > 0) await database.openPastHours(options.hours);
    const sizes = await database.measureSizes();
    const nodes = await BenchNodes.start({ source, database, nodes: one.nodes, split });
    const measured = await measure({ options, database, nodes }, one);
    await nodes.leave();
    if (options.hours > 0) await database.closePastHours();
    const { ended, ...result } = measured;
    const stored = [...(await database.measureSizes())]
      .map(([name, bytes]) => [name, (bytes - (sizes.get(name) ?? 0)) / ended] as const)
      .filter(([, bytes]) => bytes > 0)
      .sort(([, a], [, b]) => b - a);
    const problems = [...result.problems, ...(await database.listProblems())];
    const storedBytes = stored.reduce((sum, [, bytes]) => sum + bytes, 0);
    return { ...result, storedBytes, storedByTable: Object.fromEntries(stored), problems };
  } finally {
    await database.close();
  }
}

async function measure(run: Run, one: IngestCase) {
  const { options, nodes } = run;
  nodes.feed({
    firstKey: 0,
    keys: one.keys,
    backlog: options.backlog,
    ratePerSecond: options.ratePerSecond,
    requests: options.requests,
    hours: options.hours,
    hasProbes: false,
  });
  const warmedAtMs = monotonicMs() + options.warmUpSeconds * 1_000;
  // All rows of rollups and balances exist before the measurement, unless it is of all requests.
  const least = options.requests === null ? one.keys : 0;
  await waitFor(run, WARM_WITHIN_MS, (settled) => settled >= least && monotonicMs() >= warmedAtMs);
  nodes.reset();
  const first = await takeMark(run);
  const endsAtMs = first.atMs + options.seconds * 1_000;
  const total = options.requests;
  await waitFor(run, MEASURED_WITHIN_MS, (settled) =>
    total === null ? monotonicMs() >= endsAtMs : settled >= total - options.backlog,
  );
  const last = await takeMark(run);
  if (last.settled <= first.settled) throw new Error("no request was settled in the measured time");
  const during = await nodes.report();
  const reports = await nodes.pause();
  const ended = sum(reports, (report) => report.ended);
  const problems = await waitUntilSettled(run, ended);
  return { ...one, ...compare(first, last), ...summarizeHolds(during), ended, problems };
}

/** Differences between two marks, per settled request. */
export function compare(first: Mark, last: Mark) {
  const requests = last.settled - first.settled;
  const elapsedMs = last.atMs - first.atMs;
  const spent = (pick: (mark: Mark) => number) => pick(last) - pick(first);
  return {
    requests,
    settledPerSecond: (requests * 1_000) / elapsedMs,
    databaseCpuMicros: spent((mark) => mark.databaseCpuMicros) / requests,
    nodesCpuMicros: spent((mark) => mark.nodesCpuMicros) / requests,
    databaseBusyShare: spent((mark) => mark.databaseCpuMicros) / (elapsedMs * 1_000),
    nodesBusyShare: spent((mark) => mark.nodesCpuMicros) / (elapsedMs * 1_000),
    walBytes: spent((mark) => mark.walBytes) / requests,
  };
}

function summarizeHolds(reports: readonly NodeReport[]): Pick<CaseResult, "grants" | "refused"> {
  const refused: Record<string, number> = {};
  for (const report of reports) {
    for (const [reason, count] of Object.entries(report.refused)) {
      refused[reason] = (refused[reason] ?? 0) + count;
    }
  }
  const holds = sum(reports, (report) => report.holds);
  if (holds === 0) return { grants: null, refused };
  const waits = Float64Array.from(reports.flatMap(({ waitsMs }) => waitsMs));
  const waitMs = computeQuantiles(waits, waits.length);
  return { grants: { waitedShare: waits.length / holds, waitMs }, refused };
}

/**
 * Waits for the next transaction that settles requests, and reads all counters then. Requests settle in batches, so a
 * rate is exact only between two such moments.
 */
async function takeMark(run: Run): Promise<Mark> {
  const before = await run.database.sample();
  const total = run.options.requests ?? Number.POSITIVE_INFINITY;
  const sample = await waitFor(
    run,
    STEP_WITHIN_MS,
    (settled, now) => settled >= total || now.settledNanoUsd > before.settledNanoUsd,
    STEP_POLL_MS,
  );
  const databaseCpuMicros = run.database.cpuMicros();
  const nodesCpuMicros = run.nodes.cpuMicros();
  const reported = await run.database.countReported(run.options.hours);
  const settled = Math.min(countSettled(run, sample), reported);
  return { ...sample, databaseCpuMicros, nodesCpuMicros, settled };
}

/** Polls the settled requests and lets the nodes continue. Throws after `withinMs`. */
async function waitFor(
  run: Run,
  withinMs: number,
  isDone: (settled: number, sample: Sample) => boolean,
  pollMs = POLL_MS,
): Promise<Sample> {
  const giveUpAtMs = monotonicMs() + withinMs;
  for (;;) {
    const sample = await run.database.sample();
    const settled = countSettled(run, sample);
    if (isDone(settled, sample)) return sample;
    if (monotonicMs() > giveUpAtMs) throw new Error(`only ${settled} requests settled in time`);
    run.nodes.allow(settled + run.options.backlog);
    await sleep(pollMs);
  }
}

function countSettled({ nodes }: Run, sample: Sample): number {
  return Math.round(sample.settledNanoUsd / nodes.costNanoUsd);
}

/** Waits until balances and report have all ended requests. Returns a description of each difference. */
async function waitUntilSettled(run: Run, ended: number): Promise<string[]> {
  const giveUpAtMs = monotonicMs() + SETTLED_WITHIN_MS;
  for (;;) {
    const balance = countSettled(run, await run.database.sample());
    const reported = await run.database.countReported(run.options.hours);
    if (balance === ended && reported === ended) return [];
    if (monotonicMs() > giveUpAtMs || balance > ended || reported > ended) {
      return [`${ended} requests ended, ${balance} are in balances, ${reported} in the report`];
    }
    await sleep(POLL_MS);
  }
}

function sum<T>(all: readonly T[], pick: (one: T) => number): number {
  return all.reduce((total, one) => total + pick(one), 0);
}
