import type { PeriodName, ScopeType } from "#src/db/tables.ts";

/** One balance: what a scope spends in one period. */
export interface BalanceKey {
  scopeType: ScopeType;
  scopeId: string;
  period: PeriodName;
  /** First day of the period, ISO date in UTC. */
  periodStart: string;
}

/** A balance key as the key of a map. Its order is the order in which balances are locked, the same on every node. */
export function balanceKeyText(key: BalanceKey): string {
  return `${key.scopeType}\n${key.scopeId}\n${key.period}\n${key.periodStart}`;
}
