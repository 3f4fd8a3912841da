import {
  amountOfHour,
  HOUR_MS,
  HOURS_PER_DAY,
  HOURS_PER_WEEK,
  type HourlySpend,
  hourOf,
  sumOfHours,
} from "./hourly-spend.ts";
import { divideHalfEven } from "./money.ts";
import { modulo, type PeriodName, type SpendPeriod } from "./spend-period.ts";

const DAY_MS = 86_400_000;
const DAYS_PER_WEEK = 7;

export interface Forecast {
  monthNanoUsd: bigint;
  /** Number of whole days in the averages. */
  basedOnDays: number;
}

export interface SpendSoFar {
  /** Start of today, UTC, and of the next month, milliseconds since the epoch. */
  todayMs: number;
  monthEndMs: number;
  /** Cost of the month so far, including today, and cost of today. Integer nano-USD. */
  monthToDateNanoUsd: bigint;
  todayNanoUsd: bigint;
  /** Cost of the whole days before today, latest last. A day without requests counts as 0. */
  pastDaysNanoUsd: readonly bigint[];
}

/**
 * Forecasts the cost of the month: the spend so far, plus the average of the same weekday for each remaining day. A
 * weekday without history uses the average of all past days. Today adds the difference between its average and its cost
 * so far. Null without a past day.
 */
export function forecastMonth(so: SpendSoFar): Forecast | null {
  const { pastDaysNanoUsd: past, todayMs } = so;
  if (past.length === 0) return null;
  const expectedOf = (dayMs: number): bigint => {
    const daysAhead = Math.round((dayMs - todayMs) / DAY_MS);
    // The last past day is yesterday, daysAhead + 1 days before the requested day.
    const sameWeekday = past.filter(
      (_, index) => (past.length - index + daysAhead) % DAYS_PER_WEEK === 0,
    );
    return average(sameWeekday.length > 0 ? sameWeekday : past);
  };
  const expectedToday = expectedOf(todayMs);
  let monthNanoUsd = so.monthToDateNanoUsd;
  if (expectedToday > so.todayNanoUsd) monthNanoUsd += expectedToday - so.todayNanoUsd;
  for (let dayMs = todayMs + DAY_MS; dayMs < so.monthEndMs; dayMs += DAY_MS) {
    monthNanoUsd += expectedOf(dayMs);
  }
  return { monthNanoUsd, basedOnDays: past.length };
}

function average(amounts: readonly bigint[]): bigint {
  const sum = amounts.reduce((total, amount) => total + amount, 0n);
  return divideHalfEven(sum, BigInt(amounts.length));
}

/** A limit in its current period. Amounts in integer nano-USD. */
export interface LimitOutlook {
  nowMs: number;
  period: SpendPeriod;
  /** Spend in the period so far. */
  spentNanoUsd: bigint;
  limitNanoUsd: bigint;
  spend: HourlySpend;
}

export interface LimitForecast {
  /** Cost of the whole period. */
  periodNanoUsd: bigint;
  /** Time at which the limit is reached, to the minute. Null: not in this period, or reached already. */
  reachedAtMs: number | null;
}

/** Days of hourly history in a forecast. */
export const FORECAST_PAST_DAYS = 28;
const MIN_PAST_HOURS = HOURS_PER_WEEK;
/** In thousandths of the average. */
const MAX_PACE = 4_000n;
const MINUTES_PER_HOUR = 60n;

/**
 * Forecasts the cost of a period at the current pace, and the time at which its limit is reached. Each remaining hour
 * costs the average of the same hour of the week in the past four weeks, times the pace. The pace is the cost of the
 * last week (last day for a daily limit) divided by those averages, at most 4. Null with less than a week of history.
 */
export function forecastLimit(outlook: LimitOutlook): LimitForecast | null {
  const { nowMs, period, spend, spentNanoUsd, limitNanoUsd } = outlook;
  const now = hourOf(nowMs);
  if (now - spend.firstHour < MIN_PAST_HOURS) return null;
  const isDay = period.endMs - period.startMs === DAY_MS;
  const averages = weekAverages(spend, now);
  const pace = paceOf(spend, averages, { now, hours: isDay ? HOURS_PER_DAY : HOURS_PER_WEEK });
  let reachedAtMs: number | null = null;
  let sum = spentNanoUsd;
  for (let hour = now; hour < hourOf(period.endMs); hour++) {
    const ofHour = ((averages[hour % HOURS_PER_WEEK] ?? 0n) * pace) / 1_000n;
    const startMs = Math.max(hour * HOUR_MS, nowMs);
    // Only the remaining part of the current hour.
    const expected = (ofHour * BigInt((hour + 1) * HOUR_MS - startMs)) / BigInt(HOUR_MS);
    if (reachedAtMs === null && sum < limitNanoUsd && sum + expected >= limitNanoUsd) {
      const minutes = ((limitNanoUsd - sum) * MINUTES_PER_HOUR) / ofHour;
      reachedAtMs = Math.min(startMs + Number(minutes) * 60_000, period.endMs);
    }
    sum += expected;
  }
  return { periodNanoUsd: sum, reachedAtMs };
}

/** Percentage of a limit that its forecast is compared with, and the limit's enforcement. */
export interface LimitMark {
  enforcement: "strict" | "soft" | "alert_only";
  percent: number;
}

/**
 * Forecasts a limit that will pass the percentage of its amount before its period ends. Null: it will not, has passed it
 * already, or refuses requests.
 */
export function forecastPassing(outlook: LimitOutlook & LimitMark): LimitForecast | null {
  const { spentNanoUsd, limitNanoUsd, percent } = outlook;
  const atNanoUsd = (limitNanoUsd * BigInt(percent) + 99n) / 100n;
  const isRefusing = outlook.enforcement !== "alert_only" && spentNanoUsd >= limitNanoUsd;
  if (spentNanoUsd >= atNanoUsd || isRefusing) return null;
  const forecast = forecastLimit(outlook);
  return forecast === null || forecast.periodNanoUsd < atNanoUsd ? null : forecast;
}

/** Days whose costs together bound the forecast of a limit, as days before today: the last eight, or the same weekdays. */
export const boundingDays: Readonly<Record<PeriodName, readonly number[]>> = {
  daily: [7, 14, 21, 28],
  weekly: [0, 1, 2, 3, 4, 5, 6, 7],
  monthly: [0, 1, 2, 3, 4, 5, 6, 7],
};

/**
 * Returns an upper bound of the cost that `forecastLimit` expects for the rest of the period. The bound needs no hours, so that
 * few of many limits need a forecast. `boundingNanoUsd`: cost of the
 * days of `boundingDays`.
 */
export function boundForecast(of: {
  nowMs: number;
  period: SpendPeriod;
  boundingNanoUsd: bigint;
}): bigint {
  const { nowMs, period, boundingNanoUsd } = of;
  // Hours of this weekday have the average of at most four past ones, times the highest pace.
  if (period.endMs - period.startMs === DAY_MS) {
    return ((boundingNanoUsd + BigInt(HOURS_PER_DAY)) * MAX_PACE) / 1_000n;
  }
  // A week of averages, times the pace, is the cost of the last week.
  const hours = Math.max(0, hourOf(period.endMs) - hourOf(nowMs));
  return boundingNanoUsd * BigInt(Math.ceil(hours / HOURS_PER_WEEK));
}

/** Averages by hour of the week. Weeks of the epoch begin on Thursday. A week of history covers each hour. */
function weekAverages(spend: HourlySpend, now: number): bigint[] {
  const first = Math.max(spend.firstHour, now - FORECAST_PAST_DAYS * HOURS_PER_DAY);
  return Array.from({ length: HOURS_PER_WEEK }, (_, hourOfWeek) => {
    const past: bigint[] = [];
    const latest = now - 1 - modulo(now - 1 - hourOfWeek, HOURS_PER_WEEK);
    for (let hour = latest; hour >= first; hour -= HOURS_PER_WEEK) {
      past.push(amountOfHour(spend, hour) ?? 0n);
    }
    return average(past);
  });
}

/** Pace in thousandths of the averages. */
function paceOf(
  spend: HourlySpend,
  averages: readonly bigint[],
  { now, hours }: { now: number; hours: number },
): bigint {
  let expected = 0n;
  for (let hour = now - hours; hour < now; hour++)
    expected += averages[hour % HOURS_PER_WEEK] ?? 0n;
  if (expected === 0n) return 1_000n;
  const pace = (sumOfHours(spend, now - hours, now) * 1_000n) / expected;
  return pace > MAX_PACE ? MAX_PACE : pace;
}
