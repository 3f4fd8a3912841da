import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { root, ScriptProcess } from "./children.ts";
import { type CoreSplit, pinProcesses, splitCores } from "./cores.ts";
import { type Bench, measureMemory, measureScenario } from "./measure.ts";
import { type BenchResults, toMarkdown } from "./report.ts";
import { defaultDurations, quickDurations, scenarios } from "./scenarios.ts";
import { startBursar } from "./targets/bursar.ts";
import { directTarget } from "./targets/direct.ts";
import { findNginx, startNginx } from "./targets/nginx.ts";
import type { StartOptions, Target } from "./targets/target.ts";

const targetNames = ["direct", "nginx", "bursar"] as const;
type TargetName = (typeof targetNames)[number];

const RECORDED_WITHIN_MS = 5_000;
const RESULTS_FILE = join(root, "bench", "results", "latest.json");
const USAGE = `npm run bench -- [--quick] [--target direct|nginx|bursar]…`;

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

interface Options {
  isQuick: boolean;
  targets: readonly TargetName[];
}

function readOptions(): Options | null {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: "boolean", default: false },
        target: { type: "string", multiple: true, default: [...targetNames] },
      },
    });
    const unknown = values.target.find((name) => !targetNames.some((known) => known === name));
    if (unknown !== undefined) throw new Error(`Unknown target: ${unknown}.`);
    const targets = targetNames.filter((name) => values.target.includes(name));
    return { isQuick: values.quick, targets };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    return null;
  }
}

async function runAll({ isQuick, targets }: Options, folder: string): Promise<BenchResults> {
  const split = splitCores();
  const load = new ScriptProcess("./load.ts");
  const mock = new ScriptProcess("./mock-upstream.ts");
  const { port: upstreamPort } = await mock.answer<{ port: number }>();
  if (split) pinProcesses([load.pid, mock.pid], split.rest);
  const nginx = findNginx();
  const results: BenchResults = {
    date: new Date().toISOString(),
    isQuick,
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      system: `Linux ${release()}`,
    },
    versions: {
      bursar: bursarVersion(),
      node: process.version.slice(1),
      nginx: nginx?.version ?? null,
      postgresql: null,
    },
    cores: describeSplit(split),
    scenarios: [],
    memory: [],
    problems: [],
  };
  const start: Record<TargetName, (options: StartOptions) => Promise<Target> | Target | null> = {
    direct: () => directTarget({ port: upstreamPort, pid: mock.pid }),
    nginx: (options) => nginx && startNginx(nginx.program, options),
    bursar: startBursar,
  };
  const durations = isQuick ? quickDurations : defaultDurations;
  for (const name of targets) {
    const own = join(folder, name);
    mkdirSync(own);
    console.error(`> ${name}: starting`);
    const target = await start[name]({ upstreamPort, folder: own });
    if (!target) console.error(`> ${name}: not installed`);
    else await runTarget({ target, split, results, load, durations });
  }
  results.problems.push(...findDifferentBodies(results));
  await Promise.all([load.stop(), mock.stop()]);
  return results;
}

async function runTarget(run: {
  target: Target;
  split: CoreSplit | null;
  results: BenchResults;
  load: ScriptProcess;
  durations: Bench["durations"];
}): Promise<void> {
  const { target, split, results, load, durations } = run;
  const { database } = target;
  let answered = 0;
  const onAnswers = (count: number) => {
    answered += count;
  };
  const bench: Bench = { load, durations, onAnswers };
  try {
    if (split && target.name !== "direct") {
      pinProcesses(target.pids, [split.target]);
      pinProcesses(database?.pids() ?? [], split.rest);
    }
    if (database) results.versions.postgresql = database.version;
    console.error(`> ${target.name}: slow streams`);
    results.memory.push(await measureMemory(bench, target));
    for (const scenario of scenarios) {
      console.error(`> ${target.name}: ${scenario.name}`);
      results.scenarios.push(await measureScenario(bench, target, scenario));
    }
    results.problems.push(...(await findProblems(target, results, answered)));
  } finally {
    await database?.close();
    await target.stop();
  }
}

/** Lists failed requests, and responses without a record. */
async function findProblems(
  target: Target,
  results: BenchResults,
  answered: number,
): Promise<string[]> {
  const loads = [
    ...results.memory.filter((result) => result.target === target.name).map(({ load }) => load),
    ...results.scenarios
      .filter((result) => result.target === target.name)
      .flatMap(({ fixedRate, fullLoad }) => [fixedRate.load, fullLoad.load]),
  ];
  const failures = loads
    .filter(({ errors }) => Object.keys(errors).length > 0)
    .map(({ errors }) => `${target.name}: requests failed: ${JSON.stringify(errors)}`);
  if (!target.countRecorded) return failures;
  const giveUpAt = Date.now() + RECORDED_WITHIN_MS;
  let recorded = await target.countRecorded();
  while (recorded < answered && Date.now() < giveUpAt) {
    await sleep(100);
    recorded = await target.countRecorded();
  }
  console.error(`> ${target.name}: ${recorded} requests recorded, ${answered} answered`);
  if (recorded === answered) return failures;
  return [...failures, `${target.name}: ${answered} answers, but ${recorded} records`];
}

/** Lists scenarios whose bytes differ from direct ones. Such a proxy does different work. */
function findDifferentBodies({ scenarios: measured }: BenchResults): string[] {
  const bytesPerAnswer = (result: (typeof measured)[number]) =>
    result.fixedRate.load.bodyBytes / result.fixedRate.load.answered;
  return measured.flatMap((result) => {
    const direct = measured.find(
      ({ target, scenario }) => target === "direct" && scenario === result.scenario,
    );
    return !direct || bytesPerAnswer(direct) === bytesPerAnswer(result)
      ? []
      : [`${result.target}: bodies of "${result.scenario}" differ in length from direct ones`];
  });
}

function describeSplit(split: CoreSplit | null): string {
  if (!split) return "No process was pinned to a core, so full load is not that of one core.";
  const rest = split.rest.length === 1 ? "core" : "cores";
  return `The target ran on core ${split.target}. The load generator, the mock upstream and PostgreSQL ran on ${rest} ${split.rest.join(", ")}.`;
}

function bursarVersion(): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  const git = (args: readonly string[]) =>
    spawnSync("git", args, { cwd: root, encoding: "utf8" }).stdout?.trim() ?? "";
  const commit = git(["rev-parse", "--short", "HEAD"]);
  const isChanged = git(["status", "--porcelain"]) !== "";
  return commit === "" ? version : `${version} (${commit}${isChanged ? " with changes" : ""})`;
}
