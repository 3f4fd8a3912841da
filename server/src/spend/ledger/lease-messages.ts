import { assert } from "#src/lib/assert.ts";
import type { HoldQueue } from "./hold-queue.ts";
import type { HoldWishes } from "./hold-wishes.ts";
import type {
  AwaitedNode,
  GrantRequest,
  SyncAnswer,
  SyncDone,
  SyncMessage,
} from "./lease-rules.ts";
import { isAbundant, LOOK_AFTER_MS, type SizeBounds } from "./lease-size.ts";
import type { LeaseState, Now } from "./lease-state.ts";
import type { LeaseTable } from "./lease-table.ts";
import {
  type Due,
  isIdle,
  isReportDue,
  type MessageContent,
  makeContent,
} from "./message-content.ts";
import type { AppendedBatch, PendingSpend } from "./pending-spend.ts";

// Messages of a node about its leases: when to send one, its content, and its effect. Pure.

export interface LeaseMessagesOptions {
  nodeId: string;
  ttlMs: number;
  coverMs?: number;
  marginMs: number;
  table: LeaseTable;
  queue: HoldQueue;
  wishes: HoldWishes;
  pending: PendingSpend;
}

/**
 * - `outside`: the node never had an epoch.
 * - `entered`: the node has an epoch.
 * - `fenced`: the epoch is over.
 * - `failed_over`: the database failed over, so the epoch is over. The leases last until they expire.
 * - `left`: the database knows that the node holds nothing.
 */
type Stage = "outside" | "entered" | "fenced" | "failed_over" | "left";

interface InFlight {
  message: SyncMessage;
  sentMs: number;
  /** Batches that folds counted after the message was written. */
  folded: AppendedBatch[];
}

/** Pause before the same requests are sent again. Budget returns when other requests settle. */
const ASK_AGAIN_MS = 100;
const TRIM_EVERY_MS = 250;
const RETRY_MS = 250;
/** Time without a response after which the database counts as silent, as in `process/readiness.ts`. */
const SILENT_MS = 2_500;
/** Number of complete messages in a TTL. */
const RENEWALS = 3;
/** Number of messages in a TTL. Each one renews the leases, so that they last for nearly a TTL after the last contact. */
const BEATS = 24;

export class LeaseMessages {
  readonly #options: LeaseMessagesOptions;
  #stage: Stage = "outside";
  #aim: "serve" | "leave" = "serve";
  readonly #sequence = { epoch: 0n, op: 0 };
  /** Lowest epoch since the last failover. */
  #leastEpoch = 0n;
  /** `told`: the database knows of the gap. A failover may have lost that. */
  #journal: "whole" | "gap" | "told" = "whole";
  /** Versions of limits: the one that this node follows, and the one that the database has confirmed. */
  readonly #limits = { followed: 0n, acknowledged: -1n };
  #inFlight: InFlight | null = null;
  #awaited: AwaitedNode | null = null;
  /** Times on the monotonic clock, milliseconds. */
  readonly #times = {
    validUntil: NEVER,
    answered: NEVER,
    renew: NEVER,
    beat: NEVER,
    ask: NEVER,
    trim: NEVER,
    look: NEVER,
  };
  readonly #bounds: SizeBounds;
  #retryAtMs = NEVER;
  /** Time at which the database counts as silent. Each response moves it into the future. */
  #silentFromMs = Number.POSITIVE_INFINITY;

  constructor(options: LeaseMessagesOptions) {
    this.#options = options;
    this.#bounds = { coverMs: options.coverMs ?? options.ttlMs, liveNodes: 1 };
  }

  /** The node needs a new epoch. */
  get isFenced(): boolean {
    return this.#stage === "fenced" || this.#stage === "failed_over";
  }

  /** A node that has to report its leases, as of the last response. */
  get awaited(): AwaitedNode | null {
    return this.#awaited;
  }

  get hasLeft(): boolean {
    return this.#stage === "left";
  }

  get hasJournalGap(): boolean {
    return this.#journal === "gap";
  }

  get limitsVersion(): bigint {
    return this.#limits.followed;
  }

  /** Grant requests of the message in flight. */
  get requests(): readonly GrantRequest[] {
    return this.#inFlight?.message.grantRequests ?? [];
  }

  isExpired(nowMs: number): boolean {
    return nowMs >= this.#times.validUntil;
  }

  /** True while a message is lost, or unanswered for so long that it may be. */
  isDatabaseSilent(nowMs: number): boolean {
    return nowMs >= this.#silentFromMs;
  }

  /** True while the database decides nothing for this node. The last known numbers of balances are old then. */
  isCutOff(nowMs: number): boolean {
    return this.isFenced || this.isExpired(nowMs) || this.isDatabaseSilent(nowMs);
  }

  /** True if the database has answered since this time. */
  hasAnsweredSince(sinceMs: number): boolean {
    return this.#times.answered >= sinceMs;
  }

  /**
   * Ends the epoch after a failover. The database may have less than this node was granted. The node keeps its leases until
   * they expire, and the first message of its next epoch reports them. `leastEpoch`: lowest epoch since the failover.
   */
  handleFailover(leastEpoch: bigint, nowMs: number): void {
    if (this.#stage === "outside") return;
    this.#leastEpoch = leastEpoch;
    this.#inFlight = null;
    this.#awaited = null;
    if (this.#journal === "told") this.#journal = "gap";
    // Budget of a fenced node may belong to others.
    if (this.#stage === "fenced") return;
    this.#stage = "failed_over";
    for (const state of this.#options.table.listStates()) this.#options.table.keepBudget(state);
    if (this.isExpired(nowMs)) this.#closeLeases();
  }

  /** True until the response to the message, or the end of its epoch. */
  isInFlight(message: SyncMessage): boolean {
    return this.#inFlight?.message === message;
  }

  /** Starts a new epoch. No lease is open until the next message. Ignores an epoch from before the last failover. */
  enter(epoch: bigint, hasJournalGap: boolean): void {
    if (epoch < this.#leastEpoch) return;
    const hasFailedOver = this.#stage === "failed_over";
    Object.assign(this.#sequence, { epoch, op: 0 });
    this.#stage = "entered";
    // The gap stays until the database knows of it. A new epoch alone does not make the journal whole.
    if (hasJournalGap) this.#journal = "gap";
    this.#limits.acknowledged = -1n;
    this.#inFlight = null;
    this.#times.renew = NEVER;
    this.#retryAtMs = NEVER;
    if (!hasFailedOver) this.#closeLeases();
  }

  #closeLeases(): void {
    this.#times.validUntil = NEVER;
    for (const state of this.#options.table.listStates()) this.#options.table.close(state);
  }

  /** Lets all leases expire until the response to a message that is sent from now on. */
  expireLeases(): void {
    this.#times.validUntil = NEVER;
    this.#times.renew = NEVER;
    if (this.#inFlight !== null) this.#inFlight.sentMs = NEVER;
  }

  followLimits(version: bigint): void {
    if (version > this.#limits.followed) this.#times.renew = NEVER;
    this.#limits.followed = version;
  }

  leave(): void {
    this.#aim = "leave";
  }

  /** Lets the next message ask for budget of waiting requests. */
  ask(nowMs: number): void {
    this.#times.ask = nowMs;
  }

  /** Records that folds have counted these batches. */
  recordFolded(batches: readonly AppendedBatch[]): void {
    this.#inFlight?.folded.push(...batches);
  }

  /** See `NodeLeases.isQuiet`. */
  get isQuiet(): boolean {
    if (this.isFenced) return false;
    for (const state of this.#options.table.listStates()) {
      if (!isIdle(state) || isReportDue(state)) return false;
    }
    return true;
  }

  /** See `NodeLeases.findDueMs`. */
  findDueMs(): number {
    if (this.isFenced || this.#aim === "leave") return NEVER;
    // The response to a message moves the times.
    if (this.#inFlight !== null || this.#stage === "outside") return Number.POSITIVE_INFINITY;
    return Math.max(this.#retryAtMs, Math.min(this.#times.renew, this.#times.beat));
  }

  /** Returns the message to send now, or null. The next one is possible after `applyAnswer` or `handleLostMessage`. */
  next(now: Now): SyncMessage | null {
    if (this.#inFlight !== null || this.#stage === "outside" || this.isFenced) return null;
    if (now.nowMs < this.#retryAtMs) return null;
    const { table, queue, wishes } = this.#options;
    const { renew, beat, answered } = this.#times;
    const due: Due = {
      isComplete: this.#aim === "leave" || now.nowMs >= renew,
      isAsking: queue.size + wishes.size > 0 && now.nowMs >= this.#times.ask,
      isTrimming: now.nowMs >= this.#times.trim,
      isLooking: now.nowMs >= this.#times.look,
    };
    if (due.isTrimming) {
      this.#times.trim = now.nowMs + TRIM_EVERY_MS;
      const canRest = (state: LeaseState) => isAbundant(state, this.#bounds);
      table.measureTraffic(now.nowMs, { coverMs: this.#bounds.coverMs, canRest });
    }
    if (due.isLooking) this.#times.look = now.nowMs + LOOK_AFTER_MS;
    const content = makeContent(this.#options, {
      now,
      due,
      bounds: this.#bounds,
      isServing: this.#aim === "serve",
      acknowledged: this.#limits.acknowledged,
      answeredMs: answered,
    });
    if (!due.isComplete && content.targets.size === 0 && now.nowMs < beat) return null;
    return this.#send(now, { ...content, isComplete: due.isComplete });
  }

  /** Applies a response. False: the database did not apply the message. */
  applyAnswer(answer: SyncAnswer, now: Now): boolean {
    const sent = this.#inFlight;
    assert(sent !== null, "an answer belongs to a message");
    this.#times.answered = now.nowMs;
    this.#silentFromMs = Number.POSITIVE_INFINITY;
    if (answer.kind === "late" || answer.kind === "behind") {
      this.#retry(now);
      return false;
    }
    if (answer.kind === "fenced") {
      this.#inFlight = null;
      this.#stage = "fenced";
      this.#times.validUntil = NEVER;
      return false;
    }
    const { ttlMs, marginMs } = this.#options;
    this.#inFlight = null;
    this.#bounds.liveNodes = answer.liveNodes;
    this.#times.validUntil = Math.max(this.#times.validUntil, sent.sentMs + ttlMs - marginMs);
    this.#times.beat = sent.sentMs + Math.max(TRIM_EVERY_MS, ttlMs / BEATS);
    this.#awaited = answer.awaited;
    const areExact = this.#applyLeases(sent, answer);
    this.#applyGrants(sent, answer, now);
    if (sent.message.isComplete) this.#applyAcknowledgement(sent, answer, now);
    if (!areExact) this.#times.renew = now.nowMs + ASK_AGAIN_MS;
    return true;
  }

  /** Handles a message with an unknown result: returned budget stays returned, and requested budget is not used. */
  handleLostMessage(now: Now): void {
    this.#silentFromMs = Math.min(this.#silentFromMs, now.nowMs);
    this.#retry(now);
  }

  #retry(now: Now): void {
    this.#inFlight = null;
    this.#retryAtMs = now.nowMs + RETRY_MS;
    this.#times.renew = NEVER;
  }

  /** Asks again after a pause, because no request was granted. */
  askLater(nowMs: number): void {
    this.#times.ask = nowMs + ASK_AGAIN_MS;
  }

  #send(now: Now, content: MessageContent & Pick<SyncMessage, "isComplete">): SyncMessage {
    const { table, nodeId } = this.#options;
    this.#sequence.op += 1;
    for (const [name, target] of content.targets) {
      if (target.kind === "open") continue;
      const state = table.get(name);
      // Returned budget leaves the lease at once, so that no request holds it. An increase counts after the response.
      if (target.grantedNanoUsd < state.granted) state.granted = target.grantedNanoUsd;
    }
    const message: SyncMessage = {
      nodeId,
      ...this.#sequence,
      limitsVersion: this.#limits.followed,
      keys: new Map([...content.targets.keys()].map((name) => [name, table.get(name).key])),
      ...content,
      hasJournalGap: this.#journal === "gap",
      isLeaving: this.#isLeaving(),
    };
    this.#inFlight = { message, sentMs: now.nowMs, folded: [] };
    this.#silentFromMs = Math.min(this.#silentFromMs, now.nowMs + SILENT_MS);
    return message;
  }

  /** True if the node can leave: no request runs or waits, and all ends are appended. */
  #isLeaving(): boolean {
    const { table, queue, pending } = this.#options;
    if (this.#aim === "serve" || queue.size > 0 || pending.hasUnappended) return false;
    return [...table.listStates()].every(({ held }) => held === 0n);
  }

  /** Applies the leases of a response. False: a later message has to open some of them, or to return an excess. */
  #applyLeases({ message, folded }: InFlight, answer: SyncDone): boolean {
    const { table, pending } = this.#options;
    // At an unknown position, the database has counted ends that are still in the pending spend.
    const isKnown = pending.isKnownPosition(answer.foldedSeq);
    let excess = 0n;
    for (const [name, target] of message.targets) {
      const state = table.get(name);
      const opened = answer.opened.get(name);
      if (answer.unopened.has(name)) {
        // The failover may have lost the count of a kept lease, which then starts again.
        if (!state.isKept) table.close(state);
      } else if (target.kind === "set") state.granted = target.grantedNanoUsd;
      else if (opened !== undefined && isKnown) {
        const { neededNanoUsd } = target;
        const { foldedSeq } = answer;
        excess += table.open(state, { ...opened, neededNanoUsd, foldedSeq, folded });
      }
    }
    const areOpen = answer.unopened.size === 0 && (isKnown || answer.opened.size === 0);
    return areOpen && excess === 0n;
  }

  #applyGrants({ message }: InFlight, answer: SyncDone, { nowMs }: Now): void {
    const { table } = this.#options;
    for (const [at, { entries }] of message.grantRequests.entries()) {
      for (const [entryAt, { key }] of entries.entries()) {
        const state = table.get(key);
        if (state.countId !== null) state.granted += answer.grants[at]?.[entryAt] ?? 0n;
      }
    }
    for (const [name, nanoUsd] of answer.toppedUp) {
      const state = table.get(name);
      if (state.countId !== null) state.granted += nanoUsd;
    }
    for (const [name, figures] of answer.figures) table.setFigures(name, figures, nowMs);
  }

  #applyAcknowledgement({ message, sentMs }: InFlight, answer: SyncDone, now: Now): void {
    if (this.#journal === "gap") this.#journal = "told";
    if (answer.unopened.size > 0) return;
    this.#limits.acknowledged = message.limitsVersion;
    if (message.isLeaving) this.#stage = "left";
    // Limits that changed in the meantime are reported at once.
    const isNew = message.limitsVersion < this.#limits.followed;
    this.#times.renew = isNew ? NEVER : sentMs + this.#options.ttlMs / RENEWALS;
    this.#options.table.removeIdle(now.atMs);
  }
}

const NEVER = Number.NEGATIVE_INFINITY;
