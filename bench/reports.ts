// `npm run bench:reports`: measures reports over a long history while requests are recorded.
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
import { noCost, noTokens } from "../server/src/domain/usage.ts";
import { newId } from "../server/src/lib/ids.ts";
import { acquireProcessLock } from "../server/src/lib/process-lock.ts";
import { appendAndFold } from "../server/test/harness/folds.ts";
import { historySettings, makeHistory, openForHistory } from "./history.ts";
import { listCases, type ReportCase } from "./report-cases.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "200000" },
    keys: { type: "string", default: "1000" },
    workspaces: { type: "string", default: "100" },
    days: { type: "string", default: "90" },
    rate: { type: "string", default: "1000" },
    runs: { type: "string", default: "20" },
    /** Folder of a database to keep and reuse. */
    data: { type: "string" },
    plans: { type: "string" },
    /** Runs only reports whose name contains this text. */
    only: { type: "string", default: "" },
  },
});
const keys = Number(values.keys);
const workspaces = Number(values.workspaces);
const days = Number(values.days);
const rate = Number(values.rate);
const runs = Number(values.runs);
const BATCH_MS = 250;
const MEMBERS = 500;
/** Faster statements have no plan in the file. */
const MIN_PLAN_MS = 20;
const MAX_PLAN_LINE = 150;

const printStep = (text: string) => process.stdout.write(`${text}\n`);

const folder = values.data ?? (await mkdtemp(join(tmpdir(), "bursar-reports-")));
const isNew = !existsSync(join(folder, "history"));
await mkdir(folder, { recursive: true });
const lock = await acquireProcessLock(folder);
const postgres = await startEmbeddedPostgres({
  lock,
  isThrowAway: true,
  settings: {
    ...historySettings,
    session_preload_libraries: "auto_explain",
  },
});
try {
  await migrate({ connectionString: postgres.connectionString });
  const database = openDatabase({
    connectionString: postgres.connectionString,
    maxConnections: 8,
    onIdleError: () => undefined,
  });
  if (isNew) await createHistory(postgres.connectionString);
  await measureAll(database);
  await database.destroy();
} finally {
  await postgres.stop();
  await lock.release();
  if (values.data === undefined) await rm(folder, { recursive: true, force: true });
}

async function createHistory(connectionString: string): Promise<void> {
  const database = await openForHistory(connectionString);
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
      printStep(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${text}`),
  });
  await writeFile(join(folder, "history"), "");
  await database.destroy();
}

async function measureAll(database: Database): Promise<void> {
  const { id: organizationId } = await database
    .selectFrom("organization")
    .select("id")
    .where("name", "=", "Bench")
    .executeTakeFirstOrThrow();
  const cases = listCases(organizationId).filter(({ name }) => name.includes(values.only));
  await printSizes(database);
  const ingestion = startIngestion(database, organizationId);
  printStep("\n| report | p50 ms | p95 ms |\n|---|---|---|");
  for (const { name, run } of cases) {
    const times: number[] = [];
    for (let i = 0; i < runs; i++) {
      const startMs = performance.now();
      await run(database);
      times.push(performance.now() - startMs);
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => (times[Math.ceil(share * times.length) - 1] ?? 0).toFixed(0);
    printStep(`| ${name} | ${at(0.5)} | ${at(0.95)} |`);
  }
  const recorded = await ingestion.stop();
  printStep(
    `\nRecorded meanwhile: ${recorded.perSecond.toFixed(0)} requests a second (${rate} were due).`,
  );
  if (values.plans !== undefined) await writePlans(cases, values.plans);
}

/** Records requests as the flush does: a batch every 250 ms. */
function startIngestion(database: Database, organizationId: string) {
  let isStopped = false;
  let recorded = 0;
  const startMs = performance.now();
  const run = async () => {
    for (let batch = 0; !isStopped; batch++) {
      const records = makeRecords(organizationId, Math.round((rate * BATCH_MS) / 1000));
      await appendAndFold(database, "node_bench", records);
      recorded += records.length;
      const dueMs = startMs + (batch + 1) * BATCH_MS;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    }
  };
  const running = rate > 0 ? run() : Promise.resolve();
  // `stop` reports its failure. A fault that closed the database comes first.
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
      usage: { ...noTokens, inputTokens: 10, outputTokens: 5 },
      cost: { ...noCost, input: 20_000n, output: 50_000n, total: 70_000n },
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
  printStep("\n| table | rows | size with indices |\n|---|---|---|");
  for (const { name, rows: count, size } of rows)
    printStep(`| ${name} | ${Number(count).toLocaleString("en")} | ${size} |`);
}

/** Writes the plans of each report's slowest statements, from PostgreSQL's log. */
async function writePlans(cases: readonly ReportCase[], file: string): Promise<void> {
  const options = {
    "auto_explain.log_min_duration": MIN_PLAN_MS,
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_parameter_max_length": 0,
  };
  const text = Object.entries(options).map(([name, value]) => `-c ${name}=${value}`);
  const explaining = openDatabase({
    connectionString: `${postgres.connectionString}&options=${encodeURIComponent(text.join(" "))}`,
    maxConnections: 1,
    onIdleError: () => undefined,
  });
  const logFile = join(folder, "postgres.log");
  const texts: string[] = [];
  for (const { name, run } of cases) {
    const from = (await stat(logFile)).size;
    await run(explaining);
    const log = await readFile(logFile);
    // A large log is replaced by a new one.
    const plans = parsePlans(log.subarray(log.length < from ? 0 : from).toString("utf8"));
    if (plans !== "") texts.push(`## ${name}\n${plans}`);
  }
  await explaining.destroy();
  await writeFile(file, `${texts.join("\n\n")}\n`);
}

/** Plans in the log. Omits statement texts and lines that do not show how rows were found. */
function parsePlans(log: string): string {
  const lines: string[] = [];
  let isPlan = false;
  for (const line of log.split("\n")) {
    const [, ms] = /duration: ([\d.]+) ms {2}plan:/.exec(line) ?? [];
    if (ms !== undefined) lines.push(`${ms} ms`);
    isPlan = ms === undefined && (isPlan ? line.startsWith("\t") : / \(cost=.* rows=/.test(line));
    if (isPlan && / {2}\(cost=|^\t\s+(Index Cond|Filter):|^\t {2}Buffers/.test(line)) {
      const found = line.replace(/ \(cost=\S+ rows=(\d+) width=\d+\)/, " (estimated rows=$1)");
      lines.push(found.replaceAll("\t", "").slice(0, MAX_PLAN_LINE));
    }
  }
  return lines.join("\n");
}
