// `node bench/limited-keys.ts [commit] [--keys 2000] [--turns 3]`: keys that each have a strict limit and call once in four
// seconds, in turns with keys without limits. With a commit also its keys with limits. Prints the first calls of all keys at
// once, then the calls that follow: latency, CPU and transactions. Each turn has its own server and database.
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { sql } from "kysely";
import { makeLocalApi } from "../server/src/cli/local-api.ts";
import { openDatabase, type Tx } from "../server/src/db/pool.ts";
import { inTransaction } from "../server/src/db/transaction.ts";
import { makeSecret } from "../server/src/domain/key-format.ts";
import { upsertSpendLimit } from "../server/src/spend/ledger/limits.sql.ts";
import { checkOut } from "./checkouts.ts";
import { root, ScriptProcess } from "./children.ts";
import { pinProcesses, splitCores } from "./cores.ts";
import type { LoadPlan } from "./load.ts";
import { type Bench, type Measured, measure, planFor } from "./measure.ts";
import { defaultDurations } from "./scenarios.ts";
import { startBursar } from "./targets/bursar.ts";
import { readConnectionString } from "./targets/database.ts";

const PAUSE_SECONDS = 4;
const STEADY_SECONDS = 32;
const PROMPT_BYTES = 2_048;
const LIMIT_NANO_USD = 100_000_000_000n;
/** A node reads the version of the limits every ten seconds, also without a notification. */
const LIMITS_KNOWN_MS = 15_000;
const FIRST_CONNECTIONS = 512;
/** All first calls are due within some milliseconds. */
const FIRST_RATE_PER_SECOND = 100_000;
const STEADY_CONNECTIONS = 64;

interface Side {
  name: string;
  source: string;
  hasLimits: boolean;
}

interface Turn {
  side: string;
  first: Measured;
  steady: Measured;
}

// Exits explicitly, because after a failure child processes still hold channels open.
process.exit(await main());

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      keys: { type: "string", default: "2000" },
      turns: { type: "string", default: "3" },
    },
    allowPositionals: true,
  });
  const [keys, turns, [commit]] = [Number(values.keys), Number(values.turns), positionals];
  if (!Number.isInteger(keys) || keys < 1 || !Number.isInteger(turns) || turns < 1) {
    console.error("usage: node bench/limited-keys.ts [commit] [--keys 2000] [--turns 3]");
    return 2;
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const folder = mkdtempSync(join(tmpdir(), "bursar-limited-keys-"));
  chmodSync(folder, 0o755); // under root, PostgreSQL runs as another user
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  const sides: Side[] = [
    { name: "no limits", source: root, hasLimits: false },
    { name: "limits", source: root, hasLimits: true },
  ];
  if (commit !== undefined) {
    const source = join(folder, "older");
    checkOut(commit, source);
    sides.push({ name: `limits, ${commit}`, source, hasLimits: true });
  }
  try {
    report(await runTurns(sides, { keys, turns, folder }));
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function runTurns(
  sides: readonly Side[],
  run: { keys: number; turns: number; folder: string },
): Promise<Turn[]> {
  const split = splitCores();
  const load = new ScriptProcess("./load.ts");
  const mock = new ScriptProcess("./mock-upstream.ts");
  const { port: upstreamPort } = await mock.answer<{ port: number }>();
  if (split) pinProcesses([load.pid, mock.pid], split.rest);
  const bench: Bench = { load, durations: defaultDurations, onAnswers: () => undefined };
  const turns: Turn[] = [];
  for (let turn = 1; turn <= run.turns; turn++) {
    for (const side of sides) {
      console.error(`> turn ${turn}: ${side.name}`);
      const folder = join(run.folder, String(turns.length));
      mkdirSync(folder);
      const target = await startBursar({ upstreamPort, folder, source: side.source });
      try {
        if (split) {
          pinProcesses(target.pids, [split.target]);
          pinProcesses(target.database?.pids() ?? [], split.rest);
        }
        const { keys } = run;
        const apiKeys = await createKeys(join(folder, "data"), { keys, hasLimits: side.hasLimits });
        await sleep(LIMITS_KNOWN_MS);
        const plan = { ...planFor(target, { bytes: PROMPT_BYTES, stream: null }), apiKeys };
        const first = await measure(bench, target, { ...plan, mode: firstCalls(run.keys) });
        const steady = await measure(bench, target, { ...plan, mode: laterCalls(run.keys) });
        turns.push({ side: side.name, first, steady });
      } finally {
        await target.database?.close();
        await target.stop();
      }
    }
  }
  await Promise.all([load.stop(), mock.stop()]);
  return turns;
}

function firstCalls(count: number): LoadPlan["mode"] {
  const ratePerSecond = FIRST_RATE_PER_SECOND;
  return { kind: "open", ratePerSecond, count, warmConnections: FIRST_CONNECTIONS };
}

function laterCalls(keys: number): LoadPlan["mode"] {
  const ratePerSecond = keys / PAUSE_SECONDS;
  const count = Math.round(ratePerSecond * STEADY_SECONDS);
  return { kind: "open", ratePerSecond, count, warmConnections: STEADY_CONNECTIONS };
}

/**
 * Creates keys in a workspace without a limit, and a strict limit for each. Returns their secrets. Rows instead of calls: an
 * audited call for each takes minutes.
 */
async function createKeys(
  dataDir: string,
  { keys, hasLimits }: { keys: number; hasLimits: boolean },
): Promise<string[]> {
  const callApi = makeLocalApi(dataDir);
  const workspace = (await callApi("POST", "/v1/admin/workspaces", { name: "Many keys" })) as {
    id: string;
  };
  const connectionString = readConnectionString(join(dataDir, "postgres"));
  const database = openDatabase({ connectionString, maxConnections: 1, onIdleError: () => {} });
  try {
    return await inTransaction(database, async (tx) => {
      const { organization_id: organizationId } = await tx
        .selectFrom("workspace")
        .select("organization_id")
        .where("id", "=", workspace.id)
        .executeTakeFirstOrThrow();
      const scope = { organizationId, workspaceId: workspace.id };
      const ids = Array.from({ length: keys }, (_, at) => `apikey_${String(at).padStart(24, "0")}`);
      const secrets = await insertKeys(tx, scope, ids);
      for (const scopeId of hasLimits ? ids : []) await insertLimit(tx, organizationId, scopeId);
      return secrets;
    });
  } finally {
    await database.destroy();
  }
}

async function insertKeys(
  tx: Tx,
  { organizationId, workspaceId }: { organizationId: string; workspaceId: string },
  ids: readonly string[],
): Promise<string[]> {
  const secrets = ids.map(() => makeSecret("api", randomBytes));
  const hashes = secrets.map(({ hash }) => hash);
  await sql`
    INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id)
    SELECT id, ${organizationId}, ${workspaceId}, id, 'write', 'user', 'user_benchmark' FROM unnest(${ids}::text[]) AS id`.execute(
    tx,
  );
  await sql`
    INSERT INTO api_key_secret (api_key_id, hash, hint, created_at)
    SELECT id, hash, 'sk-…', now() FROM unnest(${ids}::text[], ${hashes}::bytea[]) AS k (id, hash)`.execute(
    tx,
  );
  return secrets.map(({ secret }) => secret);
}

async function insertLimit(tx: Tx, organizationId: string, scopeId: string): Promise<void> {
  await upsertSpendLimit(tx, {
    id: `spl_${scopeId}`,
    organizationId,
    scopeType: "api_key",
    scopeId,
    period: "daily",
    amountNanoUsd: LIMIT_NANO_USD,
    enforcement: "strict",
  });
}

function report(turns: readonly Turn[]): void {
  console.log(
    "\n| keys | first calls/s | p50 ms | p99 ms | CPU µs/call | PostgreSQL | transactions |",
  );
  console.log("|---|---|---|---|---|---|---|");
  for (const side of new Set(turns.map((turn) => turn.side))) {
    const own = turns.filter((turn) => turn.side === side);
    const show = (pick: (turn: Turn) => number, digits: number) => {
      const sorted = own.map(pick).sort((a, b) => a - b);
      const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
      return `${(sorted[0] ?? 0).toFixed(digits)} / ${median.toFixed(digits)}`;
    };
    const columns = [
      show(({ first }) => first.load.answersPerSecond, 0),
      show(({ steady }) => steady.load.lastByteMs.p50, 2),
      show(({ steady }) => steady.load.lastByteMs.p99, 1),
      show(({ steady }) => steady.cpuMicros, 0),
      show(({ steady }) => steady.databaseCpuMicros ?? 0, 0),
      show(({ steady }) => steady.databaseTransactions ?? 0, 3),
    ];
    console.log(`| ${side} | ${columns.join(" | ")} |`);
  }
  const failed = turns.flatMap(({ first, steady }) => [first.load.errors, steady.load.errors]);
  console.log(`\nLeast and median of the turns. Failed calls: ${JSON.stringify(failed)}`);
}
