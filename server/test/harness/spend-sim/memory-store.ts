import { msFromIsoDate, periodOf } from "#src/domain/spend-period.ts";
import { chargesOf } from "#src/spend/ledger/charges.ts";
import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import {
  applySync,
  type BalanceRow,
  drawFromLease,
  type LeaseRow,
  type LeaseWork,
  type SyncAnswer,
  type SyncMessage,
} from "#src/spend/ledger/lease-rules.ts";
import { findOverrun } from "#src/spend/ledger/overrun-rules.ts";
import { type BalanceKey, balanceKeyText } from "#src/spend/ledger/spend-key.ts";
import { periodOfKey } from "./model.ts";
import type {
  FlushAnswer,
  FlushRequest,
  Snapshot,
  SpendStore,
  StoredLease,
  StoreTimes,
} from "./store.ts";

interface NodeRow {
  epoch: bigint;
  flushedSeq: number;
  op: number;
  expiresAtMs: number | null;
  acknowledged: bigint;
}

interface Unresolved extends StoredLease {
  sinceMs: number;
}

type Limited = StrictLimit & { version: bigint; revision: bigint; changedAtMs: number };

interface Balance extends BalanceRow {
  overrunNanoUsd: bigint;
  comparedNanoUsd: bigint;
  comparedRevision: bigint;
}

/** Plain maps instead of the database, under the rules of the product. */
export class MemoryStore implements SpendStore {
  readonly #times: StoreTimes;
  readonly #nodes = new Map<string, NodeRow>();
  readonly #balances = new Map<string, Balance>();
  /** Leases by node and key text. */
  readonly #leases = new Map<string, Map<string, LeaseRow & { sinceMs: number }>>();
  #unresolved: Unresolved[] = [];
  readonly #limits = new Map<string, Limited>();
  #version = 0n;

  constructor(times: StoreTimes) {
    this.#times = times;
  }

  async enter(nodeId: string): Promise<{ epoch: bigint; flushedSeq: number }> {
    const node = this.#nodes.get(nodeId) ?? { ...NEW_NODE };
    node.epoch += 1n;
    node.op = 0;
    this.#nodes.set(nodeId, node);
    return { epoch: node.epoch, flushedSeq: node.flushedSeq };
  }

  async sync(message: SyncMessage, atMs: number): Promise<SyncAnswer> {
    const node = this.#nodes.get(message.nodeId);
    if (node === undefined || node.epoch !== message.epoch) return { kind: "fenced" };
    if (node.op >= message.op) return { kind: "late" };
    const isBehind = message.limitsVersion < this.#version;
    if (isBehind && node.expiresAtMs === null) return { kind: "behind" };
    node.op = message.op;
    node.expiresAtMs = atMs + this.#times.ttlMs;
    const leases = this.#leasesOf(message.nodeId);
    for (const key of [...message.keys.keys(), ...leases.keys()]) this.#balance(key);
    const limits = new Map<string, bigint>();
    for (const [text, { scopeType, scopeId, period }] of message.keys) {
      const limit = this.#limits.get(`${scopeType} ${scopeId} ${period}`);
      if (limit) limits.set(text, limit.amountNanoUsd);
    }
    const work: LeaseWork = {
      foldedSeq: node.flushedSeq,
      balances: this.#balances,
      leases: new Map(leases),
      limits,
      kept: new Map(),
    };
    const answer = applySync(work, message);
    for (const [key, lease] of work.leases) {
      if (lease.amountNanoUsd === 0n) leases.delete(key);
      else leases.set(key, { sinceMs: 0, ...lease });
    }
    for (const [key, amount] of work.kept) {
      const requestId = `epoch:${message.epoch}`;
      const row = { nodeId: message.nodeId, requestId, key, amount, isUnresolved: true };
      this.#unresolved.push({ ...row, sinceMs: atMs });
    }
    if (answer.isApplied && message.isComplete) {
      node.acknowledged = message.limitsVersion;
      if (message.isLeaving) node.expiresAtMs = null;
    }
    return answer;
  }

  async flush(request: FlushRequest, atMs: number): Promise<FlushAnswer> {
    const { nodeId } = request;
    const node = this.#nodes.get(nodeId);
    if (node === undefined || node.epoch !== request.epoch) return "fenced";
    if (node.flushedSeq === request.to) return "flushed";
    if (node.flushedSeq !== request.from) return "replaced";
    node.flushedSeq = request.to;
    const leases = this.#leasesOf(nodeId);
    for (const charge of chargesOf(request.batch)) {
      const key = balanceKeyText(charge);
      const lease = leases.get(key);
      const { nanoUsd: costNanoUsd, unresolved } = charge;
      const drawn = drawFromLease(lease, { key, costNanoUsd, unresolved });
      const balance = this.#balance(key);
      balance.settledNanoUsd += drawn.balance.settledNanoUsd;
      balance.leasedNanoUsd += drawn.balance.leasedNanoUsd;
      balance.unresolvedNanoUsd += drawn.balance.unresolvedNanoUsd;
      this.#recordOverrun(charge, costNanoUsd);
      if (lease) lease.amountNanoUsd += drawn.leaseNanoUsd;
      if (lease?.amountNanoUsd === 0n) leases.delete(key);
      for (const { requestId, nanoUsd } of unresolved) {
        const row = { nodeId, requestId, key, amount: nanoUsd, isUnresolved: true };
        this.#unresolved.push({ ...row, sinceMs: atMs });
      }
    }
    return "flushed";
  }

  async reclaim(atMs: number): Promise<string[]> {
    const reclaimed: string[] = [];
    for (const [nodeId, node] of this.#nodes) {
      if (node.expiresAtMs === null || atMs <= node.expiresAtMs + this.#times.graceMs) continue;
      node.epoch += 1n;
      node.expiresAtMs = null;
      reclaimed.push(nodeId);
      for (const [key, lease] of this.#leasesOf(nodeId)) {
        if (lease.isReclaimed) continue;
        lease.isReclaimed = true;
        lease.sinceMs = atMs;
        const balance = this.#balance(key);
        balance.leasedNanoUsd -= lease.amountNanoUsd;
        balance.unresolvedNanoUsd += lease.amountNanoUsd;
      }
    }
    return reclaimed;
  }

  async release(atMs: number): Promise<StoredLease[]> {
    const { releaseMs } = this.#times;
    return this.#release((row) => {
      const isBudget = !row.requestId.startsWith("req_");
      const fromMs = isBudget ? Math.max(row.sinceMs, periodOfKey(row.key).endMs) : row.sinceMs;
      return fromMs + releaseMs <= atMs;
    });
  }

  async forget(nodeId: string): Promise<StoredLease[] | null> {
    if (this.#nodes.get(nodeId)?.expiresAtMs !== null) return null;
    return this.#release((row) => row.nodeId === nodeId && !row.requestId.startsWith("req_"));
  }

  #release(isReleased: (row: Unresolved) => boolean): StoredLease[] {
    const released: StoredLease[] = this.#unresolved.filter(isReleased);
    this.#unresolved = this.#unresolved.filter((row) => !isReleased(row));
    for (const [nodeId, leases] of this.#leases) {
      for (const [key, { isReclaimed, amountNanoUsd: amount, sinceMs }] of leases) {
        const row = { nodeId, requestId: "", key, amount, isUnresolved: true, sinceMs };
        if (!isReclaimed || !isReleased(row)) continue;
        leases.delete(key);
        released.push(row);
      }
    }
    for (const { key, amount } of released) this.#balance(key).unresolvedNanoUsd -= amount;
    return released;
  }

  #recordOverrun(key: BalanceKey, addedNanoUsd: bigint): void {
    const limit = this.#limits.get(`${key.scopeType} ${key.scopeId} ${key.period}`);
    const { startMs, endMs } = periodOf(key.period, msFromIsoDate(key.periodStart));
    if (limit === undefined || addedNanoUsd === 0n || limit.changedAtMs >= endMs) return;
    const balance = this.#balance(balanceKeyText(key));
    const overrun = findOverrun({
      ...balance,
      settledBeforeNanoUsd: balance.settledNanoUsd - addedNanoUsd,
      limitNanoUsd: limit.amountNanoUsd,
      limitRevision: limit.revision,
      isWholePeriod: limit.changedAtMs <= startMs,
    });
    if (overrun === null) return;
    balance.overrunNanoUsd += overrun.nanoUsd;
    balance.comparedNanoUsd = overrun.comparedNanoUsd;
    balance.comparedRevision = limit.revision;
  }

  async setLimit(limit: StrictLimit, atMs: number): Promise<void> {
    const name = `${limit.scopeType} ${limit.scopeId} ${limit.period}`;
    const before = this.#limits.get(name);
    const isRaised = before !== undefined && before.amountNanoUsd <= limit.amountNanoUsd;
    this.#version += 1n;
    const version = isRaised ? before.version : this.#version;
    const row = { ...limit, version, revision: this.#version, changedAtMs: atMs };
    this.#limits.set(name, row);
  }

  async removeLimit({ scopeType, scopeId, period }: StrictLimit): Promise<void> {
    this.#version += 1n;
    this.#limits.delete(`${scopeType} ${scopeId} ${period}`);
  }

  async limits(): Promise<{ limits: StrictLimit[]; version: bigint }> {
    return { limits: [...this.#limits.values()], version: this.#version };
  }

  async activating(): Promise<StrictLimit[]> {
    const live = [...this.#nodes.values()].filter(({ expiresAtMs }) => expiresAtMs !== null);
    return [...this.#limits.values()].filter((limit) =>
      live.some(({ acknowledged }) => acknowledged < limit.version),
    );
  }

  async snapshot(): Promise<Snapshot> {
    const leases: StoredLease[] = [...this.#unresolved];
    for (const [nodeId, own] of this.#leases) {
      for (const [key, { amountNanoUsd: amount, isReclaimed: isUnresolved }] of own) {
        leases.push({ nodeId, requestId: "", key, amount, isUnresolved });
      }
    }
    return {
      leases,
      balances: new Map(
        [...this.#balances].map(([key, row]) => [
          key,
          {
            settled: row.settledNanoUsd,
            leased: row.leasedNanoUsd,
            unresolved: row.unresolvedNanoUsd,
            overrun: row.overrunNanoUsd,
          },
        ]),
      ),
      nodes: new Map(
        [...this.#nodes].map(([id, { epoch, flushedSeq, expiresAtMs }]) => [
          id,
          { epoch, flushedSeq, isLive: expiresAtMs !== null },
        ]),
      ),
    };
  }

  #leasesOf(nodeId: string): Map<string, LeaseRow & { sinceMs: number }> {
    const leases = this.#leases.get(nodeId) ?? new Map();
    this.#leases.set(nodeId, leases);
    return leases;
  }

  #balance(key: string): Balance {
    const balance = this.#balances.get(key) ?? { ...NEW_BALANCE };
    this.#balances.set(key, balance);
    return balance;
  }
}

const NEW_NODE: NodeRow = { epoch: 0n, flushedSeq: 0, op: 0, expiresAtMs: null, acknowledged: -1n };

const NEW_BALANCE: Balance = {
  settledNanoUsd: 0n,
  leasedNanoUsd: 0n,
  unresolvedNanoUsd: 0n,
  overrunNanoUsd: 0n,
  comparedNanoUsd: 0n,
  comparedRevision: 0n,
};
