// `npm run bench:upgrade`: upgrades a database of version 0.1 under load. Nodes of both versions run together, and every
// request must get its response and be counted once.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { sql } from "kysely";
import { startEmbeddedPostgres } from "../server/src/db/embedded-postgres.ts";
import { type Database, openDatabase } from "../server/src/db/pool.ts";
import { acquireProcessLock } from "../server/src/lib/process-lock.ts";
import { startFakeUpstream } from "../server/test/harness/fake-upstream.ts";
import { checkOut } from "./checkouts.ts";
import { root } from "./children.ts";
import { openForHistory } from "./history.ts";
import { formatTable } from "./ingest/table.ts";
import { type RunningServer, startServer } from "./targets/server.ts";
import { listProblems, readTotals, type Totals, waitForClosing } from "./upgrade/checks.ts";
import { type Company, createCompany, setLimit } from "./upgrade/company.ts";
import { fillDatabase } from "./upgrade/fill.ts";
import { answer, UpgradeLoad } from "./upgrade/load.ts";

const OUTPUT = join(root, "bench", "results", "upgrade.json");
/** The commit that recorded the release is the released one. */
const RELEASE = "server/test/releases/0.1.0";
const READY_WITHIN_MS = 900_000; // the migration of large tables
const SECRET = "secret of the upgraded installation";
const MAX_CONNECTIONS = "200";
const SHOWN_PROBLEMS = 20;
/** About 80 requests under the low limit in each step. */
const LIMIT_STEP_USD = 0.02;
/** The database's error for a node of 0.1 (migration 0031). */
const REFUSAL = "A newer version of Bursar uses this database";
const REFUSED_WITHIN_MS = 5_000;

interface Options {
  events: number;
  clients: number;
  /** Time of the load before the first change, and after each one. */
  seconds: number;
  /** Value of BURSAR_JOURNAL. */
  journal: string;
}

interface Run {
  options: Options;
  folder: string;
  /** Checkout of 0.1. */
  older: string;
  databaseUrl: string;
  database: Database;
  upstreamPort: number;
  load: UpgradeLoad;
  steps: Step[];
  serving: Node[];
  /** Strict limit of the workspace with a low one, US dollars. */
  limitUsd: number;
}

interface Step {
  name: string;
  /** Duration of the step itself, milliseconds. */
  ms: number;
  /** Slowest request until the next step, milliseconds. */
  slowestMs: number;
}

interface Node extends RunningServer {
  name: string;
  logFile: string;
  dataDir: string;
}

// Exits explicitly, because after a failure child processes still hold channels open.
process.exit(await main());

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      events: { type: "string", default: "1000000" },
      clients: { type: "string", default: "16" },
      seconds: { type: "string", default: "10" },
      journal: { type: "string", default: "disk" },
    },
  });
  const [events, clients, seconds] = [values.events, values.clients, values.seconds].map(Number);
  if (!events || !clients || !seconds) {
    console.error(
      "usage: npm run bench:upgrade -- [--events N] [--clients N] [--seconds N] [--journal disk|postgres]",
    );
    return 2;
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const folder = mkdtempSync(join(tmpdir(), "bursar-upgrade-"));
  chmodSync(folder, 0o755); // under root, PostgreSQL runs as another user
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  try {
    const problems = await runUpgrade(
      { events, clients, seconds, journal: values.journal },
      folder,
    );
    for (const problem of problems.slice(0, SHOWN_PROBLEMS)) console.error(problem);
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.stack : error);
    return 1;
  }
}

async function runUpgrade(options: Options, folder: string): Promise<string[]> {
  await using parts = new AsyncDisposableStack();
  const older = join(folder, "older");
  checkOut(findRelease(), older);
  const lock = await acquireProcessLock(join(folder, "database"));
  parts.defer(() => lock.release());
  const postgres = await startEmbeddedPostgres({
    lock,
    settings: { max_connections: MAX_CONNECTIONS },
  });
  parts.defer(() => postgres.stop());
  const { connectionString: databaseUrl } = postgres;
  const database = openDatabase({
    connectionString: databaseUrl,
    maxConnections: 2,
    onIdleError: () => undefined,
    silenceMs: READY_WITHIN_MS,
  });
  parts.defer(() => database.destroy());
  const upstream = await startFakeUpstream();
  parts.defer(() => upstream.close());
  upstream.script = answer;
  const upstreamPort = Number(new URL(upstream.origin).port);
  const load = new UpgradeLoad();
  const run: Run = {
    ...{ options, folder, older, databaseUrl, database, upstreamPort, load },
    ...{ steps: [], serving: [], limitUsd: 0 },
  };
  const { company, before } = await prepare(run);
  const { node, hourAt } = await upgradeUnderLoad(run, company);
  const checked = { load, received: upstream.received, before, dataDir: node.dataDir };
  const problems = await listProblems(database, checked);
  checkLimit(run);
  if (load.limited.refused === 0) problems.push("no request was refused by the low limit");
  if (hourAt === null) problems.push("hours are not closed after the last node of 0.1");
  await stopNode(run, node);
  await report(run, problems);
  return problems;
}

/** Creates the database by a server of 0.1, and fills it. */
async function prepare(run: Run): Promise<{ company: Company; before: Totals }> {
  const first = await startNode(run, "first", run.older);
  const company = await createCompany(first.dataDir);
  await stopNode(run, first);
  const database = await openForHistory(run.databaseUrl);
  await fillDatabase(database, {
    source: run.older,
    events: run.options.events,
    onStep: (text) => console.error(`>   ${text}`),
  });
  await database.destroy();
  return { company, before: await readTotals(run.database, "usage_event") };
}

/**
 * Two nodes of 0.1 run. A new node joins them and migrates. Then the first old node is upgraded in its data folder. The
 * second one is paused with an unflushed request, and returns after the last moment at which the database accepts it. A new
 * node in its data folder records the request.
 */
async function upgradeUnderLoad(run: Run, company: Company) {
  const { load, options, older, database } = run;
  const first = await startNode(run, "first", older);
  const second = await startNode(run, "second", older);
  await raiseLimit(run, company);
  load.start(options.clients, company);
  const takeStep = makeSteps(run, company);
  await takeStep("two nodes of 0.1", () => Promise.resolve());
  const third = await takeStep("a new node migrates and joins", () =>
    startNode(run, "third", root),
  );
  await takeStep("the first node of 0.1 stops", () => stopNode(run, first));
  const upgraded = await takeStep("it starts as a new node", () => startNode(run, "first", root));
  await takeStep("the second node of 0.1 is paused", () => pauseNode(run, second, company));
  const hourAt = await takeStep("hours are closed", () => waitForClosing(database));
  await takeStep("the second node returns too late", () => resumeNode(second));
  await takeStep("it starts as a new node", () => startNode(run, "second", root));
  await takeStep("the new node stops", () => stopNode(run, third));
  await load.stop();
  return { node: upgraded, hourAt };
}

/** Returns a function that runs a step under load, raises the low limit, and continues the load for a time. */
function makeSteps(run: Run, company: Company) {
  return async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    console.error(`> ${name}`);
    const startMs = performance.now();
    run.load.takeSlowestMs();
    const result = await work();
    const ms = performance.now() - startMs;
    await raiseLimit(run, company);
    await sleep(run.options.seconds * 1_000);
    run.steps.push({ name, ms, slowestMs: run.load.takeSlowestMs() });
    return result;
  };
}

/** Raises the low limit by the node that started last. Throws if more was spent than the limit so far. */
async function raiseLimit(run: Run, { limited }: Company): Promise<void> {
  checkLimit(run);
  run.limitUsd = Math.round((run.limitUsd + LIMIT_STEP_USD) * 100) / 100;
  const dataDir = run.serving.at(-1)?.dataDir;
  if (dataDir === undefined) throw new Error("no node serves");
  await setLimit(dataDir, limited.workspaceId, run.limitUsd);
}

function checkLimit({ limitUsd, load }: Run): void {
  const spentUsd = Number(load.limited.costNanoUsd) / 1e9;
  if (spentUsd > limitUsd) throw new Error(`$${spentUsd} were spent of a limit of $${limitUsd}`);
}

async function startNode(run: Run, name: string, source: string): Promise<Node> {
  const dataDir = join(run.folder, `node-${name}`);
  const version = source === root ? "now" : "0.1";
  const logFile = join(run.folder, `${name}-${version}.log`);
  const server = await startServer({
    source,
    dataDir,
    logFile,
    env: {
      DATABASE_URL: run.databaseUrl,
      BURSAR_SECRET: SECRET,
      BURSAR_JOURNAL: run.options.journal,
      ANTHROPIC_API_KEY: "dummy",
      ANTHROPIC_UPSTREAM_URL: `http://127.0.0.1:${run.upstreamPort}`,
    },
    readyWithinMs: READY_WITHIN_MS,
  });
  const node = { ...server, name: `${name}, ${version}`, dataDir, logFile };
  run.serving.push(node);
  run.load.addNode(node);
  return node;
}

/** Pauses the node directly after a response, so that its journal has a request that the database does not have. */
async function pauseNode({ load, serving }: Run, node: Node, { keys: [apiKey = ""] }: Company) {
  serving.splice(serving.indexOf(node), 1);
  await load.drainNode(node);
  await load.sendTo(node, apiKey);
  process.kill(node.pid, "SIGSTOP");
}

/** Continues the node, which the database refuses, and stops it. */
async function resumeNode(node: Node): Promise<void> {
  process.kill(node.pid, "SIGCONT");
  await sleep(REFUSED_WITHIN_MS);
  await node.stop();
  const log = readFileSync(node.logFile, "utf8");
  if (!log.includes(REFUSAL)) throw new Error(`node ${node.name} was not refused:\n${log}`);
}

async function stopNode({ serving }: Run, node: Node): Promise<void> {
  serving.splice(serving.indexOf(node), 1);
  const code = await node.stop();
  if (code !== 0) throw new Error(`node ${node.name} ended with ${code}`);
}

async function report(
  { load, steps, options, database, limitUsd }: Run,
  problems: readonly string[],
) {
  const { rows: migrations } = await sql<{ name: string; seconds: number }>`
    SELECT name, extract(epoch FROM applied_at - lag(applied_at) OVER (ORDER BY number))::float8 AS seconds
    FROM schema_migration ORDER BY number`.execute(database);
  const retries = Object.fromEntries(load.retries);
  const responses = Object.fromEntries(load.responsesByNode);
  const { answered, refused } = load.limited;
  const limited = { answered, refused, limitUsd };
  const result = {
    date: new Date().toISOString(),
    ...options,
    requests: load.sent.length,
    limited,
  };
  const all = { ...result, failed: load.failures.length, retries, responses, steps, migrations };
  mkdirSync(dirname(OUTPUT), { recursive: true });
  writeFileSync(OUTPUT, `${JSON.stringify({ ...all, problems }, null, 2)}\n`);
  const rows = steps.map(
    ({ name, ms, slowestMs }) =>
      `| ${name} | ${(ms / 1_000).toFixed(1)} | ${(slowestMs / 1_000).toFixed(1)} |`,
  );
  console.log(`\n${formatTable(["step", "seconds", "slowest request, seconds"], rows)}\n`);
  console.log(
    `${load.sent.length} requests, ${load.failures.length} failed, repeated by the SDK: ${JSON.stringify(retries)}. ` +
      `Responses: ${JSON.stringify(responses)}. Under a low limit: ${answered} answered, ${refused} refused, ` +
      `$${Number(load.limited.costNanoUsd) / 1e9} of $${limitUsd.toFixed(2)}. ${problems.length} problems.`,
  );
}

function findRelease(): string {
  const args = ["log", "--diff-filter=A", "-1", "--format=%H", "--", RELEASE];
  const { stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  const commit = stdout.trim();
  if (commit === "")
    throw new Error("This checkout has no history, so it has no released version.");
  return commit;
}
