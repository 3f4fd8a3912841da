import type { SpendScope } from "#src/spend/ledger/charges.ts";
import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import { type SyncAnswer, type SyncMessage, usedOf } from "#src/spend/ledger/lease-rules.ts";
import { findSpendable } from "#src/spend/ledger/lease-table.ts";
import type { DraftedMessage } from "#src/spend/ledger/leases.sql.ts";
import { Failovers } from "./failovers.ts";
import { FoldWorkers } from "./fold-workers.ts";
import { limitNameOfKey } from "./memory-fold.ts";
import { expectSame, label, Model } from "./model.ts";
import { Random } from "./random.ts";
import { SimulatedNode, TIMES } from "./simulated-node.ts";
import type { FlushAnswer, FlushRequest, Snapshot, SpendStore } from "./store.ts";

// One seed is one run: nodes, requests, faults and changes in an order that the seed decides. Each fate of a message
// is a step of its own: sent, executed, answered, or lost at any of these.

export const ORGANIZATION = "00000000-0000-4000-8000-000000000001";
export const SCOPES: readonly SpendScope[] = [
  ["wksp_a", "apikey_1"],
  ["wksp_a", "apikey_2"],
  ["wksp_b", "apikey_3"],
].map(([workspaceId = "", apiKeyId = ""]) => ({
  organizationId: ORGANIZATION,
  workspaceId,
  apiKeyId,
}));
const LIMITS: readonly Omit<StrictLimit, "amountNanoUsd">[] = [
  { scopeType: "organization", scopeId: ORGANIZATION, period: "monthly" },
  { scopeType: "organization", scopeId: ORGANIZATION, period: "daily" },
  { scopeType: "workspace", scopeId: "wksp_a", period: "daily" },
  { scopeType: "workspace", scopeId: "wksp_b", period: "weekly" },
  { scopeType: "api_key", scopeId: "apikey_1", period: "monthly" },
].map(
  (limit) => ({ organizationId: ORGANIZATION, ...limit }) as Omit<StrictLimit, "amountNanoUsd">,
);
/** Start of a run: 20 seconds before a day and a week end. The month ends a day later. */
const START_MS = Date.UTC(2026, 10, 29, 23, 59, 40);
const DAY_MS = 86_400_000;
const MAX_JUMPS = 5;
const LAST_STEPS = 12;
const BURST_CHANCE = 0.05;
const RICH_BURST_CHANCE = 0.25;
const MAX_BURST = 24;
const SILENCE_SHARE = 0.004;
const SUSPENSION_SHARE = 0.006;
/** Shares of steps about folds and about limits. Each run has its own, so that rare orders become common in some. */
const FOLD_SHARES = [0.05, 0.12, 0.3] as const;
const READ_SHARES = [0.2, 0.5] as const;
const LIMIT_SHARES = [0, 0, 0.05, 0.15] as const;
/** Share of runs with one key and few limits, where one number more is soon too much. */
const NARROW_SHARE = 0.4;
const NARROW_FLUSH_SHARE = 0.1;
const NARROW_ENTER_SHARE = 0.04;
/** Share of runs with large leases: half of the limits are high, and leases cover the spend of twenty minutes. */
const RICH_SHARE = 0.4;
const RICH_FACTOR = 40n;
const RICH_COVER_MS = 1_200_000;
/** Budget in advance that counts as a large lease: five times the usual cost of a request. */
const LARGE_NANO_USD = 50n;
/** Share of messages with other steps between their read and their write. */
const OPEN_DRAFT_SHARE = 0.6;
/** Highest limit in runs where the budget of one node is soon too much. */
const TIGHT = 60;
const HASTY_ROUNDS = 6;
const HASTY_MS = 60;

type Packet = {
  node: SimulatedNode;
  processNumber: number;
  /** The node timed out. The message may be executed, and is never answered. */
  isAbandoned: boolean;
} /** `draft`: the database has read the rows of the message, and has written nothing. */ & (
  | { kind: "sync"; message: SyncMessage; draft: DraftedMessage | null; answer: SyncAnswer | null }
  | { kind: "flush"; request: FlushRequest; answer: FlushAnswer | null }
);

type SyncPacket = Extract<Packet, { kind: "sync" }>;

export interface SimulationOptions {
  seed: number;
  steps: number;
  /** Steps between two checks of the invariants. Default: 1. */
  checkEvery?: number;
  /** Whether many requests of one key sometimes arrive at once. Default: true. */
  hasBursts?: boolean;
  /** Share of steps that silence a node until unresolved spend is released. */
  silenceShare?: number;
  /** Share of steps that suspend a node's machine, or set its wall clock. */
  suspensionShare?: number;
  /** Whether nodes read the steady clock alone, without the rule for suspended machines. Default: false. */
  hasSteadyClocks?: boolean;
  /** Whether other steps run between the statements of a fold. Default: true. */
  hasOpenFolds?: boolean;
  /** Whether other steps run between the read and the write of a message. Default: true. */
  hasOpenDrafts?: boolean;
  /** Whether the database fails over in half of the runs. Default: true. */
  hasFailovers?: boolean;
  /** Number of last steps that a failure reports. */
  lastSteps?: number;
  makeStore: () => Promise<SpendStore> | SpendStore;
}

export interface SimulationResult {
  requests: number;
  interrupted: number;
  refused: number;
  /** Drafts of messages that other steps made invalid. */
  redrafted: number;
  restarts: number;
  fenced: number;
  released: number;
  forgotten: number;
  /** Folds that counted requests, and folds that were rolled back. */
  folds: number;
  brokenFolds: number;
  failovers: number;
  /** Transactions that failovers lost, and nodes that grants did not wait for. */
  lost: number;
  exempted: number;
  /** Balances with spend settled beyond a limit. */
  overrun: number;
  /** Answers after which a lease has much budget in advance of its requests. */
  large: number;
  /** All balances and events at the end. For a comparison of two stores. */
  digest: string;
}

/** Runs one seed. Throws at the first step that breaks an invariant. The error names the seed. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(options, await options.makeStore());
  try {
    return await simulation.run();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const last = simulation.log.slice(-(options.lastSteps ?? LAST_STEPS)).join("\n  ");
    throw new Error(`seed ${options.seed}, step ${simulation.steps}: ${reason}\n  ${last}`, {
      cause: error,
    });
  }
}

class Simulation {
  readonly log: string[] = [];
  steps = 0;
  readonly #options: SimulationOptions;
  readonly #random: Random;
  /** A separate generator, so that bursts do not change other steps. */
  readonly #bursts: Random;
  /** A separate generator, so that runs without silences stay the same. */
  readonly #silences: Random;
  readonly #suspensions: Random;
  readonly #folds: Random;
  readonly #drafts: Random;
  readonly #sizes: Random;
  readonly #isRich: boolean;
  readonly #shares: { fold: number; read: number; limit: number; flush: number; enter: number };
  readonly #scopes: readonly SpendScope[];
  readonly #limits: readonly Omit<StrictLimit, "amountNanoUsd">[];
  readonly #workers: FoldWorkers;
  readonly #failovers: Failovers;
  readonly #store: SpendStore;
  readonly #model = new Model();
  readonly #nodes: SimulatedNode[];
  #packets: Packet[] = [];
  readonly #time = { realMs: 0, wallMs: START_MS };
  #jumps = 0;
  #made = 0;
  #counts = {
    redrafted: 0,
    refused: 0,
    restarts: 0,
    fenced: 0,
    released: 0,
    forgotten: 0,
    large: 0,
  };

  constructor(options: SimulationOptions, store: SpendStore) {
    this.#options = options;
    this.#store = store;
    this.#random = new Random(options.seed);
    this.#bursts = new Random(~options.seed);
    this.#silences = new Random(options.seed + 1_000_003);
    this.#suspensions = new Random(options.seed + 4_000_003);
    this.#folds = new Random(options.seed + 2_000_003);
    this.#drafts = new Random(options.seed + 3_000_003);
    this.#sizes = new Random(options.seed + 5_000_003);
    this.#isRich = this.#sizes.chance(RICH_SHARE);
    this.#shares = {
      fold: this.#folds.pick(FOLD_SHARES) ?? 0,
      read: this.#folds.pick(READ_SHARES) ?? 0,
      limit: this.#folds.pick(LIMIT_SHARES) ?? 0,
      flush: 0,
      enter: 0,
    };
    const isNarrow = this.#folds.chance(NARROW_SHARE);
    if (isNarrow)
      Object.assign(this.#shares, { flush: NARROW_FLUSH_SHARE, enter: NARROW_ENTER_SHARE });
    this.#scopes = isNarrow ? SCOPES.slice(0, 1) : SCOPES;
    this.#limits = isNarrow ? LIMITS.slice(0, 1 + this.#folds.below(2)) : LIMITS;
    this.#workers = new FoldWorkers({
      store,
      model: this.#model,
      random: this.#folds,
      time: this.#time,
      hasOpenFolds: options.hasOpenFolds ?? true,
      connect: () => this.#failovers.connect(null),
    });
    const count = 1 + this.#random.below(4);
    this.#nodes = Array.from(
      { length: count },
      (_, at) =>
        new SimulatedNode(`node_${at}`, this.#model, {
          steadyOffsetMs: this.#random.below(1_000_000),
          hasUptime: this.#suspensions.chance(0.8),
          isSteadyOnly: options.hasSteadyClocks ?? false,
          coverMs: this.#isRich ? RICH_COVER_MS : TIMES.ttlMs,
        }),
    );
    this.#failovers = new Failovers({
      store,
      model: this.#model,
      nodes: this.#nodes,
      random: new Random(options.seed + 6_000_003),
      time: this.#time,
      hasFailovers: options.hasFailovers ?? true,
    });
  }

  async run(): Promise<SimulationResult> {
    for (const limit of this.#limits) if (this.#random.chance(0.4)) await this.#setLimit(limit);
    for (const node of this.#nodes) await this.#start(node, true);
    while (this.steps < this.#options.steps) {
      this.steps += 1;
      this.#logStep(await this.#step());
      await this.#failovers.endWaits(this.#time.wallMs);
      if (this.steps % (this.#options.checkEvery ?? 1) !== 0) continue;
      const snapshot = await this.#store.snapshot();
      this.#checkNodes(snapshot);
      this.#check(snapshot, await this.#store.activating());
    }
    await this.#settleAll();
    return await this.#result();
  }

  #logStep(what: string): void {
    this.log.push(`${this.steps} at ${this.#time.realMs}: ${what}`);
  }

  async #step(): Promise<string> {
    if (this.#failovers.isDue()) return await this.#failOver();
    if (this.#failovers.isHurryDue()) return await this.#hurry();
    if (this.#silences.chance(this.#options.silenceShare ?? SILENCE_SHARE)) {
      return await this.#silenceNode();
    }
    if (this.#suspensions.chance(this.#options.suspensionShare ?? SUSPENSION_SHARE)) {
      return await this.#suspendNode();
    }
    if (this.#folds.chance(this.#shares.fold)) return await this.#fold();
    if (this.#folds.chance(this.#shares.limit)) return await this.#changeLimits();
    if (this.#folds.chance(this.#shares.flush)) return this.#beginFlush();
    if (this.#folds.chance(this.#shares.enter)) {
      const node = this.#folds.pick(this.#nodes.filter((each) => each.isActive));
      return node === undefined ? "no node enters again" : await this.#reenter(node);
    }
    const chance = this.#random.next();
    if (chance < 0.22) return this.#sendRequests();
    if (chance < 0.36) return this.#finishRequest();
    if (chance < 0.52) return await this.#sendMessage();
    if (chance < 0.57) return this.#beginFlush();
    if (chance < 0.87) return await this.#processPacket();
    if (chance < 0.9) return this.#passTime();
    if (chance < 0.935) return await this.#injectFault();
    if (chance < 0.955) return await this.#repairNodes();
    return await this.#changeLimits();
  }

  async #start(node: SimulatedNode, isJournalWhole: boolean): Promise<void> {
    const fold = () => this.#workers.foldAll();
    const connect = () => this.#failovers.connect(node);
    await node.start(this.#store, { isJournalWhole, fold, connect });
  }

  /** The primary is gone: all its connections break, and answers that it has sent may still arrive. */
  async #failOver(): Promise<string> {
    // The last grants are probably lost.
    const before = this.#failovers.isBusy() ? `${await this.#hurry()}, then ` : "";
    await this.#workers.disconnect();
    for (const packet of this.#packets.filter(({ answer }) => answer === null)) {
      this.#dropPacket(packet, true);
    }
    return `${before}the database ${await this.#failovers.failOver()}`;
  }

  /** Called by a node that knows of a limit without a count. The node may die before. */
  async #countLimits(): Promise<void> {
    if (this.#folds.chance(0.6)) await this.#workers.countLimits();
  }

  async #readLimits(node: SimulatedNode): Promise<void> {
    await this.#failovers.connect(node);
    await node.readLimits(this.#store);
  }

  async #fold(): Promise<string> {
    if (!this.#folds.chance(this.#shares.read)) return await this.#workers.step();
    const node = this.#folds.pick(
      this.#nodes.filter((each) => each.isActive && !each.isPartitioned),
    );
    if (node === undefined) return "no node reads its folded position";
    await this.#failovers.connect(node);
    return await node.readFolded(this.#store);
  }

  #sendRequests(): string {
    const node = this.#random.pick(this.#nodes.filter((each) => each.isActive && !each.isLeaving));
    const scope = this.#random.pick(this.#scopes);
    if (node === undefined || scope === undefined) return "no node accepts requests";
    const hasBursts = this.#options.hasBursts ?? true;
    if (!hasBursts || !this.#bursts.chance(this.#isRich ? RICH_BURST_CHANCE : BURST_CHANCE))
      return this.#sendRequest(node, scope);
    const burst = Array.from({ length: this.#bursts.below(MAX_BURST) }, () =>
      this.#sendRequest(node, scope),
    );
    return `a burst: ${burst.join(" | ")}`;
  }

  #sendRequest(node: SimulatedNode, scope: SpendScope): string {
    this.#made += 1;
    const requestId = `req_${String(this.#made).padStart(24, "0")}`;
    const amount = BigInt(1 + this.#random.below(this.#random.chance(0.1) ? 80 : 20));
    node.request(requestId, { scope, amount }, this.#time);
    const isIn = node.running.has(requestId);
    const isWaiting = node.waiting.has(requestId);
    if (!isIn && !isWaiting) this.#counts.refused += 1;
    const how = isIn ? "held" : isWaiting ? "waits" : "refused";
    return `${node.id} ${requestId.slice(-4)} of ${scope.apiKeyId}, ${amount}: ${how}`;
  }

  #finishRequest(): string {
    const node = this.#random.pick(this.#nodes.filter((each) => each.isActive));
    const begin = this.#random.pick([...(node?.running.values() ?? [])]);
    if (node === undefined || begin === undefined) return "nothing ends";
    const worst = Number(begin.holdNanoUsd ?? 0n);
    const cost = this.#random.chance(0.06) ? null : BigInt(this.#random.below(worst + 1));
    node.resolveWaiting(this.#time);
    node.finish(begin, this.#random.chance(0.2) && cost !== null ? BigInt(worst) : cost);
    // A hold ends once. Later calls change nothing.
    if (this.#random.chance(0.1)) node.leases.drop(begin.requestId);
    node.progressQueue(this.#time);
    return `${node.id} ${begin.requestId.slice(-4)} ends, ${cost ?? "unknown"}`;
  }

  async #sendMessage(): Promise<string> {
    const node = this.#random.pick(this.#nodes.filter((each) => each.isActive));
    if (node === undefined) return "no node speaks";
    node.resolveWaiting(this.#time);
    if (this.#packets.some((each) => each.kind === "sync" && isAwaited(each, node))) {
      return `${node.id} waits for an answer`;
    }
    const message = node.nextMessage(this.#time);
    if (message === null && this.#failovers.isReportDue(node)) return await this.#reenter(node);
    if (message === null) return `${node.id} has nothing to say`;
    this.#packets.push({ kind: "sync", node, message, draft: null, answer: null, ...fresh(node) });
    return `${node.id} says ${message.op}, grantRequests ${message.grantRequests.length}`;
  }

  /** Repairs all nodes: the supervisor starts dead ones again, and fenced ones enter again. */
  async #repairNodes(): Promise<string> {
    for (const node of this.#nodes) {
      if (!node.isAlive || node.isLeaving) {
        node.kill(0);
        await this.#start(node, true);
        this.#counts.restarts += 1;
        return `${node.id} starts`;
      }
      if (node.leases.isFenced) return await this.#reenter(node);
    }
    return "all is well";
  }

  #beginFlush(): string {
    const node = this.#random.pick(this.#nodes.filter((each) => each.isActive));
    if (node === undefined || node.isFlushing) return "no flush";
    const request = node.nextFlush(1 + this.#random.below(10));
    if (request === null) return `${node.id} has nothing to flush`;
    node.isFlushing = true;
    this.#packets.push({ kind: "flush", node, request, answer: null, ...fresh(node) });
    return `${node.id} flushes ${request.from} to ${request.to}`;
  }

  async #processPacket(): Promise<string> {
    const packet = this.#random.pick(this.#packets);
    if (packet === undefined) return "silence";
    const name = `${packet.kind} of ${packet.node.id}`;
    const isDead = packet.processNumber !== packet.node.processNumber;
    if (packet.answer !== null) {
      if (packet.isAbandoned || isDead || this.#random.chance(0.1)) {
        this.#dropPacket(packet, true);
        return `the answer to a ${name} is lost`;
      }
      if (packet.node.isPaused || packet.node.isPartitioned)
        return `an answer to ${packet.node.id} waits`;
      this.#removePacket(packet);
      await this.#deliverAnswer(packet);
      return `a ${name} is answered: ${describe(packet)}`;
    }
    if (this.#random.chance(0.08)) {
      this.#dropPacket(packet, true);
      return `a ${name} is lost`;
    }
    // The node may time out while the message is in transit. The message is then executed late.
    if (!packet.isAbandoned && !packet.node.isPaused && this.#random.chance(0.08)) {
      this.#dropPacket(packet, false);
      return `${packet.node.id} gives up on a ${packet.kind}`;
    }
    if (packet.node.isPartitioned && !packet.isAbandoned) return `a ${name} does not get through`;
    await this.#executePacket(packet);
    if (packet.answer === null) return `a ${name} is ${describeOpen(packet)}`;
    const isDeaf = packet.isAbandoned || packet.node.isPaused || isDead;
    if (isDeaf || this.#random.chance(0.4)) return `a ${name} is executed: ${describe(packet)}`;
    this.#removePacket(packet);
    await this.#deliverAnswer(packet);
    return `a ${name} is executed and answered: ${describe(packet)}`;
  }

  async #executePacket(packet: Packet): Promise<void> {
    await this.#failovers.connect(packet.node);
    if (packet.kind === "sync") return await this.#executeMessage(packet);
    const { request } = packet;
    packet.answer = await this.#store.flush(request, this.#time.wallMs);
    // Reported also for a step that an earlier attempt has counted. A double count shows in the settled amount.
    const [first] = request.batch;
    const isCounted = this.#model.requests.get(first?.requestId ?? "")?.isRecorded === true;
    if (packet.answer !== "flushed" || isCounted) return;
    const { nodeId, to: toSeq } = request;
    for (const { requestId, cost } of request.batch) {
      this.#model.recorded(requestId, { cost: cost.total, nodeId, toSeq });
    }
  }

  /** Other steps may run between the read and the write of a message. */
  async #executeMessage(packet: SyncPacket): Promise<void> {
    if (packet.draft === null) {
      const draft = await this.#store.draft(packet.message, this.#time.wallMs);
      if (draft.kind === "drafted") packet.draft = draft;
      else if (draft.kind !== "older") packet.answer = draft;
      else packet.answer = await this.#store.sync(packet.message, this.#time.wallMs);
      const isOpen = this.#options.hasOpenDrafts !== false && this.#drafts.chance(OPEN_DRAFT_SHARE);
      if (packet.draft === null || isOpen) return;
    }
    const { draft } = packet;
    packet.answer = await this.#store.write(draft, this.#time.wallMs);
    packet.draft = null;
    if (packet.answer === null) this.#counts.redrafted += 1;
    else checkGuard(packet.message, packet.answer);
    if (isReport(packet)) this.#failovers.recordReport(packet.node);
  }

  #dropPacket(packet: Packet, isPacketLost: boolean): void {
    if (isPacketLost) this.#removePacket(packet);
    const isKnown = packet.isAbandoned || packet.processNumber !== packet.node.processNumber;
    packet.isAbandoned = true;
    if (isKnown) return;
    if (packet.kind === "sync") packet.node.handleAnswer(null, this.#time);
    else packet.node.isFlushing = false;
  }

  async #deliverAnswer(packet: Packet): Promise<void> {
    const { node } = packet;
    if (packet.kind === "sync") {
      if (packet.answer?.kind === "behind") await this.#readLimits(node);
      const hasUnopened = packet.answer?.kind === "done" && packet.answer.unopened.size > 0;
      if (hasUnopened || packet.answer?.kind === "behind") await this.#countLimits();
      const isHandled = node.handleAnswer(packet.answer, this.#time);
      if (isHandled && isReport(packet)) this.#failovers.recordReportAnswer(node);
      if (node.leases.view().states.some((state) => findSpendable(state) >= LARGE_NANO_USD)) {
        this.#counts.large += 1;
      }
      return;
    }
    node.isFlushing = false;
    expectSame("an awaited flush was replaced", packet.answer === "replaced", false);
    // A late answer to a step that another attempt has finished adds nothing.
    if (packet.answer === "flushed" && node.step === packet.request)
      node.handleFlush(packet.request);
  }

  #removePacket(packet: Packet): void {
    this.#packets = this.#packets.filter((each) => each !== packet);
  }

  #passTime(): string {
    const ms = 1 + this.#random.below(this.#random.chance(0.15) ? 2_500 : 250);
    this.#time.realMs += ms;
    this.#time.wallMs += ms;
    return `${ms} ms pass`;
  }

  async #injectFault(): Promise<string> {
    const node = this.#random.pick(this.#nodes);
    if (node === undefined) return "no node";
    const isWhole = this.#random.chance(0.8);
    switch (this.#random.below(9)) {
      case 0:
        if (node.isAlive && this.#random.chance(0.5)) {
          node.kill(isWhole ? 0 : this.#random.below(4));
          this.#counts.restarts += isWhole ? 0 : 1;
          if (!isWhole) await this.#failovers.recordPowerLoss(node);
          if (!isWhole) await this.#start(node, false);
          return `${node.id} ${isWhole ? "is killed" : "loses its power"}`;
        }
        return `${node.id} survives`;
      case 1:
      case 2:
        if (!node.isAlive) {
          await this.#start(node, true);
          this.#counts.restarts += 1;
          return `${node.id} starts`;
        }
        return await this.#reenter(node);
      case 3:
        // Faults are rare, because limits are only reached when requests succeed.
        node.isPaused = !node.isPaused && node.isAlive && this.#random.chance(0.4);
        if (node.isPaused && this.#suspensions.chance(0.5)) node.suspend(this.#time);
        return `${node.id} is ${node.isPaused ? "paused" : "resumed"}`;
      case 4:
        node.isPartitioned = !node.isPartitioned && this.#random.chance(0.4);
        return `${node.id} is ${node.isPartitioned ? "cut off" : "back"}`;
      case 5:
      case 6:
        return await this.#fenceNodes();
      case 7:
        return await this.#releaseUnresolved();
      default:
        return this.#jumpClock();
    }
  }

  async #reenter(node: SimulatedNode): Promise<string> {
    const canTell = node.isActive && !node.isPartitioned && !node.isFlushing;
    if (!canTell || !node.leases.isFenced) return `${node.id} continues`;
    this.#packets = this.#packets.filter((each) => each.node !== node || each.isAbandoned);
    await this.#failovers.connect(node);
    await node.reenter(this.#store, async () => {
      if (this.#failovers.isDueDuringReentry()) {
        await this.#failOver();
        await this.#failovers.connect(node);
      }
      await this.#workers.foldAll();
    });
    return `${node.id} enters again, epoch ${node.epoch}`;
  }

  async #fenceNodes(): Promise<string> {
    await this.#failovers.connect(null);
    const fenced = await this.#store.fence(this.#time.wallMs);
    this.#counts.fenced += fenced.length;
    return `fenced: ${fenced.join(", ") || "none"}`;
  }

  async #releaseUnresolved(): Promise<string> {
    if (this.#random.chance(0.5)) {
      // A long silence: all leases expire, and unresolved spend ages.
      this.#time.realMs += TIMES.releaseMs / 2;
      this.#time.wallMs += TIMES.releaseMs / 2;
      this.#jumps = 0;
    }
    return await this.#releaseOldSpend();
  }

  async #releaseOldSpend(): Promise<string> {
    await this.#workers.foldAll();
    await this.#failovers.connect(null);
    const released = await this.#store.release(this.#time.wallMs);
    this.#counts.released += released.length;
    this.#model.recordRelease(released, this.#time.wallMs);
    return `released: ${released.length}`;
  }

  /** Silences one node until it is fenced and unresolved spend is released. The others renew their leases. */
  async #silenceNode(): Promise<string> {
    const node = this.#silences.pick(this.#nodes.filter((each) => each.isActive));
    if (node === undefined) return "every node is silent already";
    const how = this.#silences.pick(["paused", "cut off", "killed"] as const) ?? "paused";
    if (how === "paused") node.isPaused = true;
    else if (how === "cut off") node.isPartitioned = true;
    else node.kill(0);
    await this.#passWithout(node, TIMES.ttlMs + TIMES.graceMs + 1);
    const fenced = await this.#fenceNodes();
    if (this.#silences.chance(0.3)) {
      return `${node.id} is ${how} for long: ${fenced}, ${await this.#forgetNode(node)}`;
    }
    await this.#passWithout(node, TIMES.releaseMs + 1);
    const released = await this.#releaseOldSpend();
    const forgotten = this.#silences.chance(0.3) ? `, ${await this.#forgetNode(node)}` : "";
    return `${node.id} is ${how} for long: ${fenced}, ${released}${forgotten}`;
  }

  /**
   * Suspends the machine of one node, while the others continue. The node wakes with a request, before any timer. Instead,
   * the wall clock of a running machine is set.
   */
  async #suspendNode(): Promise<string> {
    const node = this.#suspensions.pick(this.#nodes.filter((each) => each.isActive));
    if (node === undefined) return "no machine is suspended";
    node.now(this.#time);
    if (this.#suspensions.chance(0.3)) {
      const setByMs = this.#suspensions.below(20_000) - 10_000;
      node.moveWallClock(setByMs);
      node.now(this.#time);
      return `the wall clock of ${node.id} is set by ${setByMs}`;
    }
    const ms = 1 + this.#suspensions.below(3 * TIMES.ttlMs);
    node.suspend(this.#time);
    await this.#passWithout(node, ms);
    const fenced = await this.#fenceNodes();
    const forgotten = this.#suspensions.chance(0.5) ? await this.#forgetNode(node) : "kept";
    // The others use the released budget before the node wakes.
    const others = Array.from({ length: this.#suspensions.below(4) }, () => this.#sendRequests());
    await this.#passWithout(node, 1);
    node.isPaused = false;
    const scope = node.isLeaving ? undefined : this.#suspensions.pick(this.#scopes);
    const request = scope === undefined ? "no request" : this.#sendRequest(node, scope);
    const steps = [fenced, forgotten, ...others, request].join(" | ");
    return `${node.id} is suspended for ${ms}: ${steps}`;
  }

  /** Releases the budget of a silent node, as an administrator does. */
  async #forgetNode(node: SimulatedNode): Promise<string> {
    await this.#workers.foldAll();
    await this.#failovers.connect(null);
    const forgotten = await this.#store.forget(node.id);
    if (forgotten === null) return "in contact, not forgotten";
    this.#counts.forgotten += forgotten.length;
    this.#model.recordForgotten(forgotten);
    return `forgotten: ${forgotten.length}`;
  }

  async #passWithout(silent: SimulatedNode, ms: number): Promise<void> {
    this.#time.realMs += ms;
    this.#time.wallMs += ms;
    for (const node of this.#nodes) if (node !== silent) await this.#exchangeMessage(node);
  }

  /** Sends the next message of the node, if there is one, and delivers its answer. */
  async #exchangeMessage(node: SimulatedNode): Promise<void> {
    const canSpeak = node.isActive && !node.isPartitioned;
    const isWaiting = this.#packets.some((each) => each.kind === "sync" && isAwaited(each, node));
    const message = canSpeak && !isWaiting ? node.nextMessage(this.#time) : null;
    if (message === null) return;
    const packet: Packet = {
      kind: "sync",
      node,
      message,
      draft: null,
      answer: null,
      ...fresh(node),
    };
    while (packet.answer === null) await this.#executePacket(packet);
    await this.#deliverAnswer(packet);
  }

  /** One node reports at once after a failover, and asks for budget, while the others have not reported. */
  async #hurry(): Promise<string> {
    const node = this.#failovers.pickHasty(this.#nodes);
    if (node === undefined) return "no node hurries";
    await this.#failovers.connect(node);
    await this.#reenter(node);
    const asked: string[] = [];
    for (let round = 0; round < HASTY_ROUNDS; round++) {
      await this.#exchangeMessage(node);
      const scope = this.#random.pick(this.#scopes);
      if (scope !== undefined && !node.isLeaving) asked.push(this.#sendRequest(node, scope));
      this.#time.realMs += HASTY_MS;
      this.#time.wallMs += HASTY_MS;
    }
    return `${node.id} hurries: ${asked.join(" | ")}`;
  }

  /** Moves the database's clock. A forward jump stays below the release time, as server/src/spend/ledger/README.md assumes. */
  #jumpClock(): string {
    if (this.#jumps >= MAX_JUMPS) return "the clock is steady";
    this.#jumps += 1;
    const ms = this.#random.chance(0.2) ? -DAY_MS / 24 : this.#random.below(6_000) - 3_000;
    this.#time.wallMs += ms;
    return `the database's clock jumps by ${ms}`;
  }

  async #changeLimits(): Promise<string> {
    const reader = this.#random.pick(this.#nodes.filter((each) => each.isActive));
    if (reader && !reader.isPartitioned && this.#random.chance(0.5)) {
      await this.#readLimits(reader);
      await this.#countLimits();
      reader.resolveWaiting(this.#time);
      return `${reader.id} reads the limits`;
    }
    const leaver = this.#random.pick(this.#nodes);
    if (leaver?.isActive && this.#random.chance(0.1)) {
      leaver.isLeaving = true;
      leaver.leases.leave();
      return `${leaver.id} drains`;
    }
    const limit = this.#random.pick(this.#limits);
    if (limit === undefined) return "no limit";
    if (this.#random.chance(0.2)) {
      await this.#failovers.connect(null);
      await this.#store.removeLimit({ ...limit, amountNanoUsd: 0n });
      await this.#model.recordLimitsChange(this.#store);
      return `the ${limit.period} limit of ${limit.scopeId} is removed`;
    }
    return await this.#setLimit(limit);
  }

  async #setLimit(limit: Omit<StrictLimit, "amountNanoUsd">): Promise<string> {
    const highest = this.#random.chance(0.4) ? 120 : 400;
    const amount = BigInt(this.#random.below(this.#failovers.isTight ? TIGHT : highest));
    const isHigh = this.#isRich && this.#sizes.chance(0.5);
    const amountNanoUsd = isHigh ? amount * RICH_FACTOR : amount;
    const { wallMs } = this.#time;
    await this.#failovers.connect(null);
    await this.#store.setLimit({ ...limit, amountNanoUsd }, wallMs);
    const change = { atMs: wallMs, isDuringFold: this.#workers.isFolding };
    await this.#model.recordLimitSet(limit, this.#store, change);
    return `the ${limit.period} limit of ${limit.scopeId} is ${amountNanoUsd}`;
  }

  #check(snapshot: Snapshot, activating: readonly StrictLimit[]): void {
    const spendable = new Map<string, bigint>();
    for (const node of this.#nodes) {
      const { nowMs } = node.now(this.#time);
      if (!node.isAlive || node.isExempt || node.leases.isExpired(nowMs)) continue;
      for (const state of node.leases.view().states) {
        const free = findSpendable(state);
        if (free > 0n) spendable.set(state.text, (spendable.get(state.text) ?? 0n) + free);
      }
    }
    const { inactiveLimits } = this.#failovers;
    this.#model.check({ snapshot, activating, inactiveLimits, spendable });
  }

  /**
   * Invariant 2: no hold ends twice. A node that is not fenced never uses more than its leases. Its count of draws is the
   * database's count, plus the ends that no fold has counted.
   */
  #checkNodes({ nodes, counters, counts }: Snapshot): void {
    if (this.#failovers.isRaiseDue) return;
    const byNodeAndKey = new Map(counters.map((row) => [`${row.nodeId}\n${row.key}`, row]));
    for (const node of this.#nodes) {
      const stored = nodes.get(node.id);
      if (!node.isAlive || stored?.epoch !== node.epoch) continue;
      const { pending } = node.leases;
      const isSame =
        stored.flushedSeq === node.flushedSeq && stored.foldedSeq === pending.foldedSeq;
      for (const state of node.leases.view().states) {
        const { text, held, granted, drawn, countId, key, startMs, endMs } = state;
        if (held < 0n) throw new Error(`${node.id} ${text}: a hold ended twice`);
        if (countId === null || counts.get(limitNameOfKey(text)) !== countId) continue;
        const row = byNodeAndKey.get(`${node.id}\n${text}`);
        const [has, counted] = [row?.granted ?? 0n, row?.drawn ?? 0n];
        if (granted > has && granted > drawn) {
          throw new Error(`${node.id} ${label(text)}: uses ${granted} of ${has}`);
        }
        if (!isSame) continue;
        const rest = pending.sumOfDraws({ scopeId: key.scopeId, startMs, endMs });
        const unfolded = node.sumUnfolded(stored.foldedSeq, {
          scopeId: key.scopeId,
          startMs,
          endMs,
        });
        if (rest !== unfolded) expectSame(`${node.id} ${label(text)} pending`, rest, unfolded);
        if (drawn !== counted + rest) {
          expectSame(`${node.id} ${label(text)} drawn`, drawn, counted + rest);
        }
      }
    }
  }

  /** Repairs all nodes, ends all requests and returns all leases. Only spend of unknown requests may remain. */
  async #settleAll(): Promise<void> {
    this.#packets = [];
    await this.#workers.breakOnce();
    for (const node of this.#nodes) if (node.isActive) await this.#checkQuietNode(node);
    for (const node of this.#nodes) {
      Object.assign(node, { isPartitioned: false, isPaused: false, isFlushing: false });
      node.kill(0);
      await this.#start(node, true);
      await this.#finishQuietly(node);
    }
    await this.#workers.foldAll();
    const snapshot = await this.#store.snapshot();
    this.#check(snapshot, await this.#store.activating());
    const { balances, leases } = snapshot;
    for (const [key, { leased }] of balances) expectSame(`${key} leased at the end`, leased, 0n);
    for (const request of this.#model.requests.values()) {
      const isLost = !this.#nodes.some(({ journal }) =>
        journal.some(({ record }) => record.requestId === request.requestId),
      );
      if (!isLost) expectSame(`${request.requestId} recorded`, request.isRecorded, true);
    }
    for (const row of leases) expectSame(`${row.key} of ${row.nodeId}`, row.requestId !== "", true);
  }

  /** A node in contact has exactly its running requests, its pending spend and what it keeps as its leases. */
  async #checkQuietNode(node: SimulatedNode): Promise<void> {
    node.isPartitioned = false;
    node.handleAnswer(null, this.#time);
    await this.#readLimits(node);
    if (node.leases.isFenced) return;
    await this.#workers.countLimits();
    if (node.step !== null) await this.#flushNow(node, node.step);
    await this.#workers.foldAll();
    await node.readFolded(this.#store);
    this.#time.realMs += TIMES.ttlMs;
    // The first message opens leases, the second one corrects what a fold in between has changed.
    for (let round = 0; round < 3; round++) {
      const message = node.nextMessage(this.#time);
      if (message === null) break;
      await this.#failovers.connect(node);
      node.handleAnswer(await this.#store.sync(message, this.#time.wallMs), this.#time);
      this.#time.realMs += TIMES.ttlMs;
    }
    if (node.leases.isFenced) return;
    const { leases } = await this.#store.snapshot();
    for (const state of node.leases.view().states) {
      const { text, granted, drawn, key, startMs, endMs, limit } = state;
      if (limit === null) continue;
      const row = leases.find((each) => {
        return each.nodeId === node.id && each.key === text && each.requestId === "";
      });
      const pending = node.leases.pending.sumOfDraws({ scopeId: key.scopeId, startMs, endMs });
      expectSame(`${node.id} ${label(text)} leased`, row?.amount ?? 0n, granted - drawn + pending);
    }
  }

  async #flushNow(node: SimulatedNode, request: FlushRequest): Promise<void> {
    const packet: Packet = { kind: "flush", node, request, answer: null, ...fresh(node) };
    await this.#executePacket(packet);
    await this.#deliverAnswer(packet);
  }

  async #finishQuietly(node: SimulatedNode): Promise<void> {
    node.leases.leave();
    for (let round = 0; round < 100; round++) {
      const request = node.nextFlush(50);
      if (request === null) break;
      await this.#flushNow(node, request);
    }
    await this.#readLimits(node);
    await this.#workers.countLimits();
    const message = node.nextMessage(this.#time);
    if (message) node.handleAnswer(await this.#store.sync(message, this.#time.wallMs), this.#time);
  }

  async #result(): Promise<SimulationResult> {
    const { balances, leases } = await this.#store.snapshot();
    const rows = [...balances]
      .filter(([, row]) => row.settled + row.leased + row.unresolved > 0n)
      .map(([key, row]) => `${key} ${row.settled} ${row.leased} ${row.unresolved} ${row.overrun}`)
      .sort();
    const left = leases.map((row) => `${row.key} ${row.nodeId} ${row.requestId} ${row.amount}`);
    const requests = [...this.#model.requests.values()];
    return {
      requests: requests.length,
      interrupted: requests.filter(({ cost }) => cost === null).length,
      ...this.#counts,
      ...this.#workers.counts,
      ...this.#failovers.counts,
      overrun: [...balances.values()].filter(({ overrun }) => overrun > 0n).length,
      digest: [...this.log, ...rows, ...left.sort()].join("\n"),
    };
  }
}

/** Invariant 1 at the grant: no grant lets the used amount exceed the limit. */
function checkGuard({ grantRequests }: SyncMessage, answer: SyncAnswer): void {
  if (answer.kind !== "done") return;
  for (const [at, want] of grantRequests.entries()) {
    for (const [entryAt, { key }] of want.entries.entries()) {
      const figures = answer.figures.get(key);
      const isGiven = (answer.grants[at]?.[entryAt] ?? 0n) > 0n;
      if (!isGiven || figures === undefined || usedOf(figures) <= figures.limitNanoUsd) continue;
      throw new Error(`a grant on ${key.replaceAll("\n", " ")} breaks the guard`);
    }
  }
}

/** True if the database has all leases of the node now. */
function isReport({ message, answer }: SyncPacket): boolean {
  return answer?.kind === "done" && message.isComplete && answer.unopened.size === 0;
}

function fresh(node: SimulatedNode): Pick<Packet, "processNumber" | "isAbandoned"> {
  return { processNumber: node.processNumber, isAbandoned: false };
}

function isAwaited(packet: Packet, node: SimulatedNode): boolean {
  return packet.node === node && packet.processNumber === node.processNumber && !packet.isAbandoned;
}

function describeOpen(packet: Packet): string {
  return packet.kind === "sync" && packet.draft !== null ? "drafted" : "to be drafted again";
}

function describe({ answer }: Packet): string {
  if (answer === null || typeof answer === "string") return String(answer);
  if (answer.kind !== "done") return answer.kind;
  const given = answer.grants.filter((grant) => grant !== null).length;
  const { opened, unopened } = answer;
  return `${opened.size} opened, ${unopened.size} not, ${given} of ${answer.grants.length} granted`;
}
