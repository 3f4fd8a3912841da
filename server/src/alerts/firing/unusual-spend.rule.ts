import {
  amountOfHour,
  HOUR_MS,
  HOURS_PER_DAY,
  HOURS_PER_WEEK,
  type HourlySpend,
  hourOf,
  sumOfHours,
} from "#src/domain/hourly-spend.ts";
import { periodOf } from "#src/domain/spend-period.ts";

// Hours and days that cost far more than usual. The rules use medians: one expensive hour of the past does not make the next
// one usual. One quiet hour does not make others unusual.

export interface UnusualRule {
  /** Multiple of the usual cost. */
  factor: number;
  /** A lower cost is never unusual. */
  minNanoUsd: bigint;
}

export interface Unusual {
  spentNanoUsd: bigint;
  usualNanoUsd: bigint;
}

/** Number of past weeks in a comparison. */
const WEEKS = 4;
/** Minimum history, weeks, for a comparison with the same hour of the week. */
const MIN_WEEKS = 3;
/** Minimum history, hours. In the first week, an hour is compared with all hours that have spend. */
const MIN_HOURS = 3 * HOURS_PER_DAY;
const MIN_BUSY_HOURS = 24;
const MIN_BUSY_DAYS = 3;
/** Quantile of hours with spend that counts as a high cost. */
const HIGH_COST_QUANTILE = 0.9;
/** Minimum distance from the median, in median deviations. The cost of noisy scopes varies much without a cause. */
const DEVIATIONS = 8n;
/** Quantile of past ratios of cost to the usual that counts as noise: one hour in two hundred. */
const NOISE_QUANTILE = 0.995;
/** In thousandths of the usual. */
const MAX_NOISE = 2_500n;
const DAYS_PER_WEEK = 7;
/** Days of history that the rules read: a month and its neighbors, also from yesterday. */
export const UNUSUAL_PAST_DAYS = 34;

/**
 * Finds an hour (since the epoch) that costs more than `factor` times the median of comparable hours, and far outside their
 * deviation. Returns null for other hours, and without enough history. These hours are comparable:
 * - the same hour of the week in the past four weeks, with its neighbors
 * - the same hour of the day in the past week, so that growth and new habits become usual within days
 * - the most expensive hour around the same time a month before, for monthly jobs
 *
 * The highest of these costs is the usual one. An hour below the median of all hours with spend is not unusual.
 */
export function findUnusualHour(
  spend: HourlySpend,
  hour: number,
  rule: UnusualRule,
): Unusual | null {
  const spentNanoUsd = amountOfHour(spend, hour) ?? 0n;
  if (spentNanoUsd === 0n || spentNanoUsd < rule.minNanoUsd) return null;
  const known = hour - spend.firstHour;
  if (known < MIN_HOURS) return null;
  let usualNanoUsd = findHighestMonthAgo(spend, hour);
  const monthAgo = { median: usualNanoUsd, deviation: 0n };
  if (!isFarAbove(spentNanoUsd, monthAgo, rule)) return null;
  for (const group of listComparableHours(hour, known)) {
    const usual = readSpread(spend, group);
    if (!isFarAbove(spentNanoUsd, usual, rule)) return null;
    if (usual.median > usualNanoUsd) usualNanoUsd = usual.median;
  }
  // This check is last, because it reads many hours.
  const busy = listBusyHours(spend, hour);
  if (busy.length < MIN_BUSY_HOURS) return null;
  if (known >= HOURS_PER_WEEK) {
    const isUnusual =
      spentNanoUsd > medianOf(busy) && isBeyondNoise(spend, hour, { spentNanoUsd, usualNanoUsd });
    return isUnusual ? { spentNanoUsd, usualNanoUsd } : null;
  }
  // In the first week, days and nights are in one group. Only hours far above the high-cost hours are unusual.
  const highCostNanoUsd = quantileOf(busy, HIGH_COST_QUANTILE);
  const isFar = isFarAbove(spentNanoUsd, { median: highCostNanoUsd, deviation: 0n }, rule);
  return isFar ? { spentNanoUsd, usualNanoUsd: highCostNanoUsd } : null;
}

/**
 * Finds a day (since the epoch) that costs far more than usual, by the same rule on days, such as a slow leak. Hours that are
 * unusual by themselves are excluded, because they are already reported. The day may be running.
 */
export function findUnusualDay(spend: HourlySpend, day: number, rule: UnusualRule): Unusual | null {
  const firstHour = day * HOURS_PER_DAY;
  const sum = sumOfDay(spend, day);
  if (sum === 0n || sum < rule.minNanoUsd) return null;
  // The first day is rarely complete.
  const firstWholeDay = Math.ceil(spend.firstHour / HOURS_PER_DAY);
  const known = day - firstWholeDay;
  if (known < DAYS_PER_WEEK) return null;
  const groups = listComparableDays(day, known).map((days) =>
    spreadOf(days.map((each) => sumOfDay(spend, each))),
  );
  if (!groups.every((usual) => isFarAbove(sum, usual, rule))) return null;
  const busy = listEarlier(day, Math.min(known, WEEKS * DAYS_PER_WEEK), 1)
    .map((each) => sumOfDay(spend, each))
    .filter((amount) => amount > 0n);
  if (busy.length < MIN_BUSY_DAYS || sum <= medianOf(busy)) return null;
  let spentNanoUsd = sum;
  for (let hour = firstHour; hour < firstHour + HOURS_PER_DAY; hour++) {
    spentNanoUsd -= findUnusualHour(spend, hour, rule)?.spentNanoUsd ?? 0n;
  }
  if (spentNanoUsd < rule.minNanoUsd) return null;
  if (!groups.every((usual) => isFarAbove(spentNanoUsd, usual, rule))) return null;
  const medians = groups.map(({ median }) => median);
  return { spentNanoUsd, usualNanoUsd: findHighest(medians) };
}

/**
 * In the past four weeks, one hour in two hundred costs a multiple of its usual: noise. This hour must exceed the noise by
 * the same multiple. `MAX_NOISE` limits it, so that a long incident in these weeks does not make the next one noise.
 */
function isBeyondNoise(spend: HourlySpend, hour: number, found: Unusual): boolean {
  const ratios: bigint[] = [];
  const first = Math.max(spend.firstHour + HOURS_PER_WEEK, hour - WEEKS * HOURS_PER_WEEK);
  for (let past = first; past < hour; past++) {
    const amount = amountOfHour(spend, past) ?? 0n;
    const usual = amount > 0n ? usualCostOf(spend, past) : 0n;
    if (usual > 0n) ratios.push((amount * 1_000n) / usual);
  }
  const noise = quantileOf(ratios, NOISE_QUANTILE);
  const isLittleKnown = hour - spend.firstHour < MIN_WEEKS * HOURS_PER_WEEK;
  const capped = noise > MAX_NOISE || isLittleKnown ? MAX_NOISE : noise;
  return found.spentNanoUsd * 1_000_000n > found.usualNanoUsd * capped * capped;
}

function usualCostOf(spend: HourlySpend, hour: number): bigint {
  const groups = listComparableHours(hour, hour - spend.firstHour);
  return findHighest(groups.map((group) => readSpread(spend, group).median));
}

/** Highest cost of the hours around the same hour a month before. 0 without history. */
function findHighestMonthAgo(spend: HourlySpend, hour: number): bigint {
  const amounts = addNeighbors([hour - countHoursOfLastMonth(hour)]).map(
    (each) => amountOfHour(spend, each) ?? 0n,
  );
  return findHighest(amounts);
}

/** The group that most often decides comes first. Hours of other weeks include their neighbors, as jobs may run late. */
function listComparableHours(hour: number, known: number): number[][] {
  if (known < HOURS_PER_WEEK) return [];
  // No neighbors here: near the weekend, those of a workday's first hour would make the night usual.
  const groups = [listEarlier(hour, DAYS_PER_WEEK, HOURS_PER_DAY)];
  if (known > MIN_WEEKS * HOURS_PER_WEEK) {
    groups.push(addNeighbors(listEarlier(hour, WEEKS, HOURS_PER_WEEK)));
  }
  return groups;
}

function listComparableDays(day: number, known: number): number[][] {
  const groups = [listEarlier(day, DAYS_PER_WEEK, 1)];
  if (known >= MIN_WEEKS * DAYS_PER_WEEK) {
    groups.push(
      listEarlier(day, Math.min(WEEKS, Math.floor(known / DAYS_PER_WEEK)), DAYS_PER_WEEK),
    );
  }
  const days = countHoursOfLastMonth(day * HOURS_PER_DAY) / HOURS_PER_DAY;
  if (known >= days) groups.push([day - days]);
  return groups;
}

/** Returns `count` earlier times, `step` apart, the latest first. */
function listEarlier(at: number, count: number, step: number): number[] {
  return Array.from({ length: count }, (_, index) => at - (index + 1) * step);
}

function addNeighbors(hours: readonly number[]): number[] {
  return hours.flatMap((hour) => [hour - 1, hour, hour + 1]);
}

/** Hours between the same position in this month and in the month before. */
function countHoursOfLastMonth(hour: number): number {
  const { startMs } = periodOf("monthly", hour * HOUR_MS);
  return hourOf(startMs) - hourOf(periodOf("monthly", startMs - 1).startMs);
}

interface Spread {
  median: bigint;
  /** Median of the distances from the median. */
  deviation: bigint;
}

function readSpread(spend: HourlySpend, hours: readonly number[]): Spread {
  const amounts: bigint[] = [];
  for (const hour of hours) {
    const amount = amountOfHour(spend, hour);
    if (amount !== null) amounts.push(amount);
  }
  return spreadOf(amounts);
}

function listBusyHours({ firstHour, amounts }: HourlySpend, before: number): bigint[] {
  const end = before - firstHour;
  const start = Math.max(0, end - WEEKS * HOURS_PER_WEEK);
  return amounts.slice(start, end).filter((amount) => amount > 0n);
}

function sumOfDay(spend: HourlySpend, day: number): bigint {
  return sumOfHours(spend, day * HOURS_PER_DAY, (day + 1) * HOURS_PER_DAY);
}

function isFarAbove(
  spent: bigint,
  { median, deviation }: Spread,
  { factor }: UnusualRule,
): boolean {
  const thousandths = BigInt(Math.round(factor * 1_000));
  return spent * 1_000n > median * thousandths && spent > median + deviation * DEVIATIONS;
}

function spreadOf(amounts: readonly bigint[]): Spread {
  const median = medianOf(amounts);
  const distances = amounts.map((amount) => (amount > median ? amount - median : median - amount));
  return { median, deviation: medianOf(distances) };
}

function findHighest(amounts: readonly bigint[]): bigint {
  let highest = 0n;
  for (const amount of amounts) if (amount > highest) highest = amount;
  return highest;
}

/** With an even count, the higher of the two middle amounts, which avoids false alerts. */
function medianOf(amounts: readonly bigint[]): bigint {
  return quantileOf(amounts, 0.5);
}

/** The amount below which this part of the amounts lies. */
function quantileOf(amounts: readonly bigint[], part: number): bigint {
  const sorted = [...amounts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted[Math.floor(sorted.length * part)] ?? 0n;
}
