// `node bench/compare.ts <commit> [--quick] [--turns 3] [--scopes]`: runs the same load on this tree and on an older commit,
// in turns (A, B, A, B). Each workspace has a monthly limit. With --scopes, requests of this tree have five strict limits. Prints for each turn CPU per request, PostgreSQL's CPU and its
// transactions per request, and the ratio of the minima. Exits with 1 when JSON requests cost more than 1.15 times as
// much as before.
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkOut } from "./checkouts.ts";
import { root, ScriptProcess } from "./children.ts";
import { pinProcesses, splitCores } from "./cores.ts";
import { createKeyInFiveScopes } from "./five-scopes.ts";
import { type Measured, measureScenario } from "./measure.ts";
import { defaultDurations, getLoadScenario, quickDurations } from "./scenarios.ts";
import { startBursar } from "./targets/bursar.ts";

const HIGHEST_RATIO = 1.15;
const scenarios = ["json-rate", "json-1.5k", "json-20k", "stream-40-rate", "stream-40"].map(
  getLoadScenario,
);

type Side = "before" | "now";

interface Turn extends Measured {
  side: Side;
  /** Title of the scenario. */
  scenario: string;
}

// Exits explicitly, because after a failure child processes still hold channels open.
process.exit(await main());

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      scopes: { type: "boolean", default: false },
      turns: { type: "string", default: "3" },
    },
    allowPositionals: true,
  });
  const [commit, ...others] = positionals;
  const turnCount = Number(values.turns);
  if (commit === undefined || others.length > 0 || !Number.isInteger(turnCount) || turnCount < 1) {
    console.error("usage: node bench/compare.ts <commit> [--quick] [--turns 3] [--scopes]");
    return 2;
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const folder = mkdtempSync(join(tmpdir(), "bursar-compare-"));
  chmodSync(folder, 0o755); // under root, PostgreSQL runs as another user
  const older = join(folder, "older");
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  try {
    checkOut(commit, older);
    const turns = await runTurns({
      turns: turnCount,
      isQuick: values.quick,
      hasFiveScopes: values.scopes,
      older,
      folder,
    });
    const ratios = report(turns);
    return ratios.every((ratio) => ratio <= HIGHEST_RATIO) ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

interface Run {
  turns: number;
  isQuick: boolean;
  hasFiveScopes: boolean;
  /** Folder of the older commit. */
  older: string;
  folder: string;
}

async function runTurns(run: Run): Promise<Turn[]> {
  const split = splitCores();
  const load = new ScriptProcess("./load.ts");
  const mock = new ScriptProcess("./mock-upstream.ts");
  const { port: upstreamPort } = await mock.answer<{ port: number }>();
  if (split) pinProcesses([load.pid, mock.pid], split.rest);
  const durations = run.isQuick ? quickDurations : defaultDurations;
  const turns: Turn[] = [];
  for (let turn = 1; turn <= run.turns; turn++) {
    for (const side of ["before", "now"] as const) {
      console.error(`> turn ${turn}: ${side}`);
      const own = join(run.folder, `${side}-${turn}`);
      mkdirSync(own);
      const source = side === "before" ? run.older : root;
      const target = await startBursar({ upstreamPort, folder: own, source });
      try {
        if (split) {
          pinProcesses(target.pids, [split.target]);
          pinProcesses(target.database?.pids() ?? [], split.rest);
        }
        const bench = { load, durations, onAnswers: () => undefined };
        const keys = side === "now" && run.hasFiveScopes ? await makeKey(own) : {};
        for (const scenario of scenarios) {
          const measured = await measureScenario(bench, target, {
            scenario,
            isFirst: true,
            ...keys,
          });
          turns.push({ side, scenario: scenario.title, ...measured });
        }
      } finally {
        await target.database?.close();
        await target.stop();
      }
    }
  }
  await Promise.all([load.stop(), mock.stop()]);
  return turns;
}

async function makeKey(folder: string): Promise<{ apiKeys: string[] }> {
  return { apiKeys: [await createKeyInFiveScopes(join(folder, "data"))] };
}

/** Prints the tables. Returns the ratios of the JSON scenarios. */
function report(turns: readonly Turn[]): number[] {
  console.log("\n| requests | turn | CPU µs/request | PostgreSQL | transactions |");
  console.log("|---|---|---|---|---|");
  for (const { side, scenario, cpuMicros, databaseCpuMicros, databaseTransactions } of turns) {
    const database = databaseCpuMicros?.toFixed(0) ?? "";
    const transactions = databaseTransactions?.toFixed(3) ?? "";
    console.log(
      `| ${scenario} | ${side} | ${cpuMicros.toFixed(0)} | ${database} | ${transactions} |`,
    );
  }
  console.log("\n| requests | now / before |\n|---|---|");
  const ratios: number[] = [];
  for (const { title, prompt } of scenarios) {
    const own = turns.filter(({ scenario }) => scenario === title);
    const ratio = ratioOf(own, ({ cpuMicros }) => cpuMicros);
    if (prompt.stream === null) ratios.push(ratio);
    console.log(`| ${title} | ${ratio.toFixed(2)} |`);
  }
  return ratios;
}

/** Ratio of the minima of both sides. Other load on the machine only adds to a turn. */
function ratioOf(turns: readonly Turn[], pick: (turn: Turn) => number): number {
  const least = (side: Side) => Math.min(...turns.filter((turn) => turn.side === side).map(pick));
  return least("now") / least("before");
}
