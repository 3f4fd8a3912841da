import { formatUsd } from "#src/domain/money.ts";
import type { PeriodName } from "#src/domain/spend-period.ts";

// When an alert about spend goes off: a percentage of a limit, or an amount, is reached by what is settled. Pure.

/** `amountNanoUsd` is spent in a period, whether there is a limit or not. */
export type SpendThreshold = { percent: number } | { amountNanoUsd: bigint; period: PeriodName };

/** The limit was raised or removed (`amountNanoUsd` null) when this much was settled. */
export interface LimitRaise {
  settledNanoUsd: bigint;
  amountNanoUsd: bigint | null;
}

/** What one scope has spent in one period, and the limit of both. */
export interface WatchedSpend {
  period: PeriodName;
  /** First day of the period, "YYYY-MM-DD". */
  periodStart: string;
  settledNanoUsd: bigint;
  /** Null: there is no limit of this scope and period. */
  limitNanoUsd: bigint | null;
  /** Those of this period. */
  raises: readonly LimitRaise[];
  /** The limit refuses requests, though less than all of it is settled: what is left is less than any can cost. */
  isReached: boolean;
}

export interface CrossedThreshold {
  /** Under which it happens once. */
  episode: string;
  /** `75%`, `$100.00`. */
  threshold: string;
}

/** The thresholds that are crossed, whether they were before or not. */
export function crossedThresholds(
  thresholds: readonly SpendThreshold[],
  spend: WatchedSpend,
): CrossedThreshold[] {
  const blocked = spend.isReached ? highestWithinLimit(thresholds) : null;
  return thresholds.flatMap((threshold) => {
    const atNanoUsd = amountOf(threshold, spend);
    if (atNanoUsd === null) return [];
    const isCrossed = spend.settledNanoUsd > 0n && spend.settledNanoUsd >= atNanoUsd;
    if (!isCrossed && threshold !== blocked) return [];
    return [{ episode: episodeOf(threshold, spend), threshold: thresholdText(threshold) }];
  });
}

/** The least amount above what is settled at which something more is crossed; null: there is none. */
export function nextThreshold(
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

export function thresholdText(threshold: SpendThreshold): string {
  return "percent" in threshold
    ? `${threshold.percent}%`
    : `$${formatUsd(threshold.amountNanoUsd)}`;
}

/** A limit that refuses has used up what it can: that is its highest threshold which it can reach at all. */
function highestWithinLimit(thresholds: readonly SpendThreshold[]): SpendThreshold | null {
  let highest: { percent: number } | null = null;
  for (const threshold of thresholds) {
    if (!("percent" in threshold) || threshold.percent > 100) continue;
    if (highest === null || threshold.percent > highest.percent) highest = threshold;
  }
  return highest;
}

/** In nano-USD, rounded up; null where the threshold says nothing about this spend. */
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
 * The period, and how often the threshold has come to lie above what was spent since, because the limit was raised or
 * removed. One that stayed below is not crossed anew by a raise, and a lowered limit changes no episode.
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
