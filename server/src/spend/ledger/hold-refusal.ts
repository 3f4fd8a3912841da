import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import { holdUnderLimit } from "#src/domain/worst-case.ts";
import { type Figures, usedOf } from "./lease-rules.ts";

/** A limit that is held strictly; `amountNanoUsd` per period. */
export interface StrictLimit {
  id: string;
  organizationId: string;
  scopeType: ScopeType;
  scopeId: string;
  period: PeriodName;
  amountNanoUsd: bigint;
  /** What it holds for an open-ended request in place of a larger worst case. */
  openEndedHoldNanoUsd?: bigint | null;
}

/** The worst case of a request. */
export interface HoldAmount {
  amountNanoUsd: bigint;
  /** It has no bound of its own: a limit may have chosen to hold less. */
  isOpenEnded?: boolean;
}

/** What one limit holds for a request. */
export function findHoldAmount(
  limit: StrictLimit | null,
  { amountNanoUsd, isOpenEnded }: HoldAmount,
): bigint {
  const chosen = limit?.openEndedHoldNanoUsd ?? null;
  if (isOpenEnded !== true || chosen === null) return amountNanoUsd;
  return holdUnderLimit({ kind: "open_ended", nanoUsd: amountNanoUsd }, chosen) ?? amountNanoUsd;
}

/**
 * spent: nothing until the period ends. too_large: less remains than the request may cost. held: enough would remain,
 * but running requests hold it. queue_full: too many requests wait for budget. queue_slow: every limit of the chain has
 * room, but the request did not get its budget in time. unavailable: no contact with the database for too long.
 */
export interface HoldRefusal {
  kind: "refused";
  reason: "spent" | "too_large" | "held" | "queue_full" | "queue_slow" | "unavailable";
  /** What the limit would have to hold. */
  amountNanoUsd: bigint;
  limit: StrictLimit | null;
  figures: Figures | null;
  /** End of the limit's period, milliseconds since the epoch. */
  regainAtMs: number | null;
}

/** One limit of a chain, and its balance as last seen. */
export interface LimitState {
  limit: StrictLimit | null;
  seen: Figures | null;
  endMs: number;
}

/**
 * The limit of a chain that refuses for good: the narrowest scope first, and a spent one before one that is too small.
 * Leased money does not count: what others hold may come back. Unresolved money counts: it does not by itself.
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

/** True where the last figures leave room for the request: that part of the limit is neither spent nor leased. */
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
