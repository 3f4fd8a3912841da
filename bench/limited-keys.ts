// `node bench/limited-keys.ts [commit] [--keys 2000] [--turns 3]`: keys that each have a strict limit and call once in four
// seconds, in turns with keys without limits. With a commit also its keys with limits. Prints the first calls of all keys at
// once, then the calls that follow: latency, CPU and transactions. Each turn has its own server and database.
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkOut } from "./checkouts.ts";
import { root, ScriptProcess } from "./children.ts";
import { pinProcesses, splitCores } from "./cores.ts";
import type { LoadPlan } from "./load.ts";
import { createManyKeys } from "./many-keys.ts";
import { type Bench, type Measured, measure, planFor } from "./measure.ts";
import { defaultDurations } from "./scenarios.ts";
import { startBursar } from "./targets/bursar.ts";

const PAUSE_SECONDS = 4;
const STEADY_SECONDS = 32;
const PROMPT_BYTES = 2_048;
const FIRST_CONNECTIONS = 512;
/** All first calls are due within some milliseconds. */
const FIRST_RATE_PER_SECOND = 100_000;
const STEADY_CONNECTIONS = 64;

interface Side {
  name: string;
  source: string;
  hasLimits: boolean;
}

interface Turn {
  side: string;
  first: Measured;
  steady: Measured;
}

// Exits explicitly, because after a failure child processes still hold channels open.
process.exit(await main());

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      keys: { type: "string", default: "2000" },
      turns: { type: "string", default: "3" },
    },
    allowPositionals: true,
  });
  const [keys, turns, [commit]] = [Number(values.keys), Number(values.turns), positionals];
  if (!Number.isInteger(keys) || keys < 1 || !Number.isInteger(turns) || turns < 1) {
    console.error("usage: node bench/limited-keys.ts [commit] [--keys 2000] [--turns 3]");
    return 2;
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const folder = mkdtempSync(join(tmpdir(), "bursar-limited-keys-"));
  chmodSync(folder, 0o755); // under root, PostgreSQL runs as another user
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  const sides: Side[] = [
    { name: "no limits", source: root, hasLimits: false },
    { name: "limits", source: root, hasLimits: true },
  ];
  if (commit !== undefined) {
    const source = join(folder, "older");
    checkOut(commit, source);
    sides.push({ name: `limits, ${commit}`, source, hasLimits: true });
  }
  try {
    report(await runTurns(sides, { keys, turns, folder }));
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function runTurns(
  sides: readonly Side[],
  run: { keys: number; turns: number; folder: string },
): Promise<Turn[]> {
  const split = splitCores();
  const load = new ScriptProcess("./load.ts");
  const mock = new ScriptProcess("./mock-upstream.ts");
  const { port: upstreamPort } = await mock.answer<{ port: number }>();
  if (split) pinProcesses([load.pid, mock.pid], split.rest);
  const bench: Bench = { load, durations: defaultDurations, onAnswers: () => undefined };
  const turns: Turn[] = [];
  for (let turn = 1; turn <= run.turns; turn++) {
    for (const side of sides) {
      console.error(`> turn ${turn}: ${side.name}`);
      const folder = join(run.folder, String(turns.length));
      mkdirSync(folder);
      const target = await startBursar({ upstreamPort, folder, source: side.source });
      try {
        if (split) {
          pinProcesses(target.pids, [split.target]);
          pinProcesses(target.database?.pids() ?? [], split.rest);
        }
        const { keys } = run;
        const apiKeys = await createManyKeys(join(folder, "data"), {
          keys,
          hasLimits: side.hasLimits,
        });
        const plan = { ...planFor(target, { bytes: PROMPT_BYTES, stream: null }), apiKeys };
        const first = await measure(bench, target, { ...plan, mode: firstCalls(run.keys) });
        const steady = await measure(bench, target, { ...plan, mode: laterCalls(run.keys) });
        turns.push({ side: side.name, first, steady });
      } finally {
        await target.database?.close();
        await target.stop();
      }
    }
  }
  await Promise.all([load.stop(), mock.stop()]);
  return turns;
}

function firstCalls(count: number): LoadPlan["mode"] {
  const ratePerSecond = FIRST_RATE_PER_SECOND;
  return { kind: "open", ratePerSecond, count, warmConnections: FIRST_CONNECTIONS };
}

function laterCalls(keys: number): LoadPlan["mode"] {
  const ratePerSecond = keys / PAUSE_SECONDS;
  const count = Math.round(ratePerSecond * STEADY_SECONDS);
  return { kind: "open", ratePerSecond, count, warmConnections: STEADY_CONNECTIONS };
}

function report(turns: readonly Turn[]): void {
  console.log(
    "\n| keys | first calls/s | p50 ms | p99 ms | CPU µs/call | PostgreSQL | transactions |",
  );
  console.log("|---|---|---|---|---|---|---|");
  for (const side of new Set(turns.map((turn) => turn.side))) {
    const own = turns.filter((turn) => turn.side === side);
    const show = (pick: (turn: Turn) => number, digits: number) => {
      const sorted = own.map(pick).sort((a, b) => a - b);
      const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
      return `${(sorted[0] ?? 0).toFixed(digits)} / ${median.toFixed(digits)}`;
    };
    const columns = [
      show(({ first }) => first.load.answersPerSecond, 0),
      show(({ steady }) => steady.load.lastByteMs.p50, 2),
      show(({ steady }) => steady.load.lastByteMs.p99, 1),
      show(({ steady }) => steady.cpuMicros, 0),
      show(({ steady }) => steady.databaseCpuMicros ?? 0, 0),
      show(({ steady }) => steady.databaseTransactions ?? 0, 3),
    ];
    console.log(`| ${side} | ${columns.join(" | ")} |`);
  }
  const failed = turns.flatMap(({ first, steady }) => [first.load.errors, steady.load.errors]);
  console.log(`\nLeast and median of the turns. Failed calls: ${JSON.stringify(failed)}`);
}
