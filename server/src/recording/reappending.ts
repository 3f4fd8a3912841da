import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { LostEnds } from "./journal-contract.ts";

/** Ends that the database lost, and that this process appends again. */
export interface Reappended {
  /** Incarnation of the database that lacked them. */
  incarnation: bigint;
  /** Number of ends that the database lacked. The journal has them. */
  lost: number;
  /** Number of those that the database has again. */
  appended: number;
  /** Highest number of further ends that the journal has deleted. They are in no report. */
  unrecoverable: number;
  /** Milliseconds since the epoch. */
  startedAtMs: number;
  /** Null: not all ends are appended again. */
  finishedAtMs: number | null;
}

/** The newest loss. A second failover adds the ends that were not appended again before it. */
export class Reappending {
  readonly #options: { clock: Clock; logger: Logger };
  #current: Reappended | null = null;
  #upToSeq = 0;
  /** Number of flushed ends at the start. */
  #flushedBefore = 0;

  constructor(options: { clock: Clock; logger: Logger }) {
    this.#options = options;
  }

  /** `flushedCount`: ends that this process has flushed so far. */
  start(
    { lost, unreadable, incarnation, upToSeq }: LostEnds & { incarnation: bigint; upToSeq: number },
    flushedCount: number,
  ): void {
    if (lost + unreadable === 0) return;
    const left = this.status(flushedCount);
    const isUnfinished = left !== null && left.finishedAtMs === null;
    const leftCount = isUnfinished ? left.lost - left.appended : 0;
    this.#upToSeq = Math.max(upToSeq, isUnfinished ? this.#upToSeq : 0);
    this.#flushedBefore = flushedCount;
    this.#current = {
      incarnation,
      lost: lost + leftCount,
      appended: 0,
      unrecoverable: unreadable + (isUnfinished ? left.unrecoverable : 0),
      startedAtMs: this.#options.clock.nowMs(),
      finishedAtMs: null,
    };
    this.#options.logger.warn(
      { records: this.#current.lost, incarnation: String(incarnation) },
      "the database lost records of this node: they are appended again from the journal",
    );
    if (this.#current.lost === 0) this.advance(this.#upToSeq);
  }

  /** Call after each flush. Logs when all ends are appended again. */
  advance(flushedSeq: number): void {
    const current = this.#current;
    if (current === null || current.finishedAtMs !== null || flushedSeq < this.#upToSeq) return;
    this.#current = {
      ...current,
      appended: current.lost,
      finishedAtMs: this.#options.clock.nowMs(),
    };
    this.#options.logger.info(
      { records: current.lost, incarnation: String(current.incarnation) },
      "the records that the database had lost are appended again",
    );
  }

  status(flushedCount: number): Reappended | null {
    const current = this.#current;
    if (current === null || current.finishedAtMs !== null) return current;
    const appended = Math.min(current.lost, flushedCount - this.#flushedBefore);
    return { ...current, appended };
  }
}
