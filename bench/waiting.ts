// `node bench/waiting.ts [--clients 1000] [--turns 5] [--rate 100] [--seconds 15]`: measures one workspace while the clients of
// another one wait for budget. A slow stream holds the whole strict limit of the other workspace. Its clients wait for
// BURSAR_HOLD_WAIT, are refused, and send again after `retry-after`. Turns without and with these clients alternate. The
// upstream is the built-in simulator. Exits with 1 if waiting clients raise the least p99 by more than 20 % and by more than
// 5 ms. Other load on the machine only adds to a turn, so the least of many turns is the best figure.
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
  SLOW_MODEL,
  TIGHT_LIMIT_USD,
  UNUSED_LIMIT_USD,
} from "./budget-holder.ts";
import { root, ScriptProcess } from "./children.ts";
import { pinProcesses, splitCores } from "./cores.ts";
import type { LoadPlan, LoadReport } from "./load.ts";
import { monotonicMs } from "./monotonic.ts";
import { cpuMicrosOf } from "./proc.ts";
import { probeDatabase } from "./targets/database.ts";
import { type RunningServer, startServer } from "./targets/server.ts";
import type { WaitingClients, WaitingReport } from "./waiting-clients.ts";

const READY_WITHIN_MS = 60_000;
const HIGHEST_RATIO = 1.2;
const HIGHEST_RISE_MS = 5;
const SETTLE_MS = 1_500;
const WAITING_WITHIN_MS = 30_000;
const WARM_CONNECTIONS = 64;

type Side = "without" | "with";

interface Turn {
  side: Side;
  load: LoadReport;
  /** CPU time of the server per second of the turn, milliseconds. */
  cpuMsPerSecond: number;
  waiting: WaitingReport;
}

interface Options {
  clients: number;
  turns: number;
  rate: number;
  seconds: number;
}

process.exit(await main());

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      clients: { type: "string", default: "1000" },
      turns: { type: "string", default: "5" },
      rate: { type: "string", default: "100" },
      seconds: { type: "string", default: "15" },
    },
  });
  const options: Options = {
    clients: Number(values.clients),
    turns: Number(values.turns),
    rate: Number(values.rate),
    seconds: Number(values.seconds),
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const folder = mkdtempSync(join(tmpdir(), "bursar-waiting-"));
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
    return report(options, await runTurns(options, server, dataDir));
  } finally {
    await server.stop();
  }
}

async function runTurns(options: Options, server: RunningServer, dataDir: string): Promise<Turn[]> {
  const callApi = makeLocalApi(dataDir);
  const load = new ScriptProcess("./load.ts");
  const clients = new ScriptProcess("./waiting-clients.ts");
  const split = splitCores();
  if (split) {
    const database = await probeDatabase({
      serverPid: server.pid,
      gatewayPids: [server.pid],
      databaseDir: join(dataDir, "postgres"),
    });
    pinProcesses([server.pid], [split.target]);
    pinProcesses([load.pid, clients.pid, ...database.pids()], split.rest);
    await database.close();
  }
  const target = { port: server.port, path: PATH };
  const measured = await createKey(callApi, "Measured", UNUSED_LIMIT_USD);
  const waiting = await createKey(callApi, "Waiting", TIGHT_LIMIT_USD);
  const plan: LoadPlan = {
    ...target,
    headers: makeHeaders(measured),
    body: makeBody({ model: FAST_MODEL }),
    mode: openLoop(options.rate, 2),
  };
  await load.ask<LoadReport>(plan); // a warm-up
  await holdBudget(server.port, waiting);
  const waiters: WaitingClients = {
    ...target,
    headers: makeHeaders(waiting),
    body: makeBody({ model: SLOW_MODEL }),
    clients: options.clients,
  };
  const turns: Turn[] = [];
  for (let turn = 1; turn <= options.turns; turn++) {
    for (const side of ["without", "with"] as const) {
      console.error(`> turn ${turn}: ${side} ${options.clients} waiting clients`);
      if (side === "with") {
        clients.tell(waiters);
        await waitForClients(server.port, options.clients);
      }
      await sleep(SETTLE_MS);
      const cpuBefore = cpuMicrosOf([server.pid]);
      const mode = openLoop(options.rate, options.seconds);
      const measuredLoad = await load.ask<LoadReport>({ ...plan, mode });
      const cpuMicros = cpuMicrosOf([server.pid]) - cpuBefore;
      const stopped = side === "with" ? await clients.ask<WaitingReport>({ stop: true }) : {};
      const cpuMsPerSecond = cpuMicros / 1_000 / measuredLoad.seconds;
      turns.push({ side, load: measuredLoad, cpuMsPerSecond, waiting: stopped });
    }
  }
  await Promise.all([load.stop(), clients.stop()]);
  return turns;
}

function openLoop(ratePerSecond: number, seconds: number): LoadPlan["mode"] {
  const count = ratePerSecond * seconds;
  return { kind: "open", ratePerSecond, count, warmConnections: WARM_CONNECTIONS };
}

async function waitForClients(port: number, clients: number): Promise<void> {
  for (const startMs = monotonicMs(); monotonicMs() - startMs < WAITING_WITHIN_MS; ) {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const waiting = Number(/^bursar_holds_waiting(?:\{[^}]*\})? (\d+)$/m.exec(text)?.[1] ?? 0);
    // Some clients pause between two attempts.
    if (waiting >= clients / 2) return;
    await sleep(100);
  }
  throw new Error("the clients do not wait");
}

/** Prints the tables. Returns the exit code. */
function report({ clients, rate, seconds }: Options, turns: readonly Turn[]): number {
  console.log(`\n${clients} waiting clients, ${rate} requests/s for ${seconds} s in each turn\n`);
  console.log(
    "| clients | p50 ms | p99 ms | max ms | CPU ms/s | failed | responses to the clients |",
  );
  console.log("|---|---|---|---|---|---|---|");
  for (const { side, load, cpuMsPerSecond, waiting } of turns) {
    const { p50, p99, max } = load.lastByteMs;
    const figures = [p50, p99, max].map((ms) => ms.toFixed(2)).join(" | ");
    const failed = load.sent - load.answered;
    const codes = Object.entries(waiting).map(([code, count]) => `${count} × ${code}`);
    console.log(
      `| ${side} | ${figures} | ${cpuMsPerSecond.toFixed(0)} | ${failed} | ${codes.join(", ")} |`,
    );
  }
  const p99sOf = (side: Side) =>
    turns.filter((turn) => turn.side === side).map(({ load }) => load.lastByteMs.p99);
  const [without, withClients] = [describeTurns(p99sOf("without")), describeTurns(p99sOf("with"))];
  console.log("\n| p99 | least ms | median ms |\n|---|---|---|");
  for (const [side, { least, median }] of [
    ["without", without],
    ["with", withClients],
  ] as const) {
    console.log(`| ${side} waiting clients | ${least.toFixed(2)} | ${median.toFixed(2)} |`);
  }
  const hasFailed = turns.some(({ load }) => load.answered < load.sent);
  const riseMs = withClients.least - without.least;
  const isSlower = withClients.least > without.least * HIGHEST_RATIO && riseMs > HIGHEST_RISE_MS;
  return hasFailed || isSlower ? 1 : 0;
}

function describeTurns(values: readonly number[]): { least: number; median: number } {
  const sorted = [...values].sort((a, b) => a - b);
  return { least: sorted[0] ?? 0, median: sorted[Math.floor(sorted.length / 2)] ?? 0 };
}
