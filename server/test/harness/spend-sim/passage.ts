import type { Packets } from "./packets.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { World } from "./world.ts";

/** Interval of the meter of streams, milliseconds. */
const TICK_MS = 250;
/** Shares of ticks that a busy process skips, and of intervals in which a message of a node is answered. */
const SKIPPED_SHARE = 0.05;
const ANSWERED_SHARE = 0.8;

/** Passes time. Meanwhile streams run, and nodes in contact send their messages. */
export class Passage {
  readonly #world: World;
  readonly #packets: Packets;
  /** Nodes that skipped their last tick. */
  readonly #skipped = new Set<SimulatedNode>();

  constructor(world: World, packets: Packets) {
    this.#world = world;
    this.#packets = packets;
  }

  /** `silent`: nodes that send nothing. */
  async pass(ms: number, silent: readonly SimulatedNode[] = []): Promise<void> {
    const { time, nodes, options, streaming } = this.#world;
    let leftMs = ms;
    while (leftMs > 0) {
      const isBusy = options.hasStreams === true && nodes.some((node) => node.hasStreams);
      const stepMs = isBusy ? Math.min(leftMs, TICK_MS) : leftMs;
      leftMs -= stepMs;
      time.realMs += stepMs;
      time.wallMs += stepMs;
      if (!isBusy) continue;
      for (const node of nodes) {
        if (!node.isActive) continue;
        const isSkipped = streaming.chance(SKIPPED_SHARE) && !this.#skipped.has(node);
        if (isSkipped) this.#skipped.add(node);
        else this.#skipped.delete(node);
        if (!isSkipped) node.tick(time);
      }
      for (const node of nodes) {
        const speaks = !silent.includes(node) && streaming.chance(ANSWERED_SHARE);
        if (speaks) await this.#packets.finishMessage(node);
      }
    }
  }
}
