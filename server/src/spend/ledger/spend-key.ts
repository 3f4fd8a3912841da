import type { PeriodName, ScopeType } from "#src/db/tables.ts";

/** Key of one balance: a scope and a period. */
export interface BalanceKey {
  scopeType: ScopeType;
  scopeId: string;
  period: PeriodName;
  /** First day of the period, ISO date in UTC. */
  periodStart: string;
}

/** Formats a balance key as the key of a map. Every node locks balances in the order of these texts. */
export function balanceKeyText(key: BalanceKey): string {
  return `${key.scopeType}\n${key.scopeId}\n${key.period}\n${key.periodStart}`;
}
