// Starts and stops a whole server with many unflushed requests: `node bench/restart.ts [requests] [keys] [rounds] [journal]`.
// The journal, `disk` or `postgres`, is that of a killed process. Each round starts the server, and stops it with SIGTERM once
// it is ready. The last start continues until no request is unflushed. Fails unless every request is recorded exactly once.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { openStorage } from "../server/src/db/storage.ts";
import { systemClock } from "../server/src/lib/clock.ts";
import { newId } from "../server/src/lib/ids.ts";
import { makeLogger } from "../server/src/lib/logger.ts";
import type { Journal } from "../server/src/recording/journal-contract.ts";
import { openDiskJournal, openRowJournal } from "../server/src/recording/node-journal.ts";
import { killOnExit, root } from "./children.ts";
import { makeScopes } from "./history.ts";
import { getKey, MEMBERS, WORKSPACES } from "./ingest/company.ts";
import { makeBegin, makeEnding } from "./journal-requests.ts";
import { monotonicMs } from "./monotonic.ts";
import { findFreePort, waitUntilReady } from "./targets/ports.ts";

const FILL = "fill";
const DISK = "disk";
const NODE_ID = "restart";
const PER_TURN = 100;
const READY_WITHIN_MS = 120_000;
const POLL_MS = 1_000;
const FLUSHED_WITHIN_MS = 1_200_000;
const PENDING = /^bursar_pending_records(?:\{[^}]*\})? (\d+)$/m;
const logger = makeLogger("silent");
const pools = { onFailure: () => undefined, logger };

const [mode] = process.argv.slice(2);
if (mode === FILL) await fill(process.argv.slice(3));
else await measure(process.argv.slice(2));

async function measure([
  requests = "1000000",
  keys = "10000",
  rounds = "3",
  kind = DISK,
]: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "bursar-restart-"));
  const dataDir = join(folder, "data");
  try {
    const start = () => startServer(dataDir, folder, kind);
    const first = await start();
    console.log(`start with an empty folder: ready after ${first.readyMs} ms`);
    await stopServer(first);
    const organizationId = await createKeys(dataDir, Number(keys));
    await runFill([dataDir, organizationId, requests, keys, kind]);
    for (let round = 1; round <= Number(rounds); round++) {
      const server = await start();
      const pending = await countPending(server.port);
      const stopMs = await stopServer(server);
      console.log(
        `round ${round}: ready after ${server.readyMs} ms with ${pending} unflushed, stopped after ${stopMs} ms`,
      );
    }
    const last = await start();
    const flushedMs = await waitUntilFlushed(last);
    console.log(`flushed ${flushedMs} ms later, stopped after ${await stopServer(last)} ms`);
    await checkRecorded(dataDir, Number(requests));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Server {
  child: ChildProcess;
  port: number;
  readyMs: number;
  logFile: string;
}

async function startServer(dataDir: string, folder: string, kind: string): Promise<Server> {
  const port = await findFreePort();
  const logFile = join(folder, `${port}.log`);
  const log = openSync(logFile, "w");
  const startedMs = monotonicMs();
  const child = killOnExit(
    spawn(process.execPath, [join(root, "scripts", "run.mjs"), "start", "--simulator"], {
      cwd: root,
      env: makeEnvironment({
        BURSAR_PORT: String(port),
        BURSAR_DATA_DIR: dataDir,
        BURSAR_JOURNAL: kind,
        BURSAR_NODE_ID: NODE_ID,
      }),
      stdio: ["ignore", log, log],
    }),
  );
  closeSync(log);
  try {
    const isAlive = () => child.exitCode === null;
    await waitUntilReady({ port, path: "/readyz", timeoutMs: READY_WITHIN_MS, isAlive });
  } catch (error) {
    throw new Error(readFileSync(logFile, "utf8"), { cause: error });
  }
  return { child, port, logFile, readyMs: Math.round(monotonicMs() - startedMs) };
}

/** Returns the time until the exit, milliseconds. Throws if the server did not end by itself. */
async function stopServer({ child, logFile }: Server): Promise<number> {
  const startedMs = monotonicMs();
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const [code] = await exited;
  if (code !== 0)
    throw new Error(`the server ended with ${code}\n${readFileSync(logFile, "utf8")}`);
  return Math.round(monotonicMs() - startedMs);
}

/** This environment with other settings of the server. */
function makeEnvironment(set: Record<string, string>): NodeJS.ProcessEnv {
  const foreign = /^(BURSAR_|ANTHROPIC_|DATABASE_URL)/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(kept), ...set };
}

/** Returns the id of the organization. */
async function createKeys(dataDir: string, keys: number): Promise<string> {
  const storage = await openStorage({ dataDir, databaseUrl: undefined, ...pools });
  try {
    const found = await storage.database.selectFrom("organization").select("id").execute();
    const organizationId = found[0]?.id ?? "";
    const scopes = { organizationId, workspaces: WORKSPACES, members: MEMBERS, keys };
    await makeScopes(storage.database, scopes);
    return organizationId;
  } finally {
    await storage.close();
  }
}

/** Fills the journal in a process that is killed. */
async function runFill(args: readonly string[]): Promise<void> {
  const child = killOnExit(
    spawn(process.execPath, [fileURLToPath(import.meta.url), FILL, ...args], { stdio: "inherit" }),
  );
  const [, signal] = await once(child, "exit");
  if (signal !== "SIGKILL") throw new Error("the journal could not be filled");
}

/** With a journal in the database, the next start stops the database of the killed process. */
async function fill([dataDir = "", organizationId = "", ...rest]: string[]): Promise<void> {
  const [requests = 0, keys = 1] = rest.map(Number);
  const isOnDisk = rest[2] === DISK;
  const journal = isOnDisk ? await openOnDisk(dataDir) : await openInDatabase(dataDir);
  await journal.mark.open();
  await journal.start({ flushedSeq: 0, onUnflushedEnd: () => undefined });
  for (let from = 0; from < requests; from += PER_TURN) {
    const count = Math.min(PER_TURN, requests - from);
    const begins = Array.from({ length: count }, (_, at) => {
      const requestId = newId("req_", Date.now());
      const { memberId, ...key } = getKey((from + at) % keys);
      const owner = memberId === null ? {} : { memberId };
      return { ...makeBegin(from + at), ...key, ...owner, requestId, organizationId };
    });
    for (const [at, begin] of begins.entries()) {
      journal.begin({ ...begin, startedAtMs: Date.now() });
      journal.end({
        ...begin,
        ...makeEnding(from + at),
        startedAtMs: Date.now(),
        endedAtMs: Date.now(),
      });
    }
    await (isOnDisk ? nextTurn() : journal.synced());
  }
  await journal.synced();
  process.kill(process.pid, "SIGKILL");
}

async function openOnDisk(dataDir: string): Promise<Journal> {
  const { journal } = await openDiskJournal({
    ...{ folder: dataDir, index: 1, configuredId: NODE_ID, clock: systemClock, logger },
    makeId: (prefix) => newId(prefix, Date.now()),
    maxBytes: Number.POSITIVE_INFINITY,
  });
  return journal;
}

async function openInDatabase(dataDir: string): Promise<Journal> {
  const { database } = await openStorage({ dataDir, databaseUrl: undefined, ...pools });
  const { journal } = await openRowJournal({
    ...{ database, nodeId: NODE_ID, heartbeatIntervalMs: 2_000, logger },
    makeId: (prefix) => newId(prefix, Date.now()),
    onLost: () => undefined,
  });
  return journal;
}

async function countPending(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const pending = PENDING.exec(text)?.[1];
  if (pending === undefined) throw new Error("the metrics have no number of unflushed requests");
  return Number(pending);
}

async function waitUntilFlushed({ child, port, logFile }: Server): Promise<number> {
  const startedMs = monotonicMs();
  while ((await countPending(port)) > 0) {
    if (monotonicMs() - startedMs > FLUSHED_WITHIN_MS) throw new Error("requests stay unflushed");
    await sleep(POLL_MS);
    if (child.exitCode !== null) throw new Error(readFileSync(logFile, "utf8"));
  }
  return Math.round(monotonicMs() - startedMs);
}

async function checkRecorded(dataDir: string, requests: number): Promise<void> {
  const storage = await openStorage({ dataDir, databaseUrl: undefined, ...pools });
  try {
    const { rows } = await sql<{ records: string; distinct: string; unfolded: string }>`
      SELECT count(*) AS records, count(DISTINCT request_id) AS distinct,
        (SELECT count(*) FROM usage_batch) AS unfolded FROM recorded_request`.execute(
      storage.database,
    );
    console.log(rows[0]);
    const [row] = rows;
    if (Number(row?.records) !== requests || Number(row?.distinct) !== requests)
      throw new Error(`${requests} requests ended`);
  } finally {
    await storage.close();
  }
}
