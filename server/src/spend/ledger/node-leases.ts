import type { Spent } from "#src/domain/request-spend.ts";
import type { SpendScope } from "./charges.ts";
import { type HoldDecision, makeHeld } from "./hold-decision.ts";
import { HoldQueue, type HoldRequest, type Waiter } from "./hold-queue.ts";
import {
  describeHold,
  findNeed,
  findRefusal,
  findSpent,
  type HoldAmount,
  type HoldRefusal,
  hasRoom,
  type LimitInForce,
  type StrictLimit,
} from "./hold-refusal.ts";
import { HoldWishes } from "./hold-wishes.ts";
import { LeaseMessages } from "./lease-messages.ts";
import type { GrantRequest, SyncAnswer, SyncDone, SyncMessage } from "./lease-rules.ts";
import type { LeaseState, Now } from "./lease-state.ts";
import { LeaseTable, type RunningHold } from "./lease-table.ts";
import type { NodeLeasesOptions } from "./node-leases-options.ts";
import { type HeldStream, NodeStreams, type StreamHolds } from "./node-streams.ts";
import { type AppendedEnd, PendingSpend, type SpendOrigin } from "./pending-spend.ts";

// Leases of one node, and the requests that wait for budget. Pure: the time is an argument, and messages are returned
// values. `nowMs` is the node's monotonic clock. `atMs` is the node's estimate of the database's clock.

/** The decision on a request that waited. */
export interface Resolution {
  requestId: string;
  decision: Exclude<HoldDecision, { kind: "waiting" }>;
}

/**
 * Late requests that one call of `resolveWaiting` refuses, and the part of many that it refuses. A refusal takes 0.2 ms, and
 * so does its client's next request. With 1,000 of them at once, each wave delayed all other requests.
 */
const LEAST_REFUSED = 10;
const REFUSED_DIVISOR = 40;
/** Time for the response to a message, for a request that has waited before. */
const LEAST_WAIT_MS = 500;

export class NodeLeases {
  /** Spend of all ended requests that no fold has counted, with or without a hold. */
  readonly pending = new PendingSpend();
  readonly #options: NodeLeasesOptions;
  readonly #table = new LeaseTable(this.pending);
  readonly #queue: HoldQueue;
  readonly #wishes = new HoldWishes();
  readonly #streams: NodeStreams;
  readonly #messages: LeaseMessages;
  /** Scopes whose budget grew since their requests were last tried. */
  readonly #freed = new Set<string>();
  readonly #isLacking = (key: string) => this.#wishes.isLacking(key);
  readonly #isAwaited = (key: string) => this.#isLacking(key) || this.#queue.hasWaiter(key);
  /** Latest time of the database's clock. Periods never move back. */
  #atMs = 0;

  constructor(options: NodeLeasesOptions) {
    this.#options = options;
    this.#queue = new HoldQueue(options.maxWaiting);
    const { pending } = this;
    const parts = { table: this.#table, queue: this.#queue, wishes: this.#wishes, pending };
    this.#messages = new LeaseMessages({ ...options, ...parts });
    this.#streams = new NodeStreams({ ...parts, messages: this.#messages });
  }

  /**
   * Starts an epoch: at the start of the node, or after a fence or a failover. Running requests and pending spend stay, and
   * the next message opens the leases again. `hasJournalGap`: the journal may lack requests that were sent.
   */
  enter(entry: { epoch: bigint; appendedSeq: number; hasJournalGap: boolean }): void {
    this.pending.enter(entry.appendedSeq);
    this.#messages.enter(entry.epoch, entry.hasJournalGap);
  }

  /**
   * Ends the epoch, because the database failed over. The node holds budget of its leases until they expire, and reports them
   * in its next epoch. `leastEpoch`: lowest epoch since the failover.
   */
  handleFailover(leastEpoch: bigint, now: Now): void {
    this.#messages.handleFailover(leastEpoch, now.nowMs);
  }

  /**
   * Removes appended spend after a failover. The database has the ends up to this position, and a fold has counted them.
   * The caller adds the lost ends again with `recordFoundSpend`, and then calls `enter`.
   */
  rewind(seq: number): void {
    this.pending.rewind(seq);
  }

  /** Replaces all strict limits by those at `version` of the change counter. Ignores an older version. */
  setLimits(limits: readonly StrictLimit[], version: bigint): void {
    if (version < this.#messages.limitsVersion) return;
    this.#messages.followLimits(version);
    this.#table.setLimits(limits, version);
  }

  /** False: no strict limit counts spend of this organization. */
  isLimited(organizationId: string): boolean {
    return this.#table.isLimited(organizationId);
  }

  /** False: no limit holds streams of this organization in steps. */
  hasSteps(organizationId: string): boolean {
    return this.#table.hasSteps(organizationId);
  }

  /** The narrowest strict limit of the chain, or null. */
  findLimit(scope: SpendScope, now: Now): StrictLimit | null {
    return this.#table.getStates(scope, this.#advanceClock(now).atMs)[0]?.limit ?? null;
  }

  listLimits(scopeId: string): readonly StrictLimit[] {
    return this.#table.listLimits(scopeId);
  }

  /** Finds the narrowest strict limit of the chain that refuses unknown parts, or null. */
  findUnknownRefusal(scope: SpendScope, now: Now): LimitInForce | null {
    const states = this.#table.getStates(scope, this.#advanceClock(now).atMs);
    for (const { limit, seen, endMs } of states) {
      if (limit?.unknownFeatures === "refuse") return { limit, seen, endMs };
    }
    return null;
  }

  /**
   * Lets the leases of these scopes return their free budget for some time, because a message batch waits for it. Requests
   * then get exact grants.
   */
  returnFree(scopeIds: ReadonlySet<string>, forMs: number, { nowMs }: Pick<Now, "nowMs">): void {
    this.#table.returnFree(scopeIds, nowMs + forMs);
  }

  /** Adds a running request without a hold. Limits that are set later count it. */
  adopt(request: RunningHold): void {
    this.#table.adopt(request);
  }

  /** False once the database knows of the gap. Until then each start reports it again. */
  get hasJournalGap(): boolean {
    return this.#messages.hasJournalGap;
  }

  get isFenced(): boolean {
    return this.#messages.isFenced;
  }

  /** Holds the request in all leases of its chain, or in none, in one synchronous step. Otherwise the request waits. */
  hold(request: HoldRequest, now: Now): HoldDecision {
    const tried = this.#tryHold(request, now, this.#isAwaited);
    if (tried.kind !== "lacking") return tried;
    const { holdWaitMs } = this.#options;
    const waitMs = Math.max(holdWaitMs - (request.waitedMs ?? 0), LEAST_WAIT_MS);
    const times = { sinceMs: now.nowMs, deadlineMs: now.nowMs + Math.min(holdWaitMs, waitMs) };
    const waiter = { ...request, ...times, lacking: tried.balances.map(({ text }) => text) };
    const queue = this.#queue.findFull(request.scope);
    if (queue !== null) {
      // Without responses no request leaves the queue, so the database is the cause.
      if (this.#messages.isCutOff(now.nowMs)) return this.#refuse(waiter, "unavailable");
      return { ...this.#refuse(waiter, "queue_full"), queue };
    }
    for (const state of tried.balances) {
      const { traffic, held, reserved } = state;
      traffic.addRequest(findNeed(state, request), held + reserved);
    }
    this.#queue.add(waiter);
    this.#messages.ask(now.nowMs);
    return { kind: "waiting" };
  }

  /** Lowers the amount of a waiting request, which keeps its place and its deadline. Does nothing after its decision. */
  lowerHold(requestId: string, amount: HoldAmount, now: Now): void {
    const waiter = this.#queue.lower(requestId, amount);
    if (waiter === null) return;
    this.#markFreed(waiter.scope);
    this.#messages.ask(now.nowMs);
  }

  /**
   * Sets the hold of a running stream in all its limits with steps, in one synchronous step. A smaller hold is always set.
   * A larger one without budget waits before all waiting requests, and is set when the budget arrives. A later call
   * replaces the wish. The caller repeats it, and withdraws it with the current hold.
   */
  resizeHold(requestId: string, nanoUsd: bigint, now: Now): "held" | "waiting" {
    const { decision, freed } = this.#streams.resize(requestId, nanoUsd, now.nowMs);
    if (freed !== null) this.#markFreed(freed);
    return decision;
  }

  /** Holds of the running streams in steps, and the number of those that wait for a larger one. */
  sumStreams(): StreamHolds {
    return { ...this.#table.sumStreams(), waiting: this.#wishes.size };
  }

  /** Finds the hold of a running stream in steps. Null: no limit holds the request in steps. */
  findStreamHold(requestId: string): HeldStream | null {
    return this.#streams.find(requestId);
  }

  /** Finds the reason why a request, or a larger hold of a stream, waits. Null: it does not wait. */
  findLack(requestId: string, now: Now): HoldRefusal | null {
    const waiter = this.#queue.find(requestId);
    if (waiter !== null) return this.#refuseLate(waiter, now);
    return this.#streams.findLack(requestId, now.nowMs);
  }

  /** Ends the hold of a request, and adds its spend, which the database has not appended. */
  recordEnd(requestId: string, origin: SpendOrigin, spent: Spent): void {
    this.#table.end(requestId);
    this.#wishes.remove(requestId);
    this.pending.end(origin, spent);
    this.#table.drawEnd(origin, drawOf(spent));
    this.#markFreed(origin);
  }

  /** Adds spend of a request that ended before this process or this epoch started. The database has not appended it. */
  recordFoundSpend(origin: SpendOrigin, spent: Spent): void {
    this.pending.end(origin, spent);
    this.#table.draw(origin, drawOf(spent));
    this.#markFreed(origin);
  }

  /** Removes a request that was never sent, or that stopped waiting. A second call does nothing. */
  drop(requestId: string): void {
    this.#wishes.remove(requestId);
    const scope = this.#table.end(requestId) ?? this.#queue.remove(requestId)?.scope;
    if (scope !== undefined) this.#markFreed(scope);
  }

  /** Records that the database has appended the ends up to this position. Ends without `isCounted` draw nothing. */
  recordAppend(ends: readonly AppendedEnd[], toSeq: number): void {
    this.#messages.recordFolded(this.pending.append(ends, toSeq));
    for (const { origin, spent, isCounted } of ends) {
      if (isCounted) continue;
      this.#table.draw(origin, -drawOf(spent));
      this.#markFreed(origin);
    }
  }

  /**
   * Records that folds have counted this node's ends up to this position. Soft limits add settled and pending spend, so
   * the caller updates its settled spend in the same synchronous step.
   */
  recordFolded(seq: number): void {
    this.#messages.recordFolded(this.pending.fold(seq));
  }

  /**
   * Grows holds of streams, and resolves waiting requests that now have budget, or whose time is over. Tries all of them: call it by a timer. Refuses some
   * of many late requests at a time, so that their clients do not all return at the same moment.
   */
  resolveWaiting(now: Now): Resolution[] {
    this.#freed.clear();
    this.#wishes.removeOld(now.nowMs);
    this.#streams.serve(now.nowMs, null);
    const resolved = this.#serve(now);
    for (const waiter of this.#listLate(now)) {
      this.#queue.remove(waiter.requestId);
      resolved.push({ requestId: waiter.requestId, decision: this.#refuseLate(waiter, now) });
      this.#markFreed(waiter.scope);
    }
    return [...resolved, ...this.resolveFreed(now)];
  }

  /**
   * Grows holds of streams, and then resolves waiting requests, in scopes whose budget grew since the last call. Tries no
   * others.
   */
  resolveFreed(now: Now): Resolution[] {
    const resolved: Resolution[] = [];
    for (const scopeId of this.#freed) this.#streams.serve(now.nowMs, scopeId);
    for (const scopeId of this.#freed) {
      resolved.push(...this.#serve(now, scopeId));
    }
    this.#freed.clear();
    return resolved;
  }

  /** Returns the message to send now, or null. The next one is possible after `applyAnswer` or `handleLostMessage`. */
  nextMessage(now: Now): SyncMessage | null {
    return this.#messages.next(this.#advanceClock(now));
  }

  /**
   * True if no message depends on a request: no lease is in use, none waits, and the node has an epoch. Until the next call
   * of another method, `nextMessage` returns null before `findDueMs`.
   */
  get isQuiet(): boolean {
    return !this.isWaiting && this.#messages.isQuiet;
  }

  /** True while a request waits for budget, or a stream for a larger hold. */
  get isWaiting(): boolean {
    return this.#queue.size > 0 || this.#wishes.size > 0;
  }

  /** Time of the next message of a quiet node on the monotonic clock, milliseconds. */
  findDueMs(): number {
    return this.#messages.findDueMs();
  }

  applyAnswer(answer: SyncAnswer, now: Now): Resolution[] {
    const requests = this.#messages.requests;
    const isDone = this.#messages.applyAnswer(answer, this.#advanceClock(now));
    if (!isDone || answer.kind !== "done") return this.resolveWaiting(now);
    // Leases of nodes that have not reported count as unresolved, so a refusal could be wrong.
    const asked = answer.awaited === null ? requests : [];
    const wishes = this.#wishes.size;
    const resolved = [...this.#refuseHopeless(asked, answer, now), ...this.resolveWaiting(now)];
    const isFutile = resolved.length === 0 && this.#wishes.size === wishes;
    if (requests.length > 0 && isFutile) this.#messages.askLater(now.nowMs);
    return resolved;
  }

  /** True until the response to the message, or the end of its epoch. A later response is ignored. */
  isInFlight(message: SyncMessage): boolean {
    return this.#messages.isInFlight(message);
  }

  handleLostMessage(now: Now): void {
    this.#messages.handleLostMessage(now);
  }

  /** True once the database knows that this node holds nothing. */
  get hasLeft(): boolean {
    return this.#messages.hasLeft;
  }

  /** Prepares the end of the node: keeps only held budget. The last message returns everything. */
  leave(): void {
    this.#messages.leave();
  }

  /** Lets all leases expire until the response to a message that is sent from now on. */
  expireLeases(): void {
    this.#messages.expireLeases();
  }

  isExpired(nowMs: number): boolean {
    return this.#messages.isExpired(nowMs);
  }

  /** Holds of a stream in steps by balance key, nano-USD. For tests. */
  viewHolds(requestId: string): ReadonlyMap<string, bigint> {
    return this.#streams.view(requestId);
  }

  /** Number of waiting requests, and all leases. For status and tests. */
  view(): { waiting: number; states: readonly LeaseState[] } {
    return { waiting: this.#queue.size, states: [...this.#table.listStates()] };
  }

  /** Lists requests to refuse now because their time is over, in order of arrival. */
  #listLate({ nowMs }: Now): Waiter[] {
    const late: Waiter[] = [];
    for (const waiter of this.#queue.list()) {
      if (nowMs >= waiter.deadlineMs) late.push(waiter);
    }
    return late.slice(0, Math.max(LEAST_REFUSED, Math.ceil(late.length / REFUSED_DIVISOR)));
  }

  #advanceClock({ nowMs, atMs }: Now): Now {
    return { nowMs, atMs: this.#advanceTo(atMs) };
  }

  #advanceTo(atMs: number): number {
    this.#atMs = Math.max(this.#atMs, atMs);
    return this.#atMs;
  }

  /** Marks a scope of the chain: no request outside it shares a limited balance with this one. */
  #markFreed(scope: SpendScope): void {
    if (!this.isWaiting) return;
    const widest = this.#table.findWidestLimited(scope);
    if (widest !== null) this.#freed.add(widest);
  }

  /** Removes requests from the queue that now have a decision. `scopeId`: only requests of this scope. */
  #serve(now: Now, scopeId: string | null = null): Resolution[] {
    const resolved: Resolution[] = [];
    this.#queue.serve(scopeId, (waiter) => {
      const tried = this.#tryHold(waiter, now, this.#isLacking);
      if (tried.kind === "lacking") return tried.balances;
      resolved.push({ requestId: waiter.requestId, decision: tried });
      return null;
    });
    return resolved;
  }

  /** `isBlocked` says whether a stream or an earlier request waits for a balance, by its key. */
  #tryHold(
    request: HoldRequest,
    now: Now,
    isBlocked: (key: string) => boolean,
  ): Resolution["decision"] | { kind: "lacking"; balances: readonly LeaseState[] } {
    const startedAtMs = this.#advanceTo(now.atMs);
    const states = this.#table.getStates(request.scope, startedAtMs);
    const spent = findSpent(request, states);
    if (spent !== null) return spent;
    const isOut = this.isExpired(now.nowMs);
    let lacking: LeaseState[] | null = isOut ? [] : null;
    for (const state of states) {
      const spare =
        this.#table.spendableOf(state) - state.reserved - this.#wishes.findCovered(state.text);
      const isFree = spare >= findNeed(state, request);
      if (isFree && !isOut && !isBlocked(state.text)) continue;
      lacking ??= [];
      lacking.push(state);
    }
    if (lacking !== null) return { kind: "lacking", balances: lacking };
    this.#table.begin(toRunningHold(request, startedAtMs), states, request.stream);
    return makeHeld(request, states, startedAtMs);
  }

  #refuseLate(waiter: Waiter, now: Now): HoldRefusal {
    // The request asked when it began to wait. Without an answer since then, the holders of the budget are unknown.
    const hasAsked = waiter.sinceMs < now.nowMs;
    const isSilent = hasAsked && !this.#messages.hasAnsweredSince(waiter.sinceMs);
    if (isSilent || this.#messages.isCutOff(now.nowMs)) return this.#refuse(waiter, "unavailable");
    const { awaited } = this.#messages;
    if (awaited !== null) return { ...this.#refuse(waiter, "node_awaited"), awaited };
    const states = this.#table.getStates(waiter.scope, this.#atMs);
    const uncounted = states.find(({ seen, countId }) => seen === null || countId === null);
    if (uncounted !== undefined) return this.#refuse(waiter, "uncounted", uncounted);
    const used = states.find((state) => !this.#hasRoom(waiter, state));
    return used === undefined
      ? this.#refuse(waiter, "queue_slow")
      : this.#refuse(waiter, "held", used);
  }

  /** False: others hold the rest of the limit, or running streams get it first. */
  #hasRoom(waiter: Waiter, state: LeaseState): boolean {
    if (this.#isLacking(state.text)) return false;
    const first = state.reserved + this.#wishes.findCovered(state.text);
    const lackNanoUsd = first - this.#table.spendableOf(state);
    return hasRoom(waiter, state, lackNanoUsd > 0n ? lackNanoUsd : 0n);
  }

  /** The refusal names the given limit, or the limit that lacks budget, or the narrowest limit. */
  #refuse(waiter: Waiter, reason: HoldRefusal["reason"], named?: LeaseState): HoldRefusal {
    const states = this.#table.getStates(waiter.scope, this.#atMs);
    const lacked = states.find(({ text }) => waiter.lacking.includes(text));
    const state = named ?? lacked ?? states[0];
    return {
      kind: "refused",
      reason: state === undefined && reason === "queue_slow" ? "unavailable" : reason,
      ...describeHold(waiter, state),
    };
  }

  /** Refuses requests that waiting cannot help: their limit is spent, or less remains than their worst case. */
  #refuseHopeless(
    grantRequests: readonly GrantRequest[],
    answer: SyncDone,
    now: Now,
  ): Resolution[] {
    const resolved: Resolution[] = [];
    for (const [at, { requestId }] of grantRequests.entries()) {
      const waiter = answer.grants[at] === null ? this.#queue.find(requestId) : null;
      if (waiter === null) continue;
      const hopeless = findRefusal(
        waiter,
        this.#table.getStates(waiter.scope, this.#advanceClock(now).atMs),
      );
      if (hopeless === null) continue;
      this.#queue.remove(requestId);
      resolved.push({ requestId, decision: hopeless });
    }
    return resolved;
  }
}

/** Copies each field by name, which takes less memory than a spread. */
function toRunningHold(request: HoldRequest, startedAtMs: number): RunningHold {
  const { requestId, scope, amountNanoUsd, isOpenEnded = false } = request;
  const { organizationId, workspaceId, apiKeyId, memberId, groupIds, tagIds } = scope;
  return {
    organizationId,
    workspaceId,
    apiKeyId,
    memberId,
    groupIds,
    tagIds,
    requestId,
    amountNanoUsd,
    isOpenEnded,
    startedAtMs,
  };
}

function drawOf({ costNanoUsd, unresolvedNanoUsd }: Spent): bigint {
  return costNanoUsd + unresolvedNanoUsd;
}
