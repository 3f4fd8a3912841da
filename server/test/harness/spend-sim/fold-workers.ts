import type { Model } from "./model.ts";
import type { Random } from "./random.ts";
import type { SpendStore } from "./store.ts";

/** Time after which the database ends the transaction of a paused worker. */
const LOCK_LOST_MS = 2_000;
const WORKERS = 2;

export interface FoldWorkersOptions {
  store: SpendStore;
  model: Model;
  random: Random;
  time: { realMs: number; wallMs: number };
  /** False: no other step runs between the statements of a fold. */
  hasOpenFolds: boolean;
  /** Called before each statement. */
  connect: () => Promise<void>;
}

interface OpenFold {
  worker: number;
  pausedSinceMs: number | null;
}

/** Processes that fold. The one that has the lock may die or pause at each statement. */
export class FoldWorkers {
  readonly #options: FoldWorkersOptions;
  #open: OpenFold | null = null;
  readonly counts = { folds: 0, brokenFolds: 0 };

  constructor(options: FoldWorkersOptions) {
    this.#options = options;
  }

  get isFolding(): boolean {
    return this.#open !== null;
  }

  async step(): Promise<string> {
    const { random, store, time, hasOpenFolds } = this.#options;
    const worker = random.below(WORKERS);
    const name = `worker ${worker}`;
    if (this.#open === null) {
      await this.#options.connect();
      await store.beginFold();
      this.#open = { worker, pausedSinceMs: null };
      return hasOpenFolds ? `${name} begins a fold` : await this.#finish(name);
    }
    const { pausedSinceMs } = this.#open;
    if (pausedSinceMs !== null) {
      if (time.realMs - pausedSinceMs >= LOCK_LOST_MS) return await this.#break("a paused worker");
      if (this.#open.worker !== worker) return `${name} waits for the lock`;
      // A worker that continues in time still has its transaction.
      this.#open.pausedSinceMs = null;
    }
    if (this.#open.worker !== worker) return `${name} waits for the lock`;
    if (random.chance(0.06)) return await this.#break(name);
    if (random.chance(0.06)) {
      this.#open.pausedSinceMs = time.realMs;
      return `${name} pauses in its fold`;
    }
    await this.#options.connect();
    return (await this.#continue(name)) ?? `${name} continues its fold`;
  }

  /** Counts all that is appended. The fold in progress ends first: it commits, or it is rolled back when paused. */
  async foldAll(): Promise<void> {
    await this.#waitForLock();
    await this.#options.store.beginFold();
    await this.#finish("a caller");
  }

  /** Counts draws on new limits. A fold in progress has to end first. */
  async countLimits(): Promise<void> {
    await this.#waitForLock();
    await this.#options.connect();
    await this.#options.store.countLimits(this.#options.time.wallMs);
  }

  /** Makes sure that each run has a fold that was rolled back. */
  async breakOnce(): Promise<void> {
    await this.#waitForLock();
    if (this.counts.brokenFolds > 0) return;
    await this.#options.store.beginFold();
    await this.#break("the last worker");
  }

  /** The worker loses its connection. */
  async disconnect(): Promise<void> {
    if (this.#open !== null) await this.#break("a worker");
  }

  async #waitForLock(): Promise<void> {
    if (this.#open === null) return;
    const isBroken = this.#open.pausedSinceMs !== null || this.#options.random.chance(0.3);
    if (isBroken) await this.#break("a worker");
    else await this.#finish("a worker");
  }

  async #finish(name: string): Promise<string> {
    await this.#options.connect();
    for (;;) {
      const done = await this.#continue(name);
      if (done !== null) return done;
    }
  }

  async #continue(name: string): Promise<string | null> {
    const { store, model, time } = this.#options;
    const folded = await store.continueFold(time.wallMs);
    if (folded === null) return null;
    this.#open = null;
    this.counts.folds += folded.length > 0 ? 1 : 0;
    await model.recordFold(folded, store);
    const counted = folded.map(({ nodeId, toSeq }) => `${nodeId} up to ${toSeq}`);
    return `${name} folds ${counted.join(", ") || "nothing"}`;
  }

  async #break(name: string): Promise<string> {
    await this.#options.store.rollBackFold();
    this.#open = null;
    this.counts.brokenFolds += 1;
    return `the fold of ${name} is rolled back`;
  }
}
