import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { type Spent, spentOf } from "#src/domain/request-spend.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { SpendScope } from "./charges.ts";
import type { Held } from "./hold-decision.ts";
import type { HoldRequest } from "./hold-queue.ts";
import type { HoldRefusal, StrictLimit } from "./hold-refusal.ts";
import type { SyncAnswer, SyncMessage } from "./lease-rules.ts";
import type { RunningHold } from "./lease-table.ts";
import { readLimitsVersion, readStrictLimits, reclaimLeases, syncLeases } from "./leases.sql.ts";
import { NodeLeases, type Resolution } from "./node-leases.ts";
import { recordMissedOverruns } from "./overruns.sql.ts";
import type { PendingSpend, SpendOrigin } from "./pending-spend.ts";
import { releaseUnresolved } from "./release-unresolved.sql.ts";

// Clocks, timers and statements around NodeLeases: the part that decides nothing.

export interface LeaseSyncOptions {
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
  /** Requests that may wait for budget at once. */
  maxWaiting?: number;
  /**
   * The node's epoch is over: enters again, which ends in `entered`, unless another process has its id. Rejects with the
   * database's error.
   */
  reenter: () => Promise<void>;
  /** The database has kept what the journal may lack: from now on the journal counts as whole. */
  acknowledgeJournalGap: () => void;
  /** The running requests that no limit counted and that spend from these scopes: held from now on, in the journal too. */
  holdRunning: (scopeIds: ReadonlySet<string>) => readonly RunningHold[];
  /** Resolves when what was written into the journal so far survives a crash; rejects when it cannot be told. */
  journalSynced: () => Promise<void>;
}

export type HoldDecided = Held | HoldRefusal;
/** It gave up waiting. */
export interface Dropped {
  kind: "dropped";
}

/** Spend that is no longer pending. `isDrawn`: a fold took it out of this node's leases. */
export interface FoldedEnd {
  origin: SpendOrigin;
  spent: Spent;
  isDrawn: boolean;
}

export interface LeaseSync {
  /** Spend of ended requests that are not folded. */
  readonly pending: PendingSpend;
  /** The node has an epoch: from the meter, at its start and whenever it enters again. */
  entered(entry: { epoch: bigint; foldedSeq: number; isJournalWhole: boolean }): void;
  /** After the meter's start: reads limits and tells the first leases. Throws the database's error. */
  start(): Promise<void>;
  /**
   * False: nothing needs to be held for requests of this organization, and `hold` need not be called. One look into a
   * map. True also while the node may not know of new limits.
   */
  isHoldRequired(organizationId: string): boolean;
  /** The narrowest strict limit that counts this scope, as far as the node knows; null where there is none. */
  findLimit(scope: SpendScope): StrictLimit | null;
  /** At once where the node's leases suffice; else when its turn has come or its time is over. Never rejects. */
  hold(request: HoldRequest): HoldDecided | Promise<HoldDecided | Dropped>;
  /** A request that was not sent, or whose client left while it waited. Idempotent. */
  drop(requestId: string): void;
  queued(record: EndRecord): void;
  /** Spend of ended requests that a start found in the journal. Their flush follows. */
  found(spend: SpendOrigin & Spent): void;
  /** These ends are no longer pending. */
  folded(ends: readonly FoldedEnd[], foldedSeq: number): void;
  /** Reads limits where they have changed; `version` is theirs, where it is known already. Throws the database's error. */
  refresh(version?: bigint): Promise<void>;
  /** Hands back what is neither held nor waiting for its flush, within a bounded time. Then the node does not count. */
  stop(): Promise<void>;
  status(): { waiting: number; isExpired: boolean };
}

/** Requests that wait for budget in this process. The gateway runs 20,000 at once; the rest of them can proceed. */
const DEFAULT_MAX_WAITING = 12_000;
const TICK_MS = 50;
const MARGIN_SHARE = 0.1;
/** Nodes that are there again after the database was away must be able to speak before they are taken for dead. */
const GRACE_SHARE = 0.25;
const CLEAN_UP_SHARE = 0.1;
const MIN_MS = 250;
const REENTER_EVERY_MS = 250;
const STOP_WITHIN_MS = 5_000;
/** A flush may come between, and then the node's last word is not obeyed. */
const MAX_LAST_MESSAGES = 3;

/** Time after the end of a lease at which another node reclaims it, milliseconds. */
export function reclaimGraceMs(ttlMs: number): number {
  return Math.max(MIN_MS, ttlMs * GRACE_SHARE);
}

export function makeLeaseSync(options: LeaseSyncOptions): LeaseSync {
  return new TimedLeaseSync(options);
}

class TimedLeaseSync implements LeaseSync {
  readonly #options: LeaseSyncOptions;
  readonly #leases: NodeLeases;
  readonly #graceMs: number;
  readonly #waiting = new Map<string, (decided: HoldDecided | Dropped) => void>();
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;
  /** Until what began unheld has its hold in the journal, nobody is told that this node keeps the limit. */
  #journalWrite: Promise<void> | null = null;
  #contactSinceMs: number | null = null;
  #cleanedUpMs = 0;
  #epoch = 0n;
  #limitsVersion = -1n;
  #reenterAtMs = Number.NEGATIVE_INFINITY;
  #isStopping: boolean = false;

  constructor(options: LeaseSyncOptions) {
    const { nodeId, ttlMs, holdWaitMs } = options;
    this.#options = options;
    this.#graceMs = reclaimGraceMs(ttlMs);
    const marginMs = ttlMs * MARGIN_SHARE;
    this.#leases = new NodeLeases({
      nodeId,
      ttlMs,
      marginMs,
      holdWaitMs,
      maxWaiting: options.maxWaiting ?? DEFAULT_MAX_WAITING,
    });
  }

  entered(entry: { epoch: bigint; foldedSeq: number; isJournalWhole: boolean }): void {
    this.#epoch = entry.epoch;
    this.#leases.enter(entry.epoch, entry.foldedSeq, !entry.isJournalWhole);
  }

  get pending(): PendingSpend {
    return this.#leases.pending;
  }

  isHoldRequired(organizationId: string): boolean {
    if (this.#leases.isLimited(organizationId)) return true;
    return this.#leases.isExpired(this.#options.clock.monotonicMs());
  }

  async start(): Promise<void> {
    await this.refresh();
    await this.#sendMessages();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  findLimit(scope: SpendScope): StrictLimit | null {
    return this.#leases.findLimit(scope, this.#now());
  }

  hold(request: HoldRequest): HoldDecided | Promise<HoldDecided | Dropped> {
    const decision = this.#leases.hold(request, this.#now());
    if (decision.kind !== "waiting") return decision;
    const { promise, resolve } = Promise.withResolvers<HoldDecided | Dropped>();
    this.#waiting.set(request.requestId, resolve);
    this.#startSending();
    return promise;
  }

  drop(requestId: string): void {
    this.#leases.drop(requestId);
    this.#waiting.get(requestId)?.({ kind: "dropped" });
    this.#waiting.delete(requestId);
    this.#resolveFreed();
  }

  queued(record: EndRecord): void {
    this.#leases.recordEnd(record.requestId, record, spentOf(record));
    this.#resolveFreed();
  }

  found(spend: SpendOrigin & Spent): void {
    this.#leases.addPending(spend, spend);
  }

  folded(ends: readonly FoldedEnd[], foldedSeq: number): void {
    this.#leases.recordFold(ends, foldedSeq);
    this.#resolveFreed();
  }

  async refresh(seen?: bigint): Promise<void> {
    const { database, holdRunning, journalSynced } = this.#options;
    if ((seen ?? (await readLimitsVersion(database))) === this.#limitsVersion) return;
    const { limits, version } = await readStrictLimits(database);
    if (version <= this.#limitsVersion) return;
    this.#limitsVersion = version;
    // In one synchronous step with the limits: a request is either held by them or counted here.
    const running = holdRunning(new Set(limits.map(({ scopeId }) => scopeId)));
    for (const each of running) this.#leases.adopt(each);
    this.#leases.setLimits(limits, version);
    // A journal that fails says so itself: its mark, or a node that takes no requests.
    if (running.length > 0) this.#journalWrite = journalSynced().catch(() => undefined);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    const late = new AbortController();
    const timeout = delay(STOP_WITHIN_MS, undefined, { signal: late.signal }).catch(
      () => undefined,
    );
    await Promise.race([this.#leave(), timeout]);
    late.abort();
    if (!this.#leases.hasLeft && this.#epoch > 0n) {
      this.#options.logger.warn("leases stay with this node until it starts again or is reclaimed");
    }
  }

  async #leave(): Promise<void> {
    await this.#sending;
    this.#isStopping = true;
    this.#leases.leave();
    for (let said = 0; said < MAX_LAST_MESSAGES && !this.#leases.hasLeft; said++)
      await this.#sendMessages();
  }

  status(): { waiting: number; isExpired: boolean } {
    const isExpired = this.#leases.isExpired(this.#options.clock.monotonicMs());
    return { waiting: this.#waiting.size, isExpired };
  }

  #now(): { nowMs: number; atMs: number } {
    const { clock, databaseNowMs } = this.#options;
    return { nowMs: clock.monotonicMs(), atMs: databaseNowMs() };
  }

  #resolveFreed(): void {
    if (this.#waiting.size > 0) this.#resolve(this.#leases.resolveFreed(this.#now()));
  }

  #resolve(resolutions: readonly Resolution[]): void {
    for (const { requestId, decision } of resolutions) {
      this.#waiting.get(requestId)?.(decision);
      this.#waiting.delete(requestId);
    }
  }

  #tick(): void {
    if (this.#waiting.size > 0) this.#resolve(this.#leases.resolveWaiting(this.#now()));
    this.#startSending();
  }

  #startSending(): void {
    this.#sending ??= this.#sendMessages()
      .catch((error: unknown) => this.#options.logger.error({ err: error }, "leases failed"))
      .finally(() => {
        this.#sending = null;
      });
  }

  /** Until there is nothing to say. Messages of a node follow one another: each waits for its answer. */
  async #sendMessages(): Promise<void> {
    for (;;) {
      while (this.#journalWrite !== null) await this.#waitForJournal(this.#journalWrite);
      const message = this.#leases.nextMessage(this.#now());
      if (message === null && !(await this.#reenter())) break;
      if (message === null) continue;
      const answer = await this.#send(message);
      if (answer?.kind === "behind") await this.refresh();
      // The node has entered again meanwhile: whatever was said before is over.
      if (message.epoch !== this.#epoch) continue;
      if (answer === null) return this.#leases.handleLostMessage(this.#now());
      this.#applyAnswer(answer);
      if (this.#isStopping) return;
    }
    await this.#cleanUp();
  }

  async #waitForJournal(writing: Promise<void>): Promise<void> {
    await writing;
    if (this.#journalWrite === writing) this.#journalWrite = null;
  }

  #applyAnswer(answer: SyncAnswer): void {
    const { hasJournalGap } = this.#leases;
    this.#resolve(this.#leases.applyAnswer(answer, this.#now()));
    if (hasJournalGap && !this.#leases.hasJournalGap) this.#options.acknowledgeJournalGap();
  }

  /** True once the node has a new epoch. */
  async #reenter(): Promise<boolean> {
    if (!this.#leases.isFenced || this.#isStopping) return false;
    const { clock, logger, reenter } = this.#options;
    if (clock.monotonicMs() < this.#reenterAtMs) return false;
    this.#reenterAtMs = clock.monotonicMs() + REENTER_EVERY_MS;
    try {
      await reenter();
    } catch (error) {
      logger.warn({ err: error }, "this node's leases were reclaimed, and it cannot enter again");
    }
    return !this.#leases.isFenced;
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

  /**
   * Reclaims leases of silent nodes, releases old holds of unknown end and records missed overruns. Any node does it, and
   * twice does no harm.
   */
  async #cleanUp(): Promise<void> {
    const { database, clock, ttlMs, unresolvedReleaseMs, logger } = this.#options;
    const nowMs = clock.monotonicMs();
    const isDue = nowMs - this.#cleanedUpMs >= Math.max(MIN_MS, ttlMs * CLEAN_UP_SHARE);
    const isSure = this.#contactSinceMs !== null && nowMs - this.#contactSinceMs >= this.#graceMs;
    if (!isDue || !isSure || this.#isStopping) return;
    this.#cleanedUpMs = nowMs;
    try {
      const reclaimed = await reclaimLeases(database, { graceMs: this.#graceMs, atMs: null });
      if (reclaimed.length > 0)
        logger.warn({ nodes: reclaimed }, "leases of silent nodes reclaimed");
      const released = await releaseUnresolved(database, {
        afterMs: unresolvedReleaseMs,
        atMs: null,
      });
      if (released.length > 0) logger.warn({ rows: released.length }, "unresolved money released");
      const missed = await recordMissedOverruns(database);
      if (missed > 0) logger.warn({ balances: missed }, "spend beyond limits recorded later");
    } catch (error) {
      logger.warn({ err: error }, "leases of other nodes cannot be looked at");
    }
  }
}
