import type { Spent } from "#src/domain/request-spend.ts";
import { assert } from "#src/lib/assert.ts";
import type { SpendScope } from "./charges.ts";
import { type HoldDecision, makeHeld } from "./hold-decision.ts";
import { HoldQueue, type HoldRequest, type Waiter } from "./hold-queue.ts";
import {
  findHoldAmount,
  findRefusal,
  findSpent,
  type HoldRefusal,
  hasRoom,
  type StrictLimit,
} from "./hold-refusal.ts";
import { makeGrantRequests } from "./lease-grant-requests.ts";
import type { GrantRequest, SyncAnswer, SyncDone, SyncMessage } from "./lease-rules.ts";
import {
  freeAmountAfter,
  isWorthTrimming,
  type LeaseState,
  LeaseTable,
  type RunningHold,
} from "./lease-table.ts";
import { PendingSpend, type SpendOrigin } from "./pending-spend.ts";

// What one node may still spend, and who waits for it. Pure: the clock comes in as an argument, messages go out as
// values. `nowMs` is the node's monotonic clock, `atMs` the database's clock as the node knows it.

export interface NodeLeasesOptions {
  nodeId: string;
  /** BURSAR_LEASE_TTL. */
  ttlMs: number;
  /** Taken off the TTL: what clocks may drift apart in that time, and the time between a look at it and a dispatch. */
  marginMs: number;
  /** BURSAR_HOLD_WAIT. */
  holdWaitMs: number;
  /** Requests that may wait at once, of all organizations. */
  maxWaiting: number;
}

/** The decision on a request that waited. */
export interface Resolution {
  requestId: string;
  decision: Exclude<HoldDecision, { kind: "waiting" }>;
}

interface Now {
  nowMs: number;
  atMs: number;
}

interface InFlight {
  message: SyncMessage;
  sentMs: number;
  /** What `targets` gives up, or, below zero, reports: by key text. */
  givenUp: Map<string, bigint>;
}

/** Wants of one message. Each names up to nine balances, whose rows the database locks. */
const MAX_WANTS = 256;
const WANT_AGAIN_MS = 100;
const TRIM_EVERY_MS = 250;
const RETRY_MS = 250;
/** An answer that is older says little of whether the next message will arrive. */
const SURE_MS = 1_000;
/** Complete messages, which renew, are sent this many times within a TTL. */
const RENEWALS = 3;

export class NodeLeases {
  /** Spend of ended requests that are not folded, with or without a hold. */
  readonly pending = new PendingSpend();
  readonly #options: NodeLeasesOptions;
  readonly #book = new LeaseTable(this.pending);
  readonly #queue: HoldQueue;
  /** Scopes in which budget became free since the queue was last looked at. */
  readonly #freed = new Set<string>();
  #inFlight: InFlight | null = null;
  #epoch = 0n;
  #op = 0;
  #foldedSeq = 0;
  #limitsVersion = 0n;
  /** The newest version of limits that the database knows this node to keep. */
  #acknowledgedVersion = -1n;
  #hasJournalGap = false;
  #isFenced = false;
  #isLeaving = false;
  #hasLeft: boolean = false;
  /** Up to here, on the monotonic clock, holds may be taken. */
  #validUntilMs = Number.NEGATIVE_INFINITY;
  #renewAtMs = Number.NEGATIVE_INFINITY;
  #wantAtMs = Number.NEGATIVE_INFINITY;
  #trimAtMs = Number.NEGATIVE_INFINITY;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  /** Periods never go back, whatever the database's clock does. */
  #atMs = 0;
  /** When the database answered last, on the monotonic clock. */
  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(options: NodeLeasesOptions) {
    this.#options = options;
    this.#queue = new HoldQueue(options.maxWaiting);
  }

  /**
   * The node has a new epoch: at its start, or after it was fenced. Its leases are what its next message says. What
   * runs and what is not flushed stays known. `hasJournalGap`: the journal may lack requests that were sent.
   */
  enter(epoch: bigint, foldedSeq: number, hasJournalGap: boolean): void {
    this.#epoch = epoch;
    this.#foldedSeq = foldedSeq;
    // Until it has been told: entering again before that does not make the journal whole.
    this.#hasJournalGap ||= hasJournalGap;
    this.#op = 0;
    this.#inFlight = null;
    this.#isFenced = false;
    this.#hasLeft = false;
    this.#acknowledgedVersion = -1n;
    this.#validUntilMs = Number.NEGATIVE_INFINITY;
    this.#renewAtMs = Number.NEGATIVE_INFINITY;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
    for (const state of this.#book.states()) state.leased = 0n;
  }

  /** All strict limits as they stood at `version` of the change counter. */
  setLimits(limits: readonly StrictLimit[], version: bigint): void {
    if (version < this.#limitsVersion) return;
    this.#limitsVersion = version;
    this.#book.setLimits(limits);
  }

  /** False: no strict limit counts what this organization spends. */
  isLimited(organizationId: string): boolean {
    return this.#book.isLimited(organizationId);
  }

  /** The narrowest strict limit of the chain, or null. */
  findLimit(scope: SpendScope, now: Now): StrictLimit | null {
    return this.#book.statesOf(scope, this.#advance(now))[0]?.limit ?? null;
  }

  /** It runs and nothing was held for it, since no limit counted it. Those that are set next count it. */
  adopt(request: RunningHold): void {
    this.#book.adopt(request);
  }

  /** False once the database has kept what the journal may lack. Until then every start must say so again. */
  get hasJournalGap(): boolean {
    return this.#hasJournalGap;
  }

  get isFenced(): boolean {
    return this.#isFenced;
  }

  /** Key, workspace and organization, all or none, in one synchronous step; else the request waits its turn. */
  hold(request: HoldRequest, now: Now): HoldDecision {
    const tried = this.#try(request, now, (key) => this.#queue.hasWaiter(key));
    if (tried.kind !== "lacking") return tried;
    const times = { sinceMs: now.nowMs, deadlineMs: now.nowMs + this.#options.holdWaitMs };
    const waiter = { ...request, ...times, lacking: tried.balances.map(({ text }) => text) };
    if (!this.#queue.hasRoom(request.scope)) return this.#refuse(waiter, "queue_full");
    this.#queue.add(waiter);
    this.#wantAtMs = now.nowMs;
    return { kind: "waiting" };
  }

  /** The request ended, or turned out to have ended before a start: its record waits for the flush. */
  recordEnd(requestId: string, origin: SpendOrigin, spent: Spent): void {
    this.#book.end(requestId);
    this.addPending(origin, spent);
  }

  /** Adds spend that is not folded. */
  addPending(origin: SpendOrigin, spent: Spent): void {
    this.pending.add(origin, spent);
    this.#book.addPending(origin, drawOf(spent));
    this.#markFreed(origin);
  }

  /** The request was never sent, or gave up waiting. A second call does nothing. */
  drop(requestId: string): void {
    const scope = this.#book.end(requestId) ?? this.#queue.remove(requestId)?.scope;
    if (scope !== undefined) this.#markFreed(scope);
  }

  /**
   * These ends are no longer pending. `isDrawn`: a fold took them out of the leases. False: the database does not count
   * them, because it refused the record or had it already. `foldedSeq`: position of the last known fold.
   */
  recordFold(
    ends: Iterable<{ origin: SpendOrigin; spent: Spent; isDrawn: boolean }>,
    foldedSeq: number,
  ): void {
    this.#foldedSeq = foldedSeq;
    for (const { origin, spent, isDrawn } of ends) {
      this.pending.remove(origin, spent);
      this.#book.removePending(origin, drawOf(spent), isDrawn);
      this.#markFreed(origin);
    }
  }

  /** Requests whose turn has come or whose time is over. Looks at all that wait: call it by the clock. */
  resolveWaiting(now: Now): Resolution[] {
    this.#freed.clear();
    const resolved = this.#serve(now);
    for (const waiter of this.#queue.list()) {
      if (now.nowMs < waiter.deadlineMs) break;
      this.#queue.remove(waiter.requestId);
      resolved.push({ requestId: waiter.requestId, decision: this.#refuseLate(waiter, now) });
      this.#markFreed(waiter.scope);
    }
    return [...resolved, ...this.resolveFreed(now)];
  }

  /** Requests whose turn has come because of what became free since the last call. Looks at no others. */
  resolveFreed(now: Now): Resolution[] {
    const resolved: Resolution[] = [];
    for (const scopeId of this.#freed) {
      resolved.push(...this.#serve(now, scopeId));
    }
    this.#freed.clear();
    return resolved;
  }

  /** The message to send now, or null. One at a time: the next one comes after `applyAnswer` or `handleLostMessage`. */
  nextMessage(now: Now): SyncMessage | null {
    if (this.#inFlight !== null || this.#isFenced || this.#epoch === 0n) return null;
    this.#advance(now);
    if (now.nowMs < this.#retryAtMs) return null;
    const isComplete =
      this.#isLeaving ||
      now.nowMs >= this.#renewAtMs ||
      this.#acknowledgedVersion < this.#limitsVersion;
    const isWanting = this.#queue.size > 0 && now.nowMs >= this.#wantAtMs;
    const isTrimming = now.nowMs >= this.#trimAtMs;
    if (isTrimming) {
      this.#trimAtMs = now.nowMs + TRIM_EVERY_MS;
      this.#book.measureTraffic(now.nowMs);
    }
    const isSure = now.nowMs - this.#answeredMs <= SURE_MS;
    const targets = new Map<string, bigint>();
    for (const state of this.#book.states()) {
      const wanted = this.#findTarget(state);
      const isOff = wanted > state.leased || (isTrimming && isWorthTrimming(state, wanted));
      if (isComplete || isOff || (isWanting && this.#queue.hasWaiter(state.text))) {
        // What a lost message gave up would be nobody's: until the database has answered, it is not given up.
        const isKept = !isSure && wanted < state.leased && this.#canKeep(state);
        targets.set(state.text, isKept ? state.leased : wanted);
      }
    }
    if (!isComplete && !isWanting && targets.size === 0) return null;
    return this.#send(now, {
      targets,
      isComplete,
      grantRequests: isWanting ? this.#makeGrantRequests(targets) : [],
    });
  }

  applyAnswer(answer: SyncAnswer, now: Now): Resolution[] {
    const sent = this.#inFlight;
    assert(sent !== null, "an answer belongs to a message");
    this.#inFlight = null;
    this.#answeredMs = now.nowMs;
    if (answer.kind === "late" || answer.kind === "behind") {
      this.handleLostMessage(now);
      return this.resolveWaiting(now);
    }
    if (answer.kind === "fenced") {
      this.#isFenced = true;
      this.#validUntilMs = Number.NEGATIVE_INFINITY;
      return this.resolveWaiting(now);
    }
    const { ttlMs, marginMs } = this.#options;
    this.#validUntilMs = Math.max(this.#validUntilMs, sent.sentMs + ttlMs - marginMs);
    this.#take(sent, answer);
    const resolved = [
      ...this.#refuseHopeless(sent.message.grantRequests, answer, now),
      ...this.resolveWaiting(now),
    ];
    // Asked in vain: what is missing comes back when others settle.
    const isVain = sent.message.grantRequests.length > 0 && resolved.length === 0;
    if (isVain) this.#wantAtMs = now.nowMs + WANT_AGAIN_MS;
    return resolved;
  }

  /** Nobody knows whether the message arrived: what it gave up stays given up, what it asked for is not counted on. */
  handleLostMessage(now: Now): void {
    this.#inFlight = null;
    this.#retryAtMs = now.nowMs + RETRY_MS;
    this.#renewAtMs = Number.NEGATIVE_INFINITY;
  }

  /** True once the database has heard that this node has nothing any more. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** From now on nothing is kept that is not held; the node's last message hands everything back. */
  leave(): void {
    this.#isLeaving = true;
  }

  isExpired(nowMs: number): boolean {
    return nowMs >= this.#validUntilMs;
  }

  /** Waiting requests, and what the node has: by key text. For status and tests. */
  view(): { waiting: number; states: readonly LeaseState[] } {
    return { waiting: this.#queue.size, states: [...this.#book.states()] };
  }

  #advance({ atMs }: Now): number {
    this.#atMs = Math.max(this.#atMs, atMs);
    return this.#atMs;
  }

  /** Marks the widest limited scope of the chain: no request outside it shares a balance with this one. */
  #markFreed(scope: SpendScope): void {
    if (this.#queue.size === 0) return;
    const widest = this.#book.findWidestLimited(scope);
    if (widest !== null) this.#freed.add(widest);
  }

  /** Takes those whose turn has come out of the queue. `scopeId`: of this scope only. */
  #serve(now: Now, scopeId: string | null = null): Resolution[] {
    const resolved: Resolution[] = [];
    this.#queue.serve(scopeId, (waiter) => {
      const tried = this.#try(waiter, now, isNeverBlocked);
      if (tried.kind === "lacking") return tried.balances;
      resolved.push({ requestId: waiter.requestId, decision: tried });
      return null;
    });
    return resolved;
  }

  /** `isBlocked`: whether others wait for a balance already, by its key. */
  #try(
    request: HoldRequest,
    now: Now,
    isBlocked: (key: string) => boolean,
  ): Resolution["decision"] | { kind: "lacking"; balances: readonly LeaseState[] } {
    const startedAtMs = this.#advance(now);
    const states = this.#book.statesOf(request.scope, startedAtMs);
    const spent = findSpent(request, states);
    if (spent !== null) return spent;
    const isOut = this.isExpired(now.nowMs);
    let lacking: LeaseState[] | null = isOut ? [] : null;
    for (const state of states) {
      const isFree = this.#book.spendableOf(state) >= findHoldAmount(state.limit, request);
      if (isFree && !isOut && !isBlocked(state.text)) continue;
      lacking ??= [];
      lacking.push(state);
    }
    if (lacking !== null) return { kind: "lacking", balances: lacking };
    const { requestId, scope, amountNanoUsd, isOpenEnded = false } = request;
    this.#book.begin({ ...scope, requestId, amountNanoUsd, isOpenEnded, startedAtMs }, states);
    return makeHeld(request, states, startedAtMs);
  }

  #refuseLate(waiter: Waiter, now: Now): HoldRefusal {
    // It asked when it began to wait. Without an answer since then nobody knows who holds what remains.
    const hasAsked = waiter.sinceMs < now.nowMs;
    const isSilent = hasAsked && this.#answeredMs < waiter.sinceMs;
    const isCut = this.#isFenced || this.isExpired(now.nowMs) || isSilent;
    if (isCut) return this.#refuse(waiter, "unavailable");
    const states = this.#book.statesOf(waiter.scope, this.#atMs);
    const used = states.find((state) => !hasRoom(waiter, state));
    return used === undefined
      ? this.#refuse(waiter, "queue_slow")
      : this.#refuse(waiter, "held", used);
  }

  /** Names the given limit, else the one that the request lacks, else the narrowest one. */
  #refuse(waiter: Waiter, reason: HoldRefusal["reason"], named?: LeaseState): HoldRefusal {
    const states = this.#book.statesOf(waiter.scope, this.#atMs);
    const lacked = states.find(({ text }) => waiter.lacking.includes(text));
    const state = named ?? lacked ?? states[0];
    return {
      kind: "refused",
      reason: state === undefined && reason === "queue_slow" ? "unavailable" : reason,
      amountNanoUsd: findHoldAmount(state?.limit ?? null, waiter),
      limit: state?.limit ?? null,
      figures: state?.seen ?? null,
      regainAtMs: state?.endMs ?? null,
    };
  }

  #findTarget(state: LeaseState): bigint {
    const bound = state.held + state.pending;
    const isIdle = this.#queue.hasWaiter(state.text) || !this.#canKeep(state);
    return isIdle ? bound : bound + this.#book.findAmountToKeep(state);
  }

  #canKeep(state: LeaseState): boolean {
    // What was kept before a limit was lowered may be more than the new one leaves: it is given up, then asked for.
    const isTold = this.#acknowledgedVersion === this.#limitsVersion;
    return !this.#isLeaving && isTold && state.endMs > this.#atMs;
  }

  #makeGrantRequests(targets: ReadonlyMap<string, bigint>): GrantRequest[] {
    return makeGrantRequests({
      asked: this.#queue.pick(MAX_WANTS),
      waiting: this.#queue.list(),
      chainOf: ({ scope }) => this.#book.statesOf(scope, this.#atMs),
      freeOf: (state) => freeAmountAfter(state, targets.get(state.text)),
      trafficOf: (state) => (this.#isLeaving ? 0n : this.#book.estimateTraffic(state)),
    });
  }

  #send(
    now: Now,
    told: Pick<SyncMessage, "targets" | "isComplete" | "grantRequests">,
  ): SyncMessage {
    this.#op += 1;
    const { targets, isComplete, grantRequests } = told;
    const names = [
      ...targets.keys(),
      ...grantRequests.flatMap((want) => want.entries.map((e) => e.key)),
    ];
    const message: SyncMessage = {
      nodeId: this.#options.nodeId,
      epoch: this.#epoch,
      op: this.#op,
      foldedSeq: this.#foldedSeq,
      limitsVersion: this.#limitsVersion,
      keys: new Map(names.map((name) => [name, this.#book.get(name).key])),
      targets,
      isComplete,
      hasJournalGap: this.#hasJournalGap,
      // Who still holds or waits for something is heard of until it does not.
      isLeaving:
        this.#isLeaving &&
        grantRequests.length === 0 &&
        [...targets.values()].every((each) => each === 0n),
      grantRequests,
    };
    const givenUp = new Map<string, bigint>();
    for (const [name, wanted] of targets) {
      const state = this.#book.get(name);
      givenUp.set(name, state.leased - wanted);
      // Given up at once, so that nobody holds it while it is being handed back; a report counts when it is answered.
      if (wanted < state.leased) state.leased = wanted;
    }
    this.#inFlight = { message, sentMs: now.nowMs, givenUp };
    return message;
  }

  #take({ message, givenUp, sentMs }: InFlight, answer: SyncDone): void {
    for (const [name, nanoUsd] of givenUp) {
      const isReport = nanoUsd < 0n;
      const state = this.#book.get(name);
      if (answer.isApplied && isReport) state.leased -= nanoUsd;
      if (!answer.isApplied && !isReport) state.leased += nanoUsd;
    }
    for (const [at, want] of message.grantRequests.entries()) {
      for (const [entryAt, { key }] of want.entries.entries()) {
        this.#book.get(key).leased += answer.grants[at]?.[entryAt] ?? 0n;
      }
    }
    for (const [name, figures] of answer.figures) this.#book.setFigures(name, figures);
    if (!message.isComplete || !answer.isApplied) return;
    this.#acknowledgedVersion = message.limitsVersion;
    this.#hasLeft = message.isLeaving;
    this.#hasJournalGap = false;
    this.#renewAtMs = sentMs + this.#options.ttlMs / RENEWALS;
    this.#book.removeIdle(this.#atMs);
  }

  /** Waiting helps neither against a limit that is spent nor where less remains than the request may cost. */
  #refuseHopeless(
    grantRequests: readonly GrantRequest[],
    answer: SyncDone,
    now: Now,
  ): Resolution[] {
    const resolved: Resolution[] = [];
    for (const [at, { requestId }] of grantRequests.entries()) {
      const waiter = answer.grants[at] === null ? this.#queue.find(requestId) : null;
      if (waiter === null) continue;
      const hopeless = findRefusal(waiter, this.#book.statesOf(waiter.scope, this.#advance(now)));
      if (hopeless === null) continue;
      this.#queue.remove(requestId);
      resolved.push({ requestId, decision: hopeless });
    }
    return resolved;
  }
}

function isNeverBlocked(): boolean {
  return false;
}

function drawOf({ costNanoUsd, unresolvedNanoUsd }: Spent): bigint {
  return costNanoUsd + unresolvedNanoUsd;
}
