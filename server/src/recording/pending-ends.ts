import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { AcceptedEnd, Journal } from "./journal-contract.ts";
import { setMarkOrLog } from "./journal-mark.ts";
import type { EndsReader, PendingEnd } from "./read-ends.ts";
import type { JournalPosition } from "./segments.ts";

export interface PendingEndsOptions {
  journal: Journal;
  clock: Clock;
  logger: Logger;
  /** Highest number of ends in memory. Further ones are read from the journal later. */
  maxInMemory: number;
}

/** Ends that are only in the journal, after those in memory. */
interface Spill {
  reader: EndsReader;
  count: number;
  sinceMs: number;
}

/** Ends that wait for their flush, in order. Memory is bounded while the database is away. */
export class PendingEnds {
  readonly #options: PendingEndsOptions;
  #queue: PendingEnd[] = [];
  /** No end of the queue waits for longer. Monotonic milliseconds. A reading of the clock for each end takes 0.2 us. */
  #sinceMs = 0;
  /** Time of the last `head`, and the length of the queue then. */
  #head = { atMs: 0, count: 0 };
  #spill: Spill | null = null;

  constructor(options: PendingEndsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#queue.length + (this.#spill?.count ?? 0);
  }

  /** Longest possible waiting time of the oldest end, milliseconds. 0: none waits. */
  oldestMs(): number {
    const sinceMs = this.#findSinceMs();
    return sinceMs === undefined ? 0 : this.#options.clock.monotonicMs() - sinceMs;
  }

  /** Adds an end. `position` is at this end in the journal, or before it. */
  add(end: PendingEnd & { position: JournalPosition }): void {
    const { seq, record, position } = end;
    if (this.#spill !== null) {
      this.#spill.count += 1;
    } else if (this.#queue.length < this.#options.maxInMemory) {
      if (this.#queue.length === 0) this.#sinceMs = this.#options.clock.monotonicMs();
      this.#queue.push({ seq, record });
    } else {
      this.#spill = {
        reader: this.#options.journal.readFrom({ seq, position }),
        count: 1,
        sinceMs: this.#options.clock.monotonicMs(),
      };
      this.#options.logger.warn({ pending: this.count }, "usage waits in the journal only");
    }
  }

  /** Adds ends that only the journal has: `count` of them, from the first one on. */
  addUnread(first: AcceptedEnd, count: number): void {
    if (count === 0) return;
    this.#spill ??= {
      reader: this.#options.journal.readFrom(first),
      count: 0,
      sinceMs: this.#options.clock.monotonicMs(),
    };
    this.#spill.count += count;
  }

  /** Puts `count` ends back before all others. They are read from the journal, from `first` on. */
  putBack(first: AcceptedEnd, count: number): void {
    const sinceMs = this.#findSinceMs();
    this.#spill = {
      reader: this.#options.journal.readFrom(first),
      count: this.count + count,
      sinceMs: sinceMs ?? this.#options.clock.monotonicMs(),
    };
    this.#queue = [];
  }

  /** Returns the oldest ends, `limit` at most. Empty also if the next one is not in the journal yet. */
  async head(limit: number): Promise<readonly PendingEnd[]> {
    if (this.#queue.length === 0 && this.#spill !== null) await this.#refill(this.#spill);
    this.#head = { atMs: this.#options.clock.monotonicMs(), count: this.#queue.length };
    return this.#queue.slice(0, limit);
  }

  /** Removes the `count` oldest ends, which are in the database. */
  remove(count: number): void {
    this.#queue.splice(0, count);
    // All others were added after the last `head`.
    if (count >= this.#head.count) this.#sinceMs = this.#head.atMs;
  }

  #findSinceMs(): number | undefined {
    return this.#queue.length > 0 ? this.#sinceMs : this.#spill?.sinceMs;
  }

  /** Marks the journal. The spend of missing ends stays pending in this process, and becomes unresolved at the next start. */
  async #markIncomplete(): Promise<void> {
    const { journal, logger } = this.#options;
    await setMarkOrLog(journal.mark, false, logger);
  }

  async #refill(spill: Spill): Promise<void> {
    const { journal, maxInMemory } = this.#options;
    // Ends can be added during the read. Only ends that were counted before it can be missing.
    const expected = spill.count;
    const reading = spill.reader.read(Math.min(expected, maxInMemory));
    const isAllWritten = journal.isHealthy();
    const ends = await reading;
    this.#sinceMs = spill.sinceMs;
    for (const { seq, record } of ends) this.#queue.push({ seq, record });
    spill.count -= ends.length;
    if (ends.length < Math.min(expected, maxInMemory) && isAllWritten) {
      const missing = expected - ends.length;
      this.#options.logger.error(
        { missing },
        "ended requests cannot be read back from the journal",
      );
      await this.#markIncomplete();
      spill.count -= missing;
    }
    if (spill.count === 0) this.#spill = null;
  }
}
