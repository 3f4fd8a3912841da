import type { ScopeType } from "#src/db/tables.ts";
import { chainOf, type SpendScope } from "./charges.ts";
import { scopeKeyText } from "./spend-key.ts";

const DAY_MS = 86_400_000;

/** What is summed up: the scopes of a request, and its start on the database's clock. */
export interface SpendOrigin extends SpendScope {
  startedAtMs: number;
}

/**
 * What this node's requests have cost and the database does not know yet, per scope and UTC day: every period is made
 * of whole days. Bounded by the scopes that spent since the last flush.
 */
export class PendingSpend {
  readonly #byScope = new Map<string, Map<number, bigint>>();

  add(origin: SpendOrigin, nanoUsd: bigint): void {
    this.#change(origin, nanoUsd);
  }

  remove(origin: SpendOrigin, nanoUsd: bigint): void {
    this.#change(origin, -nanoUsd);
  }

  /** Sum over the days of a period, in nano-USD. */
  sum(of: { scopeType: ScopeType; scopeId: string; startMs: number; endMs: number }): bigint {
    let sum = 0n;
    for (const [day, nanoUsd] of this.#byScope.get(scopeKeyText(of.scopeType, of.scopeId)) ?? []) {
      if (day * DAY_MS >= of.startMs && day * DAY_MS < of.endMs) sum += nanoUsd;
    }
    return sum;
  }

  /** The days on which a scope has something pending: their first moments, milliseconds since the epoch. */
  days(scopeType: ScopeType, scopeId: string): number[] {
    const days = this.#byScope.get(scopeKeyText(scopeType, scopeId));
    return [...(days?.keys() ?? [])].map((day) => day * DAY_MS);
  }

  #change(origin: SpendOrigin, nanoUsd: bigint): void {
    if (nanoUsd === 0n) return;
    const day = Math.floor(origin.startedAtMs / DAY_MS);
    for (const [scopeType, scopeId] of chainOf(origin)) {
      const key = scopeKeyText(scopeType, scopeId);
      const days = this.#byScope.get(key) ?? new Map<number, bigint>();
      const sum = (days.get(day) ?? 0n) + nanoUsd;
      if (sum === 0n) days.delete(day);
      else days.set(day, sum);
      if (days.size === 0) this.#byScope.delete(key);
      else this.#byScope.set(key, days);
    }
  }
}
