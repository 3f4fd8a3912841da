import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type CallApi, makeLocalApi } from "../../server/src/cli/local-api.ts";
import { startEmbeddedPostgres } from "../../server/src/db/embedded-postgres.ts";
import { acquireProcessLock } from "../../server/src/lib/process-lock.ts";
import { root } from "../children.ts";
import { createManyKeys } from "../many-keys.ts";
import { executableOf, listDescendants } from "../proc.ts";
import type { StartResult } from "../starts.ts";
import { probeDatabase } from "./database.ts";
import { type RunningServer, startServer } from "./server.ts";
import type { StartOptions, Target } from "./target.ts";

const READY_WITHIN_MS = 60_000; // the first start creates a database
const SECRET_BYTES = 32;
const DAY_MS = 86_400_000;
const LIMIT_USD = 1_000_000; // never reached, but always checked

/**
 * Starts a server as a user does: embedded PostgreSQL, default settings, a workspace with a key and a monthly limit.
 * Throws with the server's output when it does not start.
 */
export async function startBursar({
  folder,
  upstreamPort,
  source = root,
  processes = 1,
  settings = {},
}: StartOptions): Promise<Target> {
  const dataDir = join(folder, "data");
  const server = await startServer({
    source,
    dataDir,
    logFile: join(folder, "server.log"),
    env: {
      ...makeSettings({ upstreamPort, folder, settings }),
      ...(processes > 1 && { BURSAR_PROCESSES: String(processes) }),
    },
    readyWithinMs: READY_WITHIN_MS,
  });
  try {
    return await describeRunning(server, dataDir);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Times until a server serves, milliseconds: in an empty folder, started again, and with `DATABASE_URL`. */
export async function measureBursarStarts(options: StartOptions): Promise<StartResult["readyMs"]> {
  const { folder } = options;
  const startAndStop = async (dataDir: string, env: Record<string, string>) => {
    const server = await startServer({
      source: options.source ?? root,
      dataDir,
      logFile: join(folder, "server.log"),
      env: { ...makeSettings(options), ...env },
      readyWithinMs: READY_WITHIN_MS,
    });
    await server.stop();
    return server.readyMs;
  };
  const embedded = join(folder, "data");
  const first = await startAndStop(embedded, {});
  const again = await startAndStop(embedded, {});
  const lock = await acquireProcessLock(join(folder, "database"));
  const postgres = await startEmbeddedPostgres({ lock });
  try {
    const separate = join(folder, "data-of-database-url");
    const secret = randomBytes(SECRET_BYTES).toString("base64");
    const env = { DATABASE_URL: postgres.connectionString, BURSAR_SECRET: secret };
    await startAndStop(separate, env); // creates the schema
    return { first, again, DATABASE_URL: await startAndStop(separate, env) };
  } finally {
    await postgres.stop();
    await lock.release();
  }
}

function makeSettings({
  upstreamPort,
  folder,
  settings,
}: Pick<StartOptions, "upstreamPort" | "folder" | "settings">): Record<string, string> {
  return {
    ANTHROPIC_API_KEY: "dummy",
    ANTHROPIC_UPSTREAM_URL: `http://127.0.0.1:${upstreamPort}`,
    // `npm start` keeps compiled code too.
    NODE_COMPILE_CACHE: join(folder, "compiled"),
    ...settings,
  };
}

async function describeRunning(server: RunningServer, dataDir: string): Promise<Target> {
  const { pid, port, readyMs } = server;
  const callApi = makeLocalApi(dataDir);
  const pids = listGatewayProcesses(pid);
  return {
    name: "bursar",
    port,
    headers: { "x-api-key": await makeKey(callApi) },
    pids,
    readyMs,
    createLimitedKeys: (keys) => createManyKeys(dataDir, { keys, hasLimits: true }),
    database: await probeDatabase({
      serverPid: pid,
      gatewayPids: pids,
      databaseDir: join(dataDir, "postgres"),
    }),
    countRecorded: () => countRecorded(callApi),
    stop: async () => {
      await server.stop();
    },
  };
}

/** The first process and the gateway processes that it started, without PostgreSQL. */
function listGatewayProcesses(pid: number): number[] {
  const isNode = (child: number) => executableOf(child) === process.execPath;
  return [pid, ...listDescendants(pid).filter(isNode)];
}

/** Secret of a new key in a new workspace with a limit. */
async function makeKey(callApi: CallApi): Promise<string> {
  const workspace = (await callApi("POST", "/v1/admin/workspaces", { name: "Benchmark" })) as {
    id: string;
  };
  await callApi("POST", "/v1/admin/workspaces/limits", {
    workspace_id: workspace.id,
    monthly_limit_usd: LIMIT_USD,
  });
  const key = (await callApi("POST", "/v1/admin/api_keys", {
    name: "Load generator",
    workspace_id: workspace.id,
    permissions: ["write"],
  })) as { key: string };
  return key.key;
}

/** Requests in the reports of all workspaces. */
async function countRecorded(callApi: CallApi): Promise<number> {
  const since = new Date(Date.now() - DAY_MS).toISOString();
  const path = `/v1/admin/usage?bucket=1d&starting_at=${encodeURIComponent(since)}`;
  const usage = (await callApi("GET", path)) as { totals: { requests: number } };
  return usage.totals.requests;
}
