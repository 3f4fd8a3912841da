import {
  msFromIsoDate,
  type PeriodName,
  periodNames,
  periodOf,
  type SpendPeriod,
} from "#src/domain/spend-period.ts";
import { chainOf, type SpendScope } from "#src/spend/ledger/charges.ts";
import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import { leastOf } from "#src/spend/ledger/lease-rules.ts";
import { balanceKeyText } from "#src/spend/ledger/spend-key.ts";
import type { FoldedNode, Snapshot, SpendStore, StoredBalance, StoredLease } from "./store.ts";

// The truth that no part of a real system knows: every request that was ever sent, and its cost or worst case. The
// simulation checks the invariants of spend against it after each step.

export interface TrueRequest {
  requestId: string;
  nodeId: string;
  keys: ReadonlySet<string>;
  worst: bigint;
  /** Holds of a stream by balance key, nano-USD. Absent keys: the worst case. */
  holds: ReadonlyMap<string, bigint>;
  /** Null while the request runs, and forever when its end was lost. */
  cost: bigint | null;
  /** Appended to the database, counted by a fold or not. */
  isRecorded: boolean;
  isLost: boolean;
  /** Cost in its record: 0 when the end was lost in a power failure. */
  recordedCost: bigint;
  /** Keys that no longer promise anything about the request: see `exempt`. */
  exempt: Set<string>;
}

interface LimitChange {
  atMs: number;
  found: ReadonlyMap<string, StoredBalance>;
  /** A fold that may know the earlier limit was running. */
  isDuringFold: boolean;
}

interface Checked {
  snapshot: Snapshot;
  activating: readonly StrictLimit[];
  /** Names of limits that a failover changed, while nodes have not reported. */
  inactiveLimits: ReadonlySet<string>;
  spendable: ReadonlyMap<string, bigint>;
}

interface Unfolded {
  request: TrueRequest;
  toSeq: number;
}

/** Facts that a failover can move back. */
export interface SavedModel {
  recorded: ReadonlyMap<string, bigint>;
  unfolded: ReadonlyMap<string, readonly Unfolded[]>;
  settled: ReadonlyMap<string, bigint>;
  set: ReadonlyMap<string, LimitChange>;
}

interface Recorded {
  cost: bigint;
  nodeId: string;
  toSeq: number;
}

export class Model {
  readonly requests = new Map<string, TrueRequest>();
  /** The same requests by balance key. */
  readonly #requestsOfKey = new Map<string, TrueRequest[]>();
  /** Balance keys of all requests by scope and period, with the period's bounds. */
  readonly #keys = new Map<string, Map<string, SpendPeriod>>();
  /** Recorded requests that no fold has counted, by node, in the order of their batches. */
  #unfolded = new Map<string, Unfolded[]>();
  /** Sum of counted costs by balance key. */
  #settled = new Map<string, bigint>();
  /** Highest true spend by limit and balance key. Absent while the limit is activating. */
  readonly #ceilings = new Map<string, Map<string, bigint>>();
  #limits: StrictLimit[] = [];
  /** Time of each limit's last change, and all balances at that time. */
  #set = new Map<string, LimitChange>();
  #activating = new Set<string>();
  #snapshot: Snapshot | null = null;

  /** Adds a request. `known`: keys of the limits that its node knows. `isExempt`: no limit promises anything about it. */
  begin(
    request: Pick<TrueRequest, "requestId" | "nodeId" | "worst"> & {
      scope: SpendScope;
      startedAtMs: number;
      known: ReadonlySet<string>;
      isExempt: boolean;
    },
  ): void {
    const { requestId, nodeId, scope, startedAtMs, worst, known, isExempt } = request;
    if (this.requests.has(requestId)) throw new Error(`${requestId} began twice`);
    const keys = new Set(keysOf(scope, startedAtMs));
    // A clock jump may fence a node too early. The node then misses limits that are created meanwhile.
    const isEarly = this.#snapshot?.nodes.get(nodeId)?.isLive === false;
    const exempt = new Set([...keys].filter((key) => isExempt || (isEarly && !known.has(key))));
    const unfinished = { cost: null, isRecorded: false, isLost: false, recordedCost: 0n };
    this.#add({ requestId, nodeId, keys, worst, holds: NO_HOLDS, ...unfinished, exempt });
  }

  #add(request: TrueRequest): void {
    this.requests.set(request.requestId, request);
    for (const key of request.keys) {
      const others = this.#requestsOfKey.get(key);
      if (others !== undefined) {
        others.push(request);
        continue;
      }
      this.#requestsOfKey.set(key, [request]);
      const name = balanceNameOf(key);
      const periods = this.#keys.get(name) ?? new Map<string, SpendPeriod>();
      this.#keys.set(name, periods.set(key, periodOfKey(key)));
    }
  }

  /** Sets the holds of a running stream. A running node spends no more on it. */
  setHolds(requestId: string, holds: ReadonlyMap<string, bigint>): void {
    this.#get(requestId).holds = holds;
  }

  /** Ends a request. `cost` null: interrupted, with an unknown cost. */
  end(requestId: string, cost: bigint | null): void {
    this.#get(requestId).cost = cost;
  }

  /** The database has appended the request, in the batch up to `toSeq` of the node. */
  recorded(requestId: string, { cost, nodeId, toSeq }: Recorded): void {
    const request = this.#get(requestId);
    if (request.isRecorded) throw new Error(`${requestId} was recorded twice`);
    request.isRecorded = true;
    request.recordedCost = cost;
    const unfolded = this.#unfolded.get(nodeId) ?? [];
    this.#unfolded.set(nodeId, unfolded);
    unfolded.push({ request, toSeq });
  }

  /** A fold has counted the batches of these nodes. */
  async recordFold(folded: readonly FoldedNode[], store: SpendStore): Promise<void> {
    for (const change of this.#set.values()) {
      if (!change.isDuringFold) continue;
      const { balances: found } = await store.snapshot();
      Object.assign(change, { found, isDuringFold: false });
    }
    for (const { nodeId, toSeq: seq } of folded) {
      const rest = this.#unfolded.get(nodeId) ?? [];
      const counted = rest.filter(({ toSeq }) => toSeq <= seq);
      this.#unfolded.set(
        nodeId,
        rest.filter(({ toSeq }) => toSeq > seq),
      );
      for (const { request } of counted) this.#settle(request);
    }
  }

  /** Number of recorded requests that no fold has counted. */
  get unfolded(): number {
    return [...this.#unfolded.values()].reduce((count, { length }) => count + length, 0);
  }

  #settle({ keys, recordedCost }: TrueRequest): void {
    for (const key of keys) this.#settled.set(key, (this.#settled.get(key) ?? 0n) + recordedCost);
  }

  /** Marks a request whose begin a power failure removed. No record follows. */
  recordLoss(requestId: string): void {
    this.#get(requestId).isLost = true;
  }

  /**
   * Records released holds of single requests and budget of ended periods. Their requests may then cost anything: a
   * clock that jumps back into such a period is not covered. `atMs`: the database's clock.
   */
  recordRelease(rows: readonly StoredLease[], atMs: number): void {
    const isHold = ({ requestId }: StoredLease) => requestId.startsWith("req_");
    for (const { requestId, key } of rows) this.requests.get(requestId)?.exempt.add(key);
    const budget = rows.filter((row) => !isHold(row));
    for (const { key } of budget) {
      if (periodOfKey(key).endMs > atMs) throw new Error(`${label(key)}: released in its period`);
    }
    this.recordForgotten(budget);
  }

  /** Records released budget of a node. Its requests may then cost anything, as an overrun. */
  recordForgotten(rows: readonly StoredLease[]): void {
    for (const { nodeId, key } of rows) {
      for (const request of this.requests.values()) {
        if (request.nodeId === nodeId && !request.isRecorded) request.exempt.add(key);
      }
    }
  }

  /** Saves what the database knows. */
  save(): SavedModel {
    const recorded = [...this.requests.values()].flatMap(
      ({ requestId, isRecorded, recordedCost }) =>
        isRecorded ? [[requestId, recordedCost] as const] : [],
    );
    return {
      recorded: new Map(recorded),
      unfolded: new Map([...this.#unfolded].map(([nodeId, rows]) => [nodeId, [...rows]])),
      settled: new Map(this.#settled),
      set: new Map([...this.#set].map(([name, change]) => [name, { ...change }])),
    };
  }

  /**
   * Records a failover to a database that has only what was saved. A limit that was changed since counts as changed now: it
   * has no ceiling until all nodes follow it.
   */
  async restore(saved: SavedModel, store: SpendStore): Promise<void> {
    for (const request of this.requests.values()) {
      const cost = saved.recorded.get(request.requestId);
      Object.assign(request, { isRecorded: cost !== undefined, recordedCost: cost ?? 0n });
    }
    this.#unfolded = new Map([...saved.unfolded].map(([nodeId, rows]) => [nodeId, [...rows]]));
    this.#settled = new Map(saved.settled);
    this.#set = new Map([...saved.set].map(([name, change]) => [name, { ...change }]));
    await this.recordLimitsChange(store);
  }

  /** Names of limits that are not in force yet. */
  listInactive(): string[] {
    return this.#limits.map(nameOf).filter((name) => !this.#ceilings.has(name));
  }

  /**
   * Records that grants no longer wait for a node whose leases the database may lack. Its requests may then cost anything,
   * as an overrun, on balances where the node's known lease is smaller than its requests. `isLostOnly`: only requests that
   * a power failure removed from the journal.
   */
  recordUncovered(
    nodeId: string,
    snapshot: Snapshot,
    { isLostOnly }: { isLostOnly: boolean },
  ): void {
    for (const [key, all] of this.#requestsOfKey) {
      const requests = all.filter((each) => each.nodeId === nodeId && !each.isRecorded);
      if (requests.length === 0) continue;
      const rows = snapshot.leases.filter((row) => {
        return row.key === key && row.nodeId === nodeId && !row.requestId.startsWith("req_");
      });
      const needed = sum(requests.map((request) => possibleSpend(request, key)));
      if (sum(rows.map(({ amount }) => amount)) >= needed) continue;
      for (const request of requests) if (request.isLost || !isLostOnly) request.exempt.add(key);
    }
  }

  /** Records that the limit was set. Spend settled beyond it from now on is an overrun. */
  async recordLimitSet(
    limit: Omit<StrictLimit, "amountNanoUsd">,
    store: SpendStore,
    change: Omit<LimitChange, "found">,
  ): Promise<void> {
    const { balances } = await store.snapshot();
    this.#set.set(nameOf(limit), { ...change, found: balances });
    await this.recordLimitsChange(store);
  }

  /** Handles every limit change. A raised limit holds at once. Any other holds once all nodes know it. */
  async recordLimitsChange(store: SpendStore): Promise<void> {
    const before = new Map(this.#limits.map((limit) => [nameOf(limit), limit]));
    this.#limits = (await store.limits()).limits.map((limit) => ({ ...limit }));
    for (const limit of this.#limits) {
      const name = nameOf(limit);
      const old = before.get(name);
      if (old && old.amountNanoUsd <= limit.amountNanoUsd) {
        for (const [key, ceiling] of this.#ceilings.get(name) ?? []) {
          if (ceiling < limit.amountNanoUsd)
            this.#ceilings.get(name)?.set(key, limit.amountNanoUsd);
        }
      } else this.#ceilings.delete(name);
      before.delete(name);
    }
    for (const name of before.keys()) this.#ceilings.delete(name);
  }

  /** `spendable`: budget that nodes can hold without a message, by balance key. */
  check({ snapshot, activating, inactiveLimits, spendable }: Checked): void {
    this.#snapshot = snapshot;
    this.#activating = new Set([...activating.map(nameOf), ...inactiveLimits]);
    this.#activate(snapshot);
    this.#checkCeilings(spendable);
    this.#checkOverruns(snapshot);
    this.#checkSums(snapshot);
  }

  /** Spend on the key that the limit promises: the cost of each request, or its hold while unknown. */
  #sumTrueSpend(key: string): bigint {
    let sum = 0n;
    for (const request of this.#requestsOfKey.get(key) ?? []) {
      if (!request.exempt.has(key)) sum += promisedSpend(request, key);
    }
    return sum;
  }

  #activate(snapshot: Snapshot): void {
    for (const limit of this.#limits) {
      const name = nameOf(limit);
      if (this.#activating.has(name) || this.#ceilings.has(name)) continue;
      const ceilings = new Map<string, bigint>();
      // A node that was fenced early may have budget of a period without requests.
      const leased = [...snapshot.balances.keys()].filter(
        (key) => balanceNameOf(key) === keyNameOf(limit),
      );
      for (const key of new Set([...this.#periodsOf(limit).keys(), ...leased])) {
        const requests = this.#requestsOfKey.get(key) ?? [];
        const unknown = requests.filter((request) =>
          isUnknown(request, { key, requests, snapshot }),
        );
        for (const request of unknown) request.exempt.add(key);
        // A new limit cannot take back amounts that were spent, running or leased before all nodes reported.
        const row = snapshot.balances.get(key);
        const used = row === undefined ? 0n : row.settled + row.leased + row.unresolved;
        for (const found of [used, this.#sumTrueSpend(key)]) {
          if (found > (ceilings.get(key) ?? limit.amountNanoUsd)) ceilings.set(key, found);
        }
      }
      this.#ceilings.set(name, ceilings);
    }
  }

  /** Invariant 1: spend and possible spend stay within the limit in force. */
  #checkCeilings(spendable: ReadonlyMap<string, bigint>): void {
    for (const limit of this.#limits) {
      const ceilings = this.#ceilings.get(nameOf(limit));
      if (ceilings === undefined) continue;
      for (const key of this.#periodsOf(limit).keys()) {
        const ceiling = ceilings.get(key) ?? limit.amountNanoUsd;
        const free = spendable.get(key) ?? 0n;
        const truth = this.#sumTrueSpend(key);
        if (truth + free <= ceiling) continue;
        throw new Error(`${label(key)}: ${truth} and ${free} to spend is over ${ceiling}`);
      }
    }
  }

  /**
   * Invariant 1 in the records: settled ≤ the limit in force + overruns since it was set, or the spend that it found.
   * No overrun is recorded without spend over the limit. A limit does not apply to periods that ended before it was
   * set.
   */
  #checkOverruns({ balances }: Snapshot): void {
    for (const limit of this.#limits) {
      const set = this.#set.get(nameOf(limit));
      if (set === undefined) continue;
      for (const [key, { startMs, endMs }] of this.#periodsOf(limit)) {
        const { settled, overrun } = balances.get(key) ?? NOTHING;
        const found = set.found.get(key) ?? NOTHING;
        if (set.atMs >= endMs) continue;
        const recorded = overrun - found.overrun;
        const allowed = larger(limit.amountNanoUsd, found.settled);
        if (settled > allowed + recorded) {
          throw new Error(`${label(key)}: ${settled} is over ${allowed} + ${recorded}`);
        }
        // A clock that jumps back sets a limit before a period that already has spend.
        const least = set.atMs <= startMs ? limit.amountNanoUsd : allowed;
        if (recorded > 0n && recorded > settled - least) {
          throw new Error(`${label(key)}: overrun ${recorded}, of ${settled} over ${least}`);
        }
      }
    }
  }

  /** Each balance has the sums of counted costs and of leases. */
  #checkSums({ balances, leases }: Snapshot): void {
    const [leased, unresolved] = [false, true].map((isUnresolved) => {
      const sums = new Map<string, bigint>();
      for (const row of leases) {
        if (row.isUnresolved !== isUnresolved) continue;
        sums.set(row.key, (sums.get(row.key) ?? 0n) + row.amount);
      }
      return sums;
    });
    const keys = new Set([...balances.keys(), ...this.#settled.keys()]);
    for (const key of keys) {
      const found = balances.get(key) ?? NOTHING;
      expectAmount(key, "settled", found.settled, this.#settled.get(key));
      expectAmount(key, "leased", found.leased, leased?.get(key));
      expectAmount(key, "unresolved", found.unresolved, unresolved?.get(key));
    }
  }

  /** Periods of the limit that have requests, by balance key. */
  #periodsOf(limit: StrictLimit): ReadonlyMap<string, SpendPeriod> {
    return this.#keys.get(keyNameOf(limit)) ?? NO_PERIODS;
  }

  #get(requestId: string): TrueRequest {
    const request = this.requests.get(requestId);
    if (request === undefined) throw new Error(`${requestId} was never sent`);
    return request;
  }
}

/**
 * Whether no later limit can count the request. Its node was fenced before it reported it, a power failure removed
 * it, or it was interrupted.
 */
function isUnknown(
  request: TrueRequest,
  of: { key: string; requests: readonly TrueRequest[]; snapshot: Snapshot },
): boolean {
  if (request.isRecorded && request.cost === request.recordedCost) return false;
  const { key, requests, snapshot } = of;
  const { nodeId } = request;
  const isLive = snapshot.nodes.get(nodeId)?.isLive === true;
  if (isLive && !request.isRecorded && !request.isLost) return false;
  const rows = snapshot.leases.filter((row) => {
    return row.key === key && row.nodeId === nodeId && row.isUnresolved;
  });
  if (rows.some(({ requestId }) => requestId === request.requestId)) return false;
  // A remaining lease of an earlier limit may cover less than the node's requests.
  const kept = rows.filter(({ requestId }) => !requestId.startsWith("req_"));
  const needed = requests.filter((each) => each.nodeId === nodeId && !each.isRecorded);
  return (
    sum(kept.map(({ amount }) => amount)) < sum(needed.map((each) => possibleSpend(each, key)))
  );
}

/** Cost of a request, or its hold while the cost is unknown. */
function possibleSpend({ cost, worst, holds }: TrueRequest, key: string): bigint {
  return cost ?? holds.get(key) ?? worst;
}

/** The same without the part beyond the hold. Only streams have one, and each has a cause that `SimulatedStreams` checks. */
function promisedSpend(request: TrueRequest, key: string): bigint {
  const hold = request.holds.get(key);
  const { cost } = request;
  if (hold === undefined || cost === null) return possibleSpend(request, key);
  return leastOf(cost, hold);
}

const NO_HOLDS: ReadonlyMap<string, bigint> = new Map();

const NO_PERIODS: ReadonlyMap<string, SpendPeriod> = new Map();
const NOTHING: StoredBalance = { settled: 0n, leased: 0n, unresolved: 0n, overrun: 0n };

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

export function periodOfKey(key: string): SpendPeriod {
  const [, , period = "", start = ""] = key.split("\n");
  return periodOf(period as PeriodName, msFromIsoDate(start));
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, each) => total + each, 0n);
}

export function keysOf(scope: SpendScope, atMs: number): string[] {
  return periodNames.flatMap((period) => {
    const periodStart = periodOf(period, atMs).start;
    return chainOf(scope).map(([scopeType, scopeId]) =>
      balanceKeyText({ scopeType, scopeId, period, periodStart }),
    );
  });
}

/** Part of a balance key before the start of its period. */
function balanceNameOf(key: string): string {
  return key.slice(0, key.lastIndexOf("\n"));
}

function keyNameOf({ scopeType, scopeId, period }: StrictLimit): string {
  return `${scopeType}\n${scopeId}\n${period}`;
}

function nameOf({ scopeType, scopeId, period }: Omit<StrictLimit, "amountNanoUsd">): string {
  return `${scopeType} ${scopeId} ${period}`;
}

export function expectSame(what: string, found: unknown, expected: unknown): void {
  if (found !== expected)
    throw new Error(`${what}: ${String(found)}, expected ${String(expected)}`);
}

/** Runs millions of times, so only a failure forms its text. */
function expectAmount(key: string, name: keyof StoredBalance, found: bigint, expected = 0n): void {
  if (found !== expected) expectSame(`${label(key)} ${name}`, found, expected);
}

export function label(key: string): string {
  return key.replaceAll("\n", " ");
}
