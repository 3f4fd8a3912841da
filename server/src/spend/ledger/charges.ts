import type { ScopeType } from "#src/db/tables.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { findUnresolved, spentOf } from "#src/domain/request-spend.ts";
import { periodNames, periodOf } from "#src/domain/spend-period.ts";
import type { BalanceCharge } from "./balances.sql.ts";
import { type BalanceKey, balanceKeyText } from "./spend-key.ts";

// Sums that ended requests add to balances. Pure.

const DAY_MS = 86_400_000;

/** Scopes of one request: its chain. Limits are checked from the narrowest scope to the widest. */
export interface SpendScope {
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
  /** Owner of the key. Absent for a workspace's key. */
  memberId?: string | undefined;
  /** Groups of the owner, sorted. Absent: none. */
  groupIds?: readonly string[] | undefined;
  /** Tags of the key and its workspace, sorted. Absent: none. */
  tagIds?: readonly string[] | undefined;
}

export function chainOf(scope: SpendScope): readonly (readonly [ScopeType, string])[] {
  const { apiKeyId, memberId, tagIds = NO_IDS, groupIds = NO_IDS } = scope;
  const chain: (readonly [ScopeType, string])[] = [["api_key", apiKeyId]];
  if (memberId !== undefined) chain.push(["member", memberId]);
  for (const id of tagIds) chain.push(["tag", id]);
  for (const id of groupIds) chain.push(["group", id]);
  chain.push(["workspace", scope.workspaceId], ["organization", scope.organizationId]);
  return chain;
}

/** Ids of the chain, narrowest first. No two scopes have the same id, and a lookup by id creates no new text. */
export function scopeIdsOf(scope: SpendScope): readonly string[] {
  const { apiKeyId, memberId, tagIds, groupIds, workspaceId, organizationId } = scope;
  if (tagIds === undefined && groupIds === undefined) {
    return memberId === undefined
      ? [apiKeyId, workspaceId, organizationId]
      : [apiKeyId, memberId, workspaceId, organizationId];
  }
  const ids = memberId === undefined ? [apiKeyId] : [apiKeyId, memberId];
  for (const id of tagIds ?? NO_IDS) ids.push(id);
  for (const id of groupIds ?? NO_IDS) ids.push(id);
  ids.push(workspaceId, organizationId);
  return ids;
}

/** Whether two requests count in the same scopes. Requests of one key differ after a change of its groups or tags. */
export function haveSameChain(one: SpendScope, other: SpendScope): boolean {
  return (
    one.apiKeyId === other.apiKeyId &&
    one.memberId === other.memberId &&
    haveSameIds(one.groupIds, other.groupIds) &&
    haveSameIds(one.tagIds, other.tagIds)
  );
}

function haveSameIds(
  some: readonly string[] = NO_IDS,
  others: readonly string[] = NO_IDS,
): boolean {
  if (some === others) return true;
  return some.length === others.length && some.every((id, at) => id === others[at]);
}

const NO_IDS: readonly string[] = [];

/** A request that cost more than its hold in one balance. */
export interface BeyondHold {
  requestId: string;
  /** Cost beyond the hold, nano-USD. */
  nanoUsd: bigint;
}

/** Requests of one balance that are named as beyond their holds, in a batch and in a recorded overrun. */
export const MAX_NAMED_BEYOND = 20;

/** Changes of one balance by a batch of ended requests. */
export interface Charge extends BalanceCharge {
  overrunNanoUsd: bigint;
  /** Requests beyond their holds, at most `MAX_NAMED_BEYOND`. */
  beyond: BeyondHold[];
  /** Number of all requests beyond their holds. */
  beyondRequests: number;
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
  { scopeType, scopeId, period }: BalanceKey,
): bigint | undefined {
  const smaller = record.smallerHolds?.find(
    (hold) =>
      hold.scopeType === scopeType &&
      hold.period === period &&
      (hold.scopeId === undefined || hold.scopeId === scopeId),
  );
  return smaller?.nanoUsd ?? record.holdNanoUsd;
}

/**
 * Sums a batch by scope and period, in key order: every node locks balances in this order. A request belongs to the
 * periods of its start. Requests without cost and without an unresolved hold are left out.
 */
export function sumCharges(batch: readonly EndRecord[]): Charge[] {
  const charges = new Map<string, Charge>();
  // A batch has many requests of few chains, and nearly all of one day.
  const byChainAndDay = new Map<string, Charge[]>();
  for (const record of batch) {
    const isUnresolved = spentOf(record).unresolvedNanoUsd > 0n;
    if (record.cost.total === 0n && !isUnresolved) continue;
    const { requestId } = record;
    const day = Math.floor(record.startedAtMs / DAY_MS);
    const chainAndDay = `${scopeIdsOf(record).join("\n")}\n${day}`;
    const own = byChainAndDay.get(chainAndDay) ?? findOrAddCharges(record, charges);
    byChainAndDay.set(chainAndDay, own);
    for (const charge of own) {
      const holdNanoUsd = findBalanceHold(record, charge);
      charge.nanoUsd += record.cost.total;
      addExcess(charge, requestId, computeExcess(record.cost.total, holdNanoUsd));
      if (isUnresolved) {
        charge.unresolved.push({ requestId, nanoUsd: findUnresolved(record, holdNanoUsd) });
      }
    }
  }
  return [...charges].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, charge]) => charge);
}

function addExcess(charge: Charge, requestId: string, nanoUsd: bigint): void {
  if (nanoUsd === 0n) return;
  charge.overrunNanoUsd += nanoUsd;
  charge.beyondRequests += 1;
  if (charge.beyond.length < MAX_NAMED_BEYOND) charge.beyond.push({ requestId, nanoUsd });
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
      const nothing = { organizationId, nanoUsd: 0n, overrunNanoUsd: 0n };
      const none = { beyond: [], beyondRequests: 0, unresolved: [] };
      const charge = charges.get(text) ?? { ...key, ...nothing, ...none };
      charges.set(text, charge);
      own.push(charge);
    }
  }
  return own;
}
