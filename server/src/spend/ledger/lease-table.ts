import { type PeriodName, periodOf } from "#src/domain/spend-period.ts";
import { isOwnScope } from "#src/domain/wire-scope.ts";
import { IdTable } from "#src/lib/id-table.ts";
import { type SpendScope, scopeIdsOf } from "./charges.ts";
import { findNeed, type StreamHold, type StrictLimit } from "./hold-refusal.ts";
import { type Figures, type LeaseTarget, type OpenedLease, usedOf } from "./lease-rules.ts";
import type { LeaseState } from "./lease-state.ts";
import { LeaseTraffic } from "./lease-traffic.ts";
import type { AppendedBatch, PendingSpend, SpendOrigin } from "./pending-spend.ts";
import {
  addLease,
  endRunning,
  followLimit,
  isStream,
  type Running,
  type RunningHold,
  type RunningStream,
  resizeStream,
  startRunning,
} from "./running-request.ts";
import { balanceKeyText } from "./spend-key.ts";

export type { RunningHold };

/** Response to the opening of a lease. */
export interface Opening extends OpenedLease {
  /** Amount in the message: holds, and ended spend that no fold had counted when the node wrote it. */
  neededNanoUsd: bigint;
  /** Folded position in the response. */
  foldedSeq: number;
  /** Batches that folds counted after the node wrote the message. */
  folded: readonly AppendedBatch[];
}

/** The numbers behind `NodeLeases`: running requests, and the leases that they use. */
export class LeaseTable {
  readonly #pending: PendingSpend;
  readonly #running = new IdTable<Running>();
  readonly #states = new Map<string, LeaseState>();
  /** The same leases by scope id, a few for each, so that the hot path builds no balance key. */
  readonly #byScope = new Map<string, LeaseState[]>();
  #limits = new Map<string, StrictLimit[]>();
  /** Organizations with a strict limit, or with a lease of an earlier one. */
  #organizations = new Set<string>();
  /** Organizations with a strict limit that holds streams in steps. */
  #stepped = new Set<string>();
  /** Organizations with a strict limit of a member, group or tag. These scopes share requests with several workspaces. */
  #crossed = new Set<string>();
  #measuredMs = Number.NEGATIVE_INFINITY;

  /** `pending`: ended spend that no fold has counted. The caller keeps it up to date. */
  constructor(pending: PendingSpend) {
    this.#pending = pending;
  }

  /** False: no limit holds requests of this organization. */
  isLimited(organizationId: string): boolean {
    return this.#organizations.has(organizationId);
  }

  /** False: no limit holds streams of this organization in steps. */
  hasSteps(organizationId: string): boolean {
    return this.#stepped.has(organizationId);
  }

  listStates(): IterableIterator<LeaseState> {
    return this.#states.values();
  }

  get(text: string): LeaseState {
    const state = this.#states.get(text);
    if (state === undefined) throw new Error("a lease of a message is in the table");
    return state;
  }

  /**
   * Replaces all strict limits by those of `version`. New ones hold running requests at once, and the next message reports
   * these holds.
   */
  setLimits(limits: readonly StrictLimit[], version: bigint): void {
    this.#limits = Map.groupBy(limits, ({ scopeId }) => scopeId);
    const crossing = limits.filter(({ scopeType }) => !isOwnScope(scopeType));
    this.#crossed = new Set(crossing.map(({ organizationId }) => organizationId));
    const stepped = limits.filter(({ hold }) => hold === "steps");
    this.#stepped = new Set(stepped.map(({ organizationId }) => organizationId));
    for (const state of this.#states.values()) {
      const { scopeId, period } = state.key;
      const inScope = this.#limits.get(scopeId);
      const before = state.limit;
      state.limit = inScope?.find((limit) => limit.period === period) ?? null;
      this.#changeHolds(state, before);
      // Requests that began while there was no limit are held from now on.
      if (before === null && state.limit !== null) this.#holdRunning(state);
      if (isRaised(before, state.limit)) {
        state.seen &&= { ...state.seen, limitNanoUsd: state.limit.amountNanoUsd };
        continue;
      }
      // The last numbers belong to an earlier limit. Until the next response, nothing is spendable.
      state.seenBefore = state.seen ?? state.seenBefore;
      state.seen = null;
      state.changedIn = version;
      if (state.isKept) this.close(state);
    }
    this.#findOrganizations();
    for (const { request } of this.#running.values()) this.getStates(request, request.startedAtMs);
    for (const limit of limits) {
      for (const day of this.#pending.days(limit.scopeId)) {
        this.#getState(limit, day);
      }
    }
  }

  listLimits(scopeId: string): readonly StrictLimit[] {
    return this.#limits.get(scopeId) ?? NO_LIMITS;
  }

  /** The leases of all strict limits of the chain for the periods of `atMs`, narrowest scope first. */
  getStates(scope: SpendScope, atMs: number): LeaseState[] {
    const states: LeaseState[] = [];
    if (this.#limits.size === 0) return states;
    for (const scopeId of scopeIdsOf(scope)) {
      const limits = this.#limits.get(scopeId);
      if (limits === undefined) continue;
      const known = this.#byScope.get(scopeId);
      for (const limit of limits) {
        states.push(findState(known, limit, atMs) ?? this.#getState(limit, atMs));
      }
    }
    return states;
  }

  /** Id of the narrowest scope that has all requests which share a limited balance with this one. Null: no limit. */
  findWidestLimited(scope: SpendScope): string | null {
    const widest = scopeIdsOf(scope).findLast((scopeId) => this.#limits.has(scopeId)) ?? null;
    const { organizationId } = scope;
    return widest !== null && this.#crossed.has(organizationId) ? organizationId : widest;
  }

  /** Lets the leases of these scopes return their free budget until a time on the monotonic clock, milliseconds. */
  returnFree(scopeIds: ReadonlySet<string>, untilMs: number): void {
    for (const scopeId of scopeIds) {
      for (const state of this.#byScope.get(scopeId) ?? NO_STATES) state.returningUntilMs = untilMs;
    }
  }

  freeAmount({ granted, drawn, held }: LeaseState): bigint {
    return granted - drawn - held;
  }

  /** Ended spend in the balance that no fold has counted, nano-USD. */
  pendingOf(state: LeaseState): bigint {
    return this.#pending.sumOfDraws(periodIn(state));
  }

  /** Smallest value that the database must have as granted: ended and running requests. */
  findLeastTarget(state: LeaseState): LeaseTarget {
    const { countId, drawn, held } = state;
    return countId === null
      ? { kind: "open", neededNanoUsd: this.pendingOf(state) + held, keptNanoUsd: 0n }
      : { kind: "set", countId, grantedNanoUsd: drawn + held };
  }

  /** Free budget from before a failover. */
  keptAmount(state: LeaseState): bigint {
    const free = state.isKept ? this.freeAmount(state) : 0n;
    return free > 0n ? free : 0n;
  }

  /**
   * Opens a lease with the numbers of the database, and returns its excess. If a fold ran after the node wrote the message,
   * the database has granted more than needed, without a check of the limit. No request uses the excess, and the next
   * message returns it.
   */
  open(state: LeaseState, opening: Opening): bigint {
    const { countId, drawnNanoUsd, neededNanoUsd, keptNanoUsd, foldedSeq, folded } = opening;
    const kept = this.keptAmount(state);
    const drawsOf = (batches: readonly AppendedBatch[]) =>
      batches.reduce((sum, { sums }) => sum + sums.sumOfDraws(periodIn(state)), 0n);
    // Pending spend at the folded position of the response. The node may know a later or an earlier position.
    const counted = drawsOf(this.#pending.batchesUpTo(foldedSeq));
    const later = drawsOf(folded.filter(({ toSeq }) => toSeq > foldedSeq));
    state.countId = countId;
    state.drawn = drawnNanoUsd + this.pendingOf(state) - counted + later;
    state.isKept = false;
    const granted = drawnNanoUsd + neededNanoUsd + keptNanoUsd;
    const free = granted - state.drawn - state.held;
    const excess = free > kept ? free - kept : 0n;
    state.granted = granted - excess;
    return excess;
  }

  /** Closes a lease whose draws the database does not count, or counts anew. */
  close(state: LeaseState): void {
    Object.assign(state, { countId: null, granted: 0n, drawn: 0n, isKept: false });
  }

  /** Closes a lease at a failover. Its budget stays usable. */
  keepBudget(state: LeaseState): void {
    if (state.countId === null) return;
    const { granted, drawn } = state;
    Object.assign(state, { countId: null, granted: granted - drawn, drawn: 0n, isKept: true });
  }

  /**
   * Amount that requests can hold without a message. Zero after a change of limits, until the next response. Zero also
   * while the limit is exceeded, so that budget of ended requests is not spent again.
   */
  spendableOf(state: LeaseState): bigint {
    return findSpendable(state);
  }

  /** `stream`: hold under limits with steps. Undefined: each limit holds the whole amount. */
  begin(request: RunningHold, states: LeaseState[], stream?: StreamHold): void {
    const running = startRunning(request, states, stream);
    const asked = stream === undefined ? request : { ...request, stream };
    for (const state of states) {
      const { held, reserved, traffic } = state;
      traffic.addRequest(findNeed(state, asked), held + reserved);
    }
    this.#running.add(request.requestId, running);
  }

  /** Adds a running request that no limit counts yet. Limits that are set later count it. */
  adopt(request: RunningHold): void {
    if (!this.#running.has(request.requestId)) this.begin(request, []);
  }

  /** Finds a running request that a limit holds in steps. */
  findStream(requestId: string): RunningStream | null {
    const running = this.#running.get(requestId);
    return running !== undefined && isStream(running) ? running : null;
  }

  /** Sums the holds of the running streams in steps. */
  sumStreams(): { streams: number; nanoUsd: bigint } {
    const sum = { streams: 0, nanoUsd: 0n };
    for (const { steps } of this.#running.values()) {
      if (steps === null) continue;
      sum.streams += 1;
      sum.nanoUsd += steps.currentNanoUsd;
    }
    return sum;
  }

  /** Sets the hold of a stream in all its leases with steps. The caller has checked a larger one. */
  resize(stream: RunningStream, nanoUsd: bigint): void {
    resizeStream(stream, nanoUsd);
    for (const { traffic, held, reserved } of stream.states) traffic.addHeld(held + reserved);
  }

  /** Ends a hold, and returns its scope. Null for a request without a hold, and for a second call. */
  end(requestId: string): SpendScope | null {
    const running = this.#running.remove(requestId);
    if (running === undefined) return null;
    endRunning(running);
    return running.request;
  }

  /** Draws `nanoUsd` from the open leases of an ended request. Negative: no fold will count it. */
  draw(origin: SpendOrigin, nanoUsd: bigint): void {
    this.#draw(origin, nanoUsd, false);
  }

  /** Draws `nanoUsd` of a request that ends now. Its kept leases are from before a failover, and draw it too. */
  drawEnd(origin: SpendOrigin, nanoUsd: bigint): void {
    this.#draw(origin, nanoUsd, true);
  }

  setFigures(text: string, figures: Figures, nowMs: number): void {
    const state = this.#states.get(text);
    if (state) state.seenAtMs = nowMs;
    // The limit may have changed after the database read it. The node decides by the limits that it knows.
    if (state?.limit) state.seen = { ...figures, limitNanoUsd: state.limit.amountNanoUsd };
  }

  /** Measures the traffic of all leases. The caller repeats it some times a second, or less often for a quiet node. */
  measureTraffic(
    nowMs: number,
    { coverMs, canRest }: { coverMs: number; canRest: (state: LeaseState) => boolean },
  ): void {
    const elapsedMs = nowMs - this.#measuredMs;
    this.#measuredMs = nowMs;
    if (!Number.isFinite(elapsedMs)) return;
    for (const state of this.#states.values()) {
      const { traffic, held, reserved } = state;
      if (traffic.isNone) continue;
      const mayRest = held === 0n && canRest(state);
      traffic.measure(held + reserved, { nowMs, elapsedMs, coverMs, canRest: mayRest });
    }
  }

  /**
   * Removes ended and empty leases after the database has applied a complete message. A lease with pending spend stays,
   * because a complete message returns each lease that it does not name.
   */
  removeIdle(atMs: number): void {
    for (const state of this.#states.values()) {
      const isOver = state.limit === null || state.endMs <= atMs;
      const isEmpty = state.held === 0n && state.granted <= state.drawn;
      if (isOver && isEmpty && this.pendingOf(state) === 0n) this.#forget(state.text);
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

  #getState(limit: StrictLimit, atMs: number): LeaseState {
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
      countId: null,
      isKept: false,
      granted: 0n,
      drawn: 0n,
      held: 0n,
      reserved: 0n,
      seen: null,
      seenBefore: null,
      seenAtMs: Number.NEGATIVE_INFINITY,
      returningUntilMs: Number.NEGATIVE_INFINITY,
      traffic: this.#takeTraffic(scopeId, { name: limit.period, startMs }),
      changedIn: 0n,
    };
    this.#holdRunning(state);
    this.#states.set(text, state);
    this.#byScope.set(scopeId, [...(this.#byScope.get(scopeId) ?? []), state]);
    return state;
  }

  /** Returns the traffic of the period before, so that a new period starts with its estimates. */
  #takeTraffic(scopeId: string, period: { name: PeriodName; startMs: number }): LeaseTraffic {
    const before = this.#byScope.get(scopeId)?.find(({ key, endMs }) => {
      return key.period === period.name && endMs === period.startMs;
    });
    const traffic = new LeaseTraffic();
    if (before === undefined) return traffic;
    const known = before.traffic;
    before.traffic = traffic;
    return known;
  }

  /** Adds running requests that the lease does not hold yet. */
  #holdRunning(state: LeaseState): void {
    for (const running of this.#running.values()) {
      const { request, states } = running;
      const isInScope = scopeIdsOf(request).includes(state.key.scopeId);
      if (!isInScope || !isInPeriod(state, request.startedAtMs) || states.includes(state)) continue;
      addLease(running, state);
    }
  }

  /** Lets the holds of streams follow a changed limit. `before`: the earlier limit. */
  #changeHolds(state: LeaseState, before: StrictLimit | null): void {
    const isOther = before?.id !== state.limit?.id;
    if (!isOther && before?.hold === state.limit?.hold) return;
    state.reserved = 0n;
    for (const running of this.#running.values()) {
      if (isStream(running)) followLimit(running, state, { isOther });
    }
  }

  /** Runs for each ended request, so it builds no list of leases. */
  #draw(origin: SpendOrigin, nanoUsd: bigint, drawsKept: boolean): void {
    if (!this.isLimited(origin.organizationId)) return;
    for (const scopeId of scopeIdsOf(origin)) {
      for (const state of this.#byScope.get(scopeId) ?? NO_STATES) {
        if (!isInPeriod(state, origin.startedAtMs)) continue;
        if (state.countId !== null) {
          state.drawn += nanoUsd;
          state.traffic.addDraw(nanoUsd);
        } else if (drawsKept && state.isKept) {
          state.drawn += nanoUsd;
        }
      }
    }
  }
}

/** True if budget under the earlier limit is within the later one too. */
function isRaised(before: StrictLimit | null, after: StrictLimit | null): after is StrictLimit {
  if (before === null || after === null || before.id !== after.id) return false;
  return before.amountNanoUsd <= after.amountNanoUsd;
}

const NO_STATES: readonly LeaseState[] = [];
const NO_LIMITS: readonly StrictLimit[] = [];

function findState(
  states: readonly LeaseState[] | undefined,
  limit: StrictLimit,
  atMs: number,
): LeaseState | null {
  for (const state of states ?? NO_STATES) {
    if (state.limit === limit && isInPeriod(state, atMs)) return state;
  }
  return null;
}

function isInPeriod({ startMs, endMs }: LeaseState, atMs: number): boolean {
  return atMs >= startMs && atMs < endMs;
}

/** See `LeaseTable.spendableOf`. */
export function findSpendable(state: LeaseState): bigint {
  const { limit, seen, countId, isKept, granted, drawn, held } = state;
  if (limit === null || seen === null || (countId === null && !isKept)) return 0n;
  return usedOf(seen) > limit.amountNanoUsd ? 0n : granted - drawn - held;
}

function periodIn({ key: { scopeId }, startMs, endMs }: LeaseState) {
  return { scopeId, startMs, endMs };
}
