// `node bench/hostile.ts [--turns 2] [--rate 100] [--seconds 10] [--beside bodies,all] [--profile FOLDER]`: measures one
// workspace beside a hostile one, and beside a well-behaved one that sends the same load.
// - bodies: 32 stalled bodies of 32 MB. Well-behaved: whole ones.
// - connections: 10,000 idle connections. Well-behaved: each has sent one request.
// - waiting: 1,000 clients that wait for a used-up strict limit. Well-behaved: for responses that take as long.
// - exports: 16 downloads of a long request log at once. Well-behaved: two of them, and small pages.
// - unknown-keys: 600 of them a second. Well-behaved: a known key.
// - all: everything together.
// The server has a core of its own. The column "direct" has the p99 straight to the mock upstream at the same time: the
// delay of the generator and the upstream. Exits with 1 if a request of the measured workspace fails. The same happens
// if the least p99 beside a hostile tenant, less "direct", exceeds that beside the well-behaved one by 20 % and 5 ms.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { CompiledQuery } from "kysely";
import { makeLocalApi } from "../server/src/cli/local-api.ts";
import { openDatabase } from "../server/src/db/pool.ts";
import { fillRequestLog } from "../server/test/harness/fill-request-log.ts";
import {
  createKey,
  holdBudget,
  makeHeaders,
  PATH,
  TIGHT_LIMIT_USD,
  UNUSED_LIMIT_USD,
} from "./budget-holder.ts";
import { root, ScriptProcess } from "./children.ts";
import { pinProcesses, rankProcesses, splitCores } from "./cores.ts";
import type { Attack, Conduct, HostileReport, TenantClients } from "./hostile-clients.ts";
import type { LoadPlan, LoadReport } from "./load.ts";
import { cpuMicrosOf, listDescendants } from "./proc.ts";
import { BENCH_MODEL, messagesBody, type StreamPacing } from "./prompts.ts";
import { readConnectionString } from "./targets/database.ts";
import { type RunningServer, startServer } from "./targets/server.ts";

const READY_WITHIN_MS = 120_000;
const HIGHEST_RATIO = 1.2;
const HIGHEST_RISE_MS = 5;
const SETTLE_MS = 4_000;
const WARM_CONNECTIONS = 64;
const WAITING_CLIENTS = 1_000;
/** A stream as long as the wait for budget. */
const WAIT: StreamPacing = { deltas: 5, intervalMs: 1_000 };
/** A stream longer than the benchmark. */
const ENDLESS: StreamPacing = { deltas: 10_000, intervalMs: 1_000 };
const PROMPT_BYTES = 1_500;
/** Output that can cost more than half of the tight limit. */
const LONG_OUTPUT = 26_000;
const LOGGED_REQUESTS = 200_000;
/** Connections that close and requests that end after a turn, milliseconds. */
const PAUSE_MS = 2_000;

const scripted: readonly Attack[] = ["bodies", "connections", "exports", "unknown-keys"];
const attacks = ["bodies", "connections", "waiting", "exports", "unknown-keys", "all"] as const;
type Side = (typeof attacks)[number];
/** `ordinary`: beside a tenant with the load of the measured one. */
type Beside = Side | "ordinary";

interface Turn {
  beside: Beside;
  conduct: Conduct;
  load: LoadReport;
  direct: LoadReport;
  /** Part of its core that the server used. */
  busyShare: number;
  responses: HostileReport;
}

interface Options {
  turns: number;
  rate: number;
  seconds: number;
  beside: readonly Side[];
  profile: string | undefined;
}

interface Keys {
  measured: string;
  ordinary: string;
  hostile: string;
  wellBehaved: string;
  waiting: string;
  admin: string;
}

interface Bench {
  options: Options;
  server: RunningServer;
  keys: Keys;
  load: ScriptProcess;
  direct: ScriptProcess;
  ordinary: ScriptProcess;
  tenant: ScriptProcess;
  waiting: ScriptProcess;
  mock: ScriptProcess;
  mockPort: number;
}

process.exit(await main());

async function main(): Promise<number> {
  const options = readOptions();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const folder = mkdtempSync(join(tmpdir(), "bursar-hostile-"));
  chmodSync(folder, 0o755); // under root, PostgreSQL runs as another user
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  const dataDir = join(folder, "data");
  const { profile } = options;
  const mock = new ScriptProcess("./mock-upstream.ts");
  const { port: mockPort } = await mock.answer<{ port: number }>();
  const server = await startServer({
    source: root,
    dataDir,
    logFile: join(folder, "server.log"),
    env: {
      ANTHROPIC_API_KEY: "dummy",
      ANTHROPIC_UPSTREAM_URL: `http://127.0.0.1:${mockPort}`,
    },
    nodeOptions: profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`],
    readyWithinMs: READY_WITHIN_MS,
  });
  try {
    const bench = await prepare(options, { server, mock, mockPort }, dataDir);
    const turns = await runTurns(bench);
    const { load, direct, ordinary, tenant, waiting } = bench;
    const scripts = [load, direct, ordinary, tenant, waiting, mock];
    await Promise.all(scripts.map((script) => script.stop()));
    return report(options, turns);
  } finally {
    await server.stop();
  }
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      turns: { type: "string", default: "2" },
      rate: { type: "string", default: "100" },
      seconds: { type: "string", default: "10" },
      beside: { type: "string", default: attacks.join(",") },
      profile: { type: "string" },
    },
  });
  const wanted = values.beside.split(",");
  return {
    turns: Number(values.turns),
    rate: Number(values.rate),
    seconds: Number(values.seconds),
    beside: attacks.filter((attack) => wanted.includes(attack)),
    profile: values.profile,
  };
}

async function prepare(
  options: Options,
  target: Pick<Bench, "server" | "mock" | "mockPort">,
  dataDir: string,
): Promise<Bench> {
  const { server, mock } = target;
  const callApi = makeLocalApi(dataDir);
  const keys = {
    measured: await createKey(callApi, "Measured", UNUSED_LIMIT_USD),
    ordinary: await createKey(callApi, "Ordinary", UNUSED_LIMIT_USD),
    hostile: await createKey(callApi, "Hostile", UNUSED_LIMIT_USD),
    wellBehaved: await createKey(callApi, "Well-behaved", UNUSED_LIMIT_USD),
    waiting: await createKey(callApi, "Waiting", TIGHT_LIMIT_USD),
    admin: ((await callApi("POST", "/v1/admin/admin_keys", { name: "Exports" })) as { key: string })
      .key,
  };
  if (options.beside.some((side) => side === "exports" || side === "all")) await fillLog(dataDir);
  const stream = makeStream({ pacing: ENDLESS, maxTokens: LONG_OUTPUT });
  await holdBudget(server.port, keys.waiting, stream);
  const load = new ScriptProcess("./load.ts");
  const direct = new ScriptProcess("./load.ts");
  const ordinary = new ScriptProcess("./load.ts");
  const tenant = new ScriptProcess("./hostile-clients.ts");
  const waiting = new ScriptProcess("./waiting-clients.ts");
  const measuring = [load.pid, direct.pid, mock.pid];
  const others = [ordinary.pid, tenant.pid, waiting.pid];
  const split = splitCores();
  if (split) {
    pinProcesses([server.pid], [split.target]);
    pinProcesses([...measuring, ...others, ...listDescendants(server.pid)], split.rest);
  }
  rankProcesses(measuring, others);
  return { ...target, options, keys, load, direct, ordinary, tenant, waiting };
}

/** Adds requests of one key, so that an export takes longer than a turn. */
async function fillLog(dataDir: string): Promise<void> {
  const database = openDatabase({
    connectionString: readConnectionString(join(dataDir, "postgres")),
    maxConnections: 1,
    onIdleError: () => {},
  });
  const sql = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await database.executeQuery<Row>(CompiledQuery.raw(text, values))).rows;
  const [key] = await sql<{ workspaceId: string; apiKeyId: string }>(
    `SELECT workspace_id AS "workspaceId", id AS "apiKeyId" FROM api_key LIMIT 1`,
  );
  if (key === undefined) throw new Error("no key was created");
  await fillRequestLog({ sql }, key, LOGGED_REQUESTS);
  await database.destroy();
}

async function runTurns(bench: Bench): Promise<Turn[]> {
  const { load, keys, options } = bench;
  await load.ask<LoadReport>(makePlan(bench, { key: keys.measured, seconds: 5 })); // a warm-up
  const turns: Turn[] = [];
  for (let turn = 1; turn <= options.turns; turn++) {
    turns.push(await runTurn(bench, "ordinary", "well-behaved"));
    for (const beside of options.beside) {
      for (const conduct of ["well-behaved", "hostile"] as const) {
        turns.push(await runTurn(bench, beside, conduct));
      }
    }
  }
  return turns;
}

async function runTurn(bench: Bench, beside: Beside, conduct: Conduct): Promise<Turn> {
  const { options, server, keys, load, direct, ordinary, tenant, waiting, mockPort } = bench;
  const { seconds } = options;
  const isHostile = conduct === "hostile";
  const ownAttacks = beside === "all" ? scripted : scripted.filter((attack) => attack === beside);
  const waits = beside === "waiting" || beside === "all";
  if (ownAttacks.length > 0) {
    const clients: TenantClients = {
      port: server.port,
      attacks: ownAttacks,
      conduct,
      apiKey: isHostile ? keys.hostile : keys.wellBehaved,
      adminKey: keys.admin,
      model: BENCH_MODEL,
    };
    tenant.tell(clients);
  }
  if (waits) {
    const key = isHostile ? keys.waiting : keys.wellBehaved;
    const body = makeStream(
      isHostile ? { pacing: ENDLESS, maxTokens: LONG_OUTPUT } : { pacing: WAIT, maxTokens: 1_024 },
    );
    waiting.tell({ ...makePlan(bench, { key, seconds: 1 }), body, clients: WAITING_CLIENTS });
  }
  await sleep(SETTLE_MS);
  const cpuBefore = cpuMicrosOf([server.pid]);
  const measuredPlan = makePlan(bench, { key: keys.measured, seconds });
  const [measured, unaffected] = await Promise.all([
    load.ask<LoadReport>(measuredPlan),
    direct.ask<LoadReport>({ ...measuredPlan, port: mockPort }),
    beside === "ordinary" ? ordinary.ask(makePlan(bench, { key: keys.ordinary, seconds })) : null,
  ]);
  const cpuMicros = cpuMicrosOf([server.pid]) - cpuBefore;
  const busyShare = cpuMicros / 1e6 / measured.seconds;
  const responses =
    ownAttacks.length > 0 ? await tenant.ask<HostileReport>({ stop: true }) : undefined;
  const refused = waits ? await waiting.ask<HostileReport>({ stop: true }) : undefined;
  const { p50, p99 } = measured.lastByteMs;
  console.error(
    `> ${beside}, ${conduct}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, direct ` +
      `${unaffected.lastByteMs.p99.toFixed(2)} ms, core ${(busyShare * 100).toFixed(0)} %, failed: ${measured.sent - measured.answered}` +
      ` ${JSON.stringify(measured.errors)}`,
  );
  await sleep(PAUSE_MS);
  return {
    ...{ beside, conduct, load: measured, direct: unaffected, busyShare },
    responses: { ...responses, ...refused },
  };
}

function makePlan(
  { server, options }: Bench,
  { key, seconds }: { key: string; seconds: number },
): LoadPlan {
  const ratePerSecond = options.rate;
  return {
    port: server.port,
    path: PATH,
    headers: makeHeaders(key),
    body: messagesBody({ bytes: PROMPT_BYTES, stream: null }),
    mode: {
      ...{ kind: "open", ratePerSecond },
      count: ratePerSecond * seconds,
      warmConnections: WARM_CONNECTIONS,
    },
  };
}

function makeStream({ pacing, maxTokens }: { pacing: StreamPacing; maxTokens: number }): string {
  const body = JSON.parse(messagesBody({ bytes: PROMPT_BYTES, stream: pacing })) as object;
  return JSON.stringify({ ...body, max_tokens: maxTokens });
}

/** Prints the table. Returns the exit code. */
function report({ beside }: Options, turns: readonly Turn[]): number {
  console.log(
    "\n| beside | tenant | p99 ms, least | median | direct | core | failed | responses |",
  );
  console.log("|---|---|---|---|---|---|---|---|");
  let isBroken = false;
  for (const side of ["ordinary", ...beside] as const) {
    for (const conduct of ["well-behaved", "hostile"] as const) {
      const own = turns.filter((turn) => turn.beside === side && turn.conduct === conduct);
      const [best] = [...own].sort((a, b) => netP99(a) - netP99(b));
      if (best === undefined) continue;
      const failed = own.reduce((sum, { load }) => sum + load.sent - load.answered, 0);
      const p99s = own.map(({ load }) => load.lastByteMs.p99).sort((a, b) => a - b);
      const responses = Object.entries(own.at(-1)?.responses ?? {}).map(
        ([name, n]) => `${name}: ${n}`,
      );
      const figures = [
        best.load.lastByteMs.p99,
        p99s[Math.floor(p99s.length / 2)] ?? 0,
        best.direct.lastByteMs.p99,
      ].map((ms) => ms.toFixed(2));
      console.log(
        `| ${side} | ${conduct} | ${figures.join(" | ")} | ${(best.busyShare * 100).toFixed(0)} % | ${failed} | ` +
          `${responses.join(", ")} |`,
      );
      if (failed > 0) isBroken = true;
    }
    if (side !== "ordinary" && isSlower(turns, side)) isBroken = true;
  }
  return isBroken ? 1 : 0;
}

/** True if the hostile tenant delays the measured workspace more than the well-behaved one. */
function isSlower(turns: readonly Turn[], beside: Side): boolean {
  const least = (wanted: Conduct) =>
    Math.min(
      ...turns
        .filter((turn) => turn.beside === beside && turn.conduct === wanted)
        .map((turn) => netP99(turn)),
    );
  const [hostile, usual] = [least("hostile"), least("well-behaved")];
  return hostile > usual * HIGHEST_RATIO && hostile - usual > HIGHEST_RISE_MS;
}

/** p99 without the delay of the generator itself, milliseconds. */
function netP99({ load, direct }: Turn): number {
  return Math.max(0, load.lastByteMs.p99 - direct.lastByteMs.p99);
}
