import { divideHalfEven } from "./money.ts";

const DAY_MS = 86_400_000;
const DAYS_PER_WEEK = 7;

export interface Forecast {
  monthNanoUsd: bigint;
  /** Whole days that the averages are of. */
  basedOnDays: number;
}

export interface SpendSoFar {
  /** Beginning of today, UTC, and of the next month; milliseconds since the epoch. */
  todayMs: number;
  monthEndMs: number;
  /** Of the whole month up to now, today included, and of today; integer nano-USD. */
  monthToDateNanoUsd: bigint;
  todayNanoUsd: bigint;
  /** Cost of the whole days before today, the latest last; a day without requests counts as 0. */
  pastDaysNanoUsd: readonly bigint[];
}

/**
 * What the month will have cost: what was spent, plus for each day to come the average of the same weekday among the past
 * days, or of all past days where that weekday is not among them. Today adds what its average has over what it has cost.
 * Null without a past day.
 */
export function forecastMonth(so: SpendSoFar): Forecast | null {
  const { pastDaysNanoUsd: past, todayMs } = so;
  if (past.length === 0) return null;
  const expectedOf = (dayMs: number): bigint => {
    const daysAhead = Math.round((dayMs - todayMs) / DAY_MS);
    // The last past day is yesterday: it lies daysAhead + 1 days before the day that is asked about.
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
