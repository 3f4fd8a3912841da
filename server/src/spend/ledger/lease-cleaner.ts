import type { Clock } from "#src/lib/clock.ts";
import { cleanUpLeases, type LeaseCleanupOptions } from "./lease-cleanup.ts";

export interface LeaseCleanerOptions extends Omit<LeaseCleanupOptions, "isLong"> {
  clock: Clock;
  /** Shortest time between two clean-ups, milliseconds. */
  everyMs: number;
}

const LONG_CLEAN_UP_MS = 3_600_000;

/** Runs clean-ups of leases, one at a time. A clean-up can wait for folds. Messages do not wait for it, because they renew the leases. */
export class LeaseCleaner {
  readonly #options: LeaseCleanerOptions;
  #running: Promise<void> | null = null;
  /** Times on the monotonic clock, milliseconds. */
  #cleanedUpMs = 0;
  #cleanedUpLongMs = Number.NEGATIVE_INFINITY;

  constructor(options: LeaseCleanerOptions) {
    this.#options = options;
  }

  /** The running clean-up, or null. */
  get running(): Promise<void> | null {
    return this.#running;
  }

  /** Starts a clean-up that is due. `contactSinceMs`: start of the contact with the database. Null: none. */
  startIfDue(contactSinceMs: number | null): void {
    const { clock, everyMs, graceMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const isDue = nowMs - this.#cleanedUpMs >= everyMs;
    const isSure = contactSinceMs !== null && nowMs - contactSinceMs >= graceMs;
    if (this.#running !== null || !isDue || !isSure) return;
    this.#cleanedUpMs = nowMs;
    const isLong = nowMs - this.#cleanedUpLongMs >= LONG_CLEAN_UP_MS;
    if (isLong) this.#cleanedUpLongMs = nowMs;
    this.#running = this.#cleanUp(isLong).finally(() => {
      this.#running = null;
    });
  }

  async #cleanUp(isLong: boolean): Promise<void> {
    try {
      await cleanUpLeases({ ...this.#options, isLong });
    } catch (error) {
      this.#options.logger.warn({ err: error }, "leases of other nodes cannot be checked");
    }
  }
}
