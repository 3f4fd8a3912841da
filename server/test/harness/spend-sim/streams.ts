import type { Faults } from "./faults.ts";
import { expectSame, keysOf } from "./model.ts";
import type { Packets } from "./packets.ts";
import type { Passage } from "./passage.ts";
import type { Requests } from "./requests.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { World } from "./world.ts";

const MAX_BURST = 12;
/** Longest stop of a process, milliseconds: longer than a lease. */
const LONGEST_STOP_MS = 30_000;
/** Time after the last fault in which streams end by themselves. Later ones are broken off. */
const DRAIN_MS = 30_000;
const DRAIN_STEP_MS = 1_000;
/** Room of a limit, in small requests, in which one of them gets its hold, and time between two messages of its node. */
const PROBE_ROOM = 20n;
const PROBE_STEP_MS = 100;

/** Steps of runs with streams: agents, time, and faults while streams run. */
export class Streams {
  readonly counts = { stops: 0, kills: 0, cutOffs: 0 };
  readonly #world: World;
  readonly #packets: Packets;
  readonly #requests: Requests;
  readonly #faults: Faults;
  readonly #passage: Passage;

  constructor(
    world: World,
    parts: { packets: Packets; requests: Requests; faults: Faults; passage: Passage },
  ) {
    this.#world = world;
    this.#packets = parts.packets;
    this.#requests = parts.requests;
    this.#faults = parts.faults;
    this.#passage = parts.passage;
  }

  async step(): Promise<string> {
    const { streaming, hasFaults, options } = this.#world;
    const chance = streaming.next();
    if (chance < 0.35) return this.#send();
    if (chance < 0.86) return await this.#passTime();
    if (chance < 0.885) return this.#breakOff();
    if (chance < 0.91) return this.#leave();
    if (!hasFaults) return "no fault";
    if (options.brokenRule === "first_hold_in_begin") return await this.#kill();
    if (chance < 0.97) return await this.#stop();
    if (chance < 0.99) return await this.#cutOff();
    return await this.#kill();
  }

  #send(): string {
    const { streaming, nodes, scopes } = this.#world;
    const node = streaming.pick(nodes.filter((each) => each.isActive && !each.isLeaving));
    const scope = streaming.pick(scopes);
    if (node === undefined || scope === undefined) return "no node accepts streams";
    const count = streaming.chance(0.1) ? 1 + streaming.below(MAX_BURST) : 1;
    const sent = Array.from({ length: count }, () => this.#requests.sendStream(node, scope));
    return sent.join(" | ");
  }

  async #passTime(): Promise<string> {
    const { streaming } = this.#world;
    const ms = 1 + streaming.below(streaming.chance(0.3) ? 8_000 : 1_500);
    await this.#passage.pass(ms);
    return `${ms} ms pass with streams`;
  }

  /** The provider or its network breaks off one stream. */
  #breakOff(): string {
    const { streaming, nodes, time } = this.#world;
    const node = streaming.pick(nodes.filter((each) => each.isActive && each.hasStreams));
    const requestId = streaming.pick([...(node?.streams.running.keys() ?? [])]);
    if (node === undefined || requestId === undefined) return "no stream breaks off";
    node.breakOff(requestId, time);
    return `${node.id} ${requestId.slice(-4)} breaks off`;
  }

  /** The client of one stream leaves. */
  #leave(): string {
    const { streaming, nodes, time } = this.#world;
    const node = streaming.pick(nodes.filter((each) => each.isActive && each.hasStreams));
    const requestId = streaming.pick([...(node?.streams.running.keys() ?? [])]);
    if (node === undefined || requestId === undefined) return "no client leaves";
    node.leave(requestId, time);
    return `the client of ${node.id} ${requestId.slice(-4)} leaves`;
  }

  /** Stops a process as SIGSTOP does. Its streams run on at the provider. */
  async #stop(): Promise<string> {
    const { streaming } = this.#world;
    const node = this.#pickActive();
    if (node === undefined) return "no process is stopped";
    node.isPaused = true;
    this.counts.stops += 1;
    const ms = 1 + streaming.below(streaming.chance(0.5) ? 4_000 : LONGEST_STOP_MS);
    await this.#passage.pass(ms, [node]);
    node.isPaused = false;
    return `${node.id} is stopped for ${ms}`;
  }

  async #cutOff(): Promise<string> {
    const { streaming, times } = this.#world;
    const node = this.#pickActive();
    if (node === undefined) return "no node is cut off";
    node.isPartitioned = true;
    this.counts.cutOffs += 1;
    const ms = 1 + streaming.below(2 * times.ttlMs);
    await this.#passage.pass(ms, [node]);
    node.isPartitioned = false;
    return `${node.id} is cut off for ${ms}`;
  }

  async #kill(): Promise<string> {
    const { streaming, time } = this.#world;
    const node = this.#pickActive();
    if (node === undefined) return "no process is killed";
    const count = node.streams.running.size;
    node.kill(0, time);
    this.counts.kills += 1;
    await this.#passage.pass(streaming.below(3_000), [node]);
    if (!node.isAlive) await this.#faults.start(node, true);
    return `${node.id} is killed with ${count} streams`;
  }

  #pickActive(): SimulatedNode | undefined {
    const { streaming, nodes } = this.#world;
    const active = nodes.filter((each) => each.isActive);
    const busy = active.filter((each) => each.hasStreams);
    return streaming.pick(busy.length > 0 && streaming.chance(0.8) ? busy : active);
  }

  /** Repairs all nodes, and waits until no stream runs. Then no request waits. */
  async drain(): Promise<void> {
    const { nodes, time, hasFaults } = this.#world;
    for (const node of nodes) Object.assign(node, { isPartitioned: false, isPaused: false });
    for (let ms = 0; ms < DRAIN_MS && nodes.some((node) => node.hasStreams); ms += DRAIN_STEP_MS) {
      for (const node of nodes) await this.#faults.reenter(node);
      await this.#passage.pass(DRAIN_STEP_MS);
    }
    for (const node of nodes) {
      for (const requestId of [...node.streams.running.keys()]) node.breakOff(requestId, time);
      if (node.isActive) node.resolveWaiting(time);
    }
    await this.#passage.pass(2 * this.#world.times.holdWaitMs);
    for (const node of nodes) {
      if (!node.isActive) continue;
      node.resolveWaiting(time);
      expectSame(`${node.id} waits with nothing that runs`, node.waiting.size, 0);
    }
    if (!hasFaults) await this.#probe();
  }

  /** Budget of ended streams is free again: a small request gets its hold wherever the limits have room. */
  async #probe(): Promise<void> {
    const { nodes, streaming, scopes, time, times, workers, store } = this.#world;
    const node = streaming.pick(nodes.filter((each) => each.isActive && !each.isLeaving));
    const scope = streaming.pick(scopes);
    if (node === undefined || scope === undefined) return;
    const active = nodes.filter((each) => each.isActive);
    for (const each of active) {
      if (each.step !== null) await this.#packets.flushNow(each, each.step);
    }
    await workers.foldAll();
    for (const each of active) {
      await this.#packets.readLimits(each);
      await workers.countLimits();
      await each.readFolded(store);
      await this.#packets.finishMessage(each);
    }
    if (!(await this.#hasRoom(keysOf(scope, time.wallMs)))) return;
    const requestId = this.#requests.probe(node, scope);
    for (let ms = 0; ms < times.holdWaitMs && node.waiting.has(requestId); ms += PROBE_STEP_MS) {
      time.realMs += PROBE_STEP_MS;
      time.wallMs += PROBE_STEP_MS;
      for (const each of nodes) await this.#packets.finishMessage(each);
    }
    expectSame(
      `${node.id} holds ${requestId} of a limit with room`,
      node.running.has(requestId),
      true,
    );
  }

  /** True if each limit has room for several small requests beside all that runs. */
  async #hasRoom(keys: readonly string[]): Promise<boolean> {
    const { store, unitNanoUsd, nodes } = this.#world;
    const { balances } = await store.snapshot();
    for (const { scopeType, scopeId, period, amountNanoUsd } of (await store.limits()).limits) {
      const key = keys.find((each) => each.startsWith(`${scopeType}\n${scopeId}\n${period}\n`));
      const { settled = 0n, unresolved = 0n } = balances.get(key ?? "") ?? {};
      const used = nodes.reduce((sum, node) => sum + node.sumUsed(key ?? ""), settled + unresolved);
      const room = amountNanoUsd - used;
      if (key !== undefined && room < PROBE_ROOM * unitNanoUsd) return false;
    }
    return true;
  }
}
