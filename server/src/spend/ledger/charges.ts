import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { spentOf } from "#src/domain/request-spend.ts";
import { periodNames, periodOf } from "#src/domain/spend-period.ts";
import type { BalanceCharge } from "./balances.sql.ts";
import { balanceKeyText } from "./spend-key.ts";

// What ended requests add to balances. Pure.

const DAY_MS = 86_400_000;

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

/** The same without their kinds: no two scopes have one id, and an id that is at hand is found faster than a new text. */
export function scopeIdsOf(scope: SpendScope): readonly string[] {
  return [scope.apiKeyId, scope.workspaceId, scope.organizationId];
}

/** What a batch of ended requests does to one balance. */
export interface Charge extends BalanceCharge {
  overrunNanoUsd: bigint;
  /** Holds of requests that were sent and of whose usage nothing is known. */
  unresolved: { requestId: string; nanoUsd: bigint }[];
}

/** What the request has cost beyond its hold, by which a strict limit may be exceeded; 0n where nothing was held. */
export function overrunOf(record: EndRecord): bigint {
  return beyond(record.cost.total, record.holdNanoUsd);
}

function beyond(costNanoUsd: bigint, holdNanoUsd: bigint | undefined): bigint {
  return holdNanoUsd !== undefined && costNanoUsd > holdNanoUsd ? costNanoUsd - holdNanoUsd : 0n;
}

/** What one balance counts of the request: less than the others where its limit chose to hold less. */
function holdIn(record: EndRecord, scopeType: ScopeType, period: PeriodName): bigint | undefined {
  const smaller = record.smallerHolds?.find(
    (hold) => hold.scopeType === scopeType && hold.period === period,
  );
  return smaller?.nanoUsd ?? record.holdNanoUsd;
}

/**
 * The sums of a batch per scope and period, in key order: the order in which balances are locked, the same on every
 * node. A request belongs to the periods of its start. What cost nothing and left nothing unknown is not in it.
 */
export function chargesOf(batch: readonly EndRecord[]): Charge[] {
  const charges = new Map<string, Charge>();
  // A batch holds many requests of few keys, and nearly all of one day.
  const byKeyAndDay = new Map<string, Charge[]>();
  for (const record of batch) {
    const isUnresolved = spentOf(record).unresolvedNanoUsd > 0n;
    if (record.cost.total === 0n && !isUnresolved) continue;
    const { apiKeyId, requestId } = record;
    const keyAndDay = `${apiKeyId}\n${Math.floor(record.startedAtMs / DAY_MS)}`;
    const own = byKeyAndDay.get(keyAndDay) ?? chargesOfOne(record, charges);
    byKeyAndDay.set(keyAndDay, own);
    for (const charge of own) {
      const holdNanoUsd = holdIn(record, charge.scopeType, charge.period);
      charge.nanoUsd += record.cost.total;
      charge.overrunNanoUsd += beyond(record.cost.total, holdNanoUsd);
      if (isUnresolved) charge.unresolved.push({ requestId, nanoUsd: holdNanoUsd ?? 0n });
    }
  }
  return [...charges].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, charge]) => charge);
}

/** The charges that a request counts in, out of those of the batch; what is missing there is added, with nothing in it. */
function chargesOfOne(record: EndRecord, charges: Map<string, Charge>): Charge[] {
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
