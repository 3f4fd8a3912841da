// Runs the same load on this tree and on an older commit. Each turn starts both servers, and each round loads one after the
// other, so slow minutes of the machine reach both. Each workspace has a monthly limit. With --scopes, this tree also serves a
// key with five strict limits. Prints CPU per request, PostgreSQL's CPU and its transactions per request, and two ratios: of
// the minima, and the median of the rounds. Exits with 1 when the minimum of a JSON request is more than 1.15 times that of before.
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkOut } from "./checkouts.ts";
import { root, ScriptProcess } from "./children.ts";
import { pinProcesses, splitCores } from "./cores.ts";
import { createKeyInFiveScopes } from "./five-scopes.ts";
import { type Bench, type Measured, measureScenario } from "./measure.ts";
import { summarize } from "./report.ts";
import {
  defaultDurations,
  getLoadScenario,
  type LoadScenario,
  quickDurations,
} from "./scenarios.ts";
import { startBursar } from "./targets/bursar.ts";
import type { Target } from "./targets/target.ts";

const HIGHEST_RATIO = 1.15;
/** Many short rounds find a quiet moment for each side. */
const SHORT = { fixedRateMs: 2_000, fullLoadMs: 1_500, settleMs: 400, warmUpMs: 200 };
const SCENARIOS = ["json-rate", "json-1.5k", "json-20k", "stream-40-rate", "stream-40"];
const USAGE =
  "usage: node bench/compare.ts <commit> [--quick] [--turns 3] [--rounds 10] [--scopes] [--scenario json-1.5k]";

/** "five scopes" is the server of "now" with another key. */
type Side = "before" | "now" | "five scopes";

interface Round extends Measured {
  side: Side;
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
  const load = new ScriptProcess("./load.ts");
  const mock = new ScriptProcess("./mock-upstream.ts");
  const { port: upstreamPort } = await mock.answer<{ port: number }>();
  if (split) pinProcesses([load.pid, mock.pid], split.rest);
  const durations = run.isQuick ? quickDurations : { ...defaultDurations, ...SHORT };
  const bench = { load, durations, onAnswers: () => undefined };
  const rounds: Round[] = [];
  for (let turn = 0; turn < run.turns; turn++) {
    const folder = join(run.folder, `turn-${turn}`);
    const start = (name: string, source: string) =>
      startSide({ source, folder: join(folder, name), upstreamPort });
    const before = await start("before", run.older);
    try {
      const now = await start("now", root);
      try {
        const sides = await listSides({ before, now, folder, hasFiveScopes: run.hasFiveScopes });
        rounds.push(...(await runRounds(bench, sides, { ...run, turn })));
      } finally {
        await stopSide(now);
      }
    } finally {
      await stopSide(before);
    }
  }
  await Promise.all([load.stop(), mock.stop()]);
  return rounds;
}

/** Runs all scenarios on both servers of one turn. Every second round has the opposite order. */
async function runRounds(
  bench: Bench,
  sides: readonly LoadedSide[],
  { scenarios, rounds, turn }: Pick<Run, "scenarios" | "rounds"> & { turn: number },
): Promise<Round[]> {
  const measured: Round[] = [];
  for (const scenario of scenarios) {
    for (let index = 0; index < rounds; index++) {
      const round = turn * rounds + index + 1;
      console.error(`> round ${round}: ${scenario.name}`);
      for (const { side, target, apiKeys } of index % 2 === 0 ? sides : sides.toReversed()) {
        const load = { scenario, isFirst: index === 0, ...(apiKeys && { apiKeys }) };
        const result = await measureScenario(bench, target, load);
        measured.push({ side, round, scenario, ...result });
      }
    }
  }
  return measured;
}

async function startSide(options: {
  source: string;
  folder: string;
  upstreamPort: number;
}): Promise<Target> {
  mkdirSync(options.folder, { recursive: true });
  const target = await startBursar(options);
  const split = splitCores();
  if (split) {
    pinProcesses(target.pids, [split.target]);
    pinProcesses(target.database?.pids() ?? [], split.rest);
  }
  return target;
}

async function stopSide(target: Target): Promise<void> {
  await target.database?.close();
  await target.stop();
}

interface LoadedSide {
  side: Side;
  target: Target;
  apiKeys?: string[];
}

async function listSides(options: {
  before: Target;
  now: Target;
  folder: string;
  hasFiveScopes: boolean;
}): Promise<LoadedSide[]> {
  const sides: LoadedSide[] = [
    { side: "before", target: options.before },
    { side: "now", target: options.now },
  ];
  if (options.hasFiveScopes) {
    const key = await createKeyInFiveScopes(join(options.folder, "now", "data"));
    sides.push({ side: "five scopes", target: options.now, apiKeys: [key] });
  }
  return sides;
}

/** Prints the tables. Returns the ratios of the minima of the JSON scenarios. */
function report(rounds: readonly Round[]): number[] {
  console.log("\n| requests | round | side | CPU µs/request | PostgreSQL | transactions |");
  console.log("|---|---|---|---|---|---|");
  for (const { side, round, scenario, ...measured } of rounds) {
    const database = measured.databaseCpuMicros?.toFixed(0) ?? "";
    const transactions = measured.databaseTransactions?.toFixed(3) ?? "";
    console.log(
      `| ${scenario.title} | ${round} | ${side} | ${measured.cpuMicros.toFixed(1)} | ${database} | ${transactions} |`,
    );
  }
  console.log(
    "\n| requests | side | ratio of the minima | median of the rounds |\n|---|---|---|---|",
  );
  const ratios: number[] = [];
  for (const scenario of new Set(rounds.map((round) => round.scenario))) {
    for (const side of ["now", "five scopes"] as const) {
      const pick = (wanted: Side) =>
        rounds
          .filter((round) => round.scenario === scenario && round.side === wanted)
          .map(({ cpuMicros }) => cpuMicros);
      const [before, after] = [pick("before"), pick(side)];
      if (after.length === 0) continue;
      const ratio = Math.min(...after) / Math.min(...before);
      const ofRounds = summarize(
        after.map((micros, index) => micros / (before[index] ?? Number.NaN)),
      ).median;
      if (scenario.prompt.stream === null) ratios.push(ratio);
      console.log(`| ${scenario.title} | ${side} | ${ratio.toFixed(3)} | ${ofRounds.toFixed(3)} |`);
    }
  }
  return ratios;
}
