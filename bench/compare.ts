// Runs the same load on this tree and on an older commit. All servers run at once on one core, so that each moment of the machine
// reaches all of them. A second server of the older commit shows the noise. Each workspace has a monthly limit. With --scopes,
// another server of this tree serves a key with five strict limits. Prints CPU per request, PostgreSQL's CPU and transactions, and
// ratios to the older commit. Exits with 1 when the median ratio of a JSON request is over 1.15.
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkOut } from "./checkouts.ts";
import { root, ScriptProcess } from "./children.ts";
import { pinProcesses, splitCores } from "./cores.ts";
import { createKeyInFiveScopes } from "./five-scopes.ts";
import type { LoadPlan } from "./load.ts";
import { type Measured, measure, planFor } from "./measure.ts";
import { summarize } from "./report.ts";
import {
  chooseMode,
  choosePrompt,
  chooseWarmUp,
  type Durations,
  defaultDurations,
  getLoadScenario,
  type LoadScenario,
  quickDurations,
} from "./scenarios.ts";
import { startBursar } from "./targets/bursar.ts";
import type { Target } from "./targets/target.ts";

const HIGHEST_RATIO = 1.15;
const SHORT = { fixedRateMs: 4_000, fullLoadMs: 3_000, settleMs: 400, warmUpMs: 200 };
const SCENARIOS = ["json-rate", "json-1.5k", "json-20k", "stream-40-rate", "stream-40"];
const USAGE =
  "usage: node bench/compare.ts <commit> [--quick] [--turns 3] [--rounds 10] [--scopes] [--scenario json-1.5k]";

/** "before again" is a second server of the older commit, and "five scopes" one of this tree with another key. */
type SideName = "before" | "now" | "before again" | "five scopes";

interface Round extends Measured {
  side: SideName;
  /** Number of the round over all turns, from 1. */
  round: number;
  scenario: LoadScenario;
}

// Exits explicitly, because after a failure child processes still hold channels open.
process.exit(await main());

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string", default: "10" },
      scenario: { type: "string", multiple: true, default: SCENARIOS },
      scopes: { type: "boolean", default: false },
      turns: { type: "string", default: "3" },
    },
    allowPositionals: true,
  });
  const [commit, ...others] = positionals;
  const [turnCount, roundCount] = [Number(values.turns), Number(values.rounds)];
  const isCount = (number: number) => Number.isInteger(number) && number >= 1;
  if (commit === undefined || others.length > 0 || !isCount(turnCount) || !isCount(roundCount)) {
    console.error(USAGE);
    return 2;
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const folder = mkdtempSync(join(tmpdir(), "bursar-compare-"));
  chmodSync(folder, 0o755); // under root, PostgreSQL runs as another user
  const older = join(folder, "older");
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  try {
    checkOut(commit, older);
    const rounds = await runTurns({
      scenarios: values.scenario.map(getLoadScenario),
      turns: turnCount,
      rounds: roundCount,
      isQuick: values.quick,
      hasFiveScopes: values.scopes,
      older,
      folder,
    });
    const ratios = report(rounds);
    return ratios.every((ratio) => ratio <= HIGHEST_RATIO) ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

interface Run {
  scenarios: readonly LoadScenario[];
  turns: number;
  /** In each turn. */
  rounds: number;
  isQuick: boolean;
  hasFiveScopes: boolean;
  /** Folder of the older commit. */
  older: string;
  folder: string;
}

async function runTurns(run: Run): Promise<Round[]> {
  const split = splitCores();
  const mock = new ScriptProcess("./mock-upstream.ts");
  const { port: upstreamPort } = await mock.answer<{ port: number }>();
  if (split) pinProcesses([mock.pid], split.rest);
  const names: SideName[] = ["before", "now", "before again"];
  if (run.hasFiveScopes) names.push("five scopes");
  const rounds: Round[] = [];
  for (let turn = 0; turn < run.turns; turn++) {
    const sides: Side[] = [];
    try {
      for (const name of turn % 2 === 0 ? names : names.toReversed()) {
        const folder = join(run.folder, `turn-${turn}`, name.replaceAll(" ", "-"));
        const source = name.startsWith("before") ? run.older : root;
        sides.push(await startSide({ name, source, folder, upstreamPort }));
      }
      rounds.push(...(await runRounds(sides, { ...run, turn })));
    } finally {
      for (const side of sides) await stopSide(side);
    }
  }
  await mock.stop();
  return rounds;
}

/** Runs all scenarios on the servers of one turn. */
async function runRounds(
  sides: readonly Side[],
  {
    scenarios,
    rounds,
    turn,
    isQuick,
  }: Pick<Run, "scenarios" | "rounds" | "isQuick"> & { turn: number },
): Promise<Round[]> {
  const durations = isQuick ? quickDurations : { ...defaultDurations, ...SHORT };
  const measured: Round[] = [];
  for (const scenario of scenarios) {
    for (let index = 0; index < rounds; index++) {
      const round = turn * rounds + index + 1;
      console.error(`> round ${round}: ${scenario.name}`);
      const warmUp = chooseWarmUp(scenario, { durations, isFirst: index === 0 });
      if (warmUp) await loadAtOnce(sides, { scenario, mode: warmUp, durations });
      const mode = chooseMode(scenario, durations);
      const results = await loadAtOnce(sides, { scenario, mode, durations });
      for (const { side, result } of results) measured.push({ side, round, scenario, ...result });
    }
  }
  return measured;
}

/** Loads all servers at the same time. Each gets its share of the requests. */
function loadAtOnce(
  sides: readonly Side[],
  load: { scenario: LoadScenario; mode: LoadPlan["mode"]; durations: Durations },
): Promise<{ side: SideName; result: Measured }[]> {
  const { scenario, durations } = load;
  const mode = divideLoad(load.mode, sides.length);
  const prompt = choosePrompt(scenario, durations);
  return Promise.all(
    sides.map(async ({ name, target, generator, apiKeys }) => {
      const bench = { load: generator, durations, onAnswers: () => undefined };
      const plan = { ...planFor(target, prompt), mode, ...(apiKeys && { apiKeys }) };
      return { side: name, result: await measure(bench, target, plan) };
    }),
  );
}

function divideLoad(mode: LoadPlan["mode"], parts: number): LoadPlan["mode"] {
  if (mode.kind === "closed") {
    return { ...mode, connections: Math.ceil(mode.connections / parts) };
  }
  const ratePerSecond = mode.ratePerSecond / parts;
  return { ...mode, ratePerSecond, count: Math.ceil(mode.count / parts) };
}

interface Side {
  name: SideName;
  target: Target;
  generator: ScriptProcess;
  apiKeys: string[] | null;
}

async function startSide(options: {
  name: SideName;
  source: string;
  folder: string;
  upstreamPort: number;
}): Promise<Side> {
  const { name, folder } = options;
  mkdirSync(folder, { recursive: true });
  const target = await startBursar(options);
  const generator = new ScriptProcess("./load.ts");
  const split = splitCores();
  if (split) {
    pinProcesses(target.pids, [split.target]);
    pinProcesses([generator.pid, ...(target.database?.pids() ?? [])], split.rest);
  }
  const apiKeys =
    name === "five scopes" ? [await createKeyInFiveScopes(join(folder, "data"))] : null;
  return { name, target, generator, apiKeys };
}

async function stopSide({ target, generator }: Side): Promise<void> {
  await generator.stop();
  await target.database?.close();
  await target.stop();
}

/** Prints the tables. Returns the median ratios of the JSON scenarios of this tree. */
function report(rounds: readonly Round[]): number[] {
  printRounds(rounds);
  console.log("\n| requests | side | least / median, µs | median ratio of the rounds |");
  console.log("|---|---|---|---|");
  const ratios: number[] = [];
  for (const scenario of new Set(rounds.map((round) => round.scenario))) {
    const pick = (wanted: SideName) =>
      rounds
        .filter((round) => round.scenario === scenario && round.side === wanted)
        .map(({ cpuMicros }) => cpuMicros);
    const before = pick("before");
    const again = pick("before again");
    const both = before.map((micros, index) => (micros + (again[index] ?? micros)) / 2);
    for (const side of new Set(rounds.map((round) => round.side))) {
      const costs = pick(side);
      const base = side === "before again" ? before : both;
      const ratio = summarize(costs.map((micros, index) => micros / (base[index] ?? Number.NaN)));
      if (side === "now" && scenario.prompt.stream === null) ratios.push(ratio.median);
      const { least, median } = summarize(costs);
      const last = side === "before" ? "" : ratio.median.toFixed(3);
      console.log(
        `| ${scenario.title} | ${side} | ${least.toFixed(1)} / ${median.toFixed(1)} | ${last} |`,
      );
    }
  }
  return ratios;
}

function printRounds(rounds: readonly Round[]): void {
  console.log("\n| requests | round | side | CPU µs/request | PostgreSQL | transactions |");
  console.log("|---|---|---|---|---|---|");
  for (const { side, round, scenario, ...measured } of rounds) {
    const database = measured.databaseCpuMicros?.toFixed(0) ?? "";
    const transactions = measured.databaseTransactions?.toFixed(3) ?? "";
    console.log(
      `| ${scenario.title} | ${round} | ${side} | ${measured.cpuMicros.toFixed(1)} | ${database} | ${transactions} |`,
    );
  }
}
