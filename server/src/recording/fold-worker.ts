import { setTimeout as delay } from "node:timers/promises";
import type { Notifications } from "#src/db/notifications.ts";
import type { FlushParticipant } from "./flush.ts";
import { type FoldOptions, foldAll, foldOnce } from "./fold.ts";
import { type FoldQueue, readFoldQueue } from "./usage-batches.sql.ts";

// Runs folds. Every process has a worker, and the lock of fold.ts lets one of them fold at a time. An append wakes the
// worker of its own process, and each fold notifies the workers of all others. So the worker that folded last folds again
// while its process appends, and the others read the result. Batches of a dead node wait for the slow poll of any worker.

/** Receives the position up to which a node's requests are counted. Positions grow. Must not fail. */
export type FoldListener = (foldedSeq: number) => void | Promise<void>;

export interface FoldWorkerOptions extends FoldOptions {
  /** Notifications of folds. Without them workers poll more often. */
  notifications?: Pick<Notifications, "subscribe" | "isListening">;
}

/** How often a worker looks at the queue when its own process appends nothing. */
const IDLE_MS = 1_000;
/** The same while notifications arrive. */
const SLOW_IDLE_MS = 5_000;
/** A worker that did not fold last waits for this time longer, so that workers do not compete for each fold. */
const FOLLOWER_DELAY_MS = 200;
/** Time until the next attempt of the worker that folded last, if the lock is taken. close-hours.ts pauses for longer. */
const BUSY_MS = 100;
/** The same for other workers. */
const FOLLOWER_BUSY_MS = 400;
/** Age of a batch of another process that this one counts, because nothing else does. */
const ABANDONED_MS = 1_000;
const AFTER_FAILURE_MS = 1_000;
const LAG_WARNING_MS = 10_000;

interface Followed {
  appendedSeq: number;
  foldedSeq: number;
  /** Time of the first append that is not counted, monotonic milliseconds. Null: all are. */
  behindSinceMs: number | null;
  listener: FoldListener;
}

export class FoldWorker {
  readonly #options: FoldWorkerOptions;
  readonly #nodes = new Map<string, Followed>();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #life: "new" | "running" | "stopped" = "new";
  #health: "good" | "failing" = "good";
  #role: "leader" | "follower" = "follower";
  /** Time of the next fold of the leader, monotonic milliseconds. */
  #dueAtMs = 0;
  #lagMs = 0;
  #unsubscribe: (() => void) | null = null;

  constructor(options: FoldWorkerOptions) {
    this.#options = options;
  }

  /** Starts to look at the queue. Until then only `fold` counts. */
  start(): void {
    this.#life = "running";
    const { notifications } = this.#options;
    let wasListening = notifications?.isListening();
    this.#unsubscribe =
      notifications?.subscribe("fold", () => {
        const isListening = notifications.isListening();
        // The interval of the poll changes with it.
        if (this.#isBehind() || isListening !== wasListening) this.#schedule(0);
        wasListening = isListening;
      }) ?? null;
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
        const seqs = { appendedSeq: flushedSeq, foldedSeq: flushedSeq };
        this.#nodes.set(nodeId, { ...seqs, behindSinceMs: null, listener });
      },
      rewound: (flushedSeq) => {
        const known = this.#nodes.get(nodeId);
        if (known === undefined) return;
        const seqs = { appendedSeq: flushedSeq, foldedSeq: flushedSeq };
        // Another object, so that positions which are read at this moment are ignored.
        this.#nodes.set(nodeId, { ...known, ...seqs, behindSinceMs: null });
      },
      flush: () => Promise.resolve(),
      committed: (_, { flushedSeq, isCounted }) => {
        const node = this.#nodes.get(nodeId);
        if (node === undefined || !isCounted) return;
        node.appendedSeq = flushedSeq;
        if (node.foldedSeq < flushedSeq) node.behindSinceMs ??= performance.now();
        const isLeader = this.#role === "leader";
        this.#schedule(isLeader ? Math.max(0, this.#dueAtMs - performance.now()) : 0);
      },
    };
  }

  forget(nodeId: string): void {
    this.#nodes.delete(nodeId);
  }

  /** Counts everything that was appended before the call. Throws the database's error. */
  async fold(): Promise<void> {
    await foldAll(this.#options);
    await this.#readQueue();
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

  /** Age of the oldest batch, milliseconds. Batches of other processes are those of the last look. */
  get lagMs(): number {
    const nowMs = performance.now();
    const own = [...this.#nodes.values()].map(
      ({ behindSinceMs }) => nowMs - (behindSinceMs ?? nowMs),
    );
    return Math.max(this.#lagMs, ...own);
  }

  async stop(): Promise<void> {
    this.#life = "stopped";
    this.#unsubscribe?.();
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
    const queue = await this.#readQueue();
    const waitMs = this.#waitFor(queue);
    if (waitMs > 0) return waitMs;
    const result = await foldOnce(this.#options, { isWaiting: false });
    if (result.kind === "busy") {
      const isLeader = this.#role === "leader";
      this.#role = "follower";
      return isLeader ? BUSY_MS : FOLLOWER_BUSY_MS;
    }
    this.#role = "leader";
    this.#dueAtMs = performance.now() + result.pauseMs;
    if (result.hasMore) return 0;
    await this.#readQueue();
    return this.#isBehind() ? Math.max(result.pauseMs, BUSY_MS) : this.#idleMs();
  }

  /** Returns the time until this worker folds, or looks again, milliseconds. 0 or less: it folds now. */
  #waitFor({ hasBatches, dueInMs, lagMs }: FoldQueue): number {
    if (!hasBatches) return this.#idleMs();
    if (!this.#isBehind()) return Math.max(dueInMs, ABANDONED_MS - lagMs);
    return this.#role === "leader" ? dueInMs : dueInMs + FOLLOWER_DELAY_MS;
  }

  #idleMs(): number {
    return this.#options.notifications?.isListening() === true ? SLOW_IDLE_MS : IDLE_MS;
  }

  /** Reads the state of the queue and the positions of the own nodes, of one moment. */
  async #readQueue(): Promise<FoldQueue> {
    const nodes = [...this.#nodes];
    const nodeIds = nodes.map(([nodeId]) => nodeId);
    const queue = await readFoldQueue(this.#options.database, nodeIds);
    for (const [index, [nodeId, node]] of nodes.entries()) {
      if (this.#nodes.get(nodeId) === node)
        await this.#advance(node, queue.foldedSeqs[index] ?? null);
    }
    this.#reportLag(queue.lagMs);
    return queue;
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

  async #advance(node: Followed, foldedSeq: number | null): Promise<void> {
    if (foldedSeq === null || foldedSeq <= node.foldedSeq) return;
    // The process does not know yet that the counted requests were appended.
    if (node.foldedSeq >= node.appendedSeq) return;
    node.foldedSeq = foldedSeq;
    node.behindSinceMs = foldedSeq < node.appendedSeq ? performance.now() : null;
    await node.listener(foldedSeq);
  }
}
