import type { Measured, MemoryResult, ScenarioResult } from "./measure.ts";
import type { Quantiles } from "./quantiles.ts";

export interface BenchResults {
  date: string;
  /** True with `--quick`, whose numbers mean nothing. */
  isQuick: boolean;
  machine: { cpu: string; cores: number; memoryBytes: number; system: string };
  versions: { bursar: string; node: string; nginx: string | null; postgresql: string | null };
  /** Description of the core split. */
  cores: string;
  scenarios: ScenarioResult[];
  memory: MemoryResult[];
  /** Faults that make the numbers invalid. Empty for a valid run. */
  problems: string[];
}

const FULLY_BUSY = 0.9;

/** Formats the report as Markdown. */
export function toMarkdown(results: BenchResults): string {
  const { machine, versions } = results;
  const lines = [
    `${results.date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, ${gigabytes(machine.memoryBytes)} memory, ${machine.system}.`,
    `Bursar ${versions.bursar}, Node ${versions.node}, nginx ${versions.nginx ?? "not installed"}, PostgreSQL ${versions.postgresql ?? "not started"}.`,
    `${results.cores}`,
    ...(results.isQuick ? ["", "**A quick run: shows that everything works, not how fast.**"] : []),
    "",
    "CPU at a fixed rate:",
    "",
    ...costTable(results.scenarios),
    "",
    "Latency at that rate, p50 / p99 in milliseconds:",
    "",
    ...latencyTable(results.scenarios),
    "",
    "Full load on one core:",
    "",
    ...fullLoadTable(results.scenarios),
    "",
    "Memory with slow streams:",
    "",
    ...memoryTable(results.memory),
    ...results.problems.map((problem) => `\n**Problem:** ${problem}`),
  ];
  return lines.join("\n");
}

function costTable(scenarios: readonly ScenarioResult[]): string[] {
  return table(
    [
      "answer, prompt",
      "target",
      "requests/s",
      "CPU µs/request",
      "PostgreSQL CPU µs/request",
      "PostgreSQL transactions/request",
    ],
    scenarios.map(({ scenario, target, ratePerSecond, fixedRate }) => [
      scenario,
      target,
      whole(ratePerSecond),
      whole(fixedRate.cpuMicros),
      formatOrEmpty(fixedRate.databaseCpuMicros, whole),
      formatOrEmpty(fixedRate.databaseTransactions, (count) => count.toFixed(3)),
    ]),
  );
}

function fullLoadTable(scenarios: readonly ScenarioResult[]): string[] {
  return table(
    [
      "answer, prompt",
      "target",
      "requests/s",
      "core busy",
      "CPU µs/request",
      "PostgreSQL CPU µs/request",
    ],
    scenarios.map(({ scenario, target, fullLoad }) => [
      scenario,
      target,
      fullLoadRate(target, fullLoad),
      `${whole(fullLoad.busyShare * 100)} %`,
      whole(fullLoad.cpuMicros),
      formatOrEmpty(fullLoad.databaseCpuMicros, whole),
    ]),
  );
}

/** Rate at full load. A target that was not busy waited for the generator, so it could have served more. */
function fullLoadRate(target: string, { busyShare, load, cpuMicros }: Measured): string {
  const measured = whole(load.answersPerSecond);
  if (target === "direct") return `≥ ${measured}`;
  return busyShare < FULLY_BUSY
    ? `≥ ${measured} (CPU for ${whole(1_000_000 / cpuMicros)})`
    : measured;
}

function latencyTable(scenarios: readonly ScenarioResult[]): string[] {
  return table(
    ["answer, prompt", "target", "first byte", "added", "last byte", "added", "sent late"],
    scenarios.map((result) => {
      const own = result.fixedRate.load;
      const direct = scenarios.find(
        ({ target, scenario }) => target === "direct" && scenario === result.scenario,
      )?.fixedRate.load;
      return [
        result.scenario,
        result.target,
        pair(own.firstByteMs),
        added(own.firstByteMs, direct?.firstByteMs),
        pair(own.lastByteMs),
        added(own.lastByteMs, direct?.lastByteMs),
        pair(own.latenessMs),
      ];
    }),
  );
}

function memoryTable(memory: readonly MemoryResult[]): string[] {
  return table(
    ["target", "slow streams at once", "idle RSS", "peak RSS", "KB/stream"],
    memory.map(({ target, streams, idleBytes, peakBytes }) => [
      target,
      whole(streams),
      megabytes(idleBytes),
      megabytes(peakBytes),
      ((peakBytes - idleBytes) / 1_024 / streams).toFixed(1),
    ]),
  );
}

function pair({ p50, p99 }: Quantiles): string {
  return `${p50.toFixed(2)} / ${p99.toFixed(2)}`;
}

/** Difference of quantiles. See README: this is not the quantile of differences. */
function added(own: Quantiles, direct: Quantiles | undefined): string {
  if (!direct || own === direct) return "";
  return `${(own.p50 - direct.p50).toFixed(2)} / ${(own.p99 - direct.p99).toFixed(2)}`;
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)];
}

function formatOrEmpty(value: number | null, format: (value: number) => string): string {
  return value === null ? "" : format(value);
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
