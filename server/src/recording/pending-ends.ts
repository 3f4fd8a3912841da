import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { Journal } from "./journal-contract.ts";
import type { EndsWanted, PendingEnd } from "./read-ends.ts";
import type { JournalPosition } from "./segments.ts";

export interface PendingEndsOptions {
  journal: Journal;
  clock: Clock;
  logger: Logger;
  /** Ends held in memory at most; those behind them are read from the journal when their turn comes. */
  maxInMemory: number;
}

/** The ends behind the memory's: they stand in the journal from `position` on. */
interface Spill extends EndsWanted {
  count: number;
  sinceMs: number;
}

/** Ends on their way to the database, in order. Memory is bounded however long the database is away. */
export class PendingEnds {
  readonly #options: PendingEndsOptions;
  #queue: (PendingEnd & { sinceMs: number })[] = [];
  #spill: Spill | null = null;

  constructor(options: PendingEndsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#queue.length + (this.#spill?.count ?? 0);
  }

  /** How long the oldest has waited, in milliseconds; 0 when none waits. */
  oldestMs(): number {
    const sinceMs = this.#queue[0]?.sinceMs ?? this.#spill?.sinceMs;
    return sinceMs === undefined ? 0 : this.#options.clock.monotonicMs() - sinceMs;
  }

  /** `position`: reading the journal from there on meets this end. */
  add(end: PendingEnd & { position: JournalPosition }): void {
    const { seq, record, position } = end;
    const sinceMs = this.#options.clock.monotonicMs();
    if (this.#spill !== null) {
      this.#spill.count += 1;
    } else if (this.#queue.length < this.#options.maxInMemory) {
      this.#queue.push({ seq, record, sinceMs });
    } else {
      this.#spill = { position, fromSeq: seq, count: 1, sinceMs };
      this.#options.logger.warn({ pending: this.count }, "usage waits in the journal only");
    }
  }

  /** The oldest ends, `limit` at most. Empty also when the next one could not be written to the journal yet. */
  async head(limit: number): Promise<readonly PendingEnd[]> {
    if (this.#queue.length === 0 && this.#spill !== null) await this.#refill(this.#spill);
    return this.#queue.slice(0, limit);
  }

  /** Forgets the `count` oldest: they are in the database. */
  remove(count: number): void {
    this.#queue.splice(0, count);
  }

  async #refill(spill: Spill): Promise<void> {
    const { journal, maxInMemory } = this.#options;
    // Ends may be added while the file is read; only those of this moment can be missed for good.
    const expected = spill.count;
    const isAllWritten = journal.isHealthy();
    const { ends, next } = await journal.readEnds(spill, Math.min(expected, maxInMemory));
    spill.position = next.position;
    spill.fromSeq = next.fromSeq;
    for (const end of ends) this.#queue.push({ ...end, sinceMs: spill.sinceMs });
    spill.count -= ends.length;
    if (ends.length < Math.min(expected, maxInMemory) && isAllWritten) {
      const missing = expected - ends.length;
      this.#options.logger.error(
        { missing },
        "ended requests cannot be read back from the journal",
      );
      spill.count -= missing;
    }
    if (spill.count === 0) this.#spill = null;
  }
}
