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

// An hour, or a day, that costs far more than is usual for it. Medians, since one dear hour of the past must not make the
// next one usual, nor a quiet one make all others unusual. Pure.

export interface UnusualRule {
  /** How many times as much as is usual. */
  factor: number;
  /** What costs less is never unusual. */
  minNanoUsd: bigint;
}

export interface Unusual {
  spentNanoUsd: bigint;
  usualNanoUsd: bigint;
}

/** A week is compared with as many before it. */
const WEEKS = 4;
/** So many weeks must be known before an hour is compared with the same hour of the week. */
const MIN_WEEKS = 3;
/** Until a week is known, an hour is compared with all that cost something, of so many hours at least. */
const MIN_HOURS = 3 * HOURS_PER_DAY;
const MIN_BUSY_HOURS = 24;
const MIN_BUSY_DAYS = 3;
/** Nine of ten hours with any spend cost less. */
const DEAR_HOURS = 0.9;
/** And so many times the median deviation above the median: noisy scopes vary much without anything being wrong. */
const DEVIATIONS = 8n;
/** See `isBeyondNoise`; in thousandths of the usual. */
const NOISY_HOURS = 0.995;
const MAX_NOISE = 2_500n;
const DAYS_PER_WEEK = 7;
/** Days before today whose hours the rules look at: those of a month before, also seen from yesterday. */
export const UNUSUAL_PAST_DAYS = 34;

/**
 * Whether an hour (since the epoch) costs far above its usual: more than `factor` times the median, and far outside of what
 * comparable hours vary by. Comparable are the hours around the same hour of the week in the past four weeks; the same hour
 * of the day in the past week, so that growth and a change of habits become usual within days; and the highest of those
 * around the same hour a month before, for what is done once a month. The highest of these is the usual one. An hour that
 * costs no more than half of the hours with any spend is not unusual, whenever it is. Null also without enough history.
 */
export function unusualHour(spend: HourlySpend, hour: number, rule: UnusualRule): Unusual | null {
  const spentNanoUsd = amountOfHour(spend, hour) ?? 0n;
  if (spentNanoUsd === 0n || spentNanoUsd < rule.minNanoUsd) return null;
  const known = hour - spend.firstHour;
  if (known < MIN_HOURS) return null;
  let usualNanoUsd = findHighestMonthAgo(spend, hour);
  const monthAgo = { median: usualNanoUsd, deviation: 0n };
  if (!isFarAbove(spentNanoUsd, monthAgo, rule)) return null;
  for (const group of comparableHours(hour, known)) {
    const usual = usualOf(spend, group);
    if (!isFarAbove(spentNanoUsd, usual, rule)) return null;
    if (usual.median > usualNanoUsd) usualNanoUsd = usual.median;
  }
  // Last, since these are many.
  const busy = busyHours(spend, hour);
  if (busy.length < MIN_BUSY_HOURS) return null;
  if (known >= HOURS_PER_WEEK) {
    const isUnusual =
      spentNanoUsd > medianOf(busy) && isBeyondNoise(spend, hour, { spentNanoUsd, usualNanoUsd });
    return isUnusual ? { spentNanoUsd, usualNanoUsd } : null;
  }
  // Days and nights are in one group yet: only what stands out from the dear hours is unusual.
  const dear = placeOf(busy, DEAR_HOURS);
  const isFar = isFarAbove(spentNanoUsd, { median: dear, deviation: 0n }, rule);
  return isFar ? { spentNanoUsd, usualNanoUsd: dear } : null;
}

/**
 * A slow leak: a day (since the epoch) that costs far above its usual, by the same rule on days, though none of its hours
 * stands out. Hours that are unusual by themselves are left out: they are told of already. The day may be running.
 */
export function unusualDay(spend: HourlySpend, day: number, rule: UnusualRule): Unusual | null {
  const firstHour = day * HOURS_PER_DAY;
  const sum = sumOfDay(spend, day);
  if (sum === 0n || sum < rule.minNanoUsd) return null;
  // The first day is seldom a whole one.
  const firstWholeDay = Math.ceil(spend.firstHour / HOURS_PER_DAY);
  const known = day - firstWholeDay;
  if (known < DAYS_PER_WEEK) return null;
  const groups = comparableDays(day, known).map((days) =>
    spreadOf(days.map((each) => sumOfDay(spend, each))),
  );
  if (!groups.every((usual) => isFarAbove(sum, usual, rule))) return null;
  const busy = daysBefore(day, Math.min(known, WEEKS * DAYS_PER_WEEK), 1)
    .map((each) => sumOfDay(spend, each))
    .filter((amount) => amount > 0n);
  if (busy.length < MIN_BUSY_DAYS || sum <= medianOf(busy)) return null;
  let spentNanoUsd = sum;
  for (let hour = firstHour; hour < firstHour + HOURS_PER_DAY; hour++) {
    spentNanoUsd -= unusualHour(spend, hour, rule)?.spentNanoUsd ?? 0n;
  }
  if (spentNanoUsd < rule.minNanoUsd) return null;
  if (!groups.every((usual) => isFarAbove(spentNanoUsd, usual, rule))) return null;
  const medians = groups.map(({ median }) => median);
  return { spentNanoUsd, usualNanoUsd: findHighest(medians) };
}

/**
 * Of the past four weeks, one hour in two hundred costs some times as much as was usual for it: noise. This hour must stand
 * out from such hours as these do from the usual. A long incident in these weeks does not make the next one noise.
 */
function isBeyondNoise(spend: HourlySpend, hour: number, found: Unusual): boolean {
  const ratios: bigint[] = [];
  const first = Math.max(spend.firstHour + HOURS_PER_WEEK, hour - WEEKS * HOURS_PER_WEEK);
  for (let past = first; past < hour; past++) {
    const amount = amountOfHour(spend, past) ?? 0n;
    const usual = amount > 0n ? medianUsual(spend, past) : 0n;
    if (usual > 0n) ratios.push((amount * 1_000n) / usual);
  }
  const noise = placeOf(ratios, NOISY_HOURS);
  const isLittleKnown = hour - spend.firstHour < MIN_WEEKS * HOURS_PER_WEEK;
  const capped = noise > MAX_NOISE || isLittleKnown ? MAX_NOISE : noise;
  return found.spentNanoUsd * 1_000_000n > found.usualNanoUsd * capped * capped;
}

function medianUsual(spend: HourlySpend, hour: number): bigint {
  const groups = comparableHours(hour, hour - spend.firstHour);
  return findHighest(groups.map((group) => usualOf(spend, group).median));
}

/** Highest amount of the hours around the same hour a month before. 0 where unknown. */
function findHighestMonthAgo(spend: HourlySpend, hour: number): bigint {
  const amounts = around([hour - hoursOfLastMonth(hour)]).map(
    (each) => amountOfHour(spend, each) ?? 0n,
  );
  return findHighest(amounts);
}

/** The likeliest to end the question first. Hours of other weeks with their neighbours: what runs by a clock runs late. */
function comparableHours(hour: number, known: number): number[][] {
  if (known < HOURS_PER_WEEK) return [];
  // Without neighbours: beside the weekend, those of a day's first hour would make night the usual.
  const groups = [daysBefore(hour, DAYS_PER_WEEK, HOURS_PER_DAY)];
  if (known > MIN_WEEKS * HOURS_PER_WEEK) {
    groups.push(around(daysBefore(hour, WEEKS, HOURS_PER_WEEK)));
  }
  return groups;
}

function comparableDays(day: number, known: number): number[][] {
  const groups = [daysBefore(day, DAYS_PER_WEEK, 1)];
  if (known >= MIN_WEEKS * DAYS_PER_WEEK) {
    groups.push(daysBefore(day, Math.min(WEEKS, Math.floor(known / DAYS_PER_WEEK)), DAYS_PER_WEEK));
  }
  const days = hoursOfLastMonth(day * HOURS_PER_DAY) / HOURS_PER_DAY;
  if (known >= days) groups.push([day - days]);
  return groups;
}

/** `count` times, `step` apart, the latest first. */
function daysBefore(at: number, count: number, step: number): number[] {
  return Array.from({ length: count }, (_, index) => at - (index + 1) * step);
}

function around(hours: readonly number[]): number[] {
  return hours.flatMap((hour) => [hour - 1, hour, hour + 1]);
}

/** Between the same place in this month and in the one before. */
function hoursOfLastMonth(hour: number): number {
  const { startMs } = periodOf("monthly", hour * HOUR_MS);
  return hourOf(startMs) - hourOf(periodOf("monthly", startMs - 1).startMs);
}

interface Spread {
  median: bigint;
  /** Median of the distances from the median. */
  deviation: bigint;
}

function usualOf(spend: HourlySpend, hours: readonly number[]): Spread {
  const amounts: bigint[] = [];
  for (const hour of hours) {
    const amount = amountOfHour(spend, hour);
    if (amount !== null) amounts.push(amount);
  }
  return spreadOf(amounts);
}

function busyHours({ firstHour, amounts }: HourlySpend, before: number): bigint[] {
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

/** Of an even number, the higher of the two in the middle: rather one alert too few. */
function medianOf(amounts: readonly bigint[]): bigint {
  return placeOf(amounts, 0.5);
}

/** The amount that this part of them lies below. */
function placeOf(amounts: readonly bigint[], part: number): bigint {
  const sorted = [...amounts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted[Math.floor(sorted.length * part)] ?? 0n;
}
