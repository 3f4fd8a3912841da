import type { Spent } from "#src/domain/request-spend.ts";
import { type SpendScope, scopeIdsOf } from "./charges.ts";

const DAY_MS = 86_400_000;

/** What is summed up: the scopes of a request, and its start on the database's clock. */
export interface SpendOrigin extends SpendScope {
  startedAtMs: number;
}

interface Period {
  scopeId: string;
  startMs: number;
  endMs: number;
}

/**
 * What this node's requests have cost and the database does not know yet, per id of a scope and UTC day: every
 * period is made of whole days. Bounded by the scopes that spent since the last flush.
 */
export class PendingSpend {
  readonly #byScope = new Map<string, Map<number, Spent>>();

  add(origin: SpendOrigin, { costNanoUsd, unresolvedNanoUsd }: Spent): void {
    this.#change(origin, costNanoUsd, unresolvedNanoUsd);
  }

  remove(origin: SpendOrigin, { costNanoUsd, unresolvedNanoUsd }: Spent): void {
    this.#change(origin, -costNanoUsd, -unresolvedNanoUsd);
  }

  /** Cost over the days of a period. */
  sum(of: Period): bigint {
    let sum = 0n;
    for (const { costNanoUsd } of this.#daysIn(of)) sum += costNanoUsd;
    return sum;
  }

  /** What the days of a period take out of leases: cost and what is unresolved. */
  sumOfDraws(of: Period): bigint {
    let sum = 0n;
    for (const { costNanoUsd, unresolvedNanoUsd } of this.#daysIn(of)) {
      sum += costNanoUsd + unresolvedNanoUsd;
    }
    return sum;
  }

  /** The days on which a scope has something pending: their first moments, milliseconds since the epoch. */
  days(scopeId: string): number[] {
    const days = this.#byScope.get(scopeId);
    return [...(days?.keys() ?? [])].map((day) => day * DAY_MS);
  }

  *#daysIn({ scopeId, startMs, endMs }: Period): Generator<Spent> {
    for (const [day, spent] of this.#byScope.get(scopeId) ?? []) {
      if (day * DAY_MS >= startMs && day * DAY_MS < endMs) yield spent;
    }
  }

  #change(origin: SpendOrigin, costNanoUsd: bigint, unresolvedNanoUsd: bigint): void {
    if (costNanoUsd === 0n && unresolvedNanoUsd === 0n) return;
    const day = Math.floor(origin.startedAtMs / DAY_MS);
    for (const scopeId of scopeIdsOf(origin)) {
      const days = this.#byScope.get(scopeId) ?? new Map<number, Spent>();
      const spent = days.get(day) ?? { costNanoUsd: 0n, unresolvedNanoUsd: 0n };
      spent.costNanoUsd += costNanoUsd;
      spent.unresolvedNanoUsd += unresolvedNanoUsd;
      if (spent.costNanoUsd === 0n && spent.unresolvedNanoUsd === 0n) days.delete(day);
      else days.set(day, spent);
      if (days.size === 0) this.#byScope.delete(scopeId);
      else this.#byScope.set(scopeId, days);
    }
  }
}
