import { setTimeout as delay } from "node:timers/promises";
import { type Database, openDatabase } from "#src/db/pool.ts";
import { eventually } from "./eventually.ts";
import { type FakeUpstream, startFakeUpstream } from "./fake-upstream.ts";
import {
  answerAsPlanned,
  isMessage,
  type LimitLoad,
  modelOf,
  sendUntilStopped,
} from "./limit-load.ts";
import { queryOnce } from "./query-once.ts";
import { type Receiver, startReceiver } from "./receiver.ts";
import type { ReplicatedPostgres } from "./replicated-postgres.ts";
import { nodeAt, waitUntilIdle, waitUntilServing } from "./running-nodes.ts";
import { seededRandom } from "./seeded-random.ts";
import {
  callAdmin,
  type ServerProcess,
  sendMessage,
  startServer,
  textField,
  type WorkspaceWithKey,
} from "./server-process.ts";
import { TEST_SECRET } from "./test-secret.ts";

// Nodes under load while their database fails over to a standby, and one of them is killed in the same second. Requests
// that reached the upstream are counted outside the nodes.

/** A primary PostgreSQL with standbys. */
export interface FailingDatabase {
  /** Leads to the current primary, also after the failover. */
  connectionString: string;
  /** Commits from now on are lost by the failover. Null with synchronous replication. */
  startLoss: (() => Promise<void>) | null;
  killPrimary(): Promise<void>;
  /** Connection strings of the standbys. */
  listStandbys(): readonly string[];
  /** Returns when a standby has become the primary and accepts connections. */
  waitForPromotion(): Promise<void>;
}

export interface FailoverOptions {
  database: FailingDatabase;
  /** Decides the requests. A failed run can be repeated, as far as the machine's timing allows. */
  seed: number;
  nodeCount: number;
  /** Clients of the wide and of the tight limit. Default: 12 and 8. */
  clients?: { wide: number; tight: number };
  /** Environment variables of every node. */
  env?: Record<string, string>;
  /** Shortest time of lost commits before the kill, milliseconds. Default: 1.5 s. Ignored without loss. */
  lostMs?: number;
  /** Load after the failover, milliseconds. Default: 2 s. */
  loadAfterMs?: number;
}

export interface Failover {
  nodes: readonly ServerProcess[];
  /** Output of the killed node until its kill. */
  killedOutput: string;
  db: Database;
  load: LimitLoad;
  /** Workspace with a strict limit that is nearly unused. */
  wide: WorkspaceWithKey;
  /** Workspace with a strict limit that the load reaches. */
  tight: WorkspaceWithKey;
  /** Workspace whose alert fired in the lost time, and whose key was revoked in it. */
  lost: WorkspaceWithKey;
  /** Names of requests that reached the upstream, one for each time. */
  reached: readonly string[];
  killed: { node: number; atMs: number };
  /** Start of the lost commits on the monotonic clock, milliseconds. */
  lossStartMs: number;
  /** Ids of records that the promoted standby lacked. */
  lostRecordIds: readonly string[];
  /** Milliseconds from the kill until the promoted standby accepted connections. */
  promotedMs: number;
  /** Distinct statuses of `/readyz` on nodes that were not killed, from the kill to the end of the load. */
  readiness: readonly string[];
  /** Messages of alert channels. */
  receiver: Receiver;
}

/** Rounds of the load. */
export const WIDE = 1;
export const TIGHT = 2;
const WIDE_LIMIT_USD = 10_000;
const TIGHT_LIMIT_USD = 0.35;
/** One response of the fake upstream costs 50% of it. */
const ALERTED_LIMIT_USD = 0.00003;
const CLIENTS = { wide: 12, tight: 8 };
const ANSWERS_BEFORE = 60;
const REFUSALS_AT_THE_LIMIT = 5;
const LOAD_AFTER_MS = 2_000;
const LOST_MS = 1_500;
const READINESS_EVERY_MS = 200;
const BOUND_MS = 180_000;

interface Run {
  options: FailoverOptions;
  upstream: FakeUpstream;
  receiver: Receiver;
  nodes: ServerProcess[];
  db: Database;
  load: LimitLoad;
  wide: WorkspaceWithKey;
  tight: WorkspaceWithKey;
  lost: WorkspaceWithKey;
  /** Workspace whose requests show whether a node serves. */
  probe: WorkspaceWithKey;
}

export function toFailingDatabase(postgres: ReplicatedPostgres): FailingDatabase {
  return {
    connectionString: postgres.connectionString,
    startLoss: postgres.isSynchronous
      ? null
      : async () => {
          await postgres.waitUntilReplicated();
          postgres.pauseReplication();
        },
    killPrimary: () => postgres.killPrimary(),
    listStandbys: () => [postgres.standbyConnectionString],
    waitForPromotion: () => postgres.promoteStandby(),
  };
}

/** Runs one failover under load. Returns the result of `check`, which runs while all nodes serve. */
export async function runFailover<Result>(
  options: FailoverOptions,
  check: (failover: Failover) => Promise<Result>,
): Promise<Result> {
  await using parts = new AsyncDisposableStack();
  const run = await startRun(options, parts);
  const result = await check(await failOverUnderLoad(run));
  for (const node of run.nodes) await node.stop();
  return result;
}

async function startRun(options: FailoverOptions, parts: AsyncDisposableStack): Promise<Run> {
  const { connectionString } = options.database;
  const load: LimitLoad = { random: seededRandom(options.seed), sent: new Map(), refused: [] };
  const upstream = parts.adopt(await startFakeUpstream(), (one) => one.close());
  upstream.script = (exchange) => answerAsPlanned(load, exchange);
  const receiver = parts.adopt(await startReceiver(), (one) => one.close());
  const db = parts.adopt(
    openDatabase({ connectionString, maxConnections: 4, onIdleError: () => undefined }),
    (one) => one.destroy(),
  );
  const env = {
    DATABASE_URL: connectionString,
    BURSAR_SECRET: TEST_SECRET,
    ANTHROPIC_API_KEY: "upstream-credential",
    ANTHROPIC_UPSTREAM_URL: upstream.origin,
    BURSAR_ALLOW_PRIVATE_TARGETS: "127.0.0.1",
    BURSAR_HOLD_WAIT: "1s",
    BURSAR_UNRESOLVED_RELEASE: "24h",
    BURSAR_LOG_LEVEL: "info",
    ...options.env,
  };
  const nodes = await Promise.all(
    Array.from({ length: options.nodeCount }, (_, node) =>
      startServer({ env: { ...env, BURSAR_NODE_ID: `node-${node}` } }),
    ),
  );
  const first = nodeAt({ nodes }, 0);
  const wide = await first.workspaceWithKey({ name: "Wide" });
  const tight = await first.workspaceWithKey({ name: "Tight" });
  const lost = await first.workspaceWithKey({ name: "Lost" });
  const probe = await first.workspaceWithKey({ name: "Probe" });
  await setLimit(first, wide, "strict", WIDE_LIMIT_USD);
  await setLimit(first, tight, "strict", TIGHT_LIMIT_USD);
  await setLimit(first, probe, "strict", WIDE_LIMIT_USD);
  await setLimit(first, lost, "alert_only", ALERTED_LIMIT_USD);
  await createAlert(first, receiver);
  return { options, upstream, receiver, nodes, db, load, wide, tight, lost, probe };
}

async function createAlert(node: ServerProcess, receiver: Receiver): Promise<void> {
  const channel = await node.mustOperator("POST", "/v1/admin/alert_channels", {
    name: "Failover",
    target: { kind: "webhook", url: `${receiver.origin}/webhook` },
  });
  await node.mustOperator("POST", "/v1/admin/alerts", {
    name: "Failover",
    scope: { type: "organization" },
    includes_below: true,
    condition: { kind: "spend_limit" },
    channel_ids: [textField(channel, "id")],
  });
}

/** Sets the monthly limit. */
async function setLimit(
  node: ServerProcess,
  { workspaceId }: WorkspaceWithKey,
  enforcement: "strict" | "alert_only",
  limitUsd: number,
): Promise<void> {
  await node.mustAdmin("POST", "/v1/admin/spend_limits", {
    scope: { type: "workspace", workspace_id: workspaceId },
    period: "monthly",
    limit_usd: limitUsd,
    enforcement,
    // Holds in steps leave the whole bound of a killed stream unresolved, which can exceed a limit.
    hold: "whole",
  });
}

async function failOverUnderLoad(run: Run): Promise<Failover> {
  await cacheLostKey(run);
  const stop = new AbortController();
  const clients = startClients(run, stop.signal);
  try {
    const faults = await failOver(run, stop.signal);
    stop.abort();
    await clients;
    const { nodes, db, load, wide, tight, lost, receiver } = run;
    await waitUntilIdle(run);
    const readiness = await faults.readiness;
    const reached = listReached(run);
    return { nodes, db, load, wide, tight, lost, receiver, reached, ...faults, readiness };
  } finally {
    stop.abort();
  }
}

async function startClients(run: Run, signal: AbortSignal): Promise<void> {
  const { load, nodes, wide, tight, options } = run;
  const clients = options.clients ?? CLIENTS;
  const urls = nodes.map((_, i) => () => nodeAt({ nodes }, i).url);
  const start = (count: number, round: number, { key }: WorkspaceWithKey) =>
    Array.from({ length: count }, () => sendUntilStopped(load, { round, key, urls, signal }));
  await Promise.all([...start(clients.wide, WIDE, wide), ...start(clients.tight, TIGHT, tight)]);
}

/** Fails over under load, until all nodes serve and the tight limit is reached. */
async function failOver(run: Run, signal: AbortSignal) {
  const { load, options, nodes } = run;
  const { database, lostMs = LOST_MS, loadAfterMs = LOAD_AFTER_MS } = options;
  await eventually(BOUND_MS, "answers before the failover", async () =>
    countAnswered(load) >= ANSWERS_BEFORE ? true : null,
  );
  const lossStartMs = performance.now();
  await database.startLoss?.();
  await Promise.all([delay(database.startLoss === null ? 0 : lostMs), changeFacts(run)]);
  const killed = nodes.length - 1;
  const readiness = watchReadiness(run, killed, signal);
  const faults = await injectFaults(run, killed);
  for (let i = 0; i < nodes.length; i++) await waitUntilServing(run, i);
  await delay(loadAfterMs);
  await eventually(BOUND_MS, "the tight limit to be reached", async () =>
    load.refused.filter(({ status }) => status === 400).length >= REFUSALS_AT_THE_LIMIT
      ? true
      : null,
  );
  return { ...faults, lossStartMs, readiness };
}

/** Makes every node cache the key, without cost. */
async function cacheLostKey({ nodes, lost }: Run): Promise<void> {
  for (const { url } of nodes) {
    const { status, text } = await useLostKey(url, lost);
    if (status !== 200) throw new Error(`the key of the workspace Lost: ${status} ${text}`);
  }
}

function useLostKey(url: string, { key }: WorkspaceWithKey) {
  return callAdmin(url, key, "POST", "/v1/messages/count_tokens", {
    model: "claude-haiku-4-5-20251001",
    messages: [{ role: "user", content: "Hello" }],
  });
}

/**
 * Causes an alert, and revokes a key. An asynchronous failover loses both. A change that no node has read stays lost, so all
 * nodes refuse the key before the failover.
 */
async function changeFacts({ nodes, receiver, lost }: Run): Promise<void> {
  const node = nodeAt({ nodes }, 0);
  const { status, text } = await sendMessage(node.url, lost.key);
  if (status !== 200) throw new Error(`the request that crosses a threshold: ${status} ${text}`);
  await eventually(BOUND_MS, "the alert of the workspace Lost", async () =>
    receiver.received.some(({ body }) => body.includes(lost.workspaceId)) ? true : null,
  );
  await node.mustAdmin("POST", `/v1/admin/api_keys/${lost.apiKeyId}`, { status: "archived" });
  for (const { url } of nodes) {
    await eventually(BOUND_MS, "a node that refuses the revoked key", async () =>
      (await useLostKey(url, lost)).status === 401 ? true : null,
    );
  }
}

/** Kills the primary and one node in the same second. Starts the node again, as its service manager does. */
async function injectFaults(run: Run, node: number) {
  const { database } = run.options;
  const killed = nodeAt(run, node);
  const before = await listRecorded(database.connectionString);
  const atMs = performance.now();
  await Promise.all([killed.kill(), database.killPrimary()]);
  const restarted = restartUntilItRuns(killed);
  const standbys = await Promise.all(database.listStandbys().map(listRecorded));
  const [lostRecordIds = []] = standbys
    .map((ids) => [...before].filter((id) => !ids.has(id)))
    .sort((a, b) => a.length - b.length);
  await database.waitForPromotion();
  const promotedMs = performance.now() - atMs;
  run.nodes[node] = await restarted;
  return { killed: { node, atMs }, killedOutput: killed.output(), lostRecordIds, promotedMs };
}

async function restartUntilItRuns(node: ServerProcess): Promise<ServerProcess> {
  return await eventually(BOUND_MS, "the killed node to start", () =>
    node.restart().catch(() => null),
  );
}

/** Ids of recorded requests. */
export async function listRecorded(connectionString: string): Promise<Set<string>> {
  const rows = await queryOnce<{ id: string }>(
    connectionString,
    "SELECT request_id AS id FROM recorded_request",
  );
  return new Set(rows.map(({ id }) => id));
}

/** Returns the distinct statuses of nodes that run. */
async function watchReadiness(
  { nodes }: Run,
  killed: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const seen = new Set<string>();
  while (!signal.aborted) {
    for (const [i, { url }] of nodes.entries()) {
      if (i !== killed) seen.add(await readReadiness(url));
    }
    await delay(READINESS_EVERY_MS);
  }
  return [...seen].sort();
}

export async function readReadiness(url: string): Promise<string> {
  const response = await fetch(`${url}/readyz`).catch(() => null);
  if (response === null) return "no response";
  const { status, reason } = (await response.json()) as { status: string; reason: string | null };
  return `${response.status} ${status} ${reason}`;
}

function listReached({ upstream, load }: Run): string[] {
  return upstream.received
    .filter(isMessage)
    .map(({ body }) => modelOf(body))
    .filter((name) => load.sent.has(name));
}

function countAnswered({ sent }: LimitLoad): number {
  return [...sent.values()].filter(({ completedAtMs }) => completedAtMs !== null).length;
}
