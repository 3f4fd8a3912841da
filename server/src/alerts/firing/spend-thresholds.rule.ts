import { formatUsd } from "#src/domain/money.ts";
import type { PeriodName } from "#src/domain/spend-period.ts";

// Condition of an alert about spend: settled spend reaches a percentage of a limit, or an amount.

/** A percentage of the limit, or an amount in a period, with or without a limit. */
export type SpendThreshold = { percent: number } | { amountNanoUsd: bigint; period: PeriodName };

/** A raise of the limit, or its removal (`amountNanoUsd` null), with the settled spend at that time. */
export interface LimitRaise {
  settledNanoUsd: bigint;
  amountNanoUsd: bigint | null;
}

/** Spend of one scope in one period, with its limit. */
export interface WatchedSpend {
  period: PeriodName;
  /** First day of the period, "YYYY-MM-DD". */
  periodStart: string;
  settledNanoUsd: bigint;
  /** Null: this scope and period has no limit. */
  limitNanoUsd: bigint | null;
  /** Raises in this period. */
  raises: readonly LimitRaise[];
  /** The limit refuses requests before all of it is settled, because its rest is less than any request can cost. */
  isReached: boolean;
}

export interface CrossedThreshold {
  /** The threshold fires once in an episode. */
  episode: string;
  /** Examples: `75%`, `$100.00`. */
  threshold: string;
}

/** Lists all crossed thresholds, also those that have fired. */
export function listCrossedThresholds(
  thresholds: readonly SpendThreshold[],
  spend: WatchedSpend,
): CrossedThreshold[] {
  const blocked = spend.isReached ? findHighestWithinLimit(thresholds) : null;
  return thresholds.flatMap((threshold) => {
    const atNanoUsd = amountOf(threshold, spend);
    if (atNanoUsd === null) return [];
    const isCrossed = spend.settledNanoUsd > 0n && spend.settledNanoUsd >= atNanoUsd;
    if (!isCrossed && threshold !== blocked) return [];
    return [{ episode: episodeOf(threshold, spend), threshold: formatThreshold(threshold) }];
  });
}

/** The lowest threshold above the settled spend, nano-USD. Null: none. */
export function findNextThreshold(
  thresholds: readonly SpendThreshold[],
  spend: WatchedSpend,
): bigint | null {
  let next: bigint | null = null;
  for (const threshold of thresholds) {
    const atNanoUsd = amountOf(threshold, spend);
    if (atNanoUsd === null || atNanoUsd <= spend.settledNanoUsd) continue;
    if (next === null || atNanoUsd < next) next = atNanoUsd;
  }
  return next;
}

export function formatThreshold(threshold: SpendThreshold): string {
  return "percent" in threshold
    ? `${threshold.percent}%`
    : `$${formatUsd(threshold.amountNanoUsd)}`;
}

/** The highest percentage up to 100. A limit that refuses has reached it. */
function findHighestWithinLimit(thresholds: readonly SpendThreshold[]): SpendThreshold | null {
  let highest: { percent: number } | null = null;
  for (const threshold of thresholds) {
    if (!("percent" in threshold) || threshold.percent > 100) continue;
    if (highest === null || threshold.percent > highest.percent) highest = threshold;
  }
  return highest;
}

/** Amount of the threshold, nano-USD, rounded up. Null if the threshold does not apply to this spend. */
function amountOf(threshold: SpendThreshold, spend: WatchedSpend): bigint | null {
  if (!("percent" in threshold)) {
    return threshold.period === spend.period ? threshold.amountNanoUsd : null;
  }
  return spend.limitNanoUsd === null ? null : percentOf(spend.limitNanoUsd, threshold.percent);
}

function percentOf(amountNanoUsd: bigint, percent: number): bigint {
  return (amountNanoUsd * BigInt(percent) + 99n) / 100n;
}

/**
 * The period, plus the number of raises or removals that put the threshold above the spend again. A raise that leaves the
 * threshold below the spend, and a lower limit, do not change the episode.
 */
function episodeOf(threshold: SpendThreshold, spend: WatchedSpend): string {
  const period = `${spend.period} ${spend.periodStart}`;
  if (!("percent" in threshold)) return period;
  const { percent } = threshold;
  const rearmed = spend.raises.filter(
    ({ settledNanoUsd, amountNanoUsd }) =>
      amountNanoUsd === null || percentOf(amountNanoUsd, percent) > settledNanoUsd,
  ).length;
  return rearmed === 0 ? period : `${period} +${rearmed}`;
}
