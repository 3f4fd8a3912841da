import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseUsd } from "../../server/src/domain/money.ts";
import { eventually } from "../../server/test/harness/eventually.ts";
import {
  type NodesOnPostgres,
  SHORT_LEASES,
  startNodesOnPostgres,
} from "../../server/test/harness/nodes-on-postgres.ts";
import {
  nodeAt,
  nodeIdOf,
  readEpochs,
  waitUntilCounted,
  waitUntilIdle,
  waitUntilLimitsKnown,
  waitUntilReported,
  waitUntilServing,
} from "../../server/test/harness/running-nodes.ts";
import { seededRandom } from "../../server/test/harness/seeded-random.ts";
import type { WorkspaceWithKey } from "../../server/test/harness/server-process.ts";
import { monotonicMs } from "../monotonic.ts";
import { AGENT_MODEL, makeHeaders } from "./agent-body.ts";
import { bill } from "./bill.ts";
import type { BilledRequest } from "./billed-request.ts";
import { type RecordedRequest, type RunLimit, readRecords } from "./bursar-target.ts";
import type {
  Fate,
  FaultFigures,
  FaultStream,
  OverrunFiring,
  UnresolvedRecord,
} from "./check-faults.ts";
import { between } from "./plan-answer.ts";
import { countCodes, sum } from "./report-run.ts";
import { type Attempt, sendRequest } from "./send-request.ts";
import { type StandIn, startStandIn } from "./start-stand-in.ts";
import { takeWords } from "./timeline.ts";

// Rounds of faults with streams under one limit: see `step-faults.ts`.

export interface FaultOptions {
  rounds: number;
  limit: RunLimit;
  clients: number;
  /** `max_tokens` of every request. */
  maxTokens: number;
  seed: number;
}

const NODES = 4;
const BOUND_MS = 180_000;
/** A stop that ends before the lease does, and one that is longer than any hold reaches ahead. */
const SHORT_STOP_MS = [400, 1_500] as const;
const LONG_STOP_MS = [14_000, 18_000] as const;

interface FaultPlan {
  hasKill: boolean;
  stop: "short" | "until_fenced" | "long";
  /** Share of the limit that is spent before the faults. */
  spentBefore: number;
  /** Part of the limit that the round has. */
  limitShare: number;
  /** Length of hidden thinking. Null: as agents have it. */
  thinkingTokens: number | null;
}

const AS_AGENTS = { limitShare: 1, thinkingTokens: null };

/**
 * The rounds use them in turn. After a kill the unresolved holds block the limit, so the others have none. During the long
 * stop, the other nodes spend a small limit, and the streams of the stopped node think beyond their holds.
 */
const PLANS: readonly FaultPlan[] = [
  { ...AS_AGENTS, hasKill: true, stop: "until_fenced", spentBefore: 0.3 },
  { hasKill: false, stop: "long", spentBefore: 0.2, limitShare: 0.2, thinkingTokens: 3_000 },
  { ...AS_AGENTS, hasKill: true, stop: "short", spentBefore: 0.3 },
  { ...AS_AGENTS, hasKill: false, stop: "short", spentBefore: 0.6, limitShare: 0.4 },
];
/** Time of the killed node until it starts again. */
const DOWN_MS = 1_000;
/** Longer than the stand-in generates for a client that has left. */
const SETTLE_MS = 3_000;
/** Time in which a busy node records the end of a stream. */
const RECORDED_WITHIN_MS = 1_000;
const REFUSED_PAUSE_MS = 500;
const PROMPT_BYTES = 400;
/** Consecutive final refusals of one client after which the limit counts as spent. */
const FINAL_REFUSALS = 3;
const PROBE_LIMIT_USD = 1_000;

interface Round {
  round: number;
  plan: FaultPlan;
  limit: RunLimit;
  made: WorkspaceWithKey;
  sent: Sent[];
}

interface Sent {
  node: number;
  attempt: Attempt;
}

interface FaultTimes {
  /** Node that was killed. Null: none. */
  killed: number | null;
  killedAtMs: number;
  stopped: number;
  stoppedAtMs: number;
  continuedAtMs: number;
  isFenced: boolean;
}

interface Parts extends NodesOnPostgres {
  standIn: StandIn;
  probe: WorkspaceWithKey;
  random: () => number;
  options: FaultOptions;
}

/** Runs the rounds one after another. Call `stopAllServers` afterwards. */
export async function* runFaultRounds(
  options: FaultOptions,
): AsyncGenerator<FaultFigures, void, undefined> {
  await using stack = new AsyncDisposableStack();
  const standIn = stack.adopt(await startStandIn({ seed: options.seed }), (one) => one.stop());
  const nodes = await startNodesOnPostgres(stack, {
    nodes: NODES,
    upstreamOrigin: `http://127.0.0.1:${standIn.port}`,
    env: { ...SHORT_LEASES, BURSAR_LOG_LEVEL: "info" },
  });
  const probe = await createLimited(nodes, { limitUsd: PROBE_LIMIT_USD, hold: null });
  const parts = { ...nodes, standIn, probe, random: seededRandom(options.seed), options };
  for (let round = 1; round <= options.rounds; round++) yield await runRound(parts, round);
}

async function runRound(parts: Parts, number: number): Promise<FaultFigures> {
  const { options, standIn } = parts;
  const startMs = monotonicMs();
  const plan = PLANS[(number - 1) % PLANS.length];
  if (plan === undefined) throw new Error("there is no plan");
  const limit = { ...options.limit, limitUsd: options.limit.limitUsd * plan.limitShare };
  const round: Round = {
    round: number,
    plan,
    limit,
    made: await createLimited(parts, limit),
    sent: [],
  };
  const before = (await standIn.listBills()).length;
  const agent = new Agent({ keepAlive: true, maxSockets: options.clients });
  const clients = Array.from({ length: options.clients }, (_, client) =>
    sendUntilSpent(parts, round, { client, agent }),
  );
  await eventually(BOUND_MS, "spend before the faults", async () => {
    const bills = (await standIn.listBills()).slice(before);
    const share = Number(sum(bills.map(({ nanoUsd }) => nanoUsd))) / 1e9 / limit.limitUsd;
    return share >= plan.spentBefore ? true : null;
  });
  console.error(
    `> round ${number}: ${plan.hasKill ? "kill -9, and a stop" : "a stop"}: ${plan.stop}`,
  );
  const times = await injectFaults(parts, plan);
  for (let node = 0; node < NODES; node++) await waitUntilServing(parts, node);
  await Promise.all(clients);
  agent.destroy();
  console.error(`> round ${number}: the limit is spent`);
  await sleep(SETTLE_MS);
  await waitUntilReported(parts.db);
  await waitUntilIdle(parts);
  const bills = (await standIn.listBills())
    .slice(before)
    .filter(({ session }) => session?.startsWith(`${number}-`));
  const figures = await readFigures(parts, round, { bills, times });
  return { ...figures, seconds: (monotonicMs() - startMs) / 1_000 };
}

async function readFigures(
  parts: Parts,
  { round, plan, limit, made, sent }: Round,
  { bills, times }: { bills: readonly BilledRequest[]; times: FaultTimes },
): Promise<Omit<FaultFigures, "seconds">> {
  const { workspaceId } = made;
  const records = await readRecords(parts.db, workspaceId);
  const fates = new Map(
    records.map(({ id, agentSession }) => [id, findRecordFate(agentSession, times)]),
  );
  return {
    round,
    limitNanoUsd: parseUsd(limit.limitUsd),
    stoppedMs: times.continuedAtMs - times.stoppedAtMs,
    hasLongStop: plan.stop === "long",
    isFenced: times.isFenced,
    ...describeStreams({ bills, records, sent, times }),
    unresolved: records.filter(isUnresolved).map(
      (record): UnresolvedRecord => ({
        requestId: record.id,
        fate: fates.get(record.id) ?? "running",
        nanoUsd: record.holdNanoUsd ?? 0n,
      }),
    ),
    mostOutputNanoUsd: bill(AGENT_MODEL, {
      calls: [],
      outputTokens: parts.options.maxTokens,
      searches: 0,
    }),
    ...(await readMoney(parts, workspaceId)),
    firings: await readFirings(parts, workspaceId, fates),
  };
}

function describeStreams(round: {
  bills: readonly BilledRequest[];
  records: readonly RecordedRequest[];
  sent: readonly Sent[];
  times: FaultTimes;
}): Pick<FaultFigures, "streams" | "refusals" | "billedNanoUsd" | "billedAfterCutNanoUsd"> {
  // A stream that is cut before its first byte has no id of the upstream.
  const recorded = new Map(round.records.map((each) => [each.agentSession, each]));
  const streams = round.bills.map((bill): FaultStream => {
    const record = recorded.get(bill.session);
    return {
      requestId: bill.requestId,
      fate: findFate(bill, round.times),
      isCut: record?.cut != null,
      billedNanoUsd: bill.nanoUsd,
      billedWhenLeftNanoUsd: bill.nanoUsdWhenLeft,
      recordedNanoUsd: record?.costNanoUsd ?? null,
      unresolvedNanoUsd: record && isUnresolved(record) ? record.holdNanoUsd : null,
    };
  });
  const afterCut = streams.map((stream) => {
    const { isCut, billedNanoUsd, recordedNanoUsd } = stream;
    return isCut && recordedNanoUsd !== null && billedNanoUsd > recordedNanoUsd
      ? billedNanoUsd - recordedNanoUsd
      : 0n;
  });
  const refused = round.sent.map(({ attempt }) => attempt).filter(({ status }) => status !== 200);
  return {
    streams,
    refusals: countCodes(refused),
    billedNanoUsd: sum(round.bills.map(({ nanoUsd }) => nanoUsd)),
    billedAfterCutNanoUsd: sum(afterCut),
  };
}

/** No response has ended it, and no limit. Its cost is unknown. */
function isUnresolved({ outcome, costNanoUsd, cut }: RecordedRequest): boolean {
  return outcome === "interrupted" && cut === null && costNanoUsd === 0n;
}

/** Node of a recorded request. The times of the log are not those of the stand-in. */
function findRecordFate(session: string | null, times: FaultTimes): Fate {
  const node = nodeOf(session);
  if (node === times.killed) return "killed";
  return node === times.stopped ? "stopped" : "running";
}

/** The session of a request names its node. */
function nodeOf(session: string | null): number {
  return Number(session?.split("-").at(-1));
}

function findFate({ session, receivedAtMs, endedAtMs }: BilledRequest, times: FaultTimes): Fate {
  const node = nodeOf(session);
  const endMs = endedAtMs ?? Number.POSITIVE_INFINITY;
  const ran = (fromMs: number, untilMs: number) => receivedAtMs <= untilMs && endMs >= fromMs;
  if (node === times.killed && ran(times.killedAtMs - RECORDED_WITHIN_MS, times.killedAtMs))
    return "killed";
  if (node === times.stopped && ran(times.stoppedAtMs, times.continuedAtMs)) return "stopped";
  return "running";
}

async function sendUntilSpent(
  parts: Parts,
  { round, plan, made, sent }: Round,
  { client, agent }: { client: number; agent: Agent },
): Promise<void> {
  const { random } = parts;
  let refusals = 0;
  for (let number = 0; refusals < FINAL_REFUSALS; number++) {
    const node = Math.floor(random() * NODES);
    const session = `${round}-${client}-${number}-${node}`;
    const headers = { ...makeHeaders(session), "x-api-key": made.key };
    const body = makeBody(session, parts.options.maxTokens, plan.thinkingTokens);
    const { url } = nodeAt(parts, node);
    const attempt = await sendRequest({ url, headers, body, agent });
    sent.push({ node, attempt });
    const { status, shouldRetry, retryAfterS } = attempt;
    if (status === 200) {
      refusals = 0;
      continue;
    }
    // A final refusal names the end of the period as its time to retry.
    const isFinal = shouldRetry === false;
    if (isFinal) refusals += 1;
    const pauseMs = isFinal || retryAfterS === null ? REFUSED_PAUSE_MS : retryAfterS * 1_000;
    await sleep(pauseMs * (1 + random()));
  }
}

/** A turn of an agent with thinking and one tool, and a short prompt. */
function makeBody(session: string, maxTokens: number, thinkingTokens: number | null): object {
  return {
    model: AGENT_MODEL,
    max_tokens: maxTokens,
    messages: [{ role: "user", content: takeWords(0, PROMPT_BYTES) }],
    tools: [{ name: "Bash", input_schema: { type: "object" } }],
    thinking:
      thinkingTokens === null
        ? { type: "adaptive" }
        : { type: "enabled", budget_tokens: thinkingTokens },
    metadata: { user_id: session },
    stream: true,
  };
}

/** Stops one node, and kills another one if the plan says so. Starts the killed one again. */
async function injectFaults(parts: Parts, plan: FaultPlan): Promise<FaultTimes> {
  const { random, db, nodes } = parts;
  const stopped =
    plan.stop === "long" ? await findBusiestNode(parts) : Math.floor(random() * NODES);
  const other = (stopped + 1 + Math.floor(random() * (NODES - 1))) % NODES;
  const killed = plan.hasKill ? other : null;
  const stoppedNode = nodeAt(parts, stopped);
  const id = await nodeIdOf(stoppedNode);
  const epochBefore = (await readEpochs(db)).get(id) ?? 0n;
  const isFenced = async () => ((await readEpochs(db)).get(id) ?? 0n) > epochBefore;
  const stoppedAtMs = monotonicMs();
  process.kill(stoppedNode.pid, "SIGSTOP");
  let continuedAtMs = 0;
  const killedAtMs = monotonicMs();
  try {
    const killing = killed === null ? null : nodeAt(parts, killed).kill();
    if (plan.stop === "until_fenced") {
      await eventually(BOUND_MS, "the stopped node to be fenced", async () =>
        (await isFenced()) ? true : null,
      );
    } else await sleep(between(plan.stop === "long" ? LONG_STOP_MS : SHORT_STOP_MS, random));
    await killing;
  } finally {
    continuedAtMs = monotonicMs();
    process.kill(stoppedNode.pid, "SIGCONT");
  }
  if (killed !== null) {
    await sleep(DOWN_MS);
    nodes[killed] = await nodeAt(parts, killed).restart();
  }
  const times = { killed, killedAtMs, stopped, stoppedAtMs, continuedAtMs };
  return { ...times, isFenced: await isFenced() };
}

/** Node with the most running streams, so that some exceed their holds. */
async function findBusiestNode({ standIn }: Parts): Promise<number> {
  const counts = Array.from({ length: NODES }, () => 0);
  for (const { session, endedAtMs } of await standIn.listBills()) {
    const node = nodeOf(session);
    if (endedAtMs === null && counts[node] !== undefined) counts[node] += 1;
  }
  return counts.indexOf(Math.max(...counts));
}

async function createLimited(run: NodesOnPostgres, limit: RunLimit): Promise<WorkspaceWithKey> {
  const node = nodeAt(run, 0);
  const made = await node.workspaceWithKey();
  await node.mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: made.workspaceId,
    monthly_limit_usd: limit.limitUsd,
    ...(limit.hold !== null && { hold: limit.hold }),
  });
  await waitUntilLimitsKnown(run.db, BOUND_MS);
  await waitUntilCounted(run.db, [made.workspaceId]);
  return made;
}

type Money = Pick<
  FaultFigures,
  | "settledNanoUsd"
  | "unresolvedNanoUsd"
  | "overrunNanoUsd"
  | "overruns"
  | "beyondHoldsNanoUsd"
  | "ledgerDifferences"
>;

async function readMoney(parts: Parts, workspaceId: string): Promise<Money> {
  const node = nodeAt(parts, 0);
  const limits = `/v1/admin/workspaces/limits?workspace_id=${workspaceId}`;
  const [limit] = (await node.mustAdmin("GET", limits))["data"] as Record<string, string>[];
  const read = (name: string) => parseUsd(limit?.[name] ?? "0");
  const path = `/v1/admin/spend_limits/${limit?.["id"]}/overruns`;
  const overruns = (await node.mustAdmin("GET", path))["data"] as { overrun_usd: string }[];
  const check = await node.mustAdmin("GET", "/v1/admin/ledger_check");
  return {
    settledNanoUsd: read("spent_usd"),
    unresolvedNanoUsd: read("unresolved_usd"),
    overrunNanoUsd: read("overrun_usd"),
    overruns: overruns.map(({ overrun_usd }) => parseUsd(overrun_usd)),
    beyondHoldsNanoUsd: read("beyond_holds_usd"),
    ledgerDifferences: (check["differences"] as object[]).length,
  };
}

interface WireFiring {
  facts: {
    overrun_usd: string | null;
    overrun_requests: readonly { id: string; cause: string }[] | null;
  };
}

async function readFirings(
  parts: Parts,
  workspaceId: string,
  fates: ReadonlyMap<string, Fate>,
): Promise<OverrunFiring[]> {
  const path = `/v1/admin/alert_firings?kinds=limit_overrun&workspace_id=${workspaceId}`;
  const data = (await nodeAt(parts, 0).mustAdmin("GET", path))["data"] as WireFiring[];
  return data.toReversed().map(({ facts }) => ({
    overrunNanoUsd: parseUsd(facts.overrun_usd ?? "0"),
    requests: (facts.overrun_requests ?? []).map(({ id, cause }) => ({
      requestId: id,
      cause,
      fate: fates.get(id) ?? null,
    })),
  }));
}
