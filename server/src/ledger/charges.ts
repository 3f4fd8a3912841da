import type { ScopeType } from "#src/db/tables.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { periodNames, periodOf } from "#src/domain/spend-period.ts";
import type { BalanceCharge } from "./balances.sql.ts";

// What ended requests add to balances. Pure.

/** The scopes a request spends from, narrowest first: the chain in which limits are looked at. */
export interface SpendScope {
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
}

export function chainOf(scope: SpendScope): readonly (readonly [ScopeType, string])[] {
  return [
    ["api_key", scope.apiKeyId],
    ["workspace", scope.workspaceId],
    ["organization", scope.organizationId],
  ];
}

/**
 * The sums of a batch per scope and period, in key order: the order in which balances are locked, the same on every
 * node. A request belongs to the periods of its start. What cost nothing charges nothing.
 */
export function chargesOf(batch: readonly EndRecord[]): BalanceCharge[] {
  const charges = new Map<string, BalanceCharge>();
  for (const record of batch) {
    const nanoUsd = record.cost.total;
    if (nanoUsd === 0n) continue;
    for (const period of periodNames) {
      const periodStart = periodOf(period, record.startedAtMs).start;
      for (const [scopeType, scopeId] of chainOf(record)) {
        const key = `${scopeType}\n${scopeId}\n${period}\n${periodStart}`;
        const charge = charges.get(key);
        if (charge) charge.nanoUsd += nanoUsd;
        else {
          const { organizationId } = record;
          charges.set(key, { scopeType, scopeId, period, periodStart, organizationId, nanoUsd });
        }
      }
    }
  }
  return [...charges].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, charge]) => charge);
}
