import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type AcceptedBatch, reinstateBatch } from "./reinstate-batch.ts";
import { removeBody } from "./store-body.ts";

// Batches of the last minutes that upstreams have accepted, with their bodies. A standby that is promoted meanwhile can lack
// them. Their node then writes them again, so that none of them runs without a hold and a bill.

export interface AcceptedBatchesOptions {
  database: Database;
  /** Folder of bodies. */
  folder: string;
  /** Calls the handler after each failover of the database. Returns the function that ends the calls. */
  onFailover: (handler: () => void) => () => void;
  logger: Logger;
  /** Time for which a batch is kept, milliseconds. */
  keepMs?: number;
}

/** A standby lacks seconds at most. */
const KEEP_MS = 120_000;
/** Bytes of all kept bodies. Beyond it, the oldest batch is kept no longer. */
const MAX_BYTES = 1024 * 1024 * 1024;
const MAX_KEPT = 1_000;
const RETRY_MS = 1_000;
/** Attempts to write a batch again, which is more than the time of a failover. */
const MAX_ATTEMPTS = 120;

export class AcceptedBatches {
  readonly #options: AcceptedBatchesOptions;
  /** Oldest first. */
  readonly #kept = new Map<string, { accepted: AcceptedBatch; timer: NodeJS.Timeout }>();
  #bytes = 0;
  readonly #stopping = new AbortController();
  readonly #unsubscribe: () => void;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: AcceptedBatchesOptions) {
    this.#options = options;
    this.#unsubscribe = options.onFailover(() => {
      this.#writing = this.#writing.then(() => this.#writeLost());
    });
  }

  /** Keeps a batch and the file of its body for some time. */
  keep(accepted: AcceptedBatch): void {
    const { id } = accepted.batch;
    const timer = setTimeout(() => void this.#drop(id), this.#options.keepMs ?? KEEP_MS);
    timer.unref();
    this.#kept.set(id, { accepted, timer });
    this.#bytes += accepted.stored.bytes;
    for (const oldest of this.#kept.keys()) {
      const isFull = this.#kept.size > MAX_KEPT || this.#bytes > MAX_BYTES;
      if (!isFull || oldest === id) return;
      void this.#drop(oldest);
    }
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#stopping.abort();
    await this.#writing;
    await Promise.all([...this.#kept.keys()].map((id) => this.#drop(id)));
  }

  /** Writes all kept batches again that the database lacks. Never rejects. */
  async #writeLost(): Promise<void> {
    for (const { accepted } of [...this.#kept.values()]) await this.#writeOne(accepted);
  }

  async #writeOne(accepted: AcceptedBatch): Promise<void> {
    const { database, logger } = this.#options;
    const { signal } = this.#stopping;
    const { id: requestId } = accepted.batch;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS && !signal.aborted; attempt++) {
      // Its file is gone, so its time is over.
      if (!this.#kept.has(requestId)) return;
      try {
        await reinstateBatch(database, accepted);
        return;
      } catch (error) {
        logger.warn({ err: error, requestId }, "a message batch is written again later");
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #drop(id: string): Promise<void> {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    this.#bytes -= kept.accepted.stored.bytes;
    clearTimeout(kept.timer);
    await removeBody(this.#options.folder, id).catch((error: unknown) => {
      this.#options.logger.warn({ err: error, requestId: id }, "the body of a batch is left");
    });
  }
}
