import type { SpendScope } from "#src/spend/ledger/charges.ts";
import type { SimulatedNode, Wanted } from "./simulated-node.ts";
import { makeStream } from "./stream-rules.ts";
import type { World } from "./world.ts";

const BURST_CHANCE = 0.05;
const RICH_BURST_CHANCE = 0.25;
const MAX_BURST = 24;

/** Requests that arrive at the nodes, and their ends. */
export class Requests {
  readonly counts = { refused: 0 };
  readonly #world: World;
  #made = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Sends a request, or several at once, to one node. */
  sendAny(): string {
    const { random, nodes, scopes, options, bursts, isRich } = this.#world;
    const node = random.pick(nodes.filter((each) => each.isActive && !each.isLeaving));
    const scope = random.pick(scopes);
    if (node === undefined || scope === undefined) return "no node accepts requests";
    const hasBursts = options.hasBursts ?? true;
    if (!hasBursts || !bursts.chance(isRich ? RICH_BURST_CHANCE : BURST_CHANCE))
      return this.send(node, scope);
    const burst = Array.from({ length: bursts.below(MAX_BURST) }, () => this.send(node, scope));
    return `a burst: ${burst.join(" | ")}`;
  }

  send(node: SimulatedNode, scope: SpendScope): string {
    const { random, unitNanoUsd } = this.#world;
    const units = BigInt(1 + random.below(random.chance(0.1) ? 80 : 20));
    return this.#send(node, { scope, amount: units * unitNanoUsd });
  }

  /** Sends a request for a stream, with the prices of the product. */
  sendStream(node: SimulatedNode, scope: SpendScope): string {
    const { streaming, time, misbehaviour, exceeded } = this.#world;
    const stream = makeStream(streaming, { atMs: time.wallMs, misbehaviour, exceeded });
    return this.#send(node, { scope, amount: stream.worstCase.nanoUsd, stream });
  }

  /** Sends a request of the smallest amount, and returns its id. */
  probe(node: SimulatedNode, scope: SpendScope): string {
    const requestId = this.#makeId();
    node.request(requestId, { scope, amount: this.#world.unitNanoUsd }, this.#world.time);
    return requestId;
  }

  #makeId(): string {
    this.#made += 1;
    return `req_${String(this.#made).padStart(24, "0")}`;
  }

  #send(node: SimulatedNode, wanted: Wanted): string {
    const requestId = this.#makeId();
    const { scope, amount, stream } = wanted;
    node.request(requestId, wanted, this.#world.time);
    const isIn = node.running.has(requestId) || node.streams.running.has(requestId);
    const isWaiting = node.waiting.has(requestId);
    if (!isIn && !isWaiting) this.counts.refused += 1;
    const first = stream === undefined ? "" : `first ${stream.firstNanoUsd} of `;
    const how = isIn ? "held" : isWaiting ? "waits" : "refused";
    return `${node.id} ${requestId.slice(-4)} of ${scope.apiKeyId}, ${first}${amount}: ${how}`;
  }

  /** Ends a running request. */
  finish(): string {
    const { random, nodes, time } = this.#world;
    const node = random.pick(nodes.filter((each) => each.isActive));
    const begin = random.pick([...(node?.running.values() ?? [])]);
    if (node === undefined || begin === undefined) return "nothing ends";
    const worst = Number(begin.holdNanoUsd ?? 0n);
    const cost = random.chance(0.06) ? null : BigInt(random.below(worst + 1));
    node.resolveWaiting(time);
    node.finish(begin, random.chance(0.2) && cost !== null ? BigInt(worst) : cost);
    // A hold ends once. Later calls change nothing.
    if (random.chance(0.1)) node.leases.drop(begin.requestId);
    node.progressQueue(time);
    return `${node.id} ${begin.requestId.slice(-4)} ends, ${cost ?? "unknown"}`;
  }
}
