import type { EndRecord } from "#src/domain/request-record.ts";
import { msFromIsoDate, periodOf } from "#src/domain/spend-period.ts";
import { type Charge, sumCharges } from "#src/spend/ledger/charges.ts";
import type { StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import { findOverrun } from "#src/spend/ledger/overrun-rules.ts";
import { balanceKeyText } from "#src/spend/ledger/spend-key.ts";
import { fireOverrun, type ToldOverrun } from "./alerts.ts";
import type { FoldedNode, StoredLease } from "./store.ts";

// The fold's transaction over plain maps, statement by statement. Statements read what is committed at their time, and
// the last one writes everything at once.

/** An unresolved hold of a request, or the budget of a journal gap. */
export interface UnresolvedRow extends StoredLease {
  sinceMs: number;
}

export type LimitRow = StrictLimit & { version: bigint; revision: bigint; changedAtMs: number };

interface QueuedBatch {
  nodeId: string;
  toSeq: number;
  batch: readonly EndRecord[];
}

export interface FoldedBalance {
  settledNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
  overrunNanoUsd: bigint;
  comparedNanoUsd: bigint;
  comparedRevision: bigint;
}

/** Rows that only folds write, and operations that hold the fold's lock. */
export interface FoldTables {
  balances: Map<string, FoldedBalance>;
  /** Draws by node and key text. */
  drawn: Map<string, Map<string, bigint>>;
  /** Id of the count of draws, by limit. */
  counts: Map<string, bigint>;
  unresolved: UnresolvedRow[];
  /** Firings about overruns, by key text. */
  alerted: Map<string, ToldOverrun>;
  /** Appended batches, oldest first. */
  batches: QueuedBatch[];
}

export interface FoldSources {
  tables: FoldTables;
  limits: () => LimitRow[];
}

export class MemoryFold {
  readonly #sources: FoldSources;
  #batches: QueuedBatch[] | null = null;
  #counted = new Set<string>();
  #limits: Map<string, LimitRow> | null = null;
  /** Balances whose overrun grew. */
  readonly #grown = new Set<string>();

  constructor(sources: FoldSources) {
    this.#sources = sources;
  }

  /** Runs the next statement. Returns the folded positions after the last one. */
  continue(atMs: number): FoldedNode[] | null {
    if (this.#batches === null) {
      this.#batches = [...this.#sources.tables.batches];
      this.#counted = new Set(this.#sources.tables.counts.keys());
      return null;
    }
    if (this.#limits === null) {
      this.#limits = new Map(this.#sources.limits().map((limit) => [nameOf(limit), limit]));
      return null;
    }
    return this.#commit(this.#batches, atMs);
  }

  #commit(batches: readonly QueuedBatch[], atMs: number): FoldedNode[] {
    const { tables } = this.#sources;
    const folded = new Map<string, number>();
    for (const { nodeId, toSeq, batch } of batches) {
      for (const charge of sumCharges(batch)) this.#add(nodeId, charge, atMs);
      folded.set(nodeId, toSeq);
    }
    for (const key of this.#grown) this.#fire(key);
    tables.batches = tables.batches.filter((batch) => !batches.includes(batch));
    return [...folded].map(([nodeId, toSeq]) => ({ nodeId, toSeq }));
  }

  #add(nodeId: string, charge: Charge, atMs: number): void {
    const { tables } = this.#sources;
    const key = balanceKeyText(charge);
    const balance = balanceOf(tables.balances, key);
    let drawn = charge.nanoUsd;
    balance.settledNanoUsd += charge.nanoUsd;
    for (const { requestId, nanoUsd: amount } of charge.unresolved) {
      drawn += amount;
      balance.unresolvedNanoUsd += amount;
      tables.unresolved.push({ nodeId, requestId, key, amount, isUnresolved: true, sinceMs: atMs });
    }
    this.#recordOverrun(charge, balance);
    if (!this.#counted.has(limitNameOfKey(key))) return;
    const ofNode = tables.drawn.get(nodeId) ?? new Map<string, bigint>();
    tables.drawn.set(nodeId, ofNode.set(key, (ofNode.get(key) ?? 0n) + drawn));
  }

  #recordOverrun(charge: Charge, balance: FoldedBalance): void {
    const limit = this.#limits?.get(limitNameOfKey(balanceKeyText(charge)));
    const { startMs, endMs } = periodOf(charge.period, msFromIsoDate(charge.periodStart));
    if (limit === undefined || charge.nanoUsd === 0n || limit.changedAtMs >= endMs) return;
    const overrun = findOverrun({
      ...balance,
      settledBeforeNanoUsd: balance.settledNanoUsd - charge.nanoUsd,
      limitNanoUsd: limit.amountNanoUsd,
      limitRevision: limit.revision,
      isWholePeriod: limit.changedAtMs <= startMs,
    });
    if (overrun === null) return;
    if (overrun.nanoUsd > 0n) this.#grown.add(balanceKeyText(charge));
    balance.overrunNanoUsd += overrun.nanoUsd;
    balance.comparedNanoUsd = overrun.comparedNanoUsd;
    balance.comparedRevision = limit.revision;
  }

  /** Fires an alert in the transaction of the fold, if the balance exceeds its limit, as the product's alerts do. */
  #fire(key: string): void {
    const { balances, alerted } = this.#sources.tables;
    const limit = this.#limits?.get(limitNameOfKey(key));
    const { settledNanoUsd, overrunNanoUsd } = balanceOf(balances, key);
    if (limit === undefined || settledNanoUsd <= limit.amountNanoUsd) return;
    const { amountNanoUsd: limitNanoUsd } = limit;
    alerted.set(key, fireOverrun(alerted.get(key), { overrunNanoUsd, limitNanoUsd }));
  }
}

export function limitNameOfKey(key: string): string {
  return key.slice(0, key.lastIndexOf("\n"));
}

function nameOf({ scopeType, scopeId, period }: LimitRow): string {
  return `${scopeType}\n${scopeId}\n${period}`;
}

export function balanceOf(balances: Map<string, FoldedBalance>, key: string): FoldedBalance {
  const balance = balances.get(key) ?? { ...NEW_BALANCE };
  balances.set(key, balance);
  return balance;
}

const NEW_BALANCE: FoldedBalance = {
  settledNanoUsd: 0n,
  unresolvedNanoUsd: 0n,
  overrunNanoUsd: 0n,
  comparedNanoUsd: 0n,
  comparedRevision: 0n,
};
