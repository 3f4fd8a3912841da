import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CallApi, makeLocalApi } from "../../server/src/cli/local-api.ts";
import { killOnExit, pidOf, root, stopChild } from "../children.ts";
import { probeDatabase } from "./database.ts";
import { findFreePort, waitUntilReady } from "./ports.ts";
import type { StartOptions, Target } from "./target.ts";

const READY_WITHIN_MS = 60_000; // the first start creates a database
const STOP_WITHIN_MS = 45_000; // the drain, and the clean stop of PostgreSQL
const DAY_MS = 86_400_000;
const LIMIT_USD = 1_000_000; // never reached, but always checked

/**
 * Starts a server as a user does: embedded PostgreSQL, default settings, a workspace with a key and a monthly limit.
 * Throws with the server's output when it does not start.
 */
export async function startBursar(options: StartOptions): Promise<Target> {
  // The file could name a database, which must not get a million requests.
  const source = options.source ?? root;
  if (existsSync(join(source, "bursar.toml"))) {
    throw new Error("The benchmark runs with default settings. Move bursar.toml away first.");
  }
  const port = await findFreePort();
  const dataDir = join(options.folder, "data");
  const logFile = join(options.folder, "server.log");
  const log = openSync(logFile, "w");
  const child = killOnExit(
    spawn(process.execPath, [join(source, "server", "src", "main.ts"), "start"], {
      cwd: source,
      env: environment({ port, dataDir, upstreamPort: options.upstreamPort }),
      stdio: ["ignore", log, log],
    }),
  );
  closeSync(log);
  const stop = () => stopChild(child, { signal: "SIGTERM", graceMs: STOP_WITHIN_MS });
  const isAlive = () => child.exitCode === null;
  try {
    await waitUntilReady({ port, path: "/readyz", timeoutMs: READY_WITHIN_MS, isAlive });
    return await describeRunning({ pid: pidOf(child), port, dataDir, stop });
  } catch (error) {
    await stop();
    const output = readFileSync(logFile, "utf8");
    throw new Error(`bursar: ${error instanceof Error ? error.message : error}\n${output}`, {
      cause: error,
    });
  }
}

async function describeRunning(server: {
  pid: number;
  port: number;
  dataDir: string;
  stop: () => Promise<void>;
}): Promise<Target> {
  const { pid, port, dataDir, stop } = server;
  const callApi = makeLocalApi(dataDir);
  return {
    name: "bursar",
    port,
    headers: { "x-api-key": await makeKey(callApi) },
    pids: [pid],
    database: await probeDatabase({ serverPid: pid, databaseDir: join(dataDir, "postgres") }),
    countRecorded: () => countRecorded(callApi),
    stop,
  };
}

/** This environment with the benchmark's variables. Other settings of the server are removed. */
function environment(set: {
  port: number;
  dataDir: string;
  upstreamPort: number;
}): NodeJS.ProcessEnv {
  const foreign = /^(BURSAR_|ANTHROPIC_|DATABASE_URL|NODE_)/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return {
    ...Object.fromEntries(kept),
    BURSAR_PORT: String(set.port),
    BURSAR_DATA_DIR: set.dataDir,
    ANTHROPIC_API_KEY: "dummy",
    ANTHROPIC_UPSTREAM_URL: `http://127.0.0.1:${set.upstreamPort}`,
  };
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
