import type { OverrunCause } from "@bursar/contract/admin/alerts.ts";

// Messages about an overrun that grows in one period, and causes of its requests. Pure. Amounts are integer nano-USD.

/** An overrun, and the firings about it in the same episode. */
export interface ToldOverrun {
  overrunNanoUsd: bigint;
  limitNanoUsd: bigint;
  /** Firings of the episode. */
  firings: number;
  /** Overrun of the newest firing. Null: there is none. */
  toldNanoUsd: bigint | null;
  /** The newest firing is at least a day old. */
  isToldLongAgo: boolean;
}

/** Part of the limit by which an overrun grows at least between two messages. */
const LEAST_GROWTH = 100n;

/**
 * Returns the threshold of the next firing. Null: the overrun has its message. An overrun fires when it begins. The next
 * message follows when it has doubled, or after a day, and when at least 1 % of the limit was added.
 */
export function findOverrunThreshold(overrun: ToldOverrun): string | null {
  const { overrunNanoUsd, limitNanoUsd, firings, toldNanoUsd, isToldLongAgo } = overrun;
  if (firings === 0 || toldNanoUsd === null) return "over limit";
  const grown = overrunNanoUsd - toldNanoUsd;
  const isDoubled = overrunNanoUsd >= 2n * toldNanoUsd;
  const isNotable = grown > 0n && grown >= limitNanoUsd / LEAST_GROWTH;
  return isNotable && (isDoubled || isToldLongAgo) ? `over limit (${firings + 1})` : null;
}

/** A request of an overrun. */
export interface OverrunRequest {
  costNanoUsd: bigint;
  /** Null: no hold. */
  holdNanoUsd: bigint | null;
  /** Null: no limit ended it. */
  cut: { paused_ms: number | null } | null;
  /** Its model or a tool exceeded a bound in this request. */
  isBeyondBound: boolean;
}

/** Finds the reason why a request is part of an overrun. */
export function findOverrunCause(request: OverrunRequest): OverrunCause {
  const { costNanoUsd, holdNanoUsd, cut, isBeyondBound } = request;
  if (holdNanoUsd === null || costNanoUsd <= holdNanoUsd) return "settled_late";
  if (isBeyondBound) return "beyond_bound";
  if (cut === null) return "above_hold";
  return cut.paused_ms === null ? "billed_after_cut" : "node_paused";
}
