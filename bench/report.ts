import type { LoadReport } from "./load.ts";
import type { Measured } from "./measure.ts";
import { targetNames } from "./options.ts";
import type { Quantiles } from "./quantiles.ts";
import { type BenchResults, isLoadRun, type LoadRun } from "./results.ts";
import { loadScenarios } from "./scenarios.ts";
import type { Run } from "./turns.ts";

const FULLY_BUSY = 0.9;
/** Costs of the other targets are shown as multiples of this one's. */
const CHEAPEST = "nginx";
const BASELINE = "direct";

/** Formats the report as Markdown. */
export function toMarkdown(results: BenchResults): string {
  const { machine, versions, runs } = results;
  const versionTexts = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const loads = runs.filter(isLoadRun);
  const tables: [title: string, lines: string[]][] = [
    [
      "CPU µs a request or stream, least / median of the turns (least ÷ least of nginx)",
      costTable(loads),
    ],
    [
      "Latency in milliseconds, median of the turns. p99: least to highest turn",
      latencyTable(loads),
    ],
    ["Load and database", detailTable(loads)],
    ["Time until the target serves, milliseconds, least / median", startTable(runs)],
    ["Without requests, least / median", idleTable(runs)],
    ["Memory with slow streams, least of the turns", slowStreamsTable(runs)],
  ];
  const lines = [
    `${results.date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, ${gigabytes(machine.memoryBytes)} memory, ${machine.system}.`,
    `${versionTexts.join(", ")}.`,
    `${results.cores}`,
    ...(results.isQuick ? ["", "**A quick run: shows that everything works, not how fast.**"] : []),
    ...tables
      .filter(([, rows]) => rows.length > 0)
      .flatMap(([title, rows]) => ["", `${title}:`, "", ...rows]),
    ...results.notes.map((note) => `\n${note}`),
    ...results.problems.map((problem) => `\n**Problem:** ${problem}`),
  ];
  return lines.join("\n");
}

/** Least and median of some values. NaN without values. */
export function summarize(values: readonly number[]): {
  least: number;
  median: number;
  highest: number;
} {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    least: at(0),
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    highest: at(sorted.length - 1),
  };
}

/** Scenarios of the runs with their titles, in the usual order. */
function listTitles(runs: readonly LoadRun[]): [name: string, title: string][] {
  const all: [string, string][] = [
    ...loadScenarios.map(({ name, title }): [string, string] => [name, title]),
    ["cold", "JSON 1.5 KB, 1,000/s directly after the start"],
  ];
  return all.filter(([name]) => runs.some(({ scenario }) => scenario === name));
}

function listTargets(runs: readonly Run[]): string[] {
  const known: readonly string[] = targetNames;
  const names = new Set(runs.map(({ target }) => target));
  return [...names].toSorted((a, b) => known.indexOf(a) - known.indexOf(b));
}

function costTable(runs: readonly LoadRun[]): string[] {
  const targets = listTargets(runs);
  const rows = listTitles(runs).map(([name, title]) => {
    const costs = new Map(
      targets.map((target) => [
        target,
        summarize(pick(runs, target, name, (run) => run.cpuMicros)),
      ]),
    );
    const cheapest = costs.get(CHEAPEST)?.least ?? Number.NaN;
    const cells = targets.map((target) => {
      const { least, median } = costs.get(target) ?? summarize([]);
      if (Number.isNaN(least)) return "";
      const ratio = least / cheapest;
      const isCompared = !Number.isNaN(ratio) && target !== CHEAPEST && target !== BASELINE;
      return `${whole(least)} / ${whole(median)}${isCompared ? ` (${ratio.toFixed(1)})` : ""}`;
    });
    return [title, ...cells];
  });
  return table(["requests", ...targets], rows);
}

function pick(
  runs: readonly LoadRun[],
  target: string,
  scenario: string,
  value: (measured: Measured) => number | null,
): number[] {
  return runs
    .filter((run) => run.target === target && run.scenario === scenario)
    .flatMap(({ measured }) => value(measured) ?? []);
}

function latencyTable(runs: readonly LoadRun[]): string[] {
  const targets = listTargets(runs);
  const atRate = listTitles(runs).filter(([name]) => !isFullLoad(name));
  const rows = atRate.flatMap(([name, title]) => {
    const direct = latencyOf(runs, BASELINE, name === "cold" ? "json-rate" : name);
    return targets.flatMap((target) => {
      const own = latencyOf(runs, target, name);
      if (!own) return [];
      const isBaseline = target === BASELINE;
      return [
        [
          title,
          target,
          pair(own.first),
          pair(own.last),
          isBaseline || !direct ? "" : (own.last.p99 - direct.last.p99).toFixed(2),
          `${own.p99.least.toFixed(1)} to ${own.p99.highest.toFixed(1)}`,
          pair(own.late),
        ],
      ];
    });
  });
  const headings = [
    "requests",
    "target",
    "first byte p50 / p99",
    "last byte",
    "added p99",
    "p99 of turns",
    "sent late",
  ];
  return table(headings, rows);
}

interface Latency {
  first: PairOfQuantiles;
  last: PairOfQuantiles;
  late: PairOfQuantiles;
  p99: { least: number; highest: number };
}

type PairOfQuantiles = Pick<Quantiles, "p50" | "p99">;

function latencyOf(runs: readonly LoadRun[], target: string, name: string): Latency | null {
  const loads = runs
    .filter((run) => run.target === target && run.scenario === name)
    .map(({ measured }) => measured.load);
  if (loads.length === 0) return null;
  const medians = (of: (load: LoadReport) => Quantiles) => ({
    p50: summarize(loads.map((load) => of(load).p50)).median,
    p99: summarize(loads.map((load) => of(load).p99)).median,
  });
  return {
    first: medians((load) => load.firstByteMs),
    last: medians((load) => load.lastByteMs),
    late: medians((load) => load.latenessMs),
    p99: summarize(loads.map((load) => load.lastByteMs.p99)),
  };
}

function detailTable(runs: readonly LoadRun[]): string[] {
  const targets = listTargets(runs);
  const rows = listTitles(runs).flatMap(([name, title]) =>
    targets.flatMap((target) => {
      const median = (value: (measured: Measured) => number | null) =>
        summarize(pick(runs, target, name, value)).median;
      const cpuMicros = median((run) => run.cpuMicros);
      if (Number.isNaN(cpuMicros)) return [];
      const busyShare = median((run) => run.busyShare);
      const perSecond = median((run) => run.load.answersPerSecond);
      const rate = isFullLoad(name)
        ? fullLoadRate(target, { busyShare, perSecond, cpuMicros })
        : whole(perSecond);
      return [
        [
          title,
          target,
          rate,
          `${whole(busyShare * 100)} %`,
          wholeOrEmpty(median((run) => run.databaseCpuMicros)),
          orEmpty(
            median((run) => run.databaseTransactions),
            (count) => count.toFixed(3),
          ),
        ],
      ];
    }),
  );
  return table(
    [
      "requests",
      "target",
      "per second",
      "core busy",
      "PostgreSQL CPU µs",
      "PostgreSQL transactions",
    ],
    rows,
  );
}

function isFullLoad(name: string): boolean {
  return loadScenarios.some((scenario) => scenario.name === name && scenario.load.kind === "full");
}

/** Rate at full load. A target that was not busy waited for the generator, so it could have served more. */
function fullLoadRate(
  target: string,
  { busyShare, perSecond, cpuMicros }: { busyShare: number; perSecond: number; cpuMicros: number },
): string {
  if (target === BASELINE) return `≥ ${whole(perSecond)}`;
  return busyShare < FULLY_BUSY
    ? `≥ ${whole(perSecond)} (CPU for ${whole(1_000_000 / cpuMicros)})`
    : whole(perSecond);
}

function startTable(runs: readonly Run[]): string[] {
  const starts = runs.filter((run) => run.kind === "start");
  const kinds = [...new Set(starts.flatMap(({ readyMs }) => Object.keys(readyMs)))];
  const rows = listTargets(starts).map((target) => [
    target,
    ...kinds.map((kind) =>
      leastAndMedian(
        starts.flatMap((run) => (run.target === target ? (run.readyMs[kind] ?? []) : [])),
        whole,
      ),
    ),
  ]);
  return table(["target", ...kinds], rows);
}

function idleTable(runs: readonly Run[]): string[] {
  const idle = runs.filter((run) => run.kind === "idle");
  const rows = listTargets(idle).map((target) => {
    const own = idle.filter((run) => run.target === target);
    return [
      target,
      leastAndMedian(
        own.map((run) => run.cpuMsPerSecond),
        (ms) => ms.toFixed(1),
      ),
      leastAndMedian(
        own.flatMap((run) => run.databaseCpuMsPerSecond ?? []),
        (ms) => ms.toFixed(1),
      ),
      leastAndMedian(
        own.map((run) => run.residentBytes),
        megabytes,
      ),
    ];
  });
  return table(["target", "CPU ms a second", "PostgreSQL CPU ms a second", "RSS"], rows);
}

function slowStreamsTable(runs: readonly Run[]): string[] {
  const all = runs.filter((run) => run.kind === "slow streams");
  const rows = listTargets(all).flatMap((target) => {
    const own = all.filter((run) => run.target === target);
    const [least] = own.toSorted((a, b) => a.peakBytes - b.peakBytes);
    if (!least) return [];
    const { streams, idleBytes, peakBytes } = least;
    const kilobytes = ((peakBytes - idleBytes) / 1_024 / streams).toFixed(1);
    return [[target, whole(streams), megabytes(idleBytes), megabytes(peakBytes), kilobytes]];
  });
  return table(["target", "slow streams at once", "idle RSS", "peak RSS", "KB/stream"], rows);
}

function leastAndMedian(values: readonly number[], format: (value: number) => string): string {
  const { least, median } = summarize(values);
  return values.length === 0 ? "" : `${format(least)} / ${format(median)}`;
}

function pair({ p50, p99 }: PairOfQuantiles): string {
  return `${p50.toFixed(2)} / ${p99.toFixed(2)}`;
}

/** No lines without rows. */
function table(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)];
}

function orEmpty(value: number, format: (value: number) => string): string {
  return Number.isNaN(value) ? "" : format(value);
}

function wholeOrEmpty(value: number): string {
  return orEmpty(value, whole);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function megabytes(bytes: number): string {
  return `${whole(bytes / 1_048_576)} MB`;
}

function gigabytes(bytes: number): string {
  return `${whole(bytes / 1_073_741_824)} GB`;
}
