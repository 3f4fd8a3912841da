import { checkBalances, checkNodes, checkQuietNode } from "./checks.ts";
import { Faults } from "./faults.ts";
import { expectSame } from "./model.ts";
import { Packets } from "./packets.ts";
import { Passage } from "./passage.ts";
import { Requests } from "./requests.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import { newCounts, type SimulatedStreams } from "./simulated-streams.ts";
import { Streams } from "./streams.ts";
import { type LimitKey, makeWorld, type SimulationOptions, type World } from "./world.ts";

// One seed is one run: nodes, requests, faults and changes in an order that the seed decides. Each fate of a message
// is a step of its own: sent, executed, answered, or lost at any of these.

const LAST_STEPS = 12;
const SILENCE_SHARE = 0.004;
const SUSPENSION_SHARE = 0.006;
/** Share of steps about streams, in runs that have some. */
const STREAM_SHARE = 0.4;
const STEPS_SHARE = 0.8;
const RICH_FACTOR = 40n;
/** Highest limit in runs where the budget of one node is soon too much. */
const TIGHT = 60;

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
  /** Messages about overruns. */
  firings: number;
  /** Answers after which a lease has much budget in advance of its requests. */
  large: number;
  /** Streams, those that were held in steps, and those that were cut. */
  streams: number;
  stepped: number;
  cuts: number;
  /**
   * Cuts after a request of another node took budget that the stream lacked, although the database had answered that others
   * hold the rest. `unfairByGrant`: those by a grant. The others used the free part of a lease.
   */
  unfairElsewhere: number;
  unfairByGrant: number;
  /** Streams whose client left, and those that the upstream broke off. */
  left: number;
  broken: number;
  /** Streams that the provider bills beyond their record, because it generates on after their end, and the sum. */
  billedBeyondCut: number;
  billedBeyondLeft: number;
  billedBeyondBroken: number;
  billedBeyondNanoUsd: bigint;
  /** Stops and kills of processes, and cuts of their connections, while streams ran. */
  stops: number;
  kills: number;
  cutOffs: number;
  /**
   * Streams that cost more than their hold, by their cause. Causes are a stop of their node, a speed above the data, a result
   * above its figure, and a tool faster than a second.
   */
  excess: number;
  excessByStop: number;
  excessBySpeed: number;
  excessByResult: number;
  excessByTool: number;
  /** Models and tools that are held whole since. */
  excluded: number;
  /** All balances and events at the end. For a comparison of two stores. */
  digest: string;
}

/** Runs one seed. Throws at the first step that breaks an invariant. The error names the seed. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(makeWorld(options, await options.makeStore()));
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
  readonly #world: World;
  readonly #requests: Requests;
  readonly #packets: Packets;
  readonly #faults: Faults;
  readonly #passage: Passage;
  readonly #streams: Streams;

  constructor(world: World) {
    this.#world = world;
    const requests = new Requests(world);
    const packets = new Packets(world);
    const passage = new Passage(world, packets);
    const faults = new Faults(world, { packets, requests, passage });
    this.#streams = new Streams(world, { packets, requests, faults, passage });
    this.#requests = requests;
    this.#packets = packets;
    this.#passage = passage;
    this.#faults = faults;
  }

  async run(): Promise<SimulationResult> {
    const { limits, random, nodes, options, failovers, time, store } = this.#world;
    for (const limit of limits) if (random.chance(0.4)) await this.#setLimit(limit);
    for (const node of nodes) await this.#faults.start(node, true);
    while (this.steps < options.steps) {
      this.steps += 1;
      this.#logStep(await this.#step());
      await failovers.endWaits(time.wallMs);
      if (this.steps % (options.checkEvery ?? 1) !== 0) continue;
      const snapshot = await store.snapshot();
      checkNodes(this.#world, snapshot);
      await checkBalances(this.#world, snapshot);
    }
    if (options.hasStreams) await this.#streams.drain();
    await this.#settleAll();
    return await this.#result();
  }

  #logStep(what: string): void {
    this.log.push(`${this.steps} at ${this.#world.time.realMs}: ${what}`);
  }

  async #step(): Promise<string> {
    const { failovers, silences, options, suspensions, folds, shares, nodes, random } = this.#world;
    const { hasFaults, streaming } = this.#world;
    if (options.hasStreams && streaming.chance(STREAM_SHARE)) return await this.#streams.step();
    if (failovers.isDue()) return await this.#faults.failOver();
    if (failovers.isHurryDue()) return await this.#faults.hurry();
    if (silences.chance(options.silenceShare ?? SILENCE_SHARE) && hasFaults) {
      return await this.#faults.silenceNode();
    }
    if (suspensions.chance(options.suspensionShare ?? SUSPENSION_SHARE) && hasFaults) {
      return await this.#faults.suspendNode();
    }
    if (folds.chance(shares.fold)) return await this.#fold();
    if (folds.chance(shares.limit)) return await this.#changeLimits();
    if (folds.chance(shares.flush)) return this.#packets.beginFlush();
    if (folds.chance(shares.enter)) {
      const node = folds.pick(nodes.filter((each) => each.isActive));
      return node === undefined ? "no node enters again" : await this.#faults.reenter(node);
    }
    const chance = random.next();
    if (chance < 0.22) return this.#requests.sendAny();
    if (chance < 0.36) return this.#requests.finish();
    if (chance < 0.52) return await this.#sendMessage();
    if (chance < 0.57) return this.#packets.beginFlush();
    if (chance < 0.87) return await this.#packets.process();
    if (chance < 0.9) return await this.#passTime();
    if (chance < 0.935) return await this.#faults.inject();
    if (chance < 0.955) return await this.#faults.repairNodes();
    return await this.#changeLimits();
  }

  async #fold(): Promise<string> {
    const { folds, shares, workers, nodes, failovers, store } = this.#world;
    if (!folds.chance(shares.read)) return await workers.step();
    const node = folds.pick(nodes.filter((each) => each.isActive && !each.isPartitioned));
    if (node === undefined) return "no node reads its folded position";
    await failovers.connect(node);
    return await node.readFolded(store);
  }

  async #sendMessage(): Promise<string> {
    const { random, nodes, time, failovers } = this.#world;
    const node = random.pick(nodes.filter((each) => each.isActive));
    if (node === undefined) return "no node speaks";
    node.resolveWaiting(time);
    if (this.#packets.isAwaited(node)) return `${node.id} waits for an answer`;
    const message = node.nextMessage(time);
    if (message === null && failovers.isReportDue(node)) return await this.#faults.reenter(node);
    if (message === null) return `${node.id} has nothing to say`;
    this.#packets.sendMessage(node, message);
    return `${node.id} says ${message.op}, grantRequests ${message.grantRequests.length}`;
  }

  async #passTime(): Promise<string> {
    const { random } = this.#world;
    const ms = 1 + random.below(random.chance(0.15) ? 2_500 : 250);
    await this.#passage.pass(ms);
    return `${ms} ms pass`;
  }

  async #changeLimits(): Promise<string> {
    const { random, nodes, time, limits, failovers, store, model, options } = this.#world;
    const reader = random.pick(nodes.filter((each) => each.isActive));
    if (reader && !reader.isPartitioned && random.chance(0.5)) {
      await this.#packets.readLimits(reader);
      await this.#packets.countLimits();
      reader.resolveWaiting(time);
      return `${reader.id} reads the limits`;
    }
    const leaver = random.pick(nodes);
    if (leaver?.isActive && random.chance(0.1)) {
      leaver.isLeaving = true;
      leaver.leases.leave();
      return `${leaver.id} drains`;
    }
    const limit = random.pick(limits);
    if (limit === undefined || options.hasLimitChanges === false) return "no limit";
    if (random.chance(0.2)) {
      await failovers.connect(null);
      await store.removeLimit({ ...limit, amountNanoUsd: 0n });
      await model.recordLimitsChange(store);
      return `the ${limit.period} limit of ${limit.scopeId} is removed`;
    }
    return await this.#setLimit(limit);
  }

  async #setLimit(limit: LimitKey): Promise<string> {
    const { random, failovers, isRich, sizes, time, store, workers, model } = this.#world;
    const { options, streaming, unitNanoUsd } = this.#world;
    const highest = random.chance(0.4) ? 120 : 400;
    const amount = BigInt(random.below(failovers.isTight ? TIGHT : highest));
    const isHigh = isRich && sizes.chance(0.5);
    const amountNanoUsd = unitNanoUsd * (isHigh ? amount * RICH_FACTOR : amount);
    const isStepped = options.hasStreams === true && streaming.chance(STEPS_SHARE);
    const hold = isStepped ? ({ hold: "steps" } as const) : {};
    const { wallMs } = time;
    await failovers.connect(null);
    await store.setLimit({ ...limit, ...hold, amountNanoUsd }, wallMs);
    const change = { atMs: wallMs, isDuringFold: workers.isFolding };
    await model.recordLimitSet(limit, store, change);
    return `the ${limit.period} limit of ${limit.scopeId} is ${amountNanoUsd}${isStepped ? " in steps" : ""}`;
  }

  /** Repairs all nodes, ends all requests and returns all leases. Only spend of unknown requests may remain. */
  async #settleAll(): Promise<void> {
    const { workers, nodes, store, model, time } = this.#world;
    this.#packets.clear();
    await workers.breakOnce();
    for (const node of nodes) {
      if (node.isActive) await checkQuietNode(this.#world, this.#packets, node);
    }
    for (const node of nodes) {
      Object.assign(node, { isPartitioned: false, isPaused: false, isFlushing: false });
      node.kill(0, time);
      await this.#faults.start(node, true);
      await this.#finishQuietly(node);
    }
    await workers.foldAll();
    const snapshot = await store.snapshot();
    await checkBalances(this.#world, snapshot);
    const { balances, leases } = snapshot;
    for (const [key, { leased }] of balances) expectSame(`${key} leased at the end`, leased, 0n);
    for (const request of model.requests.values()) {
      const isLost = !nodes.some(({ journal }) =>
        journal.some(({ record }) => record.requestId === request.requestId),
      );
      if (!isLost) expectSame(`${request.requestId} recorded`, request.isRecorded, true);
    }
    for (const row of leases) expectSame(`${row.key} of ${row.nodeId}`, row.requestId !== "", true);
  }

  async #finishQuietly(node: SimulatedNode): Promise<void> {
    const { workers, time, store } = this.#world;
    node.leases.leave();
    for (let round = 0; round < 100; round++) {
      const request = node.nextFlush(50);
      if (request === null) break;
      await this.#packets.flushNow(node, request);
    }
    await this.#packets.readLimits(node);
    await workers.countLimits();
    const message = node.nextMessage(time);
    if (message) node.handleAnswer(await store.sync(message, time.wallMs), time);
  }

  async #result(): Promise<SimulationResult> {
    const { store, model, workers, failovers, nodes } = this.#world;
    const { balances, leases, alerted } = await store.snapshot();
    const rows = [...balances]
      .filter(([, row]) => row.settled + row.leased + row.unresolved > 0n)
      .map(([key, row]) => `${key} ${row.settled} ${row.leased} ${row.unresolved} ${row.overrun}`)
      .sort();
    const left = leases.map((row) => `${row.key} ${row.nodeId} ${row.requestId} ${row.amount}`);
    const told = [...alerted].map(([key, { firings }]) => `${key} told ${firings.join(" ")}`);
    const requests = [...model.requests.values()];
    return {
      requests: requests.length,
      interrupted: requests.filter(({ cost }) => cost === null).length,
      ...this.#requests.counts,
      ...this.#packets.counts,
      ...this.#faults.counts,
      ...workers.counts,
      ...failovers.counts,
      ...this.#streams.counts,
      ...sumStreams(nodes),
      excluded: this.#world.exceeded.size,
      overrun: [...balances.values()].filter(({ overrun }) => overrun > 0n).length,
      firings: [...alerted.values()].reduce((sum, { firings }) => sum + firings.length, 0),
      digest: [...this.log, ...rows, ...left.sort(), ...told.sort()].join("\n"),
    };
  }
}

function sumStreams(nodes: readonly SimulatedNode[]): SimulatedStreams["counts"] {
  const sums = newCounts();
  for (const { streams } of nodes) {
    const { billedBeyondNanoUsd, ...counts } = streams.counts;
    sums.billedBeyondNanoUsd += billedBeyondNanoUsd;
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) sums[name] += counts[name];
  }
  return sums;
}
