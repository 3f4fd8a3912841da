import type { ScopeType } from "#src/db/tables.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { chainOf } from "./charges.ts";

const DAY_MS = 86_400_000;

/**
 * What this node's requests have cost and the database does not know yet, per scope and UTC day: every period is made
 * of whole days. Bounded by the scopes that spent since the last flush.
 */
export class PendingSpend {
  readonly #byScope = new Map<string, Map<number, bigint>>();

  add(record: EndRecord): void {
    this.#change(record, record.cost.total);
  }

  remove(record: EndRecord): void {
    this.#change(record, -record.cost.total);
  }

  /** Sum over the days of a period, in nano-USD. */
  sum(of: { scopeType: ScopeType; scopeId: string; startMs: number; endMs: number }): bigint {
    let sum = 0n;
    for (const [day, nanoUsd] of this.#byScope.get(keyOf(of.scopeType, of.scopeId)) ?? []) {
      if (day * DAY_MS >= of.startMs && day * DAY_MS < of.endMs) sum += nanoUsd;
    }
    return sum;
  }

  #change(record: EndRecord, nanoUsd: bigint): void {
    if (nanoUsd === 0n) return;
    const day = Math.floor(record.startedAtMs / DAY_MS);
    for (const [scopeType, scopeId] of chainOf(record)) {
      const key = keyOf(scopeType, scopeId);
      const days = this.#byScope.get(key) ?? new Map<number, bigint>();
      const sum = (days.get(day) ?? 0n) + nanoUsd;
      if (sum === 0n) days.delete(day);
      else days.set(day, sum);
      if (days.size === 0) this.#byScope.delete(key);
      else this.#byScope.set(key, days);
    }
  }
}

function keyOf(scopeType: ScopeType, scopeId: string): string {
  return `${scopeType}\n${scopeId}`;
}
