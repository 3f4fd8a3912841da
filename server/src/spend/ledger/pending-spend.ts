import type { Spent } from "#src/domain/request-spend.ts";
import type { SpendScope } from "./charges.ts";

const DAY_MS = 86_400_000;
/** Highest number of separate batches. Later ones are merged, so that the number of active keys bounds the memory. */
const MAX_BATCHES = 100;

/** Scopes of a request, and its start, milliseconds on the database's clock. */
export interface SpendOrigin extends SpendScope {
  startedAtMs: number;
}

interface Period {
  scopeId: string;
  startMs: number;
  endMs: number;
}

/** Sums of spend by the id of a scope and the UTC day. Every period consists of whole days. */
export class SpendSums {
  readonly #byScope = new Map<string, Map<number, Spent>>();

  add(origin: SpendOrigin, spent: Spent): void {
    if (isNothing(spent)) return;
    const day = Math.floor(origin.startedAtMs / DAY_MS);
    this.#change(origin.apiKeyId, day, spent);
    this.#change(origin.workspaceId, day, spent);
    this.#change(origin.organizationId, day, spent);
    const { memberId, groupIds, tagIds } = origin;
    if (memberId !== undefined) this.#change(memberId, day, spent);
    if (groupIds !== undefined) for (const id of groupIds) this.#change(id, day, spent);
    if (tagIds !== undefined) for (const id of tagIds) this.#change(id, day, spent);
  }

  remove(origin: SpendOrigin, spent: Spent): void {
    this.add(origin, negate(spent));
  }

  addAll(sums: SpendSums): void {
    this.#changeAll(sums, (spent) => spent);
  }

  removeAll(sums: SpendSums): void {
    this.#changeAll(sums, negate);
  }

  /** Cost in a period, nano-USD. */
  sum({ scopeId, startMs, endMs }: Period): bigint {
    let sum = 0n;
    const days = this.#byScope.get(scopeId);
    if (days === undefined) return sum;
    for (const [day, { costNanoUsd }] of days) {
      if (isInPeriod(day, startMs, endMs)) sum += costNanoUsd;
    }
    return sum;
  }

  /** Cost and unresolved holds in a period, nano-USD: what its requests draw from leases. */
  sumOfDraws({ scopeId, startMs, endMs }: Period): bigint {
    let sum = 0n;
    const days = this.#byScope.get(scopeId);
    if (days === undefined) return sum;
    for (const [day, { costNanoUsd, unresolvedNanoUsd }] of days) {
      if (isInPeriod(day, startMs, endMs)) sum += costNanoUsd + unresolvedNanoUsd;
    }
    return sum;
  }

  /** Start of each UTC day with spend of the scope, milliseconds since the epoch. */
  days(scopeId: string): number[] {
    const days = this.#byScope.get(scopeId);
    return [...(days?.keys() ?? [])].map((day) => day * DAY_MS);
  }

  #changeAll(sums: SpendSums, toChange: (spent: Spent) => Spent): void {
    for (const [scopeId, days] of sums.#byScope) {
      for (const [day, spent] of days) this.#change(scopeId, day, toChange(spent));
    }
  }

  /** Runs at least six times a request. A product with a sign would create four more numbers. */
  #change(scopeId: string, day: number, change: Spent): void {
    const days = this.#byScope.get(scopeId);
    const spent = days?.get(day);
    if (days === undefined || spent === undefined) {
      if (isNothing(change)) return;
      const { costNanoUsd, unresolvedNanoUsd } = change;
      const added = { costNanoUsd, unresolvedNanoUsd };
      if (days === undefined) this.#byScope.set(scopeId, new Map([[day, added]]));
      else days.set(day, added);
      return;
    }
    spent.costNanoUsd += change.costNanoUsd;
    if (change.unresolvedNanoUsd !== 0n) spent.unresolvedNanoUsd += change.unresolvedNanoUsd;
    if (!isNothing(spent)) return;
    days.delete(day);
    if (days.size === 0) this.#byScope.delete(scopeId);
  }
}

function isInPeriod(day: number, startMs: number, endMs: number): boolean {
  return day * DAY_MS >= startMs && day * DAY_MS < endMs;
}

function isNothing({ costNanoUsd, unresolvedNanoUsd }: Spent): boolean {
  return costNanoUsd === 0n && unresolvedNanoUsd === 0n;
}

function negate({ costNanoUsd, unresolvedNanoUsd }: Spent): Spent {
  return { costNanoUsd: -costNanoUsd, unresolvedNanoUsd: -unresolvedNanoUsd };
}

/** One end of an appended batch. */
export interface AppendedEnd {
  origin: SpendOrigin;
  spent: Spent;
  /** False: no fold counts it, because it was set aside or appended before. */
  isCounted: boolean;
}

/** Appended ends that the fold counts together. */
export interface AppendedBatch {
  /** Sequence number before its first end. */
  fromSeq: number;
  /** Sequence number of its last end. */
  toSeq: number;
  sums: SpendSums;
}

/**
 * Spend of this node's ended requests that no fold has counted. All ends of a batch leave together, when the folded
 * position reaches the end of the batch.
 */
export class PendingSpend extends SpendSums {
  #stage: "new" | "entered" = "new";
  readonly #batches: AppendedBatch[] = [];
  #appendedSeq = 0;
  #foldedSeq = 0;
  #rewinds = 0;
  /** Spend that is not appended, nano-USD. */
  #unappendedNanoUsd = 0n;

  /** Number of rewinds. A folded position that was read before the last one is invalid. */
  get rewinds(): number {
    return this.#rewinds;
  }

  /** Folded position: the pending spend has only later ends. */
  get foldedSeq(): number {
    return this.#foldedSeq;
  }

  /** True while the database lacks spend of this node. */
  get hasUnappended(): boolean {
    return this.#unappendedNanoUsd !== 0n;
  }

  /** Adds spend that the database has not appended. */
  end(origin: SpendOrigin, spent: Spent): void {
    this.#unappendedNanoUsd += spent.costNanoUsd + spent.unresolvedNanoUsd;
    this.add(origin, spent);
  }

  /** Starts a new epoch. At the first one, a fold has counted all that earlier processes of the node appended. */
  enter(appendedSeq: number): void {
    if (this.#stage === "new") this.#foldedSeq = appendedSeq;
    this.#stage = "entered";
    this.#appendedSeq = appendedSeq;
  }

  /**
   * Removes appended spend. A failover moved the database back to this position, and a fold has counted all ends up to
   * there. The caller adds the later ends of the removed batches again. Spend that was not appended stays.
   */
  rewind(seq: number): void {
    for (const { sums } of this.#batches) this.removeAll(sums);
    this.#batches.length = 0;
    this.#appendedSeq = seq;
    this.#foldedSeq = seq;
    this.#rewinds += 1;
  }

  /** Pending batches that a fold up to this position counts. */
  batchesUpTo(foldedSeq: number): readonly AppendedBatch[] {
    return this.#batches.filter(({ toSeq }) => toSeq <= foldedSeq);
  }

  /** Adds an appended batch. Returns the batch if a fold has counted it already. */
  append(ends: Iterable<AppendedEnd>, toSeq: number): AppendedBatch[] {
    const sums = new SpendSums();
    for (const { origin, spent, isCounted } of ends) {
      this.#unappendedNanoUsd -= spent.costNanoUsd + spent.unresolvedNanoUsd;
      if (isCounted) sums.add(origin, spent);
      else this.remove(origin, spent);
    }
    this.#addBatch(toSeq, sums);
    return this.fold(this.#foldedSeq);
  }

  /** True if the ends after this folded position are known. False: the response to their append is missing. */
  isKnownPosition(foldedSeq: number): boolean {
    const isInside = this.#batches.some(
      ({ fromSeq, toSeq }) => fromSeq < foldedSeq && foldedSeq < toSeq,
    );
    return foldedSeq <= this.#appendedSeq && !isInside;
  }

  #addBatch(toSeq: number, sums: SpendSums): void {
    const last = this.#batches.at(-1);
    const fromSeq = this.#appendedSeq;
    this.#appendedSeq = toSeq;
    if (last === undefined || this.#batches.length < MAX_BATCHES) {
      this.#batches.push({ fromSeq, toSeq, sums });
      return;
    }
    last.toSeq = toSeq;
    last.sums.addAll(sums);
  }

  /** Removes the batches up to the folded position, and returns them. */
  fold(seq: number): AppendedBatch[] {
    this.#foldedSeq = Math.max(this.#foldedSeq, seq);
    const left = this.#batches.findIndex(({ toSeq }) => toSeq > this.#foldedSeq);
    const folded = this.#batches.splice(0, left === -1 ? this.#batches.length : left);
    for (const { sums } of folded) this.removeAll(sums);
    return folded;
  }
}
