import { setTimeout as delay } from "node:timers/promises";
import type { Notifications } from "#src/db/notifications.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import { scopeIdsOf } from "#src/spend/ledger/charges.ts";
import type { LeaseSync } from "#src/spend/ledger/lease-sync.ts";
import { type Agenda, listWaiting, readAgenda } from "./agenda.sql.ts";
import {
  claimDue,
  claimLeft,
  deleteLines,
  deleteOldRefused,
  endBatch,
  markRunning,
  type StoredBatch,
  saveReported,
  setNextLook,
} from "./batches.sql.ts";
import { findLostBatch, type Search } from "./find-lost-batch.ts";
import {
  type MeterDeps,
  meterBatch,
  recordUnknownBatch,
  releaseHold,
  scopeOfBatch,
  TAKEN_MS,
} from "./meter-batch.ts";
import type { BatchReader } from "./read-answer.ts";
import type { Reported } from "./reported-batch.ts";
import { removeBody, removeOldBodies } from "./store-body.ts";

// Follows the batches of all nodes at their upstreams, records the results of ended ones, and ends those whose process died.
// Every process has a worker. A batch that one has taken is free for another after ten seconds without a recorded line.

export interface BatchWorkerOptions extends MeterDeps {
  /** Reads batches of an upstream. Null: the upstream cannot be used. */
  readerOf: (batch: StoredBatch) => BatchReader | null;
  /** Milliseconds since the epoch on the database's clock. */
  databaseNowMs: () => number;
  nodeId: string;
  folder: string;
  clock: Pick<Clock, "monotonicMs">;
  logger: Logger;
  /** Announces batches of all processes. */
  notifications: Pick<Notifications, "subscribe" | "isListening">;
  leases: Pick<LeaseSync, "returnFree">;
}

/** Longest time between two turns without work: while notifications arrive, and otherwise. Milliseconds. */
const IDLE_MS = 30_000;
const UNLISTENING_MS = 1_000;
/** Shortest time between two turns, also with many notifications, milliseconds. */
const LEAST_PAUSE_MS = 50;
/** Batches that wait for budget, of one turn. */
const MAX_WAITING = 100;
/** Age of a body that no process can need, milliseconds. A process that dies after an answer leaves some. */
const OLD_BODY_MS = 2 * 60 * 60_000;
/** Time between two deletions of refused batches and old bodies, milliseconds. */
const CLEAN_EVERY_MS = 60 * 60_000;
/** Batches that one worker follows at the same time. */
const MAX_BATCHES = 8;
/** Batches that are searched for at the same time, and the time until the next search for the same ones. */
const MAX_LEFT = 16;
const SEARCH_AGAIN_MS = 30_000;
/** Days for which refused batches are kept. */
const REFUSED_DAYS = 7;
const LEAST_LOOK_MS = 1_000;
const MOST_LOOK_MS = 60_000;
/** A batch is looked at after a tenth of its age. */
const AGE_DIVISOR = 10;
/** Time between two searches for batches whose process died, milliseconds. */
const SEARCH_EVERY_MS = 10_000;
/** Time after which a batch that the upstream does not list is given up, milliseconds. */
const UNLISTED_MS = 15 * 60_000;
/** Longest life of a batch at the upstream, and a grace, milliseconds. */
const EXPIRED_MS = 25 * 60 * 60_000;
/** The upstream keeps results for 29 days. Until then they are read again, whatever it answers. Milliseconds. */
const RESULTS_MS = 29 * 24 * 60 * 60_000;

export interface BatchWorker {
  start(): void;
  /** Follows all due batches once. Never rejects. */
  runOnce(): Promise<void>;
  /** Follows one batch now. Rejects with the cause of a failure. Returns true if it is metered. */
  follow(batch: StoredBatch): Promise<boolean>;
  /** Resolves when nothing runs. */
  stop(): Promise<void>;
}

export function makeBatchWorker(options: BatchWorkerOptions): BatchWorker {
  return new Worker(options);
}

class Worker implements BatchWorker {
  readonly #options: BatchWorkerOptions;
  readonly #startedAtMs: number;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | null = null;
  readonly #following = new Set<Promise<void>>();
  /** Searches for batches without an answer, by their ids. An upstream that hangs delays no turn. */
  readonly #searching = new Map<string, Promise<void>>();
  readonly #times = { searched: Number.NEGATIVE_INFINITY, cleaned: Number.NEGATIVE_INFINITY };
  #isFailing: boolean = false;
  /** Ends the pause before the next turn. */
  #wake: () => void = () => undefined;
  #isAnnounced: boolean = false;

  constructor(options: BatchWorkerOptions) {
    this.#options = options;
    this.#startedAtMs = options.databaseNowMs();
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#finishStarted();
  }

  async runOnce(): Promise<void> {
    await this.#takeTurn();
    await this.#finishStarted();
  }

  async #finishStarted(): Promise<void> {
    await Promise.all([...this.#following, ...this.#searching.values()]);
  }

  /**
   * Starts to follow due batches. A large batch takes minutes, and delays no other one. Returns the time until the next turn,
   * milliseconds.
   */
  async #takeTurn(): Promise<number> {
    const { database, logger } = this.#options;
    try {
      const agenda = await readAgenda(database);
      if (agenda.hasWaiting) await this.#returnBudget();
      if (agenda.dueInMs !== null && agenda.dueInMs <= 0) await this.#followDue();
      await this.#endOld(agenda);
      this.#isFailing = false;
      return this.#findPause(agenda);
    } catch (error) {
      if (!this.#isFailing) logger.warn({ err: error }, "message batches cannot be followed");
      this.#isFailing = true;
      return UNLISTENING_MS;
    }
  }

  #findPause({ dueInMs, hasUnanswered }: Agenda): number {
    const idleMs = this.#options.notifications.isListening() ? IDLE_MS : UNLISTENING_MS;
    const pauses = [idleMs];
    if (hasUnanswered) pauses.push(SEARCH_EVERY_MS);
    // The end of a followed batch begins the next turn.
    if (dueInMs !== null && this.#following.size < MAX_BATCHES) {
      pauses.push(dueInMs > 0 ? dueInMs : UNLISTENING_MS);
    }
    return Math.max(LEAST_PAUSE_MS, Math.min(...pauses));
  }

  async #followDue(): Promise<void> {
    const limit = MAX_BATCHES - this.#following.size;
    if (limit === 0) return;
    const due = await claimDue(this.#options.database, { limit, forMs: TAKEN_MS });
    for (const batch of due) {
      const following = this.#followQuietly(batch).finally(() => {
        this.#following.delete(following);
        this.#lookSoon();
      });
      this.#following.add(following);
    }
  }

  async #endOld({ hasUnanswered }: Agenda): Promise<void> {
    const { database, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (hasUnanswered && nowMs - this.#times.searched >= SEARCH_EVERY_MS) {
      this.#times.searched = nowMs;
      await this.#endLeft();
    }
    if (nowMs - this.#times.cleaned < CLEAN_EVERY_MS) return;
    this.#times.cleaned = nowMs;
    await removeOldBodies(this.#options.folder, this.#options.databaseNowMs() - OLD_BODY_MS);
    await deleteOldRefused(database, { days: REFUSED_DAYS });
  }

  /** Batches of other nodes can be waiting for free budget of this one. */
  async #returnBudget(): Promise<void> {
    const { database, leases } = this.#options;
    for (const batch of await listWaiting(database, MAX_WAITING)) {
      leases.returnFree(new Set(scopeIdsOf(scopeOfBatch(batch))), batch.forMs);
    }
  }

  async follow(batch: StoredBatch): Promise<boolean> {
    const { database, readerOf } = this.#options;
    const reader = readerOf(batch);
    const { upstreamBatchId } = batch;
    if (reader === null || upstreamBatchId === null) return false;
    const reported = await reader.get(upstreamBatchId);
    if (reported !== null) await saveReported(database, batch.id, reported, { isDue: false });
    if (reported?.isEnded !== true) return false;
    const results = await reader.results(upstreamBatchId);
    if (results === null) return false;
    const endedAtMs = reported.endedAt?.getTime() ?? this.#options.databaseNowMs();
    try {
      const metering = { batch, upstreamBatchId, endedAtMs };
      await meterBatch(this.#options, metering, results as AsyncIterable<Buffer>);
    } finally {
      results.destroy();
    }
    return true;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const unsubscribe = this.#options.notifications.subscribe("batch", () => this.#lookSoon());
    while (!signal.aborted) {
      this.#isAnnounced = false;
      const pauseMs = await this.#takeTurn();
      await this.#pause(LEAST_PAUSE_MS);
      if (!this.#isAnnounced) await this.#pause(pauseMs - LEAST_PAUSE_MS, true);
    }
    unsubscribe();
  }

  /** Begins the next turn after the shortest pause. */
  #lookSoon(): void {
    this.#isAnnounced = true;
    this.#wake();
  }

  async #pause(ms: number, canWake = false): Promise<void> {
    const woken = new AbortController();
    if (canWake) this.#wake = () => woken.abort();
    const signal = AbortSignal.any([this.#stopping.signal, woken.signal]);
    await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
    this.#wake = () => undefined;
  }

  async #followQuietly(batch: StoredBatch): Promise<void> {
    const { database, logger, databaseNowMs } = this.#options;
    const { id: requestId, upstreamBatchId } = batch;
    const ageMs = databaseNowMs() - batch.startedAt.getTime();
    try {
      if (await this.#followOrGiveUp(batch, { isGone: ageMs > RESULTS_MS })) return;
    } catch (error) {
      const facts = { err: error, requestId, upstreamBatchId };
      logger.warn(facts, "a message batch cannot be followed yet");
    }
    const afterMs = Math.min(Math.max(ageMs / AGE_DIVISOR, LEAST_LOOK_MS), MOST_LOOK_MS);
    await setNextLook(database, batch.id, { afterMs }).catch((error: unknown) => {
      // Another turn takes the batch when its time is over.
      logger.debug({ err: error, requestId }, "the next look at a message batch is not stored");
    });
  }

  /** Follows a batch. `isGone`: without results, whatever the cause, its hold becomes unresolved. Returns true if it has ended. */
  async #followOrGiveUp(batch: StoredBatch, { isGone }: { isGone: boolean }): Promise<boolean> {
    const { logger, databaseNowMs } = this.#options;
    const { id: requestId, upstreamBatchId } = batch;
    let cause: unknown;
    try {
      if (await this.follow(batch)) {
        logger.info({ requestId, upstreamBatchId }, "a message batch is metered");
        return true;
      }
    } catch (error) {
      if (!isGone || this.#stopping.signal.aborted) throw error;
      cause = error;
    }
    if (!isGone) return false;
    const facts = { err: cause, requestId, upstreamBatchId };
    logger.error(facts, "the results of a message batch are gone: its hold is unresolved");
    const metering = { batch, upstreamBatchId: upstreamBatchId ?? "" };
    await meterBatch(this.#options, { ...metering, endedAtMs: databaseNowMs() }, nothing());
    return true;
  }

  /** Starts to end the batches whose process died before it had the answer of the upstream. */
  async #endLeft(): Promise<void> {
    const { database, nodeId } = this.#options;
    const limit = MAX_LEFT - this.#searching.size;
    if (limit === 0) return;
    const startedAtMs = this.#startedAtMs;
    const left = await claimLeft(database, { nodeId, startedAtMs, limit, forMs: SEARCH_AGAIN_MS });
    for (const batch of left) {
      const { id } = batch;
      if (this.#searching.has(id)) continue;
      const searching = this.#endQuietly(batch).finally(() => this.#searching.delete(id));
      this.#searching.set(id, searching);
    }
  }

  async #endQuietly(batch: StoredBatch): Promise<void> {
    try {
      if (batch.state === "sent") await this.#findLost(batch);
      else await this.#endUnsent(batch);
    } catch (error) {
      const { id: requestId } = batch;
      this.#options.logger.warn(
        { err: error, requestId },
        "a lost message batch is searched again",
      );
    }
  }

  /** Nothing of the batch was sent. */
  async #endUnsent(batch: StoredBatch): Promise<void> {
    const { database, folder } = this.#options;
    await inTransaction(
      database,
      async (tx) => {
        const isEnded = await endBatch(tx, batch.id, { from: [batch.state], to: "refused" });
        if (!isEnded) return;
        await releaseHold(tx, batch);
        await deleteLines(tx, batch.id);
      },
      { deadlockRetries: 3 },
    );
    await removeBody(folder, batch.id);
  }

  async #findLost(batch: StoredBatch): Promise<void> {
    const { logger, databaseNowMs, folder } = this.#options;
    await removeBody(folder, batch.id);
    const ageMs = databaseNowMs() - (batch.sentAt ?? batch.startedAt).getTime();
    const search = await this.#search(batch);
    if (search?.kind === "found") {
      await this.#adopt(batch, search.reported);
      return;
    }
    if (ageMs <= findPatience(search)) return;
    logger.warn({ requestId: batch.id }, "a message batch is not found: its hold is unresolved");
    await recordUnknownBatch(this.#options, batch);
  }

  /** Returns null while the upstream cannot be searched. */
  async #search(batch: StoredBatch): Promise<Search | null> {
    const { database, readerOf, logger } = this.#options;
    const reader = readerOf(batch);
    if (reader === null) return null;
    try {
      return await findLostBatch(database, reader, batch);
    } catch (error) {
      if (this.#stopping.signal.aborted) throw error;
      const { id: requestId } = batch;
      logger.warn({ err: error, requestId }, "a lost message batch is searched again");
      return null;
    }
  }

  async #adopt(batch: StoredBatch, reported: Reported): Promise<void> {
    const { id: upstreamBatchId, object, expiresAt, endedAt } = reported;
    const { database, logger } = this.#options;
    await markRunning(database, batch.id, { upstreamBatchId, object, expiresAt, endedAt });
    logger.info({ requestId: batch.id, upstreamBatchId }, "a lost message batch is found");
  }
}

/** Age until which a batch without an answer is searched, milliseconds. An upstream without an answer may have it all the time. */
function findPatience(search: Search | null): number {
  if (search === null) return RESULTS_MS;
  return search.kind === "none" ? UNLISTED_MS : EXPIRED_MS;
}

async function* nothing(): AsyncGenerator<Buffer> {}
