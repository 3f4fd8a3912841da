import { scopeIdsOf } from "./charges.ts";
import { KeyCounts } from "./key-counts.ts";
import type { RunningStream } from "./running-request.ts";

/** Balances of a wish that waits. */
export interface WishLack {
  /** Keys of balances that lack budget. No waiting request gets budget of them meanwhile. */
  lacking: readonly string[];
  /** Growth in the other balances, beyond the stream's reserve. Waiting requests leave it free. */
  covered: readonly { key: string; nanoUsd: bigint }[];
}

/** A larger hold that a running stream waits for. */
export interface HoldWish extends WishLack {
  requestId: string;
  stream: RunningStream;
  /** Wished hold, nano-USD. */
  nanoUsd: bigint;
  /** Start of the wait on the monotonic clock, milliseconds. */
  sinceMs: number;
  /** Last time at which the stream asked, milliseconds. */
  askedMs: number;
}

const NO_LACK: WishLack = { lacking: [], covered: [] };
/** Time after which a wish that is not repeated ends. Streams repeat their wishes each quarter of a second. */
const WISH_MS = 2_000;

/** Wishes of running streams for larger holds, at most one for each. They go before all waiting requests. */
export class HoldWishes {
  readonly #wishes = new Map<string, HoldWish>();
  /** Number of wishes that lack budget, by the key of the balance. */
  readonly #lacks = new KeyCounts();
  /** Sums of covered growth by the key of the balance, nano-USD. */
  readonly #covered = new Map<string, bigint>();
  /** Last wish that `pick` returned while there were more wishes than places. */
  #pickedLast: string | null = null;

  get size(): number {
    return this.#wishes.size;
  }

  find(requestId: string): HoldWish | null {
    return this.#wishes.get(requestId) ?? null;
  }

  /** Adds a wish, or replaces the earlier one of the stream, which keeps its turn. Returns whether the wish is new. */
  set(wish: HoldWish): boolean {
    const { requestId, sinceMs } = wish;
    const before = this.#wishes.get(requestId);
    this.#wishes.set(requestId, { ...wish, sinceMs: before?.sinceMs ?? sinceMs });
    this.#replace(before ?? NO_LACK, wish);
    return before === undefined;
  }

  /** Removes the wish of a stream. False: it has none. */
  remove(requestId: string): boolean {
    const wish = this.#wishes.get(requestId);
    if (wish === undefined) return false;
    this.#replace(wish, NO_LACK);
    return this.#wishes.delete(requestId);
  }

  /** Removes wishes that their streams do not repeat, because waiting requests get no budget meanwhile. */
  removeOld(nowMs: number): void {
    for (const { requestId, askedMs } of this.#wishes.values()) {
      if (nowMs - askedMs > WISH_MS) this.remove(requestId);
    }
  }

  /** True while a stream lacks budget of this balance. */
  isLacking(key: string): boolean {
    return this.#lacks.has(key);
  }

  /**
   * Tries wishes in their order, and removes those that are granted. `grow` returns null for them. `scopeId`: only wishes of
   * this scope.
   */
  serve(scopeId: string | null, grow: (wish: HoldWish) => WishLack | null): void {
    for (const wish of this.#wishes.values()) {
      if (scopeId !== null && !scopeIdsOf(wish.stream.request).includes(scopeId)) continue;
      const lack = grow(wish);
      if (lack === null) {
        this.remove(wish.requestId);
        continue;
      }
      this.#replace(wish, lack);
      Object.assign(wish, lack);
    }
  }

  #replace(before: WishLack, after: WishLack): void {
    this.#lacks.replace(before.lacking, after.lacking);
    for (const { key, nanoUsd } of before.covered) this.#addCovered(key, -nanoUsd);
    for (const { key, nanoUsd } of after.covered) this.#addCovered(key, nanoUsd);
  }

  #addCovered(key: string, nanoUsd: bigint): void {
    const sum = this.findCovered(key) + nanoUsd;
    if (sum === 0n) this.#covered.delete(key);
    else this.#covered.set(key, sum);
  }

  /** Free budget of a balance that wishes need as soon as their other balances have budget, nano-USD. */
  findCovered(key: string): bigint {
    return this.#covered.get(key) ?? 0n;
  }

  /** Returns at most `most` wishes. If there are more, successive calls rotate through them. */
  pick(most: number): HoldWish[] {
    const all = [...this.#wishes.values()];
    if (all.length <= most) return all;
    const start = 1 + all.findIndex(({ requestId }) => requestId === this.#pickedLast);
    const picked = [...all.slice(start), ...all.slice(0, start)].slice(0, most);
    this.#pickedLast = picked.at(-1)?.requestId ?? null;
    return picked;
  }
}
