import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../server/src/db/pool.ts";
import { parseUsd } from "../../server/src/domain/money.ts";
import { eventually } from "../../server/test/harness/eventually.ts";
import { nodeIdOf, readEpochs } from "../../server/test/harness/limit-rounds.ts";
import {
  type NodesOnPostgres,
  startNodesOnPostgres,
} from "../../server/test/harness/nodes-on-postgres.ts";
import {
  nodeAt,
  waitUntilIdle,
  waitUntilLimitsKnown,
  waitUntilServing,
} from "../../server/test/harness/running-nodes.ts";
import { seededRandom } from "../../server/test/harness/seeded-random.ts";
import type { WorkspaceWithKey } from "../../server/test/harness/server-process.ts";
import { monotonicMs } from "../monotonic.ts";
import { AGENT_MODEL, makeHeaders } from "./agent-body.ts";
import type { BilledRequest } from "./billed-request.ts";
import { type RecordedRequest, type RunLimit, readRecords } from "./bursar-target.ts";
import type { Fate, FaultFigures, FaultStream } from "./check-faults.ts";
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
const TTL_MS = 2_000;
const BOUND_MS = 180_000;
/** A stop that ends before the lease does, and one that is longer than any hold reaches ahead. */
const SHORT_STOP_MS = [400, 1_500] as const;
const LONG_STOP_MS = [10_000, 14_000] as const;

interface FaultPlan {
  hasKill: boolean;
  stop: "short" | "until_fenced" | "long";
  /** Share of the limit that is spent before the faults. */
  spentBefore: number;
}

/** The rounds use them in turn. After a kill the unresolved holds block the limit, so the others have none. */
const PLANS: readonly FaultPlan[] = [
  { hasKill: true, stop: "until_fenced", spentBefore: 0.3 },
  { hasKill: false, stop: "long", spentBefore: 0.6 },
  { hasKill: true, stop: "short", spentBefore: 0.3 },
  { hasKill: false, stop: "short", spentBefore: 0.6 },
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
  made: WorkspaceWithKey;
  stop: AbortSignal;
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
    env: {
      BURSAR_LEASE_TTL: `${TTL_MS}ms`,
      BURSAR_HOLD_WAIT: "1s",
      BURSAR_UNRESOLVED_RELEASE: "24h",
      BURSAR_LOG_LEVEL: "info",
    },
  });
  const probe = await createLimited(nodes, { limitUsd: PROBE_LIMIT_USD, hold: null });
  const parts = { ...nodes, standIn, probe, random: seededRandom(options.seed), options };
  for (let round = 1; round <= options.rounds; round++) yield await runRound(parts, round);
}

async function runRound(parts: Parts, round: number): Promise<FaultFigures> {
  const { options, standIn } = parts;
  const plan = PLANS[(round - 1) % PLANS.length];
  if (plan === undefined) throw new Error("there is no plan");
  const made = await createLimited(parts, options.limit);
  const before = (await standIn.listBills()).length;
  const stop = new AbortController();
  const sent: Sent[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: options.clients });
  const clients = Array.from({ length: options.clients }, (_, client) =>
    sendUntilSpent(parts, { round, made, stop: stop.signal }, { client, agent, sent }),
  );
  await eventually(BOUND_MS, "spend before the faults", async () => {
    const bills = (await standIn.listBills()).slice(before);
    const share = Number(sum(bills.map(({ nanoUsd }) => nanoUsd))) / 1e9 / options.limit.limitUsd;
    return share >= plan.spentBefore ? true : null;
  });
  console.error(
    `> round ${round}: ${plan.hasKill ? "kill -9, and a stop" : "a stop"}: ${plan.stop}`,
  );
  const times = await injectFaults(parts, plan);
  for (let node = 0; node < NODES; node++) await waitUntilServing(parts, node);
  await Promise.all(clients);
  agent.destroy();
  console.error(`> round ${round}: the limit is spent`);
  await sleep(SETTLE_MS);
  await waitUntilReported(parts.db);
  await waitUntilIdle(parts);
  const records = await readRecords(parts.db, made.workspaceId);
  const bills = (await standIn.listBills())
    .slice(before)
    .filter(({ session }) => session?.startsWith(`${round}-`));
  return {
    round,
    limitNanoUsd: parseUsd(options.limit.limitUsd),
    stoppedMs: times.continuedAtMs - times.stoppedAtMs,
    isFenced: times.isFenced,
    ...describeStreams({ bills, records, sent, times }),
    ...(await readMoney(parts, made.workspaceId)),
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

/** The session of a request names its node. */
function findFate({ session, receivedAtMs, endedAtMs }: BilledRequest, times: FaultTimes): Fate {
  const node = Number(session?.split("-").at(-1));
  const endMs = endedAtMs ?? Number.POSITIVE_INFINITY;
  const ran = (fromMs: number, untilMs: number) => receivedAtMs <= untilMs && endMs >= fromMs;
  if (node === times.killed && ran(times.killedAtMs - RECORDED_WITHIN_MS, times.killedAtMs))
    return "killed";
  if (node === times.stopped && ran(times.stoppedAtMs, times.continuedAtMs)) return "stopped";
  return "running";
}

async function sendUntilSpent(
  parts: Parts,
  { round, made, stop }: Round,
  { client, agent, sent }: { client: number; agent: Agent; sent: Sent[] },
): Promise<void> {
  const { random } = parts;
  let refusals = 0;
  for (let number = 0; refusals < FINAL_REFUSALS && !stop.aborted; number++) {
    const node = Math.floor(random() * NODES);
    const session = `${round}-${client}-${number}-${node}`;
    const headers = { ...makeHeaders(session), "x-api-key": made.key };
    const body = makeBody(session, parts.options.maxTokens);
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
function makeBody(session: string, maxTokens: number): object {
  return {
    model: AGENT_MODEL,
    max_tokens: maxTokens,
    messages: [{ role: "user", content: takeWords(0, PROMPT_BYTES) }],
    tools: [{ name: "Bash", input_schema: { type: "object" } }],
    thinking: { type: "adaptive" },
    metadata: { user_id: session },
    stream: true,
  };
}

/** Stops one node, and kills another one if the plan says so. Starts the killed one again. */
async function injectFaults(parts: Parts, plan: FaultPlan): Promise<FaultTimes> {
  const { random, db, nodes } = parts;
  const stopped = Math.floor(random() * NODES);
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

async function createLimited(run: NodesOnPostgres, limit: RunLimit): Promise<WorkspaceWithKey> {
  const node = nodeAt(run, 0);
  const made = await node.workspaceWithKey();
  await node.mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: made.workspaceId,
    monthly_limit_usd: limit.limitUsd,
    ...(limit.hold !== null && { hold: limit.hold }),
  });
  await waitUntilLimitsKnown(run.db, BOUND_MS);
  await eventually(BOUND_MS, "the spend under the limit to be counted", async () => {
    const counted = await run.db
      .selectFrom("counted_limit")
      .select("id")
      .where("scope_id", "=", made.workspaceId)
      .execute();
    return counted.length === 1 ? true : null;
  });
  return made;
}

async function waitUntilReported(db: Database): Promise<void> {
  await eventually(BOUND_MS, "the fenced nodes to report their requests", async () => {
    const left = await db
      .selectFrom("lease")
      .select("node_id")
      .where("request_id", "=", "")
      .where("unresolved_since", "is not", null)
      .execute();
    return left.length === 0 ? true : null;
  });
}

type Money = Pick<
  FaultFigures,
  | "settledNanoUsd"
  | "unresolvedNanoUsd"
  | "overrunNanoUsd"
  | "beyondHoldsNanoUsd"
  | "overrunFirings"
  | "ledgerDifferences"
>;

async function readMoney(parts: Parts, workspaceId: string): Promise<Money> {
  const node = nodeAt(parts, 0);
  const limits = `/v1/admin/workspaces/limits?workspace_id=${workspaceId}`;
  const [limit] = (await node.mustAdmin("GET", limits))["data"] as Record<string, string>[];
  const read = (name: string) => parseUsd(limit?.[name] ?? "0");
  const path = `/v1/admin/alert_firings?kinds=limit_overrun&workspace_id=${workspaceId}`;
  const firings = (await node.mustAdmin("GET", path))["data"] as object[];
  const check = await node.mustAdmin("GET", "/v1/admin/ledger_check");
  return {
    settledNanoUsd: read("spent_usd"),
    unresolvedNanoUsd: read("unresolved_usd"),
    overrunNanoUsd: read("overrun_usd"),
    beyondHoldsNanoUsd: read("beyond_holds_usd"),
    overrunFirings: firings.length,
    ledgerDifferences: (check["differences"] as object[]).length,
  };
}
