import { findShare, leastOf, usedOf } from "./lease-rules.ts";
import type { LeaseState } from "./lease-state.ts";

// Size of a lease in advance of its requests. Amounts are integer nano-USD.

/** Facts of a node that bound its leases. */
export interface SizeBounds {
  /** Time of recent traffic that a lease covers. */
  coverMs: number;
  /** Live nodes, with this one. */
  liveNodes: number;
}

/** Shortest time between two messages that only read the balance of a lease, milliseconds. */
export const LOOK_AFTER_MS = 1_000;
/** Ratio of remaining and free budget at which that shortest time applies. */
const LOOK_RATIO = 4;

/** Budget that the lease should have, with held amounts. A top-up to it lasts for half of the need. */
export function findWanted({ traffic }: LeaseState, { coverMs }: SizeBounds): bigint {
  return (traffic.findNeed(coverMs) * 3n) / 2n;
}

/**
 * Highest free part of the lease beyond the reserve of its streams. Zero near the limit, where each request gets its own
 * exact grant.
 */
function findMostSpare(state: LeaseState, bounds: SizeBounds): bigint {
  const { limit, seen, countId, held, reserved, traffic } = state;
  const free = freeOf(state);
  if (limit === null || seen === null || countId === null || free < 0n) return 0n;
  const wanted = findWanted(state, bounds) - held - reserved;
  const remaining = limit.amountNanoUsd - usedOf(seen) + free - reserved;
  const share = findShare(remaining, bounds.liveNodes);
  const most = leastOf(wanted, share);
  return most < traffic.smallest || most < 0n ? 0n : most;
}

/**
 * Budget to request before a request lacks it. Zero while the lease has what it needs, and near the limit. So a steady
 * stream of requests does not wait.
 */
export function findTopUp(state: LeaseState, bounds: SizeBounds): bigint {
  const free = freeOf(state);
  if (free + state.held >= state.traffic.findNeed(bounds.coverMs)) return 0n;
  const most = state.reserved + findMostSpare(state, bounds);
  // A smaller top-up is not worth a message.
  return free * 4n < most * 3n ? most - free : 0n;
}

/** Part of the streams' reserve to request, also near the limit. A used limit is asked again after a pause. */
export function findReserveTopUp(state: LeaseState, nowMs: number): bigint {
  const { limit, seen, reserved } = state;
  const free = freeOf(state);
  if (limit === null || seen === null || free < 0n || reserved <= free) return 0n;
  const isUsed = usedOf(seen) >= limit.amountNanoUsd;
  return isUsed && nowMs - state.seenAtMs < LOOK_AFTER_MS ? 0n : reserved - free;
}

/** Part of the free amount to keep. */
export function findAmountToKeep(state: LeaseState, bounds: SizeBounds): bigint {
  const free = freeOf(state);
  if (free <= 0n) return 0n;
  return leastOf(free, state.reserved + findMostSpare(state, bounds));
}

/** Part of the free amount that the lease keeps for its streams, also near the limit. */
export function findReserveToKeep(state: LeaseState): bigint {
  const free = freeOf(state);
  return free <= 0n ? 0n : leastOf(free, state.reserved);
}

/**
 * True if the lease can return more than it keeps, without the reserve of streams. A smaller excess is not worth a message
 * while requests run, because their holds come back again and again. A quiet lease returns it too.
 */
export function isWorthTrimming(state: LeaseState, kept: bigint): boolean {
  const excess = freeOf(state) - kept;
  const least = state.traffic.isQuiet ? 0n : kept - findReserveToKeep(state);
  return excess > 0n && excess > least;
}

/** True if the limit has room for all that the lease wants, so that waiting requests need nothing that is kept. */
export function isPlenty(state: LeaseState, bounds: SizeBounds): boolean {
  const { limit, seen } = state;
  if (limit === null || seen === null) return false;
  return limit.amountNanoUsd - usedOf(seen) >= findWanted(state, bounds);
}

/** Ratio of remaining budget and what all nodes may keep, from which no node needs the budget of another. */
const ABUNDANT_RATIO = 100n;

/** True if the limit has so much room that a lease can keep its budget in a pause, without a loss for others. */
export function isAbundant(state: LeaseState, bounds: SizeBounds): boolean {
  const { limit, seen } = state;
  if (limit === null || seen === null) return false;
  const keptByAll = findWanted(state, bounds) * BigInt(bounds.liveNodes);
  return limit.amountNanoUsd - usedOf(seen) >= keptByAll * ABUNDANT_RATIO;
}

/**
 * Time after which the node reads the balance again, milliseconds. Other nodes may need the free part of its lease. The
 * time grows with what remains for them. Infinity: the node has nothing that others can use.
 */
export function findLookAfterMs(state: LeaseState, { liveNodes }: SizeBounds): number {
  const free = freeOf(state);
  const { limit, seen } = state;
  if (liveNodes <= 1 || free <= 0n || limit === null || seen === null) return Infinity;
  const remaining = limit.amountNanoUsd - usedOf(seen);
  const ratio = Number(remaining) / Number(free);
  return LOOK_AFTER_MS * Math.max(1, ratio / LOOK_RATIO);
}

function freeOf({ granted, drawn, held }: LeaseState): bigint {
  return granted - drawn - held;
}
