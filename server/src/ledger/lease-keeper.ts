import type { Database } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import { drawOf } from "./charges.ts";
import type { SyncAnswer, SyncMessage } from "./lease-rules.ts";
import { readStrictLimits, reclaimLeases, releaseUnresolved, syncLeases } from "./leases.sql.ts";
import { type HoldDecision, type HoldRequest, NodeLeases, type Resolution } from "./node-leases.ts";

// Clocks, timers and statements around NodeLeases: the part that decides nothing.

export interface LeaseKeeperOptions {
  database: Database;
  nodeId: string;
  /** The database's clock, milliseconds since the epoch. */
  databaseNowMs: () => number;
  clock: Clock;
  logger: Logger;
  /** BURSAR_LEASE_TTL, BURSAR_HOLD_WAIT, BURSAR_UNRESOLVED_RELEASE. */
  ttlMs: number;
  holdWaitMs: number;
  unresolvedReleaseMs: number;
  /** The node's epoch is over, though no other process has its id: enters again, and then calls `entered`. */
  reenter: () => Promise<void>;
}

type Decided = Exclude<HoldDecision, { kind: "waiting" }>;

export interface LeaseKeeper {
  /** The node has an epoch: from the meter, at its start and whenever it enters again. */
  entered(entry: { epoch: bigint; flushedSeq: number; isJournalWhole: boolean }): void;
  /** After the meter's start: reads limits and tells the first leases. Throws the database's error. */
  start(): Promise<void>;
  /** At once where the node's leases suffice; else when its turn has come or its time is over. Never rejects. */
  hold(request: HoldRequest): Decided | Promise<Decided>;
  /** A request that was not sent, or whose client left while it waited. Idempotent. */
  drop(requestId: string): void;
  queued(record: EndRecord): void;
  committed(batch: readonly EndRecord[], outcome: { flushedSeq: number; isCounted: boolean }): void;
  /** Limits have changed. Throws the database's error. */
  refresh(): Promise<void>;
  /** Hands back what is not held; the node does not count any more. */
  stop(): Promise<void>;
}

const MAX_WAITING = 1_000;
const TICK_MS = 50;
const MARGIN_SHARE = 0.1;
/** Nodes that are there again after the database was away must be able to speak before they are taken for dead. */
const GRACE_SHARE = 0.25;
const KEEP_HOUSE_SHARE = 0.1;
const MIN_MS = 250;

export function makeLeaseKeeper(options: LeaseKeeperOptions): LeaseKeeper {
  return new TimedLeaseKeeper(options);
}

class TimedLeaseKeeper implements LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #leases: NodeLeases;
  readonly #graceMs: number;
  readonly #waiting = new Map<string, (decided: Decided) => void>();
  #timer: NodeJS.Timeout | null = null;
  #speaking: Promise<void> | null = null;
  #contactSinceMs: number | null = null;
  #houseKeptMs = 0;
  #isStopping: boolean = false;

  constructor(options: LeaseKeeperOptions) {
    const { nodeId, ttlMs, holdWaitMs } = options;
    this.#options = options;
    this.#graceMs = Math.max(MIN_MS, ttlMs * GRACE_SHARE);
    const marginMs = ttlMs * MARGIN_SHARE;
    this.#leases = new NodeLeases({
      nodeId,
      ttlMs,
      marginMs,
      holdWaitMs,
      maxWaiting: MAX_WAITING,
    });
  }

  entered(entry: { epoch: bigint; flushedSeq: number; isJournalWhole: boolean }): void {
    this.#leases.enter(entry.epoch, entry.flushedSeq, !entry.isJournalWhole);
  }

  async start(): Promise<void> {
    await this.refresh();
    await this.#speak();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  hold(request: HoldRequest): Decided | Promise<Decided> {
    const decision = this.#leases.hold(request, this.#now());
    if (decision.kind !== "waiting") return decision;
    const { promise, resolve } = Promise.withResolvers<Decided>();
    this.#waiting.set(request.requestId, resolve);
    this.#kick();
    return promise;
  }

  drop(requestId: string): void {
    this.#leases.drop(requestId);
    this.#waiting.delete(requestId);
    this.#progress();
  }

  queued(record: EndRecord): void {
    this.#leases.queued(record.requestId, record, drawOf(record));
    this.#progress();
  }

  committed(
    batch: readonly EndRecord[],
    outcome: { flushedSeq: number; isCounted: boolean },
  ): void {
    const ends = batch.map((record) => ({ origin: record, drawNanoUsd: drawOf(record) }));
    this.#leases.committed(ends, outcome);
    this.#progress();
  }

  async refresh(): Promise<void> {
    const { limits, version } = await readStrictLimits(this.#options.database);
    this.#leases.setLimits(limits, version);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#speaking;
    this.#leases.leave();
    this.#isStopping = true;
    await this.#speak();
  }

  #now(): { nowMs: number; atMs: number } {
    const { clock, databaseNowMs } = this.#options;
    return { nowMs: clock.monotonicMs(), atMs: Math.floor(databaseNowMs()) };
  }

  #progress(): void {
    if (this.#waiting.size > 0) this.#resolve(this.#leases.progress(this.#now()));
  }

  #resolve(resolutions: readonly Resolution[]): void {
    for (const { requestId, decision } of resolutions) {
      this.#waiting.get(requestId)?.(decision);
      this.#waiting.delete(requestId);
    }
  }

  #tick(): void {
    this.#progress();
    this.#kick();
  }

  #kick(): void {
    this.#speaking ??= this.#speak()
      .catch((error: unknown) => this.#options.logger.error({ err: error }, "leases failed"))
      .finally(() => {
        this.#speaking = null;
      });
  }

  /** Until there is nothing to say. Messages of a node follow one another: each waits for its answer. */
  async #speak(): Promise<void> {
    for (;;) {
      const message = this.#leases.nextMessage(this.#now());
      if (message === null) break;
      const answer = await this.#send(message);
      if (answer === null) return this.#leases.lost(this.#now());
      if (answer.kind === "behind") await this.refresh();
      this.#resolve(this.#leases.answered(answer, this.#now()));
      if (this.#isStopping) return;
    }
    if (this.#leases.isFenced) await this.#options.reenter();
    await this.#keepHouse();
  }

  /** Null where nobody knows whether it was obeyed. A late answer is not looked at. */
  async #send(message: SyncMessage): Promise<SyncAnswer | null> {
    const { database, ttlMs, logger, clock } = this.#options;
    const late = Promise.withResolvers<null>();
    const timer = setTimeout(() => late.resolve(null), ttlMs / 3);
    try {
      const answer = await Promise.race([
        syncLeases(database, message, { ttlMs, atMs: null }),
        late.promise,
      ]);
      if (answer !== null) this.#contactSinceMs ??= clock.monotonicMs();
      else this.#contactSinceMs = null;
      return answer;
    } catch (error) {
      if (this.#contactSinceMs !== null) {
        logger.warn(
          { err: error },
          "leases cannot be renewed: those at hand last until they expire",
        );
      }
      this.#contactSinceMs = null;
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reclaims from nodes that are not heard of, and lets old unresolved money go. Any node does it; twice does no harm. */
  async #keepHouse(): Promise<void> {
    const { database, clock, ttlMs, unresolvedReleaseMs, logger } = this.#options;
    const nowMs = clock.monotonicMs();
    const isDue = nowMs - this.#houseKeptMs >= Math.max(MIN_MS, ttlMs * KEEP_HOUSE_SHARE);
    const isSure = this.#contactSinceMs !== null && nowMs - this.#contactSinceMs >= this.#graceMs;
    if (!isDue || !isSure || this.#isStopping) return;
    this.#houseKeptMs = nowMs;
    try {
      const reclaimed = await reclaimLeases(database, { graceMs: this.#graceMs, atMs: null });
      if (reclaimed.length > 0)
        logger.warn({ nodes: reclaimed }, "leases of silent nodes reclaimed");
      const released = await releaseUnresolved(database, {
        afterMs: unresolvedReleaseMs,
        atMs: null,
      });
      if (released.length > 0) logger.warn({ rows: released.length }, "unresolved money released");
    } catch (error) {
      logger.warn({ err: error }, "leases of other nodes cannot be looked at");
    }
  }
}
