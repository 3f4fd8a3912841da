import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { makeLocalApi } from "../../server/src/cli/local-api.ts";
import { type Database, openDatabase } from "../../server/src/db/pool.ts";
import { parseUsd } from "../../server/src/domain/money.ts";
import { root } from "../children.ts";
import { readConnectionString } from "../targets/database.ts";
import { startServer } from "../targets/server.ts";

// A server of this tree with one limited workspace, before the stand-in.

/** Limit of a run. `hold` null: the server's default for new limits. */
export interface RunLimit {
  limitUsd: number;
  hold: "steps" | "whole" | null;
}

export interface LimitState {
  spentNanoUsd: bigint;
  heldNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
  overrunNanoUsd: bigint;
  remainingNanoUsd: bigint;
}

/** One row of the request log. */
export interface RecordedRequest {
  id: string;
  upstreamRequestId: string | null;
  /** Agent session that the client claims. */
  agentSession: string | null;
  outcome: string;
  isEstimated: boolean;
  isStream: boolean;
  costNanoUsd: bigint;
  /** Highest hold. Null: no strict limit held it. */
  holdNanoUsd: bigint | null;
  startedAtMs: number;
  durationMs: number;
  /** Facts of a cut stream. */
  cut: { reason: string } | null;
}

export interface BursarTarget {
  url: string;
  pid: number;
  key: string;
  readLimit(): Promise<LimitState>;
  /** Limit overruns that an alert reported. */
  countOverrunFirings(): Promise<number>;
  listRecords(): Promise<RecordedRequest[]>;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 90_000;
const ACTIVE_WITHIN_MS = 30_000;
const RECORDED_WITHIN_MS = 30_000;
const POLL_MS = 100;

export async function startBursar(
  folder: string,
  upstreamPort: number,
  limit: RunLimit,
): Promise<BursarTarget> {
  const dataDir = join(folder, "data");
  const server = await startServer({
    source: root,
    dataDir,
    logFile: join(folder, "server.log"),
    env: {
      ANTHROPIC_API_KEY: "stand-in",
      ANTHROPIC_UPSTREAM_URL: `http://127.0.0.1:${upstreamPort}`,
    },
    readyWithinMs: READY_WITHIN_MS,
  });
  const callApi = makeLocalApi(dataDir);
  const call = async <T>(method: "GET" | "POST", path: string, body?: object) =>
    (await callApi(method, path, body)) as T;
  const workspace = await call<{ id: string }>("POST", "/v1/admin/workspaces", { name: "Agents" });
  const created = await call<{ key: string }>("POST", "/v1/admin/api_keys", {
    name: "Agents",
    workspace_id: workspace.id,
    permissions: ["write"],
  });
  const readLimit = async (): Promise<LimitState & { state: string }> => {
    const path = `/v1/admin/workspaces/limits?workspace_id=${workspace.id}`;
    const { data } = await call<{ data: Record<string, string>[] }>("GET", path);
    const read = (name: string) => parseUsd(data[0]?.[name] ?? "0");
    return {
      spentNanoUsd: read("spent_usd"),
      heldNanoUsd: read("held_usd"),
      unresolvedNanoUsd: read("unresolved_usd"),
      overrunNanoUsd: read("overrun_usd"),
      remainingNanoUsd: read("remaining_usd"),
      state: data[0]?.["state"] ?? "",
    };
  };
  await call("POST", "/v1/admin/workspaces/limits", {
    workspace_id: workspace.id,
    monthly_limit_usd: limit.limitUsd,
    ...(limit.hold !== null && { hold: limit.hold }),
  });
  for (const startMs = Date.now(); (await readLimit()).state !== "active"; await sleep(POLL_MS)) {
    if (Date.now() - startMs > ACTIVE_WITHIN_MS) throw new Error("the limit is not active");
  }
  return {
    url: `http://127.0.0.1:${server.port}`,
    pid: server.pid,
    key: created.key,
    readLimit,
    async countOverrunFirings() {
      const path = "/v1/admin/alert_firings?kinds=limit_overrun";
      return (await call<{ data: object[] }>("GET", path)).data.length;
    },
    listRecords: () => withDatabase(dataDir, (database) => readRecords(database, workspace.id)),
    stop: async () => {
      const code = await server.stop();
      if (code !== 0) throw new Error(`exit ${code}\n${readFileSync(join(folder, "server.log"))}`);
    },
  };
}

async function withDatabase<T>(dataDir: string, use: (database: Database) => Promise<T>) {
  const connectionString = readConnectionString(join(dataDir, "postgres"));
  const database = openDatabase({ connectionString, maxConnections: 1, onIdleError: () => {} });
  try {
    return await use(database);
  } finally {
    await database.destroy();
  }
}

/** Waits until every ended request is counted. Reads the request log. */
export async function readRecords(
  database: Database,
  workspaceId: string,
): Promise<RecordedRequest[]> {
  for (const startMs = Date.now(); ; await sleep(POLL_MS)) {
    const { rows } = await sql`SELECT id FROM usage_batch LIMIT 1`.execute(database);
    if (rows.length === 0) break;
    if (Date.now() - startMs > RECORDED_WITHIN_MS) throw new Error("the records are not folded");
  }
  const { rows } = await sql<RecordedRequest>`
    SELECT request_id AS id, upstream_request_id AS "upstreamRequestId", agent_session_id AS "agentSession", outcome, is_estimated AS "isEstimated", is_stream AS "isStream",
      cost_nano_usd AS "costNanoUsd", hold_nano_usd AS "holdNanoUsd",
      (extract(epoch FROM started_at) * 1000)::float8 AS "startedAtMs",
      (extract(epoch FROM ended_at - started_at) * 1000)::float8 AS "durationMs",
      to_jsonb(r) -> 'cut' AS cut
    FROM recorded_request r WHERE workspace_id = ${workspaceId} ORDER BY started_at`.execute(
    database,
  );
  return rows;
}
