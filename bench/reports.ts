// `npm run bench:reports`: how long the reports take over a long history, while requests go on being recorded.
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sql } from "kysely";
import { startEmbeddedPostgres } from "../server/src/db/embedded-postgres.ts";
import { migrate } from "../server/src/db/migrate.ts";
import { type Database, openDatabase } from "../server/src/db/pool.ts";
import type { EndRecord } from "../server/src/domain/request-record.ts";
import { listRequests, type RequestQuery } from "../server/src/features/requests/requests.ts";
import { getCostSummary } from "../server/src/features/usage/cost-summary.ts";
import { getUsage, type UsageQuery } from "../server/src/features/usage/usage.ts";
import { newId } from "../server/src/lib/ids.ts";
import { acquireProcessLock } from "../server/src/lib/process-lock.ts";
import { addUsage } from "../server/src/metering/record-usage.ts";
import { makeHistory } from "./history.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "200000" },
    keys: { type: "string", default: "1000" },
    workspaces: { type: "string", default: "100" },
    days: { type: "string", default: "90" },
    rate: { type: "string", default: "1000" },
    runs: { type: "string", default: "20" },
    /** Keeps the database here, and takes it again the next time. */
    data: { type: "string" },
    plans: { type: "string" },
  },
});
const keys = Number(values.keys);
const workspaces = Number(values.workspaces);
const days = Number(values.days);
const rate = Number(values.rate);
const runs = Number(values.runs);
const DAY_MS = 86_400_000;
const BATCH_MS = 250;
const MEMBERS = 500;

const groupings = [
  ["workspace"],
  ["api_key"],
  ["member"],
  ["workspace", "model"],
  ["api_key", "model"],
  ["member", "model"],
  ["workspace", "status"],
  ["api_key", "status"],
  ["member", "status"],
  ["api_key", "client"],
] as const satisfies UsageQuery["group_by"][];

const callOf = (organizationId: string) => ({
  caller: { kind: "admin_key", id: "adminkey_bench", organizationId } as const,
  origin: { requestId: "req_bench", ipAddress: null, userAgent: null },
});
const someKey = `apikey_${"0".repeat(22)}17`;
const someWorkspace = `wksp_${"0".repeat(23)}7`;

const say = (text: string) => process.stdout.write(`${text}\n`);

const folder = values.data ?? (await mkdtemp(join(tmpdir(), "bursar-reports-")));
const isNew = !existsSync(join(folder, "history"));
await mkdir(folder, { recursive: true });
const lock = await acquireProcessLock(folder);
const postgres = await startEmbeddedPostgres({
  lock,
  isThrowAway: true,
  settings: {
    max_connections: "50",
    max_wal_size: "8GB",
    shared_buffers: "512MB",
    maintenance_work_mem: "512MB",
    session_preload_libraries: "auto_explain",
  },
});
try {
  if (isNew) await migrate({ connectionString: postgres.connectionString });
  const database = openDatabase({
    connectionString: postgres.connectionString,
    maxConnections: 8,
    onIdleError: () => undefined,
  });
  if (isNew) await makeAll(postgres.connectionString);
  await measureAll(database);
  await database.destroy();
} finally {
  await postgres.stop();
  await lock.release();
  if (values.data === undefined) await rm(folder, { recursive: true, force: true });
}

async function makeAll(connectionString: string): Promise<void> {
  const database = openDatabase({
    connectionString: `${connectionString}&options=-c%20statement_timeout%3D0%20-c%20work_mem%3D512MB`,
    maxConnections: 1,
    onIdleError: () => undefined,
    silenceMs: 3_600_000,
  });
  await sql`SET statement_timeout = 0`.execute(database);
  const organizationId = randomUUID();
  await sql`INSERT INTO organization (id, name) VALUES (${organizationId}, 'Bench')`.execute(
    database,
  );
  const startedMs = performance.now();
  await makeHistory(database, {
    requests: Number(values.requests),
    keys,
    workspaces,
    members: MEMBERS,
    days,
    organizationId,
    endMs: Math.floor(Date.now() / 3_600_000) * 3_600_000,
    onStep: (text) =>
      say(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${text}`),
  });
  await writeFile(join(folder, "history"), "");
  await database.destroy();
}

interface Case {
  name: string;
  run: (database: Database) => Promise<unknown>;
}

async function measureAll(database: Database): Promise<void> {
  const { id: organizationId } = await database
    .selectFrom("organization")
    .select("id")
    .where("name", "=", "Bench")
    .executeTakeFirstOrThrow();
  const cases = casesOf(organizationId);
  await printSizes(database);
  const ingestion = startIngestion(database, organizationId);
  say("\n| report | p50 ms | p95 ms |\n|---|---|---|");
  for (const { name, run } of cases) {
    const times: number[] = [];
    for (let i = 0; i < runs; i++) {
      const startMs = performance.now();
      await run(database);
      times.push(performance.now() - startMs);
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => (times[Math.ceil(share * times.length) - 1] ?? 0).toFixed(0);
    say(`| ${name} | ${at(0.5)} | ${at(0.95)} |`);
  }
  const recorded = await ingestion.stop();
  say(
    `\nRecorded meanwhile: ${recorded.perSecond.toFixed(0)} requests a second (${rate} were due).`,
  );
  if (values.plans !== undefined) await writePlans(cases, values.plans);
}

function casesOf(organizationId: string): Case[] {
  const usage = usageOf(organizationId);
  return [
    ...chartCases(usage),
    ...rankingCases(usage),
    ...narrowCases(usage),
    {
      name: "cost summary of the organization",
      run: (database) =>
        getCostSummary({ database, nowMs: () => Date.now() }, callOf(organizationId), {}),
    },
    ...logCases(organizationId),
  ];
}

type UsageCase = (
  name: string,
  query: Partial<UsageQuery> & Pick<UsageQuery, "starting_at">,
) => Case;

function usageOf(organizationId: string): UsageCase {
  const nowMs = Date.now();
  return (name, query) => {
    const asked = { limit: 100, bucket: "1d", ...query } as const;
    return {
      name,
      run: (database) => getUsage({ database, nowMs: () => nowMs }, callOf(organizationId), asked),
    };
  };
}

function daysAgo(count: number): string {
  return new Date(Date.now() - count * DAY_MS).toISOString();
}

/** What a chart shows: rows by time, or the first groups and all others. */
function chartCases(usage: UsageCase): Case[] {
  const spans = [
    { span: "90 days by day", starting_at: daysAgo(89) },
    { span: "30 days by day", starting_at: daysAgo(29) },
    { span: "7 days by hour", starting_at: daysAgo(7), bucket: "1h" },
  ] as const;
  const byTime = spans.flatMap(({ span, ...range }) => [
    usage(`organization, ${span}`, { ...range, limit: 1000 }),
    usage(`model, ${span}`, { ...range, group_by: ["model"], limit: 1000 }),
    ...groupings.map((group_by) =>
      usage(`${group_by.join(" × ")}, ${span}, first 1,000`, { ...range, group_by, limit: 1000 }),
    ),
  ]);
  const top = spans.flatMap(({ span, ...range }) =>
    groupings.map((group_by) =>
      usage(`top 10 ${group_by.join(" × ")} and others, ${span}`, { ...range, group_by, top: 10 }),
    ),
  );
  return [
    ...byTime,
    usage("model × client, 31 days by hour, first 1,000", {
      starting_at: daysAgo(30),
      bucket: "1h",
      group_by: ["model", "client"],
      limit: 1000,
    }),
    ...top,
  ];
}

/** One row per group for the whole range, the first hundred. */
function rankingCases(usage: UsageCase): Case[] {
  const month = (ago: number) => {
    const now = new Date();
    return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - ago);
  };
  const at = (ms: number) => new Date(ms).toISOString();
  const spans = [
    { span: "7 days", starting_at: daysAgo(7) },
    { span: "30 days", starting_at: daysAgo(30) },
    { span: "90 days", starting_at: daysAgo(89) },
    // No whole month lies in these.
    {
      span: "30 past days from the middle of a month",
      starting_at: at(month(2) + 15 * DAY_MS),
      ending_at: at(month(2) + 45 * DAY_MS),
    },
    {
      span: "two past months but for a day at each end",
      starting_at: at(month(2) + DAY_MS),
      ending_at: at(month(0) - DAY_MS),
    },
    {
      span: "30 past days from any minute to any minute",
      starting_at: daysAgo(47.5),
      ending_at: daysAgo(17.5),
    },
  ] as const;
  return spans.flatMap(({ span, ...range }) =>
    groupings.flatMap((group_by) =>
      (span === "30 days" ? (["cost", "requests"] as const) : (["cost"] as const)).map((order_by) =>
        usage(`${group_by.join(" × ")} by ${order_by}, ${span}`, {
          ...range,
          bucket: "none",
          group_by: [...group_by],
          order_by,
        }),
      ),
    ),
  );
}

function narrowCases(usage: UsageCase): Case[] {
  return [
    usage("one key by model, 90 days by day", {
      starting_at: daysAgo(89),
      api_key_id: [someKey],
      group_by: ["model"],
    }),
    usage("one workspace by model, 30 days by hour", {
      starting_at: daysAgo(30),
      bucket: "1h",
      workspace_id: [someWorkspace],
      group_by: ["model"],
      limit: 1000,
    }),
    usage("organization, last hour by minute", { starting_at: daysAgo(1 / 24), bucket: "1m" }),
    usage("organization, 24 hours by minute", { starting_at: daysAgo(1), bucket: "1m" }),
    usage("one workspace, 24 hours by minute", {
      starting_at: daysAgo(1),
      bucket: "1m",
      workspace_id: [someWorkspace],
    }),
  ];
}

function logCases(organizationId: string): Case[] {
  const call = callOf(organizationId);
  const hour = new Date(Date.now() - 3_600_000).toISOString();
  const log = (name: string, query: RequestQuery): Case => ({
    name,
    run: (database) =>
      listRequests({ database, nowMs: () => Date.now() }, call, { limit: 100, ...query }),
  });
  return [
    log("request log, newest 100", {}),
    log("request log of one key", { api_key_id: [someKey] }),
    log("request log of one workspace, failed ones", {
      workspace_id: [someWorkspace],
      status: ["server_error"],
    }),
    log("request log, failed ones", { status: ["server_error", "rate_limited"] }),
    log("request log, a cost that nothing has", { min_cost_usd: 1000 }),
    log("request log, last hour of one model", { starting_at: hour, model: ["claude-opus-5"] }),
  ];
}

/** Records requests as the flush does, one batch every 250 ms, until it is stopped. */
function startIngestion(database: Database, organizationId: string) {
  let isStopped = false;
  let recorded = 0;
  const startMs = performance.now();
  const run = async () => {
    for (let batch = 0; !isStopped; batch++) {
      const records = makeRecords(organizationId, Math.round((rate * BATCH_MS) / 1000));
      await database.transaction().execute((tx) => addUsage(tx, "node_bench", records));
      recorded += records.length;
      const dueMs = startMs + (batch + 1) * BATCH_MS;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    }
  };
  const running = rate > 0 ? run() : Promise.resolve();
  // Its failure is told by `stop`; another one, which closed the database under it, comes first.
  running.catch(() => undefined);
  return {
    async stop() {
      isStopped = true;
      await running;
      return { perSecond: (recorded * 1000) / (performance.now() - startMs) };
    },
  };
}

function makeRecords(organizationId: string, count: number): EndRecord[] {
  const models = ["claude-sonnet-4-5-20250929", "claude-opus-5"];
  return Array.from({ length: count }, () => {
    const key = Math.floor(keys * Math.random() ** 2) % keys;
    const startedAtMs = Date.now() - 1000;
    return {
      requestId: newId("req_", startedAtMs),
      startedAtMs,
      endedAtMs: startedAtMs + 900,
      organizationId,
      workspaceId: `wksp_${String(key % workspaces).padStart(24, "0")}`,
      apiKeyId: `apikey_${String(key).padStart(24, "0")}`,
      ...(key % 2 === 0 && { memberId: `user_${String(key % MEMBERS).padStart(24, "0")}` }),
      requestedModel: models[key % 2] ?? "",
      model: models[key % 2] ?? "",
      isStream: true,
      client: "anthropic-python",
      outcome: "answered",
      httpStatus: 200,
      isEstimated: false,
      isUnpriced: false,
      serviceTier: "standard",
      contextWindow: "0-200k",
      inferenceGeo: "not_available",
      speed: "standard",
      usage: {
        inputTokens: 10,
        cacheWrite5mTokens: 0,
        cacheWrite1hTokens: 0,
        cacheReadTokens: 0,
        outputTokens: 5,
        webSearches: 0,
      },
      cost: {
        input: 20_000n,
        cacheWrite5m: 0n,
        cacheWrite1h: 0n,
        cacheRead: 0n,
        output: 50_000n,
        webSearch: 0n,
        total: 70_000n,
      },
      prices: "{}",
      upstreamRequestId: null,
      firstByteMs: 300,
    };
  });
}

async function printSizes(database: Database): Promise<void> {
  const { rows } = await sql<{ name: string; rows: bigint; size: string }>`
    SELECT c.relname::text AS name, c.reltuples::bigint AS rows, pg_size_pretty(pg_total_relation_size(c.oid)) AS size
    FROM pg_class c WHERE c.relkind = 'r' AND c.relname LIKE 'usage\\_%' AND c.reltuples > 0 ORDER BY 1`.execute(
    database,
  );
  say("\n| table | rows | size with indices |\n|---|---|---|");
  for (const { name, rows: count, size } of rows)
    say(`| ${name} | ${Number(count).toLocaleString("en")} | ${size} |`);
}

/** The plans of every statement of each report, as PostgreSQL ran them, from its log. */
async function writePlans(cases: readonly Case[], file: string): Promise<void> {
  const explaining = openDatabase({
    connectionString:
      `${postgres.connectionString}&options=-c%20auto_explain.log_min_duration%3D0` +
      "%20-c%20auto_explain.log_analyze%3Don%20-c%20auto_explain.log_buffers%3Don%20-c%20auto_explain.log_timing%3Doff",
    maxConnections: 1,
    onIdleError: () => undefined,
  });
  const logFile = join(folder, "postgres.log");
  const texts: string[] = [];
  for (const { name, run } of cases) {
    const from = (await stat(logFile)).size;
    await run(explaining);
    const text = await readFile(logFile);
    // The log begins anew when it has grown large.
    texts.push(`## ${name}\n${text.subarray(text.length < from ? 0 : from).toString("utf8")}`);
  }
  await explaining.destroy();
  await writeFile(file, texts.join("\n"));
}
