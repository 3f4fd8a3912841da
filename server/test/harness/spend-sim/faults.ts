import type { Packets } from "./packets.ts";
import type { Passage } from "./passage.ts";
import type { Requests } from "./requests.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { World } from "./world.ts";

const DAY_MS = 86_400_000;
const MAX_JUMPS = 5;
const HASTY_ROUNDS = 6;
const HASTY_MS = 60;

/** Starts, faults and repairs of nodes, of the database and of its clock. */
export class Faults {
  readonly counts = { restarts: 0, fenced: 0, released: 0, forgotten: 0 };
  readonly #world: World;
  readonly #packets: Packets;
  readonly #requests: Requests;
  readonly #passage: Passage;
  #jumps = 0;

  constructor(world: World, parts: { packets: Packets; requests: Requests; passage: Passage }) {
    this.#world = world;
    this.#packets = parts.packets;
    this.#requests = parts.requests;
    this.#passage = parts.passage;
  }

  async start(node: SimulatedNode, isJournalWhole: boolean): Promise<void> {
    const { workers, failovers, store } = this.#world;
    const fold = () => workers.foldAll();
    const connect = () => failovers.connect(node);
    await node.start(store, { isJournalWhole, fold, connect });
  }

  /** Repairs all nodes: the supervisor starts dead ones again, and fenced ones enter again. */
  async repairNodes(): Promise<string> {
    const { nodes, time } = this.#world;
    for (const node of nodes) {
      if (!node.isAlive || node.isLeaving) {
        node.kill(0, time);
        await this.start(node, true);
        this.counts.restarts += 1;
        return `${node.id} starts`;
      }
      if (node.leases.isFenced) return await this.reenter(node);
    }
    return "all is well";
  }

  /** The primary is gone: all its connections break, and answers that it has sent may still arrive. */
  async failOver(): Promise<string> {
    const { failovers, workers } = this.#world;
    // The last grants are probably lost.
    const before = failovers.isBusy() ? `${await this.hurry()}, then ` : "";
    await workers.disconnect();
    this.#packets.loseUnanswered();
    return `${before}the database ${await failovers.failOver()}`;
  }

  /** Picks a fault or a repair for one node or for the database. */
  async inject(): Promise<string> {
    const { random, nodes, failovers, suspensions, time, hasFaults } = this.#world;
    const node = random.pick(nodes);
    if (node === undefined) return "no node";
    if (!hasFaults) return await this.reenter(node);
    const isWhole = random.chance(0.8);
    switch (random.below(9)) {
      case 0:
        if (node.isAlive && random.chance(0.5)) {
          node.kill(isWhole ? 0 : random.below(4), time);
          this.counts.restarts += isWhole ? 0 : 1;
          if (!isWhole) await failovers.recordPowerLoss(node);
          if (!isWhole) await this.start(node, false);
          return `${node.id} ${isWhole ? "is killed" : "loses its power"}`;
        }
        return `${node.id} survives`;
      case 1:
      case 2:
        if (!node.isAlive) {
          await this.start(node, true);
          this.counts.restarts += 1;
          return `${node.id} starts`;
        }
        return await this.reenter(node);
      case 3:
        // Faults are rare, because limits are only reached when requests succeed.
        node.isPaused = !node.isPaused && node.isAlive && random.chance(0.4);
        if (node.isPaused && suspensions.chance(0.5)) node.suspend(time);
        return `${node.id} is ${node.isPaused ? "paused" : "resumed"}`;
      case 4:
        node.isPartitioned = !node.isPartitioned && random.chance(0.4);
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

  /** A fenced node in contact becomes active again. */
  async reenter(node: SimulatedNode): Promise<string> {
    const { failovers, store, workers } = this.#world;
    const canTell = node.isActive && !node.isPartitioned && !node.isFlushing;
    if (!canTell || !node.leases.isFenced) return `${node.id} continues`;
    this.#packets.loseAwaited(node);
    await failovers.connect(node);
    await node.reenter(store, async () => {
      if (failovers.isDueDuringReentry()) {
        await this.failOver();
        await failovers.connect(node);
      }
      await workers.foldAll();
    });
    return `${node.id} enters again, epoch ${node.epoch}`;
  }

  async #fenceNodes(): Promise<string> {
    const { failovers, store, time } = this.#world;
    await failovers.connect(null);
    const fenced = await store.fence(time.wallMs);
    this.counts.fenced += fenced.length;
    return `fenced: ${fenced.join(", ") || "none"}`;
  }

  async #releaseUnresolved(): Promise<string> {
    const { random, times, nodes } = this.#world;
    if (random.chance(0.5)) {
      // A long silence: all leases expire, and unresolved spend ages.
      await this.#passage.pass(times.releaseMs / 2, nodes);
      this.#jumps = 0;
    }
    return await this.#releaseOldSpend();
  }

  async #releaseOldSpend(): Promise<string> {
    const { workers, failovers, store, time, model } = this.#world;
    await workers.foldAll();
    await failovers.connect(null);
    const released = await store.release(time.wallMs);
    this.counts.released += released.length;
    model.recordRelease(released, time.wallMs);
    return `released: ${released.length}`;
  }

  /** Silences one node until it is fenced and unresolved spend is released. The others renew their leases. */
  async silenceNode(): Promise<string> {
    const { silences, nodes, time, times } = this.#world;
    const node = silences.pick(nodes.filter((each) => each.isActive));
    if (node === undefined) return "every node is silent already";
    const how = silences.pick(["paused", "cut off", "killed"] as const) ?? "paused";
    if (how === "paused") node.isPaused = true;
    else if (how === "cut off") node.isPartitioned = true;
    else node.kill(0, time);
    await this.#passWithout(node, times.ttlMs + times.graceMs + 1);
    const fenced = await this.#fenceNodes();
    if (silences.chance(0.3)) {
      return `${node.id} is ${how} for long: ${fenced}, ${await this.#forgetNode(node)}`;
    }
    await this.#passWithout(node, times.releaseMs + 1);
    const released = await this.#releaseOldSpend();
    const forgotten = silences.chance(0.3) ? `, ${await this.#forgetNode(node)}` : "";
    return `${node.id} is ${how} for long: ${fenced}, ${released}${forgotten}`;
  }

  /**
   * Suspends the machine of one node, while the others continue. The node wakes with a request, before any timer. Instead,
   * the wall clock of a running machine is set.
   */
  async suspendNode(): Promise<string> {
    const { suspensions, nodes, time, times, scopes } = this.#world;
    const node = suspensions.pick(nodes.filter((each) => each.isActive));
    if (node === undefined) return "no machine is suspended";
    node.now(time);
    if (suspensions.chance(0.3)) {
      const setByMs = suspensions.below(20_000) - 10_000;
      node.moveWallClock(setByMs);
      node.now(time);
      return `the wall clock of ${node.id} is set by ${setByMs}`;
    }
    const ms = 1 + suspensions.below(3 * times.ttlMs);
    node.suspend(time);
    await this.#passWithout(node, ms);
    const fenced = await this.#fenceNodes();
    const forgotten = suspensions.chance(0.5) ? await this.#forgetNode(node) : "kept";
    // The others use the released budget before the node wakes.
    const others = Array.from({ length: suspensions.below(4) }, () => this.#requests.sendAny());
    await this.#passWithout(node, 1);
    node.isPaused = false;
    const scope = node.isLeaving ? undefined : suspensions.pick(scopes);
    const request = scope === undefined ? "no request" : this.#requests.send(node, scope);
    const steps = [fenced, forgotten, ...others, request].join(" | ");
    return `${node.id} is suspended for ${ms}: ${steps}`;
  }

  /** Releases the budget of a silent node, as an administrator does. */
  async #forgetNode(node: SimulatedNode): Promise<string> {
    const { workers, failovers, store, model } = this.#world;
    await workers.foldAll();
    await failovers.connect(null);
    const forgotten = await store.forget(node.id);
    if (forgotten === null) return "in contact, not forgotten";
    this.counts.forgotten += forgotten.length;
    model.recordForgotten(forgotten);
    return `forgotten: ${forgotten.length}`;
  }

  async #passWithout(silent: SimulatedNode, ms: number): Promise<void> {
    await this.#passage.pass(ms, [silent]);
    for (const node of this.#world.nodes)
      if (node !== silent) await this.#packets.exchangeMessage(node);
  }

  /** One node reports at once after a failover, and asks for budget, while the others have not reported. */
  async hurry(): Promise<string> {
    const { failovers, nodes, random, scopes } = this.#world;
    const node = failovers.pickHasty(nodes);
    if (node === undefined) return "no node hurries";
    await failovers.connect(node);
    await this.reenter(node);
    const asked: string[] = [];
    for (let round = 0; round < HASTY_ROUNDS; round++) {
      await this.#packets.exchangeMessage(node);
      const scope = random.pick(scopes);
      if (scope !== undefined && !node.isLeaving) asked.push(this.#requests.send(node, scope));
      await this.#passage.pass(HASTY_MS, nodes);
    }
    return `${node.id} hurries: ${asked.join(" | ")}`;
  }

  /** Moves the database's clock. A forward jump stays below the release time, as server/src/spend/ledger/README.md assumes. */
  #jumpClock(): string {
    const { random, time } = this.#world;
    if (this.#jumps >= MAX_JUMPS) return "the clock is steady";
    this.#jumps += 1;
    const ms = random.chance(0.2) ? -DAY_MS / 24 : random.below(6_000) - 3_000;
    time.wallMs += ms;
    return `the database's clock jumps by ${ms}`;
  }
}
