import { scopeIdsOf } from "./charges.ts";
import type { RunningStream } from "./running-request.ts";

/** A larger hold that a running stream waits for. */
export interface HoldWish {
  requestId: string;
  stream: RunningStream;
  /** Wished hold, nano-USD. */
  nanoUsd: bigint;
  /** Start of the wait on the monotonic clock, milliseconds. */
  sinceMs: number;
}

/** Wishes of running streams for larger holds, at most one for each. They go before all waiting requests. */
export class HoldWishes {
  readonly #wishes = new Map<string, HoldWish>();
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
    return before === undefined;
  }

  /** Removes the wish of a stream. A second call does nothing. */
  remove(requestId: string): void {
    this.#wishes.delete(requestId);
  }

  /** Tries wishes in their order, and removes those that `grow` grants. `scopeId`: only those of this scope. */
  serve(scopeId: string | null, grow: (wish: HoldWish) => boolean): number {
    let served = 0;
    for (const wish of this.#wishes.values()) {
      if (scopeId !== null && !scopeIdsOf(wish.stream.request).includes(scopeId)) continue;
      if (!grow(wish)) continue;
      this.#wishes.delete(wish.requestId);
      served += 1;
    }
    return served;
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
