import { setTimeout as delay } from "node:timers/promises";
import type { FlushParticipant } from "./flush.ts";
import { type FoldOptions, type FoldResult, foldAll, foldOnce } from "./fold.ts";
import { findFoldedSeq, readFoldQueue } from "./usage-batches.sql.ts";

// Runs folds. Every process has a worker, and the lock of fold.ts lets one of them fold at a time. So the batches of a
// dead node are counted by any other node, within a second.

/** Receives the position up to which a node's requests are counted. Positions grow. Must not fail. */
export type FoldListener = (foldedSeq: number) => void | Promise<void>;

/** How often a worker looks at the queue when its own process appends nothing. */
const IDLE_MS = 1_000;
/** The same while another process folds this process's batches. */
const BUSY_MS = 100;
const AFTER_FAILURE_MS = 1_000;
const LAG_WARNING_MS = 10_000;

interface Followed {
  appendedSeq: number;
  foldedSeq: number;
  listener: FoldListener;
}

export class FoldWorker {
  readonly #options: FoldOptions;
  readonly #nodes = new Map<string, Followed>();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #life: "new" | "running" | "stopped" = "new";
  #health: "good" | "failing" = "good";
  #lagMs = 0;

  constructor(options: FoldOptions) {
    this.#options = options;
  }

  /** Starts to look at the queue. Until then only `fold` counts. */
  start(): void {
    this.#life = "running";
    this.#schedule(0);
  }

  /**
   * Part of the node's flush. Calls the listener whenever more of the node's requests are counted, until `forget`.
   */
  participant(nodeId: string, listener: FoldListener): FlushParticipant {
    return {
      started: ({ flushedSeq }) => {
        const known = this.#nodes.get(nodeId);
        if (known !== undefined) return;
        this.#nodes.set(nodeId, { appendedSeq: flushedSeq, foldedSeq: flushedSeq, listener });
      },
      flush: () => Promise.resolve(),
      committed: (_, { flushedSeq, isCounted }) => {
        const node = this.#nodes.get(nodeId);
        if (node === undefined || !isCounted) return;
        node.appendedSeq = flushedSeq;
        this.#schedule(0);
      },
    };
  }

  forget(nodeId: string): void {
    this.#nodes.delete(nodeId);
  }

  /** Counts everything that was appended before the call. Throws the database's error. */
  async fold(): Promise<void> {
    await foldAll(this.#options);
    await this.#notifyFollowers();
  }

  /** As `fold`, for at most this time, milliseconds. Never rejects. */
  async foldWithin(ms: number): Promise<void> {
    const isOver = new AbortController();
    const late = delay(ms, undefined, { signal: isOver.signal, ref: false }).catch(() => undefined);
    const folded = this.fold().catch((error: unknown) => {
      this.#options.logger.debug({ err: error }, "the last requests are counted later");
    });
    await Promise.race([folded, late]);
    isOver.abort();
  }

  /** Age of the oldest batch at the last look, milliseconds. */
  get lagMs(): number {
    return this.#lagMs;
  }

  async stop(): Promise<void> {
    this.#life = "stopped";
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#running;
  }

  #schedule(delayMs: number): void {
    if (this.#life !== "running" || this.#running !== null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#running = this.#run();
    }, delayMs);
    this.#timer.unref();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    let nextMs = AFTER_FAILURE_MS;
    try {
      nextMs = await this.#foldDue();
      if (this.#health === "failing") this.#options.logger.info("requests are counted again");
      this.#health = "good";
    } catch (error) {
      if (this.#health === "good") {
        this.#options.logger.warn({ err: error }, "fold failed: requests are counted later");
      }
      this.#health = "failing";
    }
    this.#running = null;
    this.#schedule(nextMs);
  }

  /** Folds when a fold is due. Returns the time until the next look, milliseconds. */
  async #foldDue(): Promise<number> {
    const { database } = this.#options;
    const queue = await readFoldQueue(database);
    this.#reportLag(queue.lagMs);
    if (queue.hasBatches && queue.dueInMs > 0) return queue.dueInMs;
    let result: FoldResult | null = null;
    if (queue.hasBatches) result = await foldOnce(this.#options, { isWaiting: false });
    await this.#notifyFollowers();
    if (result?.kind === "folded" && result.hasMore) return 0;
    return this.#isBehind() ? BUSY_MS : IDLE_MS;
  }

  /** Warns once for each time that the folds fall behind. */
  #reportLag(lagMs: number): void {
    const wasLate = this.#lagMs > LAG_WARNING_MS;
    this.#lagMs = lagMs;
    if (lagMs > LAG_WARNING_MS && !wasLate) {
      this.#options.logger.warn({ lagMs: Math.round(lagMs) }, "requests wait to be counted");
    }
  }

  #isBehind(): boolean {
    return [...this.#nodes.values()].some(({ appendedSeq, foldedSeq }) => foldedSeq < appendedSeq);
  }

  async #notifyFollowers(): Promise<void> {
    for (const [nodeId, node] of this.#nodes) {
      if (node.foldedSeq >= node.appendedSeq) continue;
      const foldedSeq = await findFoldedSeq(this.#options.database, nodeId);
      if (foldedSeq === null || foldedSeq <= node.foldedSeq) continue;
      node.foldedSeq = foldedSeq;
      await node.listener(foldedSeq);
    }
  }
}
