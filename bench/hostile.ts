// `node bench/hostile.ts [--turns 2] [--rate 100] [--seconds 10]`: measures one workspace beside a hostile one.
// - bodies: 32 stalled bodies of 32 MB.
// - connections: 10,000 idle connections.
// - waiting: 1,000 clients that wait for a used-up strict limit.
// - exports: 16 exports at once. unknown-keys: 600 of them a second. all: everything together.
// Each is measured in turn with a well-behaved neighbour, which sends the same load as the measured workspace. The upstream
// is the built-in simulator. Exits with 1 if a request of the measured workspace fails. The same happens if an attack raises
// the least p99 by more than 20 % and 5 ms.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { makeLocalApi } from "../server/src/cli/local-api.ts";
import {
  createKey,
  FAST_MODEL,
  holdBudget,
  makeBody,
  makeHeaders,
  PATH,
  TIGHT_LIMIT_USD,
  UNUSED_LIMIT_USD,
} from "./budget-holder.ts";
import { root, ScriptProcess } from "./children.ts";
import type { Attack, HostileReport } from "./hostile-clients.ts";
import type { LoadPlan, LoadReport } from "./load.ts";
import { type RunningServer, startServer } from "./targets/server.ts";

const READY_WITHIN_MS = 120_000;
const HIGHEST_RATIO = 1.2;
const HIGHEST_RISE_MS = 5;
const SETTLE_MS = 4_000;
const WARM_CONNECTIONS = 64;
const WAITING_CLIENTS = 1_000;

type Side = Attack | "neighbour" | "waiting" | "all";
const sides: readonly Side[] = [
  "neighbour",
  "bodies",
  "connections",
  "waiting",
  "exports",
  "unknown-keys",
  "all",
];
const scripted: readonly Attack[] = ["bodies", "connections", "exports", "unknown-keys"];

interface Turn {
  side: Side;
  load: LoadReport;
  responses: HostileReport;
}

interface Options {
  turns: number;
  rate: number;
  seconds: number;
}

interface Bench {
  options: Options;
  port: number;
  keys: { measured: string; neighbour: string; hostile: string; waiting: string; admin: string };
}

process.exit(await main());

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      turns: { type: "string", default: "2" },
      rate: { type: "string", default: "100" },
      seconds: { type: "string", default: "10" },
    },
  });
  const options = {
    turns: Number(values.turns),
    rate: Number(values.rate),
    seconds: Number(values.seconds),
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const folder = mkdtempSync(join(tmpdir(), "bursar-hostile-"));
  chmodSync(folder, 0o755); // under root, PostgreSQL runs as another user
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  const dataDir = join(folder, "data");
  const server = await startServer({
    source: root,
    dataDir,
    logFile: join(folder, "server.log"),
    env: {},
    readyWithinMs: READY_WITHIN_MS,
  });
  try {
    return report(await runTurns(await prepare(options, server, dataDir)));
  } finally {
    await server.stop();
  }
}

async function prepare(options: Options, { port }: RunningServer, dataDir: string): Promise<Bench> {
  const callApi = makeLocalApi(dataDir);
  const keys = {
    measured: await createKey(callApi, "Measured", UNUSED_LIMIT_USD),
    neighbour: await createKey(callApi, "Neighbour", UNUSED_LIMIT_USD),
    hostile: await createKey(callApi, "Hostile", UNUSED_LIMIT_USD),
    waiting: await createKey(callApi, "Waiting", TIGHT_LIMIT_USD),
    admin: ((await callApi("POST", "/v1/admin/admin_keys", { name: "Exports" })) as { key: string })
      .key,
  };
  await holdBudget(port, keys.waiting);
  return { options, port, keys };
}

async function runTurns(bench: Bench): Promise<Turn[]> {
  const { port, keys, options } = bench;
  const load = new ScriptProcess("./load.ts");
  const neighbour = new ScriptProcess("./load.ts");
  const hostile = new ScriptProcess("./hostile-clients.ts");
  const waiting = new ScriptProcess("./waiting-clients.ts");
  const plan = (key: string, seconds: number): LoadPlan => ({
    port,
    path: PATH,
    headers: makeHeaders(key),
    body: makeBody({ model: FAST_MODEL }),
    mode: {
      kind: "open",
      ratePerSecond: options.rate,
      count: options.rate * seconds,
      warmConnections: WARM_CONNECTIONS,
    },
  });
  await load.ask<LoadReport>(plan(keys.measured, 5)); // a warm-up, whose requests the exports have
  const turns: Turn[] = [];
  for (let turn = 1; turn <= options.turns; turn++) {
    for (const side of sides) {
      console.error(`> turn ${turn}: ${side}`);
      const attacks = side === "all" ? scripted : scripted.filter((attack) => attack === side);
      const waits = side === "waiting" || side === "all";
      if (attacks.length > 0) {
        hostile.tell({ port, attacks, apiKey: keys.hostile, adminKey: keys.admin });
      }
      if (waits) waiting.tell({ ...plan(keys.waiting, 1), clients: WAITING_CLIENTS });
      await sleep(SETTLE_MS);
      const others =
        side === "neighbour" ? neighbour.ask(plan(keys.neighbour, options.seconds)) : null;
      const measured = await load.ask<LoadReport>(plan(keys.measured, options.seconds));
      await others;
      const responses = attacks.length > 0 ? await hostile.ask<HostileReport>({ stop: true }) : {};
      const refused = waits ? await waiting.ask<HostileReport>({ stop: true }) : {};
      const { p99 } = measured.lastByteMs;
      console.error(`  p99 ${p99.toFixed(2)} ms, failed: ${measured.sent - measured.answered}`);
      turns.push({ side, load: measured, responses: { ...responses, ...refused } });
    }
  }
  await Promise.all([load, neighbour, hostile, waiting].map((script) => script.stop()));
  return turns;
}

/** Prints the table. Returns the exit code. */
function report(turns: readonly Turn[]): number {
  console.log("\n| beside | least p99 ms | median p99 ms | failed | hostile responses |");
  console.log("|---|---|---|---|---|");
  const leastOf = (side: Side) => Math.min(...p99sOf(turns, side));
  const usual = leastOf("neighbour");
  let isBroken = false;
  for (const side of sides) {
    const own = turns.filter((turn) => turn.side === side);
    const failed = own.reduce((sum, { load }) => sum + load.sent - load.answered, 0);
    const [least, p99s] = [leastOf(side), p99sOf(turns, side)];
    const median = p99s[Math.floor(p99s.length / 2)] ?? 0;
    const responses = Object.entries(own.at(-1)?.responses ?? {}).map(
      ([name, n]) => `${name}: ${n}`,
    );
    console.log(
      `| ${side} | ${least.toFixed(2)} | ${median.toFixed(2)} | ${failed} | ${responses.join(", ")} |`,
    );
    const isSlower = least > usual * HIGHEST_RATIO && least - usual > HIGHEST_RISE_MS;
    if (failed > 0 || isSlower) isBroken = true;
  }
  return isBroken ? 1 : 0;
}

function p99sOf(turns: readonly Turn[], side: Side): number[] {
  const own = turns.filter((turn) => turn.side === side);
  return own.map(({ load }) => load.lastByteMs.p99).sort((a, b) => a - b);
}
