import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { findUnresolved, spentOf } from "#src/domain/request-spend.ts";
import { periodNames, periodOf } from "#src/domain/spend-period.ts";
import type { BalanceCharge } from "./balances.sql.ts";
import { balanceKeyText } from "./spend-key.ts";

// Sums that ended requests add to balances. Pure.

const DAY_MS = 86_400_000;

/** Scopes of one request: its chain. Limits are checked from the narrowest scope to the widest. */
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

/** Ids of the chain, narrowest first. No two scopes have the same id, and a lookup by id creates no new text. */
export function scopeIdsOf(scope: SpendScope): readonly string[] {
  return [scope.apiKeyId, scope.workspaceId, scope.organizationId];
}

/** Changes of one balance by a batch of ended requests. */
export interface Charge extends BalanceCharge {
  overrunNanoUsd: bigint;
  /** Holds of requests that were sent and whose usage is unknown, without their charged cost. */
  unresolved: { requestId: string; nanoUsd: bigint }[];
}

/** Cost of a request beyond its hold, nano-USD. 0n without a hold. */
export function overrunOf(record: EndRecord): bigint {
  return computeExcess(record.cost.total, record.holdNanoUsd);
}

/** Cost beyond a hold, nano-USD. 0n without a hold. */
export function computeExcess(costNanoUsd: bigint, holdNanoUsd: bigint | null | undefined): bigint {
  const hasHold = holdNanoUsd !== null && holdNanoUsd !== undefined;
  return hasHold && costNanoUsd > holdNanoUsd ? costNanoUsd - holdNanoUsd : 0n;
}

/** Hold of the request in one balance. A limit can be configured to hold less than the others. */
function findBalanceHold(
  record: EndRecord,
  scopeType: ScopeType,
  period: PeriodName,
): bigint | undefined {
  const smaller = record.smallerHolds?.find(
    (hold) => hold.scopeType === scopeType && hold.period === period,
  );
  return smaller?.nanoUsd ?? record.holdNanoUsd;
}

/**
 * Sums a batch by scope and period, in key order: every node locks balances in this order. A request belongs to the
 * periods of its start. Requests without cost and without an unresolved hold are left out.
 */
export function sumCharges(batch: readonly EndRecord[]): Charge[] {
  const charges = new Map<string, Charge>();
  // A batch has many requests of few keys, and nearly all of one day.
  const byKeyAndDay = new Map<string, Charge[]>();
  for (const record of batch) {
    const isUnresolved = spentOf(record).unresolvedNanoUsd > 0n;
    if (record.cost.total === 0n && !isUnresolved) continue;
    const { apiKeyId, requestId } = record;
    const keyAndDay = `${apiKeyId}\n${Math.floor(record.startedAtMs / DAY_MS)}`;
    const own = byKeyAndDay.get(keyAndDay) ?? findOrAddCharges(record, charges);
    byKeyAndDay.set(keyAndDay, own);
    for (const charge of own) {
      const holdNanoUsd = findBalanceHold(record, charge.scopeType, charge.period);
      charge.nanoUsd += record.cost.total;
      charge.overrunNanoUsd += computeExcess(record.cost.total, holdNanoUsd);
      if (isUnresolved) {
        charge.unresolved.push({ requestId, nanoUsd: findUnresolved(record, holdNanoUsd) });
      }
    }
  }
  return [...charges].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, charge]) => charge);
}

/** Charges of one request among those of the batch. A missing one is added with zeros. */
function findOrAddCharges(record: EndRecord, charges: Map<string, Charge>): Charge[] {
  const { organizationId, startedAtMs } = record;
  const own: Charge[] = [];
  for (const period of periodNames) {
    const periodStart = periodOf(period, startedAtMs).start;
    for (const [scopeType, scopeId] of chainOf(record)) {
      const key = { scopeType, scopeId, period, periodStart };
      const text = balanceKeyText(key);
      const nothing = { organizationId, nanoUsd: 0n, overrunNanoUsd: 0n, unresolved: [] };
      const charge = charges.get(text) ?? { ...key, ...nothing };
      charges.set(text, charge);
      own.push(charge);
    }
  }
  return own;
}
