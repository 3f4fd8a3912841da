import type { ScopeType } from "#src/db/tables.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { periodNames, periodOf } from "#src/domain/spend-period.ts";
import type { BalanceCharge } from "./balances.sql.ts";
import { balanceKeyText } from "./spend-key.ts";

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

/** What a batch of ended requests does to one balance. */
export interface Charge extends BalanceCharge {
  /** Holds of requests that were sent and of whose usage nothing is known. */
  unresolved: { requestId: string; nanoUsd: bigint }[];
}

/** The hold that stays, because nobody knows what the request cost. */
export function unresolvedOf(record: EndRecord): bigint {
  const isUnknown = record.outcome === "interrupted" && record.cost.total === 0n;
  return isUnknown ? (record.holdNanoUsd ?? 0n) : 0n;
}

/** What the end of a request takes out of its leases. */
export function drawOf(record: EndRecord): bigint {
  return record.cost.total + unresolvedOf(record);
}

/**
 * The sums of a batch per scope and period, in key order: the order in which balances are locked, the same on every
 * node. A request belongs to the periods of its start. What cost nothing and left nothing unknown is not in it.
 */
export function chargesOf(batch: readonly EndRecord[]): Charge[] {
  const charges = new Map<string, Charge>();
  for (const record of batch) {
    if (drawOf(record) === 0n) continue;
    const { organizationId, requestId } = record;
    const unresolvedNanoUsd = unresolvedOf(record);
    for (const period of periodNames) {
      const periodStart = periodOf(period, record.startedAtMs).start;
      for (const [scopeType, scopeId] of chainOf(record)) {
        const key = { scopeType, scopeId, period, periodStart };
        const text = balanceKeyText(key);
        const charge = charges.get(text) ?? { ...key, organizationId, nanoUsd: 0n, unresolved: [] };
        charge.nanoUsd += record.cost.total;
        if (unresolvedNanoUsd > 0n) {
          charge.unresolved.push({ requestId, nanoUsd: unresolvedNanoUsd });
        }
        charges.set(text, charge);
      }
    }
  }
  return [...charges].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, charge]) => charge);
}
