import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { root, ScriptProcess } from "./children.ts";
import { allotCores, pinProcesses, splitCores } from "./cores.ts";
import { type BenchOptions, parseOptions, USAGE } from "./options.ts";
import { toMarkdown } from "./report.ts";
import { type BenchResults, findRunProblems, joinResults } from "./results.ts";
import { defaultDurations, quickDurations } from "./scenarios.ts";
import { makeLaunchers } from "./targets/launchers.ts";
import { runTurns, type TurnsSetup } from "./turns.ts";

const RESULTS_FILE = join(root, "bench", "results", "latest.json");

// Exits explicitly, because after a failure child processes still hold channels open.
process.exit(await main());

async function main(): Promise<number> {
  if (process.platform !== "linux") {
    console.error("The benchmark reads /proc, so it runs on Linux only.");
    return 2;
  }
  const options = readOptions();
  if (!options) return 2;
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const folder = mkdtempSync(join(tmpdir(), "bursar-bench-"));
  chmodSync(folder, 0o755); // under root, nginx and PostgreSQL run as other users
  // After an interrupt, a killed process may still write for a moment.
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  try {
    const results = await runAll(options, folder);
    mkdirSync(join(RESULTS_FILE, ".."), { recursive: true });
    writeFileSync(RESULTS_FILE, `${JSON.stringify(results, null, 2)}\n`);
    console.log(`\n${toMarkdown(results)}`);
    return results.problems.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

function readOptions(): BenchOptions | null {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    return null;
  }
}

async function runAll(options: BenchOptions, folder: string): Promise<BenchResults> {
  const split = splitCores();
  const cores = split && allotCores(split, options.cores);
  const load = new ScriptProcess("./load.ts");
  const mock = new ScriptProcess("./mock-upstream.ts");
  const { port: upstreamPort } = await mock.answer<{ port: number }>();
  if (cores) pinProcesses([load.pid, mock.pid], cores.rest);
  const launchers = makeLaunchers(options.targets, { port: upstreamPort, pid: mock.pid });
  const results = startResults(options, cores);
  for (const { name, version } of launchers) if (version) results.versions[name] = version;
  await runTurns({
    bench: { load, durations: options.isQuick ? quickDurations : defaultDurations },
    launchers,
    scenarios: options.scenarios,
    turns: options.turns,
    folder,
    startOptions: { upstreamPort, processes: options.processes },
    cores,
    onRun: (run) => results.runs.push(run),
    onProblem: (problem) => {
      console.error(`> problem: ${problem}`);
      results.problems.push(problem);
    },
    onNote: (note) => {
      if (!results.notes.includes(note)) results.notes.push(note);
    },
    onStarted: ({ database }) => {
      if (database) results.versions["PostgreSQL"] = database.version;
    },
  });
  results.problems.push(...findRunProblems(results.runs));
  await Promise.all([load.stop(), mock.stop()]);
  return options.addsToLast ? joinResults(readLastResults(), results) : results;
}

function startResults(options: BenchOptions, cores: TurnsSetup["cores"]): BenchResults {
  return {
    date: new Date().toISOString(),
    isQuick: options.isQuick,
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      system: `Linux ${release()}`,
    },
    versions: { Node: process.version.slice(1) },
    cores: describeCores(cores),
    runs: [],
    notes: [],
    problems: [],
  };
}

function readLastResults(): BenchResults {
  return JSON.parse(readFileSync(RESULTS_FILE, "utf8")) as BenchResults;
}

function describeCores(cores: TurnsSetup["cores"]): string {
  if (!cores) return "No process was pinned to a core, so full load is not that of one core.";
  const { target, rest } = cores;
  const name = (numbers: readonly number[]) =>
    `${numbers.length === 1 ? "core" : "cores"} ${numbers.join(", ")}`;
  return `Each target ran on ${name(target)}. The load generator, the mock upstream and PostgreSQL ran on ${name(rest)}.`;
}
