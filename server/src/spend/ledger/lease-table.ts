import { periodOf } from "#src/domain/spend-period.ts";
import { type SpendScope, scopeIdsOf } from "./charges.ts";
import { findHoldAmount, type HoldAmount, type StrictLimit } from "./hold-refusal.ts";
import { type Figures, type LeaseKey, usedOf } from "./lease-rules.ts";
import type { PendingSpend, SpendOrigin } from "./pending-spend.ts";
import { balanceKeyText } from "./spend-key.ts";

/** What a node has of one limited balance. leased = held + pending + free. Amounts are integer nano-USD. */
export interface LeaseState {
  key: LeaseKey;
  text: string;
  startMs: number;
  endMs: number;
  /** Null once the limit was removed or is no longer strict. */
  limit: StrictLimit | null;
  /** At most what the database has leased to this node. */
  leased: bigint;
  /** Worst cases of what runs. */
  held: bigint;
  /** Cost, or the hold of what ended in the unknown, that is not flushed yet. */
  pending: bigint;
  seen: Figures | null;
  /** Held since the last measurement, and per second before it. */
  heldLately: bigint;
  heldPerSecond: bigint;
  lastAmount: bigint;
}

/** A request that runs, with the limits that hold something for it. */
export interface RunningHold extends SpendOrigin, HoldAmount {
  requestId: string;
}

interface Running {
  request: RunningHold;
  states: LeaseState[];
  /** What each of `states` holds; null where that is the whole amount everywhere. */
  amounts: bigint[] | null;
}

/** Traffic that a lease is worth: long enough to spare round trips, short enough that little lies idle elsewhere. */
const SLICE_SECONDS = 2n;
const SLICE_OF_REMAINING = 4n;

/** The numbers behind `NodeLeases`: what runs, what is not flushed, and the leases they count against. */
export class LeaseTable {
  readonly #pending: PendingSpend;
  readonly #running = new Map<string, Running>();
  readonly #states = new Map<string, LeaseState>();
  /** The same by the scope's id: a few each, so that the hot path makes no key of a balance. */
  readonly #byScope = new Map<string, LeaseState[]>();
  #limits = new Map<string, StrictLimit[]>();
  /** Those with a strict limit, or with something left of one. */
  #organizations = new Set<string>();
  #measuredMs = Number.NEGATIVE_INFINITY;

  /** `pending`: what is not flushed. Whoever gives it keeps it. */
  constructor(pending: PendingSpend) {
    this.#pending = pending;
  }

  /** False: none of its requests is held anywhere. */
  isLimited(organizationId: string): boolean {
    return this.#organizations.has(organizationId);
  }

  states(): IterableIterator<LeaseState> {
    return this.#states.values();
  }

  get(text: string): LeaseState {
    const state = this.#states.get(text);
    if (state === undefined) throw new Error("a lease that is spoken of is known");
    return state;
  }

  /** New limits count at once what runs already: the next message reports it. */
  setLimits(limits: readonly StrictLimit[]): void {
    this.#limits = Map.groupBy(limits, ({ scopeId }) => scopeId);
    for (const state of this.#states.values()) {
      const { scopeId, period } = state.key;
      const inScope = this.#limits.get(scopeId);
      state.limit = inScope?.find((limit) => limit.period === period) ?? null;
      // What was seen stands beside another limit; until the next answer nothing is kept on the strength of it.
      state.seen = null;
    }
    this.#findOrganizations();
    for (const { request } of this.#running.values()) this.statesOf(request, request.startedAtMs);
    for (const limit of limits) {
      for (const day of this.#pending.days(limit.scopeId)) {
        this.#stateOf(limit, day);
      }
    }
  }

  /** The leases of all strict limits of the chain for the periods of `atMs`, narrowest scope first. */
  statesOf(scope: SpendScope, atMs: number): LeaseState[] {
    const states: LeaseState[] = [];
    if (this.#limits.size === 0) return states;
    for (const scopeId of scopeIdsOf(scope)) {
      const limits = this.#limits.get(scopeId);
      if (limits === undefined) continue;
      const known = this.#byScope.get(scopeId);
      for (const limit of limits) {
        const state = known?.find((each) => each.limit === limit && isIn(each, atMs));
        states.push(state ?? this.#stateOf(limit, atMs));
      }
    }
    return states;
  }

  /** Id of the widest scope of the chain that has a strict limit, or null. */
  findWidestLimited(scope: SpendScope): string | null {
    return scopeIdsOf(scope).findLast((scopeId) => this.#limits.has(scopeId)) ?? null;
  }

  freeAmount({ leased, held, pending }: LeaseState): bigint {
    return leased - held - pending;
  }

  /**
   * What may be held without asking. Nothing under a limit that was just made or lowered, and nothing while more is
   * used than it allows: what running requests give back is then not there to be spent anew.
   */
  spendableOf(state: LeaseState): bigint {
    const { limit, seen } = state;
    const isOver = limit === null || seen === null || usedOf(seen) > limit.amountNanoUsd;
    return isOver ? 0n : this.freeAmount(state);
  }

  begin(request: RunningHold, states: LeaseState[]): void {
    const running: Running = { request, states, amounts: null };
    for (const [at, state] of states.entries()) {
      const amountNanoUsd = findHoldAmount(state.limit, request);
      if (amountNanoUsd !== request.amountNanoUsd) setAmount(running, at, amountNanoUsd);
      state.held += amountNanoUsd;
      state.heldLately += amountNanoUsd;
      state.lastAmount = amountNanoUsd;
    }
    this.#running.set(request.requestId, running);
  }

  /** One that began when no limit counted it. The limits that are set next do. */
  adopt(request: RunningHold): void {
    if (!this.#running.has(request.requestId)) this.begin(request, []);
  }

  /** A hold ends once. Null a second time, and for a request without one: nothing happens. */
  end(requestId: string): SpendScope | null {
    const running = this.#running.get(requestId);
    if (running === undefined) return null;
    this.#running.delete(requestId);
    for (const [at, state] of running.states.entries()) state.held -= amountAt(running, at);
    return running.request;
  }

  /** After it was added to the spend that is not flushed. */
  addPending(origin: SpendOrigin, nanoUsd: bigint): void {
    for (const state of this.#existingStatesOf(origin)) state.pending += nanoUsd;
  }

  /** After it was taken out of the spend that is not flushed. */
  removePending(origin: SpendOrigin, nanoUsd: bigint, isDrawn: boolean): void {
    for (const state of this.#existingStatesOf(origin)) {
      state.pending -= nanoUsd;
      if (isDrawn) state.leased -= nanoUsd;
    }
  }

  setFigures(text: string, figures: Figures): void {
    const state = this.#states.get(text);
    // Limits may have changed since they were read there: what is refused is refused by what stands here.
    if (state?.limit) state.seen = { ...figures, limitNanoUsd: state.limit.amountNanoUsd };
  }

  /** How much is held in a second, smoothed over the measurements. */
  measureTraffic(nowMs: number): void {
    const elapsedMs = Math.floor(nowMs - this.#measuredMs);
    this.#measuredMs = nowMs;
    for (const state of this.#states.values()) {
      const isKnown = Number.isFinite(elapsedMs) && elapsedMs > 0;
      const perSecond = isKnown ? (state.heldLately * 1_000n) / BigInt(elapsedMs) : 0n;
      state.heldPerSecond = (state.heldPerSecond + perSecond) / 2n;
      state.heldLately = 0n;
    }
  }

  /** What seconds of traffic hold, beyond what runs. */
  estimateTraffic(state: LeaseState): bigint {
    return state.heldPerSecond * SLICE_SECONDS;
  }

  /** What of the free part is worth keeping. Near the limit nothing: then each request gets its own exact grant. */
  findAmountToKeep(state: LeaseState): bigint {
    const free = this.freeAmount(state);
    if (free <= 0n || state.limit === null || state.seen === null) return 0n;
    const { settledNanoUsd, leasedNanoUsd, unresolvedNanoUsd } = state.seen;
    const others = state.limit.amountNanoUsd - settledNanoUsd - leasedNanoUsd - unresolvedNanoUsd;
    const kept = [free, this.estimateTraffic(state), (others + free) / SLICE_OF_REMAINING].reduce(
      (least, each) => (each < least ? each : least),
    );
    return kept < state.lastAmount || kept < 0n ? 0n : kept;
  }

  /** After a complete message was applied: what the node has nothing of need not be spoken of again. */
  removeIdle(atMs: number): void {
    for (const [text, { leased, held, pending, limit, endMs }] of this.#states) {
      const isOver = limit === null || endMs <= atMs;
      if (isOver && leased === 0n && held === 0n && pending === 0n) this.#forget(text);
    }
    this.#findOrganizations();
  }

  #forget(text: string): void {
    const { key } = this.get(text);
    this.#states.delete(text);
    const left = this.#byScope.get(key.scopeId)?.filter((state) => state.text !== text) ?? [];
    if (left.length === 0) this.#byScope.delete(key.scopeId);
    else this.#byScope.set(key.scopeId, left);
  }

  #findOrganizations(): void {
    this.#organizations.clear();
    for (const limits of this.#limits.values()) {
      for (const { organizationId } of limits) this.#organizations.add(organizationId);
    }
    for (const { key } of this.#states.values()) this.#organizations.add(key.organizationId);
  }

  #stateOf(limit: StrictLimit, atMs: number): LeaseState {
    const { organizationId, scopeType, scopeId } = limit;
    const period = periodOf(limit.period, atMs);
    const key = {
      organizationId,
      scopeType,
      scopeId,
      period: limit.period,
      periodStart: period.start,
    };
    const text = balanceKeyText(key);
    const known = this.#states.get(text);
    if (known) return known;
    const { startMs, endMs } = period;
    const state: LeaseState = {
      key,
      text,
      startMs,
      endMs,
      limit,
      leased: 0n,
      held: 0n,
      pending: this.#pending.sumOfDraws({ scopeId, startMs, endMs }),
      seen: null,
      heldLately: 0n,
      heldPerSecond: 0n,
      lastAmount: 0n,
    };
    for (const running of this.#running.values()) {
      const { request } = running;
      const isInScope = scopeIdsOf(request).includes(scopeId);
      if (!isInScope || request.startedAtMs < startMs || request.startedAtMs >= endMs) continue;
      const amountNanoUsd = findHoldAmount(limit, request);
      running.states.push(state);
      if (amountNanoUsd !== request.amountNanoUsd) {
        setAmount(running, running.states.length - 1, amountNanoUsd);
      }
      state.held += amountNanoUsd;
    }
    this.#states.set(text, state);
    this.#byScope.set(scopeId, [...(this.#byScope.get(scopeId) ?? []), state]);
    return state;
  }

  #existingStatesOf(origin: SpendOrigin): LeaseState[] {
    const existing: LeaseState[] = [];
    if (!this.isLimited(origin.organizationId)) return existing;
    for (const scopeId of scopeIdsOf(origin)) {
      for (const state of this.#byScope.get(scopeId) ?? NO_STATES) {
        if (isIn(state, origin.startedAtMs)) existing.push(state);
      }
    }
    return existing;
  }
}

const NO_STATES: readonly LeaseState[] = [];

function isIn({ startMs, endMs }: LeaseState, atMs: number): boolean {
  return atMs >= startMs && atMs < endMs;
}

function amountAt({ request, amounts }: Running, at: number): bigint {
  return amounts?.[at] ?? request.amountNanoUsd;
}

function setAmount(running: Running, at: number, nanoUsd: bigint): void {
  running.amounts ??= [];
  const { amounts } = running;
  while (amounts.length <= at) amounts.push(running.request.amountNanoUsd);
  amounts[at] = nanoUsd;
}

/** Unused part of the lease once it is `targets`, or while it stays. */
export function freeAmountAfter(state: LeaseState, targets: bigint | undefined): bigint {
  const free = (targets ?? state.leased) - state.held - state.pending;
  return free > 0n ? free : 0n;
}

/** A little too much is not worth a message; half of it is. */
export function isWorthTrimming({ leased, held, pending }: LeaseState, wanted: bigint): boolean {
  const free = leased - held - pending;
  return free > 0n && free > 2n * (wanted - held - pending);
}
