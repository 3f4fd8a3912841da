import { join } from "node:path";
import { type CallApi, makeLocalApi } from "../../server/src/cli/local-api.ts";
import { root } from "../children.ts";
import { probeDatabase } from "./database.ts";
import { type RunningServer, startServer } from "./server.ts";
import type { StartOptions, Target } from "./target.ts";

const READY_WITHIN_MS = 60_000; // the first start creates a database
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
}: StartOptions): Promise<Target> {
  const dataDir = join(folder, "data");
  const server = await startServer({
    source,
    dataDir,
    logFile: join(folder, "server.log"),
    env: {
      ANTHROPIC_API_KEY: "dummy",
      ANTHROPIC_UPSTREAM_URL: `http://127.0.0.1:${upstreamPort}`,
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

async function describeRunning(server: RunningServer, dataDir: string): Promise<Target> {
  const { pid, port } = server;
  const callApi = makeLocalApi(dataDir);
  return {
    name: "bursar",
    port,
    headers: { "x-api-key": await makeKey(callApi) },
    pids: [pid],
    database: await probeDatabase({ serverPid: pid, databaseDir: join(dataDir, "postgres") }),
    countRecorded: () => countRecorded(callApi),
    stop: async () => {
      await server.stop();
    },
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
