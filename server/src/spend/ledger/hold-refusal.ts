import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import { holdUnderLimit } from "#src/domain/worst-case.ts";
import { type AwaitedNode, type Figures, usedOf } from "./lease-rules.ts";

/** A strict spend limit: at most `amountNanoUsd` in each period. */
export interface StrictLimit {
  id: string;
  organizationId: string;
  scopeType: ScopeType;
  scopeId: string;
  period: PeriodName;
  amountNanoUsd: bigint;
  /** Highest hold for an open-ended request. Null: its whole worst case. */
  openEndedHoldNanoUsd?: bigint | null;
  /** Rule for requests with unknown parts. Absent: hold. */
  unknownFeatures?: "hold" | "refuse";
  /** Name of a group or tag. */
  scopeName?: string | null;
}

/** The worst case of a request. */
export interface HoldAmount {
  amountNanoUsd: bigint;
  /** The request has no bound of its own. A limit can be configured to hold less than the worst case. */
  isOpenEnded?: boolean;
}

/** Amount that one limit holds for a request. */
export function findHoldAmount(
  limit: StrictLimit | null,
  { amountNanoUsd, isOpenEnded }: HoldAmount,
): bigint {
  const chosen = limit?.openEndedHoldNanoUsd ?? null;
  if (isOpenEnded !== true || chosen === null) return amountNanoUsd;
  return holdUnderLimit({ kind: "open_ended", nanoUsd: amountNanoUsd }, chosen) ?? amountNanoUsd;
}

/** Scope whose places in the queue are taken, and its number of waiting requests. Scope null: those of the node. */
export interface FullQueue {
  scope: { scopeType: ScopeType; scopeId: string } | null;
  waiting: number;
}

/**
 * Reason of a refused hold:
 * - `spent`: the limit has nothing left until its period ends.
 * - `too_large`: the limit has less left than the request can cost.
 * - `held`: the limit has enough left, but it is held for other requests.
 * - `queue_full`: too many requests of a scope wait for budget.
 * - `queue_slow`: every limit of the chain has room, but the request did not get its budget in time.
 * - `uncounted`: the spend under a limit is not known yet: the limit is new or was changed, or the database failed over.
 * - `node_awaited`: the database failed over, and grants wait for the report of a node.
 * - `unavailable`: the database does not respond, or the node's leases have expired.
 */
export interface HoldRefusal {
  kind: "refused";
  reason:
    | "spent"
    | "too_large"
    | "held"
    | "queue_full"
    | "queue_slow"
    | "uncounted"
    | "node_awaited"
    | "unavailable";
  /** Amount that the limit would have to hold. */
  amountNanoUsd: bigint;
  limit: StrictLimit | null;
  figures: Figures | null;
  /** End of the limit's period, milliseconds since the epoch. */
  regainAtMs: number | null;
  /** Present for `queue_full`. */
  queue?: FullQueue;
  /** Present for `node_awaited`. */
  awaited?: AwaitedNode;
}

/** One limit of a chain, and the last known numbers of its balance. */
export interface LimitState {
  limit: StrictLimit | null;
  seen: Figures | null;
  endMs: number;
}

/** A limit that is in force, and the last known numbers of its balance. */
export interface LimitInForce extends LimitState {
  limit: StrictLimit;
}

/**
 * Finds a limit that refuses the request for the rest of its period. Spent limits are checked first, then limits that are
 * too small, each from the narrowest scope. Leased amounts do not count, because other holders may return them.
 * Unresolved amounts count, because they stay.
 */
export function findRefusal(request: HoldAmount, chain: readonly LimitState[]): HoldRefusal | null {
  return findSpent(request, chain) ?? findTooSmall(request, chain);
}

export function findSpent(request: HoldAmount, chain: readonly LimitState[]): HoldRefusal | null {
  for (const { limit, seen, endMs } of chain) {
    if (limit === null || seen === null || seen.settledNanoUsd < limit.amountNanoUsd) continue;
    const amountNanoUsd = findHoldAmount(limit, request);
    const facts = { amountNanoUsd, limit, figures: seen, regainAtMs: endMs };
    return { kind: "refused", reason: "spent", ...facts };
  }
  return null;
}

/** True if enough of the limit is neither spent nor leased, by its last known numbers. */
export function hasRoom(request: HoldAmount, { limit, seen }: LimitState): boolean {
  if (limit === null || seen === null) return false;
  return limit.amountNanoUsd - usedOf(seen) >= findHoldAmount(limit, request);
}

function findTooSmall(request: HoldAmount, chain: readonly LimitState[]): HoldRefusal | null {
  for (const { limit, seen, endMs } of chain) {
    if (limit === null || seen === null) continue;
    const amountNanoUsd = findHoldAmount(limit, request);
    const remaining = limit.amountNanoUsd - seen.settledNanoUsd - seen.unresolvedNanoUsd;
    if (remaining >= amountNanoUsd) continue;
    const facts = { amountNanoUsd, limit, figures: seen, regainAtMs: endMs };
    return { kind: "refused", reason: "too_large", ...facts };
  }
  return null;
}
