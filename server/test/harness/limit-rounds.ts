import type { Database } from "#src/db/pool.ts";
import { eventually } from "./eventually.ts";
import { type FakeUpstream, startFakeUpstream } from "./fake-upstream.ts";
import { type HeldFold, holdFold } from "./held-fold.ts";
import { checkRound, type Faults, type RoundMoney, readRecords } from "./limit-checks.ts";
import {
  answerAsPlanned,
  isMessage,
  type LimitLoad,
  modelOf,
  sendUntilStopped,
} from "./limit-load.ts";
import {
  NODE_NAME,
  type NodesOnPostgres,
  SHORT_LEASES,
  startNodesOnPostgres,
} from "./nodes-on-postgres.ts";
import {
  nodeAt,
  nodeIdOf,
  readEpochs,
  waitUntilCounted,
  waitUntilIdle,
  waitUntilLimitsKnown,
  waitUntilReported,
  waitUntilServing,
} from "./running-nodes.ts";
import { seededRandom } from "./seeded-random.ts";
import { type ServerProcess, textField, type WorkspaceWithKey } from "./server-process.ts";

// Tests a strict limit under all faults at once: four nodes on one PostgreSQL and many clients. One node is killed,
// one is stopped until the others have fenced it, and PostgreSQL crashes. The killed or the stopped node is in the
// middle of a fold. Requests that reached the upstream are counted outside the nodes.

export interface LimitOptions {
  rounds: number;
  /** Decides requests, victims and order. A failed run can be repeated, as far as the machine's timing allows. */
  seed: number;
  /** Default: 60. */
  clients?: number;
  /** Monthly limit of each round's workspace. A key has 40 % of it a day. Default: 0.3. */
  limitUsd?: number;
  onRound?: (round: LimitRound) => void;
}

export interface LimitRound extends RoundMoney {
  round: number;
  reached: number;
  /** Responses before the first fault. */
  answeredBefore: number;
  refusals: Record<string, number>;
  /** Milliseconds from the last fault until every node serves. */
  recoveredMs: number;
}

const NODES = 4;
const DEFAULT_CLIENTS = 60;
const DEFAULT_LIMIT_USD = 0.3;
const KEY_SHARE = 0.4;
const NANO = 1e9;
const ANSWERS_BEFORE_FAULTS = 30;
const REFUSALS_AT_THE_LIMIT = 20;
const BOUND_MS = 180_000;
/** Last part of a node's output in an error. */
const OUTPUT_CHARS = 4_000;

interface Run extends NodesOnPostgres {
  upstream: FakeUpstream;
  /** Workspace with a limit that is never reached. Shows whether a node serves. */
  probe: WorkspaceWithKey;
  load: LimitLoad;
  clients: number;
  limitUsd: number;
}

/** Runs the rounds. Throws an Error that names the first fault. Call `stopAllServers` afterwards. */
export async function runLimitRounds(options: LimitOptions): Promise<LimitRound[]> {
  await using parts = new AsyncDisposableStack();
  const run = await startRun(options, parts);
  const rounds: LimitRound[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const held = await runRound(run, round);
    rounds.push(held);
    options.onRound?.(held);
  }
  for (const node of run.nodes) await node.stop();
  await checkNoLeases(run.db);
  return rounds;
}

async function startRun(options: LimitOptions, parts: AsyncDisposableStack): Promise<Run> {
  const load: LimitLoad = { random: seededRandom(options.seed), sent: new Map(), refused: [] };
  const upstream = parts.adopt(await startFakeUpstream(), (one) => one.close());
  upstream.script = (exchange) => answerAsPlanned(load, exchange);
  const env = { ...SHORT_LEASES, BURSAR_LOG_LEVEL: "info" };
  const started = { nodes: NODES, upstreamOrigin: upstream.origin, env };
  const { postgres, db, nodes } = await startNodesOnPostgres(parts, started);
  const first = nodeAt({ nodes }, 0);
  const probe = await first.workspaceWithKey();
  await setLimit(first, { type: "workspace", workspace_id: probe.workspaceId }, "monthly", 1_000);
  const { clients = DEFAULT_CLIENTS, limitUsd = DEFAULT_LIMIT_USD } = options;
  return { postgres, db, upstream, nodes, probe, load, clients, limitUsd };
}

/** Holds the next fold of any node. */
async function holdFoldOfNode({ postgres, load }: Run): Promise<HeldFold & { node: number }> {
  const { connectionString } = postgres;
  const fold = await holdFold({ connectionString }, load.random());
  return { ...fold, node: Number(fold.applicationName.slice(NODE_NAME.length)) };
}

async function runRound(run: Run, round: number): Promise<LimitRound> {
  const { load, upstream } = run;
  load.refused = [];
  const before = upstream.received.length;
  const { workspaceId, keys } = await createLimitedWorkspace(run);
  const stop = new AbortController();
  const urls = run.nodes.map((_, i) => () => nodeAt(run, i).url);
  const clients = Array.from({ length: run.clients }, (_, i) =>
    sendUntilStopped(load, { round, key: keys[i % 2] ?? "", urls, signal: stop.signal }),
  );
  const answeredBefore = await eventually(BOUND_MS, "answers before any fault", async () => {
    const answered = countAnswered(load, round);
    return answered >= ANSWERS_BEFORE_FAULTS ? answered : null;
  });
  // The two orders alternate.
  const faults = await injectFaults(run, round % 2 === 1);
  const faultsEndMs = performance.now();
  for (let i = 0; i < NODES; i++) await waitUntilServing(run, i);
  const recoveredMs = performance.now() - faultsEndMs;
  await eventually(BOUND_MS, "the limit to be reached", async () => {
    const futile = load.refused.filter(({ status }) => status === 400);
    return futile.length >= REFUSALS_AT_THE_LIMIT ? true : null;
  });
  stop.abort();
  await Promise.all(clients);
  const reached = upstream.received
    .slice(before)
    .filter(isMessage)
    .map(({ body }) => modelOf(body))
    .filter((name) => load.sent.has(name));
  await waitUntilRecorded(run, workspaceId, reached);
  const money = await checkRound(run.db, load, { round, workspaceId, reached, faults });
  await checkLedger(nodeAt(run, round % NODES));
  if (money.billedNanoUsd > BigInt(Math.round(run.limitUsd * NANO))) {
    throw new Error(`${money.billedNanoUsd} nano-USD were billed, more than the limit`);
  }
  const kinds = Object.groupBy(load.refused, ({ status }) => status);
  const refusals = Object.fromEntries(
    Object.entries(kinds).map(([status, refused]) => [status, refused?.length ?? 0]),
  );
  return { round, reached: reached.length, answeredBefore, refusals, recoveredMs, ...money };
}

/** Creates a limited workspace and two keys, one with its own limit. Waits until every node has them. */
async function createLimitedWorkspace(run: Run): Promise<{ workspaceId: string; keys: string[] }> {
  const node = nodeAt(run, 0);
  const { workspaceId, apiKeyId, key } = await node.workspaceWithKey();
  const other = await node.mustAdmin("POST", "/v1/admin/api_keys", {
    name: "without a limit",
    workspace_id: workspaceId,
    permissions: ["write"],
  });
  await setLimit(node, { type: "workspace", workspace_id: workspaceId }, "monthly", run.limitUsd);
  await setLimit(
    node,
    { type: "api_key", api_key_id: apiKeyId },
    "daily",
    KEY_SHARE * run.limitUsd,
  );
  await waitUntilLimitsKnown(run.db, BOUND_MS);
  await waitUntilCounted(run.db, [workspaceId, apiKeyId]);
  return { workspaceId, keys: [key, textField(other, "key")] };
}

async function setLimit(
  node: ServerProcess,
  scope: object,
  period: string,
  limitUsd: number,
): Promise<void> {
  // Holds in steps leave the whole bound of a killed stream unresolved, which can exceed a limit.
  const body = { scope, period, limit_usd: limitUsd, enforcement: "strict", hold: "whole" };
  await node.mustAdmin("POST", "/v1/admin/spend_limits", body);
}

/**
 * Stops one node for longer than its lease, and kills another one. PostgreSQL crashes together with the kill, or
 * after the new start. One of the two nodes folds at that moment: the killed one if PostgreSQL crashes with it.
 */
async function injectFaults(run: Run, isDatabaseFirst: boolean): Promise<Faults> {
  const { random } = run.load;
  const fold = await holdFoldOfNode(run);
  const other = (fold.node + 1 + Math.floor(random() * (NODES - 1))) % NODES;
  const [stopped, victim] = isDatabaseFirst ? [other, fold.node] : [fold.node, other];
  const [stoppedNode, victimNode] = [nodeAt(run, stopped), nodeAt(run, victim)];
  const before = await readEpochs(run.db);
  const stoppedId = await nodeIdOf(stoppedNode);
  const victimId = await nodeIdOf(victimNode);
  process.kill(stoppedNode.pid, "SIGSTOP");
  try {
    if (!isDatabaseFirst) await fold.release();
    const isBack = isDatabaseFirst ? crashDatabase(run) : Promise.resolve();
    const atMs = performance.now();
    await Promise.all([victimNode.kill(), isBack]);
    await fold.release();
    run.nodes[victim] = await victimNode.restart();
    if (!isDatabaseFirst) await crashDatabase(run);
    await eventually(BOUND_MS, "the stopped node to be fenced", async () => {
      const epochs = await readEpochs(run.db);
      return (epochs.get(stoppedId) ?? 0n) > (before.get(stoppedId) ?? 0n) ? true : null;
    });
    const epochs = await readEpochs(run.db);
    if ((epochs.get(victimId) ?? 0n) <= (before.get(victimId) ?? 0n)) {
      throw new Error("a node that was killed started again under its old epoch");
    }
    return { killed: { node: victim, atMs } };
  } finally {
    process.kill(stoppedNode.pid, "SIGCONT");
  }
}

/** Kills PostgreSQL. Its supervisor starts it again at the same address. */
async function crashDatabase({ postgres, db }: Run): Promise<void> {
  const { pid } = postgres;
  process.kill(pid, "SIGQUIT");
  await eventually(BOUND_MS, "PostgreSQL to accept connections", async () => {
    if (postgres.pid === pid) return null;
    return await readEpochs(db).catch(() => null);
  });
}

/** Waits until every request has its record and no record changes. */
async function waitUntilRecorded(
  run: Run,
  workspaceId: string,
  reached: readonly string[],
): Promise<void> {
  let missing: readonly string[] = reached;
  await eventually(BOUND_MS, "a record of each request", async () => {
    const names = new Set((await readRecords(run.db, workspaceId)).map(({ name }) => name));
    missing = reached.filter((name) => !names.has(name));
    return missing.length === 0 ? true : null;
  }).catch((error: unknown) => {
    const [one = ""] = missing;
    throw new Error(
      `${missing.length} requests have no record, such as ${describeSent(run, one)}`,
      {
        cause: error,
      },
    );
  });
  await waitUntilReported(run.db);
  // Records and balances are read in two queries, so no flush may happen between them.
  await waitUntilIdle(run);
}

/** Checks the ledger, as `./bursar doctor ledger` does. */
async function checkLedger(node: ServerProcess): Promise<void> {
  const check = await node.mustAdmin("GET", "/v1/admin/ledger_check");
  if (check["is_correct"] !== true) {
    throw new Error(`doctor ledger: ${JSON.stringify(check["differences"])}`);
  }
}

function describeSent({ load, nodes }: Run, name: string): string {
  const planned = load.sent.get(name);
  const output = nodes[planned?.node ?? -1]?.output() ?? "";
  const { node, status, isStream, isAborted, completedAtMs } = planned ?? {};
  return `${name} ${JSON.stringify({ node, status, isStream, isAborted, completedAtMs })}\n${output.slice(-OUTPUT_CHARS)}`;
}

async function checkNoLeases(db: Database): Promise<void> {
  const leases = await db
    .selectFrom("lease")
    .select("node_id")
    .where("request_id", "=", "")
    .execute();
  const leased = await db
    .selectFrom("balance_sum")
    .select("scope_id")
    .where("leased_nano_usd", "<>", 0n)
    .execute();
  if (leases.length + leased.length > 0) {
    throw new Error(
      `${leases.length} leases remain, ${leased.length} balances have a leased amount`,
    );
  }
}

function countAnswered({ sent }: LimitLoad, round: number): number {
  let answered = 0;
  for (const one of sent.values())
    if (one.round === round && one.completedAtMs !== null) answered++;
  return answered;
}
