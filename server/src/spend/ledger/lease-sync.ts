import { setTimeout as delay } from "node:timers/promises";
import { firstEpochOf } from "#src/db/incarnation.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { type Spent, spentOf } from "#src/domain/request-spend.ts";
import type { SpendScope } from "./charges.ts";
import type { Dropped, HoldDecided } from "./hold-decision.ts";
import type { HoldRequest } from "./hold-queue.ts";
import type { HoldAmount, HoldRefusal, LimitInForce, StrictLimit } from "./hold-refusal.ts";
import { LeaseCleaner } from "./lease-cleaner.ts";
import { countLimits, hasUncountedSpend } from "./lease-draws.sql.ts";
import type { SyncAnswer, SyncMessage } from "./lease-rules.ts";
import type { LeaseSyncOptions } from "./lease-sync-options.ts";
import { readLimitsVersion, readStrictLimits, syncLeases } from "./leases.sql.ts";
import { NodeLeases, type Resolution } from "./node-leases.ts";
import type { HeldStream, StreamHolds } from "./node-streams.ts";
import type { PendingSpend, SpendOrigin } from "./pending-spend.ts";

/**
 * Highest number of requests that wait for budget. The gateway runs 20,000 at once, so others can still proceed. One API
 * key alone can use 7,168 places.
 */
const DEFAULT_MAX_WAITING = 14_000;
/** Time between two checks while requests hold budget or wait for it. */
const TICK_MS = 50;
/**
 * Longest time between two checks of a quiet node. Each message is on time without them. They bound how long a silent node
 * of others is unnoticed. A moved clock of the database ends the pause (`handleClockAhead`).
 */
const MAX_QUIET_MS = 5_000;
const MARGIN_SHARE = 0.1;
/** Share of the TTL in which nodes can send a message after an outage of the database, before a fence. */
const GRACE_SHARE = 0.25;
const CLEAN_UP_SHARE = 0.1;
const NO_CONTACT: number | null = null;
const MIN_MS = 250;
const REENTER_EVERY_MS = 250;
const STOP_WITHIN_MS = 5_000;
/** Attempts for the last message, which may be lost. */
const MAX_LAST_MESSAGES = 3;

/** Time from the end of a lease to the fence of its node, milliseconds. */
export function fenceGraceMs(ttlMs: number): number {
  return Math.max(MIN_MS, ttlMs * GRACE_SHARE);
}

/** Runs `NodeLeases` with clocks, timers and statements. */
export class LeaseSync {
  readonly #options: LeaseSyncOptions;
  readonly #leases: NodeLeases;
  readonly #waiting = new Map<string, (decided: HoldDecided | Dropped) => void>();
  #life: "new" | "running" | "stopping" = "new";
  #isTicking: boolean = false;
  #timer: NodeJS.Timeout | undefined;
  /** True if requests, limits or epochs have changed since the last tick, or a message can be due before the next slow one. */
  #isActive: boolean = true;
  #sending: Promise<void> | null = null;
  readonly #cleaner: LeaseCleaner;
  /** Write of new holds to the journal. The node confirms their limits to the database after it. */
  #journalWrite: Promise<void> | null = null;
  readonly #known = { epoch: 0n, limitsVersion: -1n };
  readonly #unsubscribe: (() => void) | null;
  /** Ends the wait for the response to the message in flight. Null: none is in flight. */
  #abandonMessage: (() => void) | null = null;
  /** Times on the monotonic clock, milliseconds. `contactSince` null: no contact. */
  readonly #times = { contactSince: NO_CONTACT, reenter: Number.NEGATIVE_INFINITY };

  constructor(options: LeaseSyncOptions) {
    const { nodeId, ttlMs, holdWaitMs } = options;
    this.#options = options;
    const everyMs = Math.max(MIN_MS, ttlMs * CLEAN_UP_SHARE);
    this.#cleaner = new LeaseCleaner({ ...options, graceMs: fenceGraceMs(ttlMs), everyMs });
    const marginMs = ttlMs * MARGIN_SHARE;
    this.#leases = new NodeLeases({
      nodeId,
      ttlMs,
      marginMs,
      holdWaitMs,
      maxWaiting: options.maxWaiting ?? DEFAULT_MAX_WAITING,
    });
    const { incarnations } = options;
    this.#unsubscribe =
      incarnations?.subscribe(({ after }) => this.#handleFailover(after.value)) ?? null;
  }

  /**
   * Called before the first statement after a failover. The node keeps its budget, and reports it in a new epoch at once.
   * `incarnation`: value of the new one.
   */
  #handleFailover(incarnation: bigint): void {
    this.#leases.handleFailover(firstEpochOf(incarnation), this.#now());
    this.#times.contactSince = null;
    this.#times.reenter = Number.NEGATIVE_INFINITY;
    this.#tickSoon();
    // A message to the earlier primary may never be answered.
    this.#abandonMessage?.();
    if (this.#life === "running") this.#startSending();
  }

  /** The meter calls this with each new epoch: at its start, and after a fence or a failover. */
  entered(entry: { epoch: bigint; flushedSeq: number; isJournalWhole: boolean }): void {
    const { epoch, flushedSeq: appendedSeq, isJournalWhole } = entry;
    this.#known.epoch = epoch;
    this.#leases.enter({ epoch, appendedSeq, hasJournalGap: !isJournalWhole });
    this.#tickSoon();
  }

  /**
   * A failover moved the database back to this position of the node, and a fold has counted all ends up to there. The
   * meter then calls `found` for the lost ends, and `entered` after them.
   */
  rewound(flushedSeq: number): void {
    this.#leases.rewind(flushedSeq);
    this.#tickSoon();
  }

  /** Spend of ended requests that no fold has counted. */
  get pending(): PendingSpend {
    return this.#leases.pending;
  }

  /**
   * False: requests of this organization need no call of `hold`. True also while the node may not know of new limits. Costs
   * one lookup in a map.
   */
  isHoldRequired(organizationId: string): boolean {
    if (this.#leases.isLimited(organizationId)) return true;
    return this.#leases.isExpired(this.#options.clock.monotonicMs());
  }

  /** False: no limit holds streams of this organization in steps. Costs one lookup in a set. */
  hasSteps(organizationId: string): boolean {
    return this.#leases.hasSteps(organizationId);
  }

  /** Reads limits and reports the first leases. The meter starts before. Throws the database's error. */
  async start(): Promise<void> {
    await this.refresh();
    await this.#sendMessages();
    this.#life = "running";
    this.#isTicking = true;
    this.#scheduleTick();
  }

  /** Finds the narrowest strict limit of the chain that the node knows, or null. */
  findLimit(scope: SpendScope): StrictLimit | null {
    return this.#leases.findLimit(scope, this.#now());
  }

  /** Lists the strict limits of a scope that the node knows. */
  listLimits(scopeId: string): readonly StrictLimit[] {
    return this.#leases.listLimits(scopeId);
  }

  /** Finds the narrowest strict limit of the chain that refuses unknown parts, or null. */
  findUnknownRefusal(scope: SpendScope): LimitInForce | null {
    return this.#leases.findUnknownRefusal(scope, this.#now());
  }

  /**
   * Expires all leases until the next response, because this machine may have been paused with all its clocks. The margin
   * of the leases covers shorter pauses.
   */
  handleClockAhead(byMs: number): void {
    if (byMs <= this.#options.ttlMs * MARGIN_SHARE) return;
    this.#options.logger.warn(
      { aheadMs: Math.round(byMs) },
      "the database's clock moved ahead: this machine was paused, or the clock was set. Leases are renewed before they are used",
    );
    this.#leases.expireLeases();
    this.#tickSoon();
    this.#startSending();
  }

  /**
   * Decides at once if the node's leases have enough budget, otherwise after a wait. `atMs`: time that the caller has read
   * in the same synchronous step, on the database's clock. Never rejects.
   */
  hold(
    request: HoldRequest,
    atMs: number = this.#options.databaseNowMs(),
  ): HoldDecided | Promise<HoldDecided | Dropped> {
    const nowMs = this.#options.clock.monotonicMs();
    const decision = this.#leases.hold(request, { nowMs, atMs });
    this.#tickSoon();
    if (decision.kind !== "waiting") return decision;
    const { promise, resolve } = Promise.withResolvers<HoldDecided | Dropped>();
    this.#waiting.set(request.requestId, resolve);
    this.#startSending();
    return promise;
  }

  /** Removes a request that was not sent, or whose client left during the wait. Idempotent. */
  drop(requestId: string): void {
    this.#leases.drop(requestId);
    this.#tickSoon();
    this.#waiting.get(requestId)?.({ kind: "dropped" });
    this.#waiting.delete(requestId);
    this.#resolveFreed();
  }

  /** See `NodeLeases.lowerHold`. */
  lowerHold(requestId: string, amount: HoldAmount): void {
    this.#leases.lowerHold(requestId, amount, this.#now());
    this.#resolveFreed();
    this.#startSending();
  }

  /** See `NodeLeases.resizeHold`. Never throws. */
  resizeHold(requestId: string, nanoUsd: bigint): "held" | "waiting" {
    const decision = this.#leases.resizeHold(requestId, nanoUsd, this.#now());
    this.#tickSoon();
    // One message serves all streams whose holds change in the same synchronous step.
    if (decision === "held") this.#resolveFreed();
    else if (this.#life === "running") queueMicrotask(() => this.#startSending());
    return decision;
  }

  /** Finds the hold of a running stream. Null: no limit holds the request in steps. */
  findStreamHold(requestId: string): HeldStream | null {
    return this.#leases.findStreamHold(requestId);
  }

  /** See `NodeLeases.returnFree`. */
  returnFree(scopeIds: ReadonlySet<string>, forMs: number): void {
    this.#leases.returnFree(scopeIds, forMs, this.#now());
    this.#tickSoon();
    if (this.#life === "running") this.#startSending();
  }

  /** Finds the reason why a request, or a larger hold of a stream, waits. Null: it does not wait. */
  findLack(requestId: string): HoldRefusal | null {
    return this.#leases.findLack(requestId, this.#now());
  }

  queued(record: EndRecord): void {
    this.#leases.recordEnd(record.requestId, record, spentOf(record));
    this.#tickSoon();
    this.#resolveFreed();
  }

  /** Adds spend of ended requests that a start found in the journal. They are appended later. */
  found(spend: SpendOrigin & Spent): void {
    this.#leases.recordFoundSpend(spend, spend);
    this.#tickSoon();
  }

  /** Records that the database has appended the batch. `isCounted` says whether a fold counts the record. */
  appended(
    batch: readonly EndRecord[],
    { seq, isCounted }: { seq: number; isCounted: (record: EndRecord) => boolean },
  ): void {
    const ends = batch.map((record) => {
      return { origin: record, spent: spentOf(record), isCounted: isCounted(record) };
    });
    this.#leases.recordAppend(ends, seq);
    this.#tickSoon();
    this.#resolveFreed();
  }

  /** Records that folds have counted this node's requests up to this position. They are no longer pending. */
  folded(seq: number): void {
    this.#leases.recordFolded(seq);
    this.#tickSoon();
  }

  /** Reads changed limits. `seen`: their version, if the caller knows it. Throws the database's error. */
  async refresh(seen?: bigint): Promise<void> {
    const { database, holdRunning, journalSynced } = this.#options;
    if ((seen ?? (await readLimitsVersion(database))) === this.#known.limitsVersion) return;
    const { limits, version } = await readStrictLimits(database);
    if (version <= this.#known.limitsVersion) return;
    this.#known.limitsVersion = version;
    // The limits follow in the same synchronous step, so each request is held by them or adopted here.
    const running = holdRunning(new Set(limits.map(({ scopeId }) => scopeId)));
    for (const each of running) this.#leases.adopt(each);
    this.#leases.setLimits(limits, version);
    this.#tickSoon();
    // A failed journal reports this itself: it sets its mark, or its node accepts no requests.
    if (running.length > 0) this.#journalWrite = journalSynced().catch(() => undefined);
    await this.#countLimits();
  }

  /** Returns budget that is not held, within a bounded time. Then the node does not count as live. */
  async stop(): Promise<void> {
    this.#unsubscribe?.();
    this.#isTicking = false;
    clearTimeout(this.#timer);
    const late = new AbortController();
    const timeout = delay(STOP_WITHIN_MS, undefined, { signal: late.signal }).catch(
      () => undefined,
    );
    await Promise.race([this.#leave().then(() => this.#cleaner.running), timeout]);
    late.abort();
    if (!this.#leases.hasLeft && this.#known.epoch > 0n) {
      this.#options.logger.warn("this node keeps its leases until it starts again or is fenced");
    }
  }

  async #leave(): Promise<void> {
    await this.#sending;
    this.#life = "stopping";
    this.#leases.leave();
    for (let sent = 0; sent < MAX_LAST_MESSAGES && !this.#leases.hasLeft; sent++) {
      await this.#sendMessages();
    }
  }

  /** Reads every running request, so it is for metrics only. */
  sumStreams(): StreamHolds {
    return this.#leases.sumStreams();
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
    if (this.#leases.isWaiting) this.#resolve(this.#leases.resolveFreed(this.#now()));
  }

  #resolve(resolutions: readonly Resolution[]): void {
    for (const { requestId, decision } of resolutions) {
      this.#waiting.get(requestId)?.(decision);
      this.#waiting.delete(requestId);
    }
  }

  /** Ends the pause of a quiet node, because something that messages depend on has changed. */
  #tickSoon(): void {
    if (this.#isActive) return;
    this.#isActive = true;
    this.#scheduleTick();
  }

  #scheduleTick(): void {
    clearTimeout(this.#timer);
    if (!this.#isTicking) return;
    this.#timer = setTimeout(() => this.#tick(), this.#isActive ? TICK_MS : this.#findPauseMs());
    this.#timer.unref();
  }

  /** Time until the next tick of a quiet node, milliseconds. */
  #findPauseMs(): number {
    const { clock, ttlMs } = this.#options;
    const dueInMs = this.#leases.findDueMs() - clock.monotonicMs();
    const maxMs = Math.min(MAX_QUIET_MS, Math.max(MIN_MS, ttlMs * CLEAN_UP_SHARE));
    return Math.min(maxMs, Math.max(TICK_MS, Math.ceil(dueInMs)));
  }

  #tick(): void {
    this.#isActive = this.#waiting.size > 0 || !this.#leases.isQuiet;
    this.#scheduleTick();
    if (this.#leases.isWaiting) this.#resolve(this.#leases.resolveWaiting(this.#now()));
    this.#startSending();
  }

  #startSending(): void {
    this.#sending ??= this.#sendMessages()
      .catch((error: unknown) => this.#options.logger.error({ err: error }, "leases failed"))
      .finally(() => {
        this.#sending = null;
        // Responses move the times of later messages.
        if (!this.#isActive) this.#scheduleTick();
      });
  }

  /** Sends messages until there is none. Each one waits for the response to the one before. */
  async #sendMessages(): Promise<void> {
    for (;;) {
      while (this.#journalWrite !== null) await this.#waitForJournal(this.#journalWrite);
      const message = this.#leases.nextMessage(this.#now());
      if (message === null && !(await this.#reenter())) break;
      if (message === null) continue;
      const answer = await this.#send(message);
      const isKnown = answer?.kind !== "behind" || (await this.#tryRefresh());
      if (answer?.kind === "done" && answer.unopened.size > 0) await this.#countLimits();
      // The node has a new epoch, or needs one.
      if (!this.#leases.isInFlight(message)) continue;
      if (answer === null || !isKnown) return this.#leases.handleLostMessage(this.#now());
      this.#applyAnswer(answer);
      if (this.#life === "stopping") return;
    }
    if (this.#life !== "stopping") this.#cleaner.startIfDue(this.#times.contactSince);
  }

  /** Reads changed limits. False: the database failed, and the next message tries again. */
  async #tryRefresh(): Promise<boolean> {
    try {
      await this.refresh();
      return true;
    } catch (error) {
      this.#options.logger.warn({ err: error }, "changed limits cannot be read yet");
      return false;
    }
  }

  async #waitForJournal(writing: Promise<void>): Promise<void> {
    await writing;
    if (this.#journalWrite === writing) this.#journalWrite = null;
  }

  /**
   * Starts the count of draws for new strict limits, and completes the balances of new limits. Without the count, no lease
   * opens on them. Never rejects: the next response or clean-up retries.
   */
  async #countLimits(): Promise<void> {
    const { database, logger } = this.#options;
    try {
      if (await hasUncountedSpend(database))
        await countLimits(database, { ...this.#options, atMs: null });
    } catch (error) {
      logger.warn({ err: error }, "the spend under new limits cannot be counted yet");
    }
  }

  #applyAnswer(answer: SyncAnswer): void {
    const { hasJournalGap } = this.#leases;
    this.#resolve(this.#leases.applyAnswer(answer, this.#now()));
    if (hasJournalGap && !this.#leases.hasJournalGap) this.#options.acknowledgeJournalGap();
  }

  /** Starts a new epoch after a fence or a failover. True: the node has one. */
  async #reenter(): Promise<boolean> {
    if (!this.#leases.isFenced || this.#life === "stopping") return false;
    const { clock, logger, reenter } = this.#options;
    if (clock.monotonicMs() < this.#times.reenter) return false;
    this.#times.reenter = clock.monotonicMs() + REENTER_EVERY_MS;
    try {
      await reenter();
    } catch (error) {
      logger.warn(
        { err: error },
        "this node was fenced, or the database failed over, and the node cannot get a new epoch yet",
      );
    }
    return !this.#leases.isFenced;
  }

  /** Sends a message. Null: the result is unknown. A late response is ignored. */
  async #send(message: SyncMessage): Promise<SyncAnswer | null> {
    const { database, ttlMs, logger, clock } = this.#options;
    // After a silence, other nodes get the time to speak before this node fences them.
    if (this.#leases.isExpired(clock.monotonicMs())) this.#times.contactSince = null;
    const late = Promise.withResolvers<null>();
    this.#abandonMessage = () => late.resolve(null);
    const timer = setTimeout(this.#abandonMessage, ttlMs / 3);
    try {
      const answer = await Promise.race([
        syncLeases(database, message, { ttlMs, atMs: null }),
        late.promise,
      ]);
      if (answer !== null) this.#times.contactSince ??= clock.monotonicMs();
      else this.#times.contactSince = null;
      return answer;
    } catch (error) {
      if (this.#times.contactSince !== null) {
        logger.warn(
          { err: error },
          "leases cannot be renewed: the current ones last until they expire",
        );
      }
      this.#times.contactSince = null;
      return null;
    } finally {
      clearTimeout(timer);
      this.#abandonMessage = null;
    }
  }
}
