import { UsualCosts } from "#src/gateway/usual-cost.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";
import { MemoryStore } from "./memory-store.ts";
import { Model } from "./model.ts";
import { Random } from "./random.ts";
import { SimulatedNode, type Times } from "./simulated-node.ts";
import { ExceededBounds } from "./stream-excess.ts";
import { makeHoldRequest, type StreamPlan } from "./stream-plans.ts";
import { countTokens, KEEPS_BOUNDS, type PlannedStream, planOn } from "./stream-rules.ts";

// Part of a strict limit that agents can use: sessions of Claude Code on one or several nodes, until nothing fits any more.

const STEP_MS = 50;
/** Intervals in steps. */
const TICK_STEPS = 5;
const FOLD_STEPS = 20;
/** Time without an admitted request after which the limit counts as used. */
const IDLE_MS = 60_000;
const LONGEST_MS = 8 * 3_600_000;
const ORGANIZATION_ID = "00000000-0000-4000-8000-000000000001";
const START_MS = Date.UTC(2026, 10, 10, 12);
/** Defaults of the product. */
const TIMES: Times = {
  ttlMs: 120_000,
  marginMs: 12_000,
  graceMs: 30_000,
  releaseMs: 3_600_000,
  holdWaitMs: 5_000,
};
const MODEL = "claude-opus-4-8";
const MAX_TOKENS = 32_000;
/** System prompt and tools of Claude Code, and the longest session. */
const FIRST_PROMPT_TOKENS = 18_000;
const LONGEST_PROMPT_TOKENS = 120_000;
/** Bytes of a body for each token of its prompt. */
const BYTES_PER_TOKEN = 4;
/** Refusals after which an agent starts a new session, with a small prompt, and after which its person stops. */
const NEW_SESSION_AFTER = 3;
const MAX_REFUSALS = 12;

export interface LimitUseOptions {
  seed: number;
  agents: number;
  nodes: number;
  limitNanoUsd: bigint;
  hold: "steps" | "whole";
}

export interface LimitUse {
  usedShare: number;
  requests: number;
  refused: number;
  cuts: number;
  /** Cuts of streams after a request of another node took budget that they lacked. */
  unfair: number;
  overrunNanoUsd: bigint;
  /** Simulated time, seconds. */
  seconds: number;
}

interface Agent {
  scope: SpendScope;
  node: SimulatedNode;
  promptTokens: number;
  requestId: string | null;
  /** Time of the next request. Infinity: the person stopped. */
  nextMs: number;
  refusals: number;
}

/** Runs agents until the limit is used. */
export async function measureLimitUse(options: LimitUseOptions): Promise<LimitUse> {
  const desk = new Desk(options);
  await desk.start();
  await desk.run();
  return await desk.result();
}

class Desk {
  readonly #options: LimitUseOptions;
  readonly #random: Random;
  readonly #model = new Model();
  readonly #store = new MemoryStore(TIMES);
  readonly #nodes: SimulatedNode[] = [];
  /** Usual amounts of each node, by its id. */
  readonly #usual = new Map<string, UsualCosts>();
  readonly #exceeded = new ExceededBounds();
  readonly #agents: Agent[];
  readonly #time = { realMs: 0, wallMs: START_MS };
  readonly #counts = { requests: 0, refused: 0 };
  #admittedMs = 0;
  #made = 0;

  constructor(options: LimitUseOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    for (let at = 0; at < options.nodes; at++) this.#nodes.push(this.#makeNode(`node_${at}`));
    this.#agents = Array.from({ length: options.agents }, (_, at) => this.#makeAgent(at));
  }

  #makeNode(id: string): SimulatedNode {
    const usual = new UsualCosts();
    this.#usual.set(id, usual);
    return new SimulatedNode(id, this.#model, {
      ...{ steadyOffsetMs: 0, hasUptime: true, isSteadyOnly: false },
      ...{ coverMs: TIMES.ttlMs, times: TIMES, random: this.#random, brokenRule: null },
      exceeded: this.#exceeded,
      onStreamEnd: ({ begin, metered }, costNanoUsd) => {
        const { peakNanoUsd = 0n } = metered ?? {};
        const hasPeak = peakNanoUsd > costNanoUsd;
        usual.add(begin.apiKeyId, MODEL, hasPeak ? peakNanoUsd : costNanoUsd);
      },
      onAdmission: (by, admission) => {
        this.#admittedMs = this.#time.realMs;
        for (const node of this.#nodes) node.recordAdmission(by, admission);
      },
    });
  }

  #makeAgent(at: number): Agent {
    const workspaceId = "wksp_a";
    const scope = { organizationId: ORGANIZATION_ID, workspaceId, apiKeyId: `apikey_${at}` };
    const node = this.#nodes[at % this.#nodes.length];
    if (node === undefined) throw new Error("an agent calls a node");
    const start = { promptTokens: FIRST_PROMPT_TOKENS, requestId: null, refusals: 0 };
    return { scope, node, ...start, nextMs: this.#random.below(10_000) };
  }

  async start(): Promise<void> {
    const { limitNanoUsd: amountNanoUsd, hold } = this.#options;
    const id = "spl_1";
    const limit = { id, scopeType: "organization", scopeId: ORGANIZATION_ID } as const;
    const value = {
      organizationId: ORGANIZATION_ID,
      period: "monthly",
      amountNanoUsd,
      hold,
    } as const;
    await this.#store.setLimit({ ...limit, ...value }, START_MS);
    await this.#store.countLimits();
    for (const node of this.#nodes) {
      const connect = () => Promise.resolve();
      await node.start(this.#store, { isJournalWhole: true, fold: connect, connect });
    }
  }

  async run(): Promise<void> {
    const time = this.#time;
    for (let step = 0; time.realMs < LONGEST_MS; step++) {
      time.realMs += STEP_MS;
      time.wallMs += STEP_MS;
      for (const agent of this.#agents) this.#act(agent);
      for (const node of this.#nodes) {
        if (step % TICK_STEPS === 0) await this.#flush(node);
        if (step % TICK_STEPS === 0) node.tick(time);
        node.resolveWaiting(time);
        await this.#exchange(node);
      }
      if (step % FOLD_STEPS === 0) await this.#fold();
      if (time.realMs - this.#admittedMs > IDLE_MS && !this.#isBusy()) return;
    }
  }

  #isBusy(): boolean {
    return this.#nodes.some((node) => node.hasStreams || node.waiting.size > 0);
  }

  async #exchange(node: SimulatedNode): Promise<void> {
    const message = node.nextMessage(this.#time);
    if (message === null) return;
    node.handleAnswer(await this.#store.sync(message, this.#time.wallMs), this.#time);
  }

  async #flush(node: SimulatedNode): Promise<void> {
    const request = node.nextFlush(1_000);
    if (request === null) return;
    const answer = await this.#store.flush(request);
    if (answer !== "flushed") throw new Error("a node in contact flushes");
    node.handleFlush(request);
  }

  async #fold(): Promise<void> {
    await this.#store.beginFold();
    while ((await this.#store.continueFold(this.#time.wallMs)) === null);
    for (const node of this.#nodes) await node.readFolded(this.#store);
  }

  /** One step of an agent: sees the end of its request, or sends the next one. */
  #act(agent: Agent): void {
    const { node, requestId } = agent;
    if (requestId !== null) {
      if (node.isKnown(requestId)) return;
      this.#finish(agent, requestId);
    }
    if (this.#time.realMs >= agent.nextMs) this.#send(agent);
  }

  #finish(agent: Agent, requestId: string): void {
    const random = this.#random;
    const { realMs } = this.#time;
    const cost = this.#model.requests.get(requestId)?.cost ?? null;
    agent.requestId = null;
    if (cost === null) {
      this.#counts.refused += 1;
      agent.refusals += 1;
      agent.nextMs = realMs + 2_000 + random.below(8_000);
      if (agent.refusals >= NEW_SESSION_AFTER) agent.promptTokens = FIRST_PROMPT_TOKENS;
      if (agent.refusals >= MAX_REFUSALS) agent.nextMs = Number.POSITIVE_INFINITY;
      return;
    }
    agent.refusals = 0;
    // Tools of the client run for a while, and their results join the prompt.
    agent.nextMs = realMs + 200 + random.below(6_000);
    const grown = agent.promptTokens + 300 + random.below(4_000);
    agent.promptTokens = grown > LONGEST_PROMPT_TOKENS ? FIRST_PROMPT_TOKENS : grown;
  }

  #send(agent: Agent): void {
    const { node, scope } = agent;
    this.#made += 1;
    this.#counts.requests += 1;
    const requestId = `req_${String(this.#made).padStart(24, "0")}`;
    const planned = this.#plan(agent);
    // The upstream counts the prompt of a request that does not fit by its bytes.
    const stream =
      agent.refusals === 0
        ? planned
        : countTokens(planned, { atMs: this.#time.wallMs, exceeded: this.#exceeded });
    agent.requestId = requestId;
    const usualNanoUsd = this.#usual.get(node.id)?.find(scope.apiKeyId, MODEL) ?? 0n;
    const wanted = { scope, amount: stream.worstCase.nanoUsd, stream: { ...stream, usualNanoUsd } };
    node.request(requestId, wanted, this.#time);
  }

  #plan({ promptTokens }: Agent): PlannedStream {
    const request = makeHoldRequest({
      model: MODEL,
      maxTokens: MAX_TOKENS,
      bodyBytes: promptTokens * BYTES_PER_TOKEN,
    });
    request.markers.hasCacheControl5m = true;
    const random = this.#random;
    const outputs = random.chance(0.3) ? "thinking" : "text";
    const plan: StreamPlan = {
      request: outputs === "thinking" ? { ...request, thinking: "on" } : request,
      inputTokens: promptTokens,
      cachedShare: 0.9 + random.next() * 0.09,
      cachesResults: false,
      isCacheKnown: false,
      outputs,
      lengths: "agent",
      inferenceGeo: "global",
    };
    const facts = { misbehaviour: KEEPS_BOUNDS, exceeded: this.#exceeded };
    return planOn(plan, random, { atMs: this.#time.wallMs, ...facts });
  }

  async result(): Promise<LimitUse> {
    await this.#fold();
    const { balances } = await this.#store.snapshot();
    const month = [...balances].find(([text]) => {
      return text.startsWith(`organization\n${ORGANIZATION_ID}\nmonthly`);
    });
    const { settled, overrun } = month?.[1] ?? { settled: 0n, overrun: 0n };
    const sum = (count: (node: SimulatedNode) => number) =>
      this.#nodes.reduce((total, node) => total + count(node), 0);
    return {
      usedShare: Number(settled) / Number(this.#options.limitNanoUsd),
      ...this.#counts,
      cuts: sum(({ streams }) => streams.counts.cuts),
      unfair: sum(({ streams }) => streams.counts.unfairElsewhere),
      overrunNanoUsd: overrun,
      seconds: Math.round(this.#time.realMs / 1_000),
    };
  }
}
