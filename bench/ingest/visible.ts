import { setTimeout as sleep } from "node:timers/promises";
import type { CoreSplit } from "../cores.ts";
import { monotonicMs } from "../monotonic.ts";
import { computeQuantiles, type Quantiles } from "../quantiles.ts";
import { getKey } from "./company.ts";
import { type BenchDatabase, openBenchDatabase } from "./database.ts";
import type { NodeReport } from "./messages.ts";
import { BenchNodes } from "./nodes.ts";
import type { IngestOptions } from "./options.ts";
import { formatTable, type Side, type Turn } from "./table.ts";

/** Reports and visibility while requests are recorded. */
export interface VisibleResult {
  keys: number;
  nodes: number;
  /** Requests in the database before. */
  history: number;
  endedPerSecond: number;
  /** Time from the end of a request until the report of its key shows it. */
  visibleMs: Quantiles;
  /** Probes that were never shown. They are not in `visibleMs`. */
  unseen: number;
  reports: ReportTimes[];
}

interface ReportTimes {
  name: string;
  timesMs: number[];
}

/** Requests that the report of each probe key showed at one time. */
export interface Sighting {
  atMs: number;
  counts: readonly number[];
}

const POLL_MS = 20;
const SEEN_WITHIN_MS = 10_000;
const SLOW_MS = 300;

export async function runVisible(run: {
  options: IngestOptions;
  source: string;
  folder: string;
  keys: number;
  nodes: number;
  split: CoreSplit | null;
}): Promise<VisibleResult> {
  const { options, source, folder, keys, split } = run;
  const database = await openBenchDatabase({ source, folder, nodes: run.nodes, split });
  try {
    // Earlier runs on a kept database left hours open, which a server closes within minutes.
    await database.closePastHours();
    const nodes = await BenchNodes.start({ source, database, nodes: run.nodes, split });
    const probeKeys = Array.from({ length: run.nodes }, (_, at) => getKey(at).apiKeyId);
    const before = await database.countByKey(probeKeys);
    nodes.feed({
      firstKey: run.nodes,
      keys: keys - run.nodes,
      backlog: options.backlog,
      ratePerSecond: options.ratePerSecond,
      requests: null,
      hours: 0,
      hasProbes: true,
    });
    // Only the nodes' own queues limit them, because the rate is fixed.
    nodes.allow(Number.MAX_SAFE_INTEGER);
    const startMs = monotonicMs();
    const watch = watchProbes(database, probeKeys, before);
    await sleep(options.warmUpSeconds * 1_000);
    const reports = await measureReports(database, options);
    const leftMs = (options.warmUpSeconds + options.seconds) * 1_000 - (monotonicMs() - startMs);
    await sleep(Math.max(0, leftMs));
    const ended = await nodes.pause();
    const endedPerSecond = countEnded(ended) / ((monotonicMs() - startMs) / 1_000);
    const probes = ended.map(({ probesEndedMs }) => probesEndedMs);
    const sightings = await watch.stop(probes.map(({ length }) => length));
    await nodes.leave();
    const { delaysMs, unseen } = measureDelays(probes, sightings);
    const visibleMs = computeQuantiles(Float64Array.from(delaysMs), delaysMs.length);
    const facts = { keys, nodes: run.nodes, history: options.history };
    return { ...facts, endedPerSecond, visibleMs, unseen, reports };
  } finally {
    await database.close();
  }
}

/** Polls the report of the probe keys until `stop`, which waits a bounded time for the last probes. */
function watchProbes(
  database: BenchDatabase,
  keys: readonly string[],
  before: ReadonlyMap<string, number>,
) {
  const sightings: Sighting[] = [];
  let isOver = (_counts: readonly number[]) => false;
  const watch = async () => {
    for (;;) {
      const counts = await database.countByKey(keys);
      const seen = keys.map((key) => (counts.get(key) ?? 0) - (before.get(key) ?? 0));
      sightings.push({ atMs: monotonicMs(), counts: seen });
      if (isOver(seen)) return;
      await sleep(POLL_MS);
    }
  };
  const watching = watch();
  // `stop` reports its failure.
  watching.catch(() => undefined);
  return {
    async stop(expected: readonly number[]): Promise<Sighting[]> {
      const giveUpAtMs = monotonicMs() + SEEN_WITHIN_MS;
      isOver = (seen) =>
        monotonicMs() > giveUpAtMs || expected.every((count, at) => (seen[at] ?? 0) >= count);
      await watching;
      return sightings;
    },
  };
}

/** Time from the end of each probe to the first sighting that counts it. Probes of a key become visible in order. */
export function measureDelays(
  probes: readonly (readonly number[])[],
  sightings: readonly Sighting[],
): { delaysMs: number[]; unseen: number } {
  const delaysMs: number[] = [];
  let unseen = 0;
  for (const [node, endedMs] of probes.entries()) {
    let at = 0;
    for (const [order, endMs] of endedMs.entries()) {
      while (at < sightings.length && (sightings[at]?.counts[node] ?? 0) <= order) at += 1;
      const seen = sightings[at];
      if (seen === undefined) unseen += 1;
      else delaysMs.push(seen.atMs - endMs);
    }
  }
  return { delaysMs, unseen };
}

async function measureReports(
  database: BenchDatabase,
  { runs, only }: IngestOptions,
): Promise<ReportTimes[]> {
  const measured: ReportTimes[] = [];
  for (const { name, run } of await database.listReports(only)) {
    const timesMs: number[] = [];
    for (let count = 0; count < runs; count++) {
      const startMs = monotonicMs();
      await run();
      timesMs.push(monotonicMs() - startMs);
    }
    measured.push({ name, timesMs });
  }
  return measured;
}

function countEnded(reports: readonly NodeReport[]): number {
  return reports.reduce((total, { ended }) => total + ended, 0);
}

/** Markdown tables: visibility with all reports together, and the reports that are slow on one side. */
export function formatVisible(turns: readonly Turn<VisibleResult>[]): string {
  const titles = [
    "side",
    "requests before",
    "keys",
    "nodes",
    "ended/s",
    "visible p50 ms",
    "p99",
    "most",
    "unseen",
    "reports",
    "p50 ms",
    "p95",
    "slowest report, p95",
  ];
  const rows = turns.map((turn) => {
    const { visibleMs, reports, history, keys, nodes, unseen, endedPerSecond } = turn;
    const all = quantilesOf(reports.flatMap(({ timesMs }) => timesMs));
    const slowest = reports.toSorted((a, b) => p95(b) - p95(a))[0];
    const cells = [
      turn.side,
      ...[history, keys, nodes, endedPerSecond, visibleMs.p50, visibleMs.p99, visibleMs.max]
        .map(Math.round)
        .map((number) => number.toLocaleString("en")),
      unseen,
      reports.length,
      all.p50.toFixed(0),
      all.p95.toFixed(0),
      slowest === undefined ? "" : `${p95(slowest).toFixed(0)} (${slowest.name})`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const tables = [formatTable(titles, rows)];
  const slow = listSlow(turns);
  if (slow.length > 0) {
    const header = [`report over ${SLOW_MS} ms`, "side", "p50 ms", "p95 ms"];
    tables.push(formatTable(header, slow));
  }
  return tables.join("\n\n");
}

function listSlow(turns: readonly Turn<VisibleResult>[]): string[] {
  const times = new Map<string, { name: string; side: Side; timesMs: number[] }>();
  for (const { side, reports } of turns) {
    for (const { name, timesMs } of reports) {
      const known = times.get(`${name}\n${side}`) ?? { name, side, timesMs: [] };
      known.timesMs.push(...timesMs);
      times.set(`${name}\n${side}`, known);
    }
  }
  return [...times.values()]
    .filter((each) => p95(each) > SLOW_MS)
    .map((each) => {
      const { p50, p95: slow } = quantilesOf(each.timesMs);
      return `| ${each.name} | ${each.side} | ${p50.toFixed(0)} | ${slow.toFixed(0)} |`;
    });
}

function p95({ timesMs }: { timesMs: readonly number[] }): number {
  return quantilesOf(timesMs).p95;
}

/** Nearest-rank quantiles. 0 without values. */
function quantilesOf(values: readonly number[]): { p50: number; p95: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95) };
}
