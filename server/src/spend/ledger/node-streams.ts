import type { SpendScope } from "./charges.ts";
import { type LimitHolds, listHolds } from "./hold-decision.ts";
import {
  describeHold,
  findRefusal,
  type HoldRefusal,
  hasRoom,
  type LimitState,
} from "./hold-refusal.ts";
import type { HoldWish, HoldWishes, WishLack } from "./hold-wishes.ts";
import type { LeaseMessages } from "./lease-messages.ts";
import type { LeaseState } from "./lease-state.ts";
import type { LeaseTable } from "./lease-table.ts";
import { amountAt, type Growth, listGrowth } from "./running-request.ts";

// Holds of running streams in steps. Pure. Times are those of the node's monotonic clock, milliseconds.

/** Holds of a stream in steps. */
export interface HeldStream {
  /** Hold in each limit with steps, nano-USD. */
  currentNanoUsd: bigint;
  /** Largest holds so far, as of the reading. A limit with whole holds counts its whole amount. */
  readonly highest: LimitHolds;
}

/** Sums over the running streams in steps. */
export interface StreamHolds {
  streams: number;
  /** Held amounts, each once, nano-USD. */
  nanoUsd: bigint;
  /** Streams that wait for a larger hold. */
  waiting: number;
}

interface NodeStreamsParts {
  table: LeaseTable;
  wishes: HoldWishes;
  messages: LeaseMessages;
}

export class NodeStreams {
  readonly #parts: NodeStreamsParts;

  constructor(parts: NodeStreamsParts) {
    this.#parts = parts;
  }

  /** See `NodeLeases.resizeHold`. `freed`: scope whose requests may now have budget. */
  resize(
    requestId: string,
    nanoUsd: bigint,
    nowMs: number,
  ): { decision: "held" | "waiting"; freed: SpendScope | null } {
    const { table, wishes, messages } = this.#parts;
    const stream = table.findStream(requestId);
    if (stream === null) return { decision: "held", freed: null };
    const isSmaller = nanoUsd < stream.steps.currentNanoUsd;
    const wish = { requestId, stream, nanoUsd, sinceMs: nowMs, askedMs: nowMs, ...NO_LACK };
    const lack = this.#trySet(wish, nowMs);
    if (lack === null) {
      // Waiting requests get no budget of the balances that a wish lacks.
      const isFreed = wishes.remove(requestId) || isSmaller;
      return { decision: "held", freed: isFreed ? stream.request : null };
    }
    // Wishes that the database could not grant are sent again after a pause.
    if (wishes.set({ ...wish, ...lack })) messages.ask(nowMs);
    return { decision: "waiting", freed: null };
  }

  find(requestId: string): HeldStream | null {
    const stream = this.#parts.table.findStream(requestId);
    if (stream === null) return null;
    const { states, steps } = stream;
    return {
      currentNanoUsd: steps.currentNanoUsd,
      // Each tick of a meter reads the current hold, and only the end of a stream the largest ones.
      get highest() {
        return listHolds(states, steps.highest);
      },
    };
  }

  /** See `NodeLeases.viewHolds`. */
  view(requestId: string): ReadonlyMap<string, bigint> {
    const stream = this.#parts.table.findStream(requestId);
    if (stream === null) return new Map();
    return new Map(stream.states.map(({ text }, at) => [text, amountAt(stream, at)]));
  }

  /** Sets larger holds that now have budget. They may use the reserve of other streams. */
  serve(nowMs: number, scopeId: string | null): void {
    const { wishes } = this.#parts;
    if (wishes.size > 0) wishes.serve(scopeId, (wish) => this.#trySet(wish, nowMs));
  }

  /** Sets the hold of a stream, and returns null. Otherwise returns what the stream lacks. */
  #trySet(wish: HoldWish, nowMs: number): WishLack | null {
    const { table, messages } = this.#parts;
    const { stream, nanoUsd } = wish;
    if (nanoUsd > stream.steps.currentNanoUsd) {
      const growths = listGrowth(stream, nanoUsd);
      const lacking = growths.filter((growth) => this.#isLacking(growth));
      // A stream whose limits were all removed needs no lease.
      const isOut = messages.isExpired(nowMs) && growths.length > 0;
      if (lacking.length > 0 || isOut) return toLack(growths, lacking);
    }
    table.resize(stream, nanoUsd);
    return null;
  }

  #isLacking({ state, growthNanoUsd }: Growth): boolean {
    return growthNanoUsd > 0n && this.#parts.table.spendableOf(state) < growthNanoUsd;
  }

  /** Lists leases that lack budget for a larger hold. */
  #listLacking({ stream, nanoUsd }: HoldWish): Growth[] {
    return listGrowth(stream, nanoUsd).filter((growth) => this.#isLacking(growth));
  }

  /**
   * Finds the reason why a larger hold waits, and a limit that lacks budget:
   * - `spent`, `too_large`: the limit has less left than the stream needs, whatever others return.
   * - `held`, `queue_slow`: others hold the rest, or the database has not granted it yet.
   * - `uncounted`, `node_awaited`, `unavailable`: the database grants nothing at this time.
   */
  findLack(requestId: string, nowMs: number): HoldRefusal | null {
    const { wishes, messages } = this.#parts;
    const wish = wishes.find(requestId);
    if (wish === null) return null;
    const growths = this.#listLacking(wish);
    const lacking = growths.map(({ state }) => state);
    const { stream, nanoUsd: amountNanoUsd } = wish;
    // After the end of the leases, no limit lacks budget. Then the first limit with steps is named.
    const first = lacking[0] ?? listGrowth(stream, amountNanoUsd)[0]?.state;
    const refuse = (reason: HoldRefusal["reason"], state = first): HoldRefusal => {
      return { kind: "refused", reason, ...describeHold({ amountNanoUsd }, state) };
    };
    const isSilent = wish.sinceMs < nowMs && !messages.hasAnsweredSince(wish.sinceMs);
    if (isSilent || messages.isCutOff(nowMs)) return refuse("unavailable");
    const { awaited } = messages;
    if (awaited !== null) return { ...refuse("node_awaited"), awaited };
    const hopeless = findRefusal({ amountNanoUsd }, lacking.map(toLastSeen));
    if (hopeless !== null) return hopeless;
    const uncounted = lacking.find(({ seen, countId }) => seen === null || countId === null);
    if (uncounted !== undefined) return refuse("uncounted", uncounted);
    const used = growths.find(({ state, growthNanoUsd }) => {
      return !hasRoom({ amountNanoUsd: growthNanoUsd }, state);
    });
    return used === undefined ? refuse("queue_slow") : refuse("held", used.state);
  }
}

/** After a change of a limit, its new amount and the balance before it can explain a lack before the next answer. */
function toLastSeen({ limit, seen, seenBefore, endMs }: LeaseState): LimitState {
  if (seen !== null || limit === null) return { limit, seen, endMs };
  const before = seenBefore ?? NOTHING_SEEN;
  return { limit, seen: { ...before, limitNanoUsd: limit.amountNanoUsd }, endMs };
}

const NOTHING_SEEN = { settledNanoUsd: 0n, leasedNanoUsd: 0n, unresolvedNanoUsd: 0n };
const NO_LACK: WishLack = { lacking: [], covered: [] };

function toLack(growths: readonly Growth[], lacking: readonly Growth[]): WishLack {
  const covered = growths.flatMap((growth) => {
    const nanoUsd = growth.growthNanoUsd - growth.reserveNanoUsd;
    const isCovered = nanoUsd > 0n && !lacking.includes(growth);
    return isCovered ? [{ key: growth.state.text, nanoUsd }] : [];
  });
  return { lacking: lacking.map(({ state }) => state.text), covered };
}
