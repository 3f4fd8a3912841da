import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { findEmbeddedDatabase, postgresPid } from "./embedded-database.ts";
import { eventually } from "./eventually.ts";
import {
  type Exchange,
  type FakeUpstream,
  messageEnd,
  messageJson,
  messageStart,
  startFakeUpstream,
  textDelta,
} from "./fake-upstream.ts";
import { FOLD_PAUSE_MS, holdFold } from "./held-fold.ts";
import { limitAllScopes } from "./limit-all-scopes.ts";
import { openHours } from "./open-hours.ts";
import { seededRandom } from "./seeded-random.ts";
import {
  type ServerOptions,
  type ServerProcess,
  startAndKill,
  startServer,
  type WorkspaceWithKey,
} from "./server-process.ts";

// Kills a server under load with `kill -9`, in the middle of a fold, in rounds on one data folder. Every third round first
// pauses it in a fold. The upstream runs outside the server and
// records each request that reached it. Afterwards the database must have exactly one record of each, and all sums
// must agree.

export interface CrashOptions {
  rounds: number;
  /** Decides every delay and response. The same seed repeats a failed run. */
  seed: number;
  /** Clients that send until the server is killed. Default: 16. */
  clients?: number;
  /** Environment variables of every start. */
  env?: Record<string, string>;
  /** Arguments of each start, by round. Round 0 is the first start. */
  args?: (round: number) => readonly string[];
  /** Runs under load before the crash. */
  beforeCrash?: (server: ServerProcess) => Promise<void>;
  /** Breaks a part of the product. Default: kills the whole process in the middle of a fold. */
  crash?: (server: ServerProcess, round: number) => Promise<void>;
  /**
   * Recovers the server. The default, also for a null result, is a start. In every second round the default kills one
   * start before.
   */
  recover?: (server: ServerProcess, round: number) => Promise<ServerProcess | null>;
  /** Runs on the recovered server once everything is recorded. */
  onRecorded?: (server: ServerProcess) => Promise<void>;
  /**
   * Whether the journal is in the database. Each request that reaches the upstream waited for all earlier records. So
   * later requests show which records are durable.
   */
  isInDatabase?: boolean;
  /**
   * Requests that the upstream holds until the crash is over. All processes together interrupt this number. Other
   * clients continue. Default: 1.
   */
  heldAtCrash?: number;
  /** Duration of the load after the crash, milliseconds. */
  loadAfterCrashMs?: number;
  /** Runs after each round that passed. */
  onRound?: (round: CrashRound) => void;
}

export interface CrashRound {
  round: number;
  /** Requests that reached the upstream in this round. */
  reached: number;
  answered: number;
  interrupted: number;
  /** Records with other outcomes: refused by the upstream, or never sent. */
  other: number;
  /** Milliseconds from the start of the new process to the last record. */
  recoveredMs: number;
}

/** Tokens of each request. They follow from its number, so that two requests never have the same cost. */
const BASE_INPUT_TOKENS = 1_000;
const OUTPUT_TOKENS = 50;
const INPUT_NANO_USD = 1_000n; // claude-haiku-4-5: $1 and $5 per million tokens
const OUTPUT_NANO_USD = 5_000n;
const MODEL = "claude-haiku-4-5-20251001";

const DEFAULT_CLIENTS = 16;
/**
 * Requests held at a crash of three processes with the default clients. Each process then has three clients or more.
 */
export const HELD_AT_THREE_PROCESSES = 14;
/** Time after which a complete response is certainly recorded. The node waits for nothing between the two. */
const RECORDED_WITHIN_MS = 200;
/**
 * Responses for each client before the crash. Every client has then sent, and the journal and the database have both
 * written.
 */
const ANSWERS_PER_CLIENT = 2;
const PAUSE_EVERY_ROUNDS = 3;
const LOAD_BOUND_MS = 60_000;
const RECORDS_BOUND_MS = 60_000;

interface Sent {
  name: string;
  round: number;
  number: number;
  /** Time of `performance.now()`, milliseconds. */
  sentAtMs: number;
  /** Time of the complete response on the same clock. Null without one. */
  completedAtMs: number | null;
  status: number | null;
}

interface Run {
  server: ServerProcess;
  upstream: FakeUpstream;
  workspaces: WorkspaceWithKey[];
  random: () => number;
  sent: Map<string, Sent>;
  /** Time at which each round's process was killed, on the monotonic clock. */
  killedAtMs: Map<number, number>;
  /** Responses that the upstream holds until the crash is over. */
  held: HeldAnswers;
  options: Required<Pick<CrashOptions, "clients">> & CrashOptions;
}

interface HeldAnswers {
  /** Number of responses to hold. 0 between crashes. */
  wanted: number;
  waiting: (() => void)[];
}

/** Runs the rounds. Throws an Error that names the first fault. Stops all servers. */
export async function runCrashRounds(options: CrashOptions): Promise<CrashRound[]> {
  const upstream = await startFakeUpstream();
  const random = seededRandom(options.seed);
  const held: HeldAnswers = { wanted: 0, waiting: [] };
  upstream.script = (exchange) => answer(exchange, random, held);
  const server = await startServer({
    folderName: "data of a crash",
    env: {
      ANTHROPIC_API_KEY: "upstream-credential",
      ANTHROPIC_UPSTREAM_URL: upstream.origin,
      ...options.env,
    },
    args: options.args?.(0) ?? [],
  });
  const run: Run = {
    server,
    upstream,
    workspaces: [await server.workspaceWithKey(), await server.workspaceWithKey()],
    random,
    sent: new Map(),
    killedAtMs: new Map(),
    held,
    options: { clients: DEFAULT_CLIENTS, ...options },
  };
  await limitAllScopes(server, run.workspaces);
  const rounds: CrashRound[] = [];
  try {
    for (let round = 1; round <= options.rounds; round++) {
      const held = await crashOnce(run, round);
      rounds.push(held);
      options.onRound?.(held);
    }
    await run.server.stop();
  } finally {
    await upstream.close();
  }
  return rounds;
}

async function crashOnce(run: Run, round: number): Promise<CrashRound> {
  const before = run.upstream.received.length;
  const isStopped = { value: false };
  const clients = Array.from({ length: run.options.clients }, (_, i) =>
    sendUntilStopped(run, round, i, isStopped),
  );
  await delay(300 + run.random() * 700);
  await eventually(LOAD_BOUND_MS, "answers before the crash", async () =>
    countAnswered(run, round) >= ANSWERS_PER_CLIENT * run.options.clients ? true : null,
  );
  await run.options.beforeCrash?.(run.server);
  if (round % PAUSE_EVERY_ROUNDS === 0) await pauseFold(run);
  await holdAnswers(run);
  const crash = run.options.crash ?? ((server) => killInFold(run, server, round));
  run.killedAtMs.set(round, performance.now());
  await crash(run.server, round);
  await delay(run.options.loadAfterCrashMs ?? 0);
  release(run.held);
  isStopped.value = true;
  await Promise.all(clients);
  const reached = run.upstream.received.slice(before).map(nameOf);
  if (reached.length === 0)
    throw new Error("no request reached the upstream, so the round proves nothing");

  const startedAtMs = performance.now();
  const { dataDir } = run.server;
  const recovered = await run.options.recover?.(run.server, round);
  run.server = recovered ?? (await restartServer(run, round));
  const records = await eventually(RECORDS_BOUND_MS, `a record of each request`, async () => {
    const found = await readRecords(run.server);
    return reached.every((name) => found.has(name)) ? found : null;
  });
  const recoveredMs = performance.now() - startedAtMs;
  checkRecords(run, records);
  await eventually(RECORDS_BOUND_MS, "a fold of each request", async () => {
    const batches = await run.server.sql("SELECT id FROM usage_batch LIMIT 1");
    return batches.length === 0 ? true : null;
  });
  await checkMoney(run.server);
  await run.options.onRecorded?.(run.server);
  if (postgresPid(dataDir) === null) throw new Error("the embedded PostgreSQL has moved");

  const outcomes = reached.map((name) => records.get(name)?.[0]?.outcome);
  const count = (outcome: string) => outcomes.filter((one) => one === outcome).length;
  const [answered, interrupted] = [count("answered"), count("interrupted")];
  const other = reached.length - answered - interrupted;
  return { round, reached: reached.length, answered, interrupted, other, recoveredMs };
}

function countAnswered({ sent }: Run, round: number): number {
  let answered = 0;
  for (const one of sent.values()) if (one.round === round && one.status === 200) answered++;
  return answered;
}

/** Waits until the upstream holds all requests that the crash interrupts. The crash never comes while they arrive. */
async function holdAnswers({ held, options, random }: Run): Promise<void> {
  held.wanted = options.heldAtCrash ?? 1;
  await eventually(LOAD_BOUND_MS, "requests to interrupt", async () =>
    held.waiting.length >= held.wanted ? true : null,
  );
  await delay(random() * 100);
}

/** Pauses the process in the middle of a fold, until the fold has lost its transaction. */
async function pauseFold({ server, random }: Run): Promise<void> {
  const fold = await holdFold(findConnection(server), random());
  process.kill(server.pid, "SIGSTOP");
  try {
    await fold.release();
    await delay(FOLD_PAUSE_MS);
  } finally {
    process.kill(server.pid, "SIGCONT");
  }
}

/** Kills the process in the middle of a fold. */
async function killInFold(run: Run, server: ServerProcess, round: number): Promise<void> {
  const fold = await holdFold(findConnection(server), run.random());
  run.killedAtMs.set(round, performance.now());
  await server.kill();
  await fold.release();
}

function findConnection({ dataDir, env }: ServerProcess): pg.ClientConfig {
  const { DATABASE_URL: connectionString } = env;
  return connectionString === undefined ? findEmbeddedDatabase(dataDir) : { connectionString };
}

function release(held: HeldAnswers): void {
  held.wanted = 0;
  for (const resume of held.waiting.splice(0)) resume();
}

/**
 * Starts the server again. Every second round kills the new process once, between its first line and its first
 * request.
 */
async function restartServer(run: Run, round: number): Promise<ServerProcess> {
  const { dataDir, env } = run.server;
  const startOptions: ServerOptions = { dataDir, env, args: run.options.args?.(round) ?? [] };
  if (round % 2 === 0) await startAndKill(startOptions, 50 + run.random() * 1_500);
  return await startServer(startOptions);
}

async function sendUntilStopped(
  run: Run,
  round: number,
  client: number,
  isStopped: { value: boolean },
): Promise<void> {
  const { key } = run.workspaces[client % run.workspaces.length] ?? { key: "" };
  while (!isStopped.value) {
    const number = run.sent.size;
    // Only the requested model marks a record of the test after a crash.
    const name = `claude-crash-${round}-${number}`;
    const sentAtMs = performance.now();
    const sent: Sent = { name, round, number, sentAtMs, completedAtMs: null, status: null };
    run.sent.set(name, sent);
    try {
      const response = await fetch(`${run.server.url}/v1/messages`, {
        method: "POST",
        headers: { "x-api-key": key, "content-type": "application/json" },
        body: JSON.stringify({
          model: name,
          max_tokens: OUTPUT_TOKENS,
          stream: number % 2 === 1,
          metadata: { user_id: String(number) },
          messages: [{ role: "user", content: "Hello" }],
        }),
      });
      await response.arrayBuffer();
      sent.status = response.status;
      sent.completedAtMs = performance.now();
    } catch {
      // The server has ended. The loop checks that.
      await delay(1);
    }
  }
}

/** Sends a fast, slow, streamed or refused response, as upstreams do. */
async function answer(exchange: Exchange, random: () => number, held: HeldAnswers): Promise<void> {
  const { stream, metadata } = JSON.parse(exchange.received.body.toString("utf8")) as {
    stream: boolean;
    metadata: { user_id: string };
  };
  const usage = {
    input_tokens: BASE_INPUT_TOKENS + Number(metadata.user_id),
    output_tokens: OUTPUT_TOKENS,
  };
  if (random() < 0.05) {
    const error = { type: "overloaded_error", message: "Overloaded" };
    exchange.json({ type: "error", error }, { status: 529 });
    return;
  }
  const pauseMs = random() < 0.2 ? 150 + random() * 300 : random() * 30;
  if (!stream) {
    await delay(pauseMs);
    await waitWhileHeld(held);
    exchange.json(messageJson({ usage, model: MODEL }));
    return;
  }
  exchange.startStream();
  await exchange.write(
    messageStart({ ...usage, output_tokens: 1 }).replace(/"model":"[^"]*"/, `"model":"${MODEL}"`),
  );
  await waitWhileHeld(held);
  for (let i = 0; i < 5; i++) {
    await delay(pauseMs / 5);
    if (exchange.isCut()) return;
    await exchange.write(textDelta(`word ${i} `));
  }
  for (const event of messageEnd({ output_tokens: OUTPUT_TOKENS })) {
    if (exchange.isCut()) return;
    await exchange.write(event);
  }
  exchange.end();
}

async function waitWhileHeld({ waiting, wanted }: HeldAnswers): Promise<void> {
  if (waiting.length >= wanted) return;
  await new Promise<void>((resume) => waiting.push(resume));
}

interface UsageRecord {
  requested_model: string;
  node_id: string;
  outcome: string;
  cost: string;
  input_tokens: string;
  output_tokens: string;
}

async function readRecords(server: ServerProcess): Promise<Map<string, UsageRecord[]>> {
  const rows = await server.sql<UsageRecord>(
    "SELECT requested_model, node_id, outcome, cost_nano_usd::text AS cost, input_tokens::text, output_tokens::text FROM recorded_request",
  );
  const byName = new Map<string, UsageRecord[]>();
  for (const row of rows) {
    const same = byName.get(row.requested_model) ?? [];
    byName.set(row.requested_model, [...same, row]);
  }
  return byName;
}

/** Checks the records of all rounds so far. Later starts must not duplicate or change a record. */
function checkRecords(run: Run, records: Map<string, UsageRecord[]>): void {
  const reached = new Set(run.upstream.received.map(nameOf));
  const latestMs = findLastReached(run, records, reached);
  for (const [name, found] of records) {
    const sent = run.sent.get(name);
    if (sent === undefined) throw new Error(`${name}: has a record, but was never sent`);
    const [record] = found;
    if (found.length !== 1 || record === undefined)
      throw new Error(`${name}: ${found.length} records`);
    // The kill of its own round decides the meaning of a response. Later kills do not.
    const writtenMs = run.options.isInDatabase
      ? latestMs.get(placeOf(sent, record))
      : run.killedAtMs.get(sent.round);
    checkRecord(sent, record, (writtenMs ?? Number.NEGATIVE_INFINITY) - RECORDED_WITHIN_MS);
  }
  for (const name of reached) {
    if (!records.has(name)) throw new Error(`${name}: reached the upstream, but has no record`);
  }
}

const placeOf = ({ round }: Sent, { node_id }: UsageRecord) => `${round} ${node_id}`;

/** Time of the last request at the upstream, by round and node. All records before it are durable. */
function findLastReached(
  run: Run,
  records: Map<string, UsageRecord[]>,
  reached: ReadonlySet<string>,
): Map<string, number> {
  const latestMs = new Map<string, number>();
  for (const [name, [record]] of records) {
    const sent = run.sent.get(name);
    if (sent === undefined || record === undefined || !reached.has(name)) continue;
    const place = placeOf(sent, record);
    latestMs.set(place, Math.max(latestMs.get(place) ?? sent.sentAtMs, sent.sentAtMs));
  }
  return latestMs;
}

/** Checks one record. A response that was complete before `lostAfterMs` must not be interrupted. */
function checkRecord(sent: Sent, record: UsageRecord, lostAfterMs: number): void {
  const inputTokens = BigInt(BASE_INPUT_TOKENS + sent.number);
  const fullCost = inputTokens * INPUT_NANO_USD + BigInt(OUTPUT_TOKENS) * OUTPUT_NANO_USD;
  const { outcome, cost } = record;
  const description = `${sent.name}: ${outcome}, cost ${cost}, client saw ${sent.status}`;
  switch (outcome) {
    case "answered":
      if (BigInt(cost) !== fullCost) throw new Error(`${description}: expected ${fullCost}`);
      return;
    case "refused":
    case "unreached":
      if (cost !== "0") throw new Error(`${description}: expected 0`);
      if (sent.status === 200) throw new Error(`${description}: was answered`);
      return;
    case "interrupted": {
      if (cost !== "0") throw new Error(`${description}: has no known usage, expected 0`);
      const isLost = sent.completedAtMs === null || sent.completedAtMs > lostAfterMs;
      if (!isLost)
        throw new Error(`${description}: its response was complete long before the kill`);
      return;
    }
    default:
      throw new Error(`${description}: no client aborted`);
  }
}

/** Checks that every sum over the records has the same value. */
async function checkMoney(server: ServerProcess): Promise<void> {
  const sumClosed = (table: string) => `
    SELECT '${table}', (coalesce(sum(requests), 0) + (SELECT requests FROM open_hours))::text,
      (coalesce(sum(cost_nano_usd), 0) + (SELECT cost FROM open_hours))::text FROM ${table}`;
  const sums = await server.sql<{ what: string; requests: string | null; cost: string }>(`
    WITH ${openHours}
    SELECT 'recorded_request' AS what, count(*)::text AS requests, sum(cost_nano_usd)::text AS cost FROM recorded_request
    UNION ALL SELECT 'usage_hour', sum(requests)::text, sum(cost_nano_usd)::text FROM usage_hour
    UNION ALL ${sumClosed("usage_day")}
    UNION ALL ${sumClosed("usage_key_month")}
    UNION ALL ${sumClosed("usage_organization_hour")}
    UNION ALL SELECT scope_type || ' ' || period, NULL, sum(settled_nano_usd)::text FROM balance
      GROUP BY scope_type, period`);
  const [events] = sums;
  if (events === undefined) throw new Error("no sums");
  for (const { what, requests, cost } of sums) {
    if (cost !== events.cost || (requests !== null && requests !== events.requests)) {
      throw new Error(`${what}: ${requests} requests, ${cost}; ${JSON.stringify(events)}`);
    }
  }
  const wrong = await server.sql(`
    WITH settled AS (
      SELECT scope_type, scope_id, sum(settled_nano_usd) AS settled FROM balance
      WHERE period = 'monthly' GROUP BY 1, 2
    ), counted AS (
      SELECT 'organization' AS scope_type, organization_id::text AS scope_id, sum(cost_nano_usd) AS cost
        FROM recorded_request GROUP BY 2
      UNION ALL SELECT 'workspace', workspace_id, sum(cost_nano_usd) FROM recorded_request GROUP BY 2
      UNION ALL SELECT 'api_key', api_key_id, sum(cost_nano_usd) FROM recorded_request GROUP BY 2
    )
    SELECT scope_type, scope_id, settled::text, cost::text
    FROM settled FULL JOIN counted USING (scope_type, scope_id)
    WHERE coalesce(settled, 0) <> coalesce(cost, 0)`);
  if (wrong.length > 0) throw new Error(`balances differ from usage: ${JSON.stringify(wrong)}`);
  const check = await server.mustAdmin("GET", "/v1/admin/ledger_check");
  if (check["is_correct"] !== true) throw new Error(`wrong balances: ${JSON.stringify(check)}`);
}

function nameOf(received: { body: Buffer }): string {
  const { model } = JSON.parse(received.body.toString("utf8")) as { model: string };
  return model;
}
