import {
  msFromIsoDate,
  type PeriodName,
  periodNames,
  periodOf,
  type SpendPeriod,
} from "#src/domain/spend-period.ts";
import { chainOf, type SpendScope } from "#src/spend/ledger/charges.ts";
import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import { balanceKeyText } from "#src/spend/ledger/spend-key.ts";
import type { Snapshot, SpendStore, StoredBalance, StoredLease } from "./store.ts";

// What is true, as nobody in a real system could know it: every request that was ever sent, and what it has cost or
// may still cost. The invariants of spend are checked against it after each step.

export interface TrueRequest {
  requestId: string;
  nodeId: string;
  keys: ReadonlySet<string>;
  worst: bigint;
  /** Null while it runs, and for ever where its end was lost. */
  cost: bigint | null;
  isRecorded: boolean;
  isLost: boolean;
  /** What its record says: 0 where the end was lost with the power. */
  recordedCost: bigint;
  /** Keys on which nothing is promised of it any more: see `exempt`. */
  exempt: Set<string>;
}

export class Model {
  readonly requests = new Map<string, TrueRequest>();
  /** By limit, then by balance key: what may be true at most. Absent while the limit is being activated. */
  readonly #ceilings = new Map<string, Map<string, bigint>>();
  #limits: StrictLimit[] = [];
  /** Time at which each limit was set, and every balance at that time. */
  readonly #set = new Map<string, { atMs: number; found: ReadonlyMap<string, StoredBalance> }>();
  #activating = new Set<string>();
  #snapshot: Snapshot | null = null;

  /** `known`: the keys of the limits that its node keeps. */
  begin(
    request: Pick<TrueRequest, "requestId" | "nodeId" | "worst"> & {
      scope: SpendScope;
      startedAtMs: number;
      known: ReadonlySet<string>;
    },
  ): void {
    const { requestId, nodeId, scope, startedAtMs, worst, known } = request;
    if (this.requests.has(requestId)) throw new Error(`${requestId} began twice`);
    const keys = new Set(keysOf(scope, startedAtMs));
    // Reclaimed too early, since the database's clock jumped, a node does not hear of limits that are made meanwhile.
    const isEarly = this.#snapshot?.nodes.get(nodeId)?.isLive === false;
    const exempt = new Set(isEarly ? [...keys].filter((key) => !known.has(key)) : []);
    const unfinished = { cost: null, isRecorded: false, isLost: false, recordedCost: 0n };
    this.requests.set(requestId, { requestId, nodeId, keys, worst, ...unfinished, exempt });
  }

  /** `cost` null: interrupted, nobody knows what it has cost. */
  end(requestId: string, cost: bigint | null): void {
    this.#get(requestId).cost = cost;
  }

  recorded(requestId: string, cost: bigint): void {
    const request = this.#get(requestId);
    if (request.isRecorded) throw new Error(`${requestId} was recorded twice`);
    request.isRecorded = true;
    request.recordedCost = cost;
  }

  /** The power took its begin: no record will ever come. */
  lost(requestId: string): void {
    this.#get(requestId).isLost = true;
  }

  /**
   * Time released holds of single requests, and budget whose period is over. From then on the requests behind them may cost
   * what they do: a clock that jumps back into such a period is not covered. `atMs`: the database's clock.
   */
  released(rows: readonly StoredLease[], atMs: number): void {
    const isHold = ({ requestId }: StoredLease) => requestId.startsWith("req_");
    for (const { requestId, key } of rows) this.requests.get(requestId)?.exempt.add(key);
    const budget = rows.filter((row) => !isHold(row));
    for (const { key } of budget) {
      if (periodOfKey(key).endMs > atMs) throw new Error(`${label(key)}: released in its period`);
    }
    this.forgotten(budget);
  }

  /** The budget of the node is released: its requests may cost what they do, as an overrun. */
  forgotten(rows: readonly StoredLease[]): void {
    for (const { nodeId, key } of rows) {
      for (const request of this.requests.values()) {
        if (request.nodeId === nodeId && !request.isRecorded) request.exempt.add(key);
      }
    }
  }

  /** The limit was set: what is settled beyond it from now on is an overrun. */
  async limitSet(limit: Omit<StrictLimit, "amountNanoUsd">, store: SpendStore, atMs: number) {
    const { balances } = await store.snapshot();
    this.#set.set(nameOf(limit), { atMs, found: balances });
    await this.limitsChanged(store);
  }

  /** Every limit change passes here. A raised limit holds at once; any other from the moment that all nodes keep it. */
  async limitsChanged(store: SpendStore): Promise<void> {
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

  async check(store: SpendStore): Promise<void> {
    const snapshot = await store.snapshot();
    this.#snapshot = snapshot;
    this.#activating = new Set((await store.activating()).map(nameOf));
    this.#activate(snapshot);
    this.#checkCeilings();
    this.#checkOverruns(snapshot);
    this.#checkSums(snapshot);
  }

  /** What a request counts for: its cost, or while that is not known, its worst case. */
  #truth(key: string): bigint {
    let sum = 0n;
    for (const request of this.requests.values()) {
      if (request.keys.has(key) && !request.exempt.has(key)) sum += request.cost ?? request.worst;
    }
    return sum;
  }

  #activate(snapshot: Snapshot): void {
    for (const limit of this.#limits) {
      const name = nameOf(limit);
      if (this.#activating.has(name) || this.#ceilings.has(name)) continue;
      const ceilings = new Map<string, bigint>();
      for (const key of this.#keysOf(limit)) {
        const requests = [...this.requests.values()].filter(({ keys }) => keys.has(key));
        const unknown = requests.filter((request) =>
          isUnknown(request, { key, requests, snapshot }),
        );
        for (const request of unknown) request.exempt.add(key);
        // What a new limit finds spent, running, or leased before everybody had reported, it cannot take back.
        const row = snapshot.balances.get(key);
        const used = row === undefined ? 0n : row.settled + row.leased + row.unresolved;
        for (const found of [used, this.#truth(key)]) {
          if (found > (ceilings.get(key) ?? limit.amountNanoUsd)) ceilings.set(key, found);
        }
      }
      this.#ceilings.set(name, ceilings);
    }
  }

  /** Invariant 1: what was spent, and what may still turn out to be, stays within the limit in force. */
  #checkCeilings(): void {
    for (const limit of this.#limits) {
      const ceilings = this.#ceilings.get(nameOf(limit));
      if (ceilings === undefined) continue;
      for (const key of this.#keysOf(limit)) {
        const ceiling = ceilings.get(key) ?? limit.amountNanoUsd;
        const truth = this.#truth(key);
        if (truth > ceiling) throw new Error(`${label(key)}: ${truth} is over ${ceiling}`);
      }
    }
  }

  /**
   * Invariant 1, as it is recorded: settled ≤ the limit in force + overruns since it was set, or what it found. And no
   * overrun is recorded that did not exceed the limit. A limit is not the one of periods that ended before it was set.
   */
  #checkOverruns({ balances }: Snapshot): void {
    for (const limit of this.#limits) {
      const set = this.#set.get(nameOf(limit));
      if (set === undefined) continue;
      for (const key of this.#keysOf(limit)) {
        const { settled, overrun } = balances.get(key) ?? NOTHING;
        const found = set.found.get(key) ?? NOTHING;
        const { startMs, endMs } = periodOfKey(key);
        if (set.atMs >= endMs) continue;
        const recorded = overrun - found.overrun;
        const allowed = larger(limit.amountNanoUsd, found.settled);
        if (settled > allowed + recorded) {
          throw new Error(`${label(key)}: ${settled} is over ${allowed} + ${recorded}`);
        }
        // A clock that jumps back sets a limit before a period in which something was spent already.
        const least = set.atMs <= startMs ? limit.amountNanoUsd : allowed;
        if (recorded > 0n && recorded > settled - least) {
          throw new Error(`${label(key)}: overrun ${recorded}, of ${settled} over ${least}`);
        }
      }
    }
  }

  /** Σ cost of records = settled; leases and unresolved rows add up to the balance. */
  #checkSums({ balances, leases }: Snapshot): void {
    const settled = new Map<string, bigint>();
    for (const request of this.requests.values()) {
      for (const key of request.keys) {
        settled.set(key, (settled.get(key) ?? 0n) + request.recordedCost);
      }
    }
    const [leased, unresolved] = [false, true].map((isUnresolved) => {
      const sums = new Map<string, bigint>();
      for (const row of leases) {
        if (row.isUnresolved !== isUnresolved) continue;
        sums.set(row.key, (sums.get(row.key) ?? 0n) + row.amount);
      }
      return sums;
    });
    const keys = new Set([...balances.keys(), ...settled.keys()]);
    for (const key of keys) {
      const found = balances.get(key) ?? NOTHING;
      expectSame(`${label(key)} settled`, found.settled, settled.get(key) ?? 0n);
      expectSame(`${label(key)} leased`, found.leased, leased?.get(key) ?? 0n);
      expectSame(`${label(key)} unresolved`, found.unresolved, unresolved?.get(key) ?? 0n);
    }
  }

  #keysOf({ scopeType, scopeId, period }: StrictLimit): Set<string> {
    const prefix = `${scopeType}\n${scopeId}\n${period}\n`;
    const keys = new Set<string>();
    for (const request of this.requests.values()) {
      for (const key of request.keys) if (key.startsWith(prefix)) keys.add(key);
    }
    return keys;
  }

  #get(requestId: string): TrueRequest {
    const request = this.requests.get(requestId);
    if (request === undefined) throw new Error(`${requestId} was never sent`);
    return request;
  }
}

/**
 * No limit that comes later can count what nobody can tell any more: requests begun before it on a node that was
 * reclaimed before it could report all of them, lost with the power, or interrupted.
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
  // A lease that is left of an earlier limit may cover less than the node's requests.
  const kept = rows.filter(({ requestId }) => !requestId.startsWith("req_"));
  const needed = requests.filter((each) => each.nodeId === nodeId && !each.isRecorded);
  return (
    sum(kept.map(({ amount }) => amount)) < sum(needed.map(({ cost, worst }) => cost ?? worst))
  );
}

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

function nameOf({ scopeType, scopeId, period }: Omit<StrictLimit, "amountNanoUsd">): string {
  return `${scopeType} ${scopeId} ${period}`;
}

export function expectSame(what: string, found: unknown, expected: unknown): void {
  if (found !== expected)
    throw new Error(`${what}: ${String(found)}, expected ${String(expected)}`);
}

function label(key: string): string {
  return key.replaceAll("\n", " ");
}
