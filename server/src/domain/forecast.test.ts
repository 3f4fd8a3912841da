import fc from "fast-check";
import { expect, test } from "vitest";
import { makeHistory, randomShape } from "#test/harness/spend-history.ts";
import {
  boundForecast,
  boundingDays,
  forecastLimit,
  forecastMonth,
  forecastPassing,
} from "./forecast.ts";
import { amountOfHour, type HourlySpend, hourOf, sumOfHours } from "./hourly-spend.ts";
import { isoFromMs, type PeriodName, periodOf, type SpendPeriod } from "./spend-period.ts";

const DAY_MS = 86_400_000;
/** A Tuesday with six more days in the month. */
const TODAY_MS = Date.UTC(2026, 10, 24);
const MONTH_END_MS = Date.UTC(2026, 11, 1);

const soFar = {
  todayMs: TODAY_MS,
  monthEndMs: MONTH_END_MS,
  monthToDateNanoUsd: 1_000n,
  todayNanoUsd: 0n,
};

test("forecasts no Sunday spend for a company that works Monday to Friday", () => {
  // 28 whole days, from Tuesday 27 October to Monday 23 November.
  const pastDaysNanoUsd = Array.from({ length: 28 }, (_, index) => {
    const weekday = new Date(TODAY_MS - (28 - index) * DAY_MS).getUTCDay();
    return weekday === 0 || weekday === 6 ? 0n : 100n;
  });
  // Tuesday (today) to Friday, no cost on Saturday and Sunday, Monday.
  expect(forecastMonth({ ...soFar, pastDaysNanoUsd })).toEqual({
    monthNanoUsd: 1_500n,
    basedOnDays: 28,
  });
});

test("counts today as its average, or as its cost so far if that is higher", () => {
  const pastDaysNanoUsd = Array<bigint>(7).fill(100n);
  const forecast = (todayNanoUsd: bigint) =>
    forecastMonth({ ...soFar, todayNanoUsd, pastDaysNanoUsd })?.monthNanoUsd;
  expect([forecast(0n), forecast(60n), forecast(100n), forecast(900n)]).toEqual([
    1_700n,
    1_640n,
    1_600n,
    1_600n,
  ]);
});

test("counts a weekday without history as an average day", () => {
  // Sunday and Monday.
  expect(forecastMonth({ ...soFar, pastDaysNanoUsd: [10n, 30n] })).toEqual({
    // Tuesday to Saturday 20 each, Sunday 10, Monday 30.
    monthNanoUsd: 1_140n,
    basedOnDays: 2,
  });
});

test("returns no forecast without a whole day", () => {
  expect(forecastMonth({ ...soFar, pastDaysNanoUsd: [] })).toBeNull();
});

test("on the last day of the month, forecasts only today", () => {
  const last = { ...soFar, todayMs: MONTH_END_MS - DAY_MS, pastDaysNanoUsd: [7n] };
  expect(forecastMonth(last)?.monthNanoUsd).toBe(1_007n);
});

test("a forecast is never below the spend so far, and equal days give equal forecasts", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 15n }),
      fc.integer({ min: 1, max: 28 }),
      fc.integer({ min: 0, max: 30 }),
      (perDay, days, left) => {
        const forecast = forecastMonth({
          todayMs: TODAY_MS,
          monthEndMs: TODAY_MS + (left + 1) * DAY_MS,
          monthToDateNanoUsd: perDay,
          todayNanoUsd: 0n,
          pastDaysNanoUsd: Array<bigint>(days).fill(perDay),
        });
        expect(forecast?.monthNanoUsd).toBe(perDay * BigInt(left + 2));
      },
    ),
  );
});

const NANO = 1_000_000_000n;
const HOUR_MS = 3_600_000;

/** The forecast at the end of an hour in a history of 90 days, for the month of that hour. */
function outlookAt(spend: HourlySpend, hour: number, name: PeriodName, limitNanoUsd: bigint) {
  const nowMs = (spend.firstHour + hour) * HOUR_MS;
  const period = periodOf(name, nowMs);
  const known = { ...spend, amounts: spend.amounts.slice(0, hour) };
  const spentNanoUsd = sumOfHours(known, hourOf(period.startMs), hourOf(nowMs));
  return { nowMs, period, spentNanoUsd, limitNanoUsd, spend: known };
}

/** Final cost of the period, and the time the limit was reached or null. */
function truth(spend: HourlySpend, period: SpendPeriod, limitNanoUsd: bigint) {
  let sum = 0n;
  let reachedAtMs: number | null = null;
  for (let hour = hourOf(period.startMs); hour < hourOf(period.endMs); hour++) {
    sum += amountOfHour(spend, hour) ?? 0n;
    if (reachedAtMs === null && sum >= limitNanoUsd) reachedAtMs = hour * HOUR_MS;
  }
  return { sum, reachedAtMs };
}

/** Hours of the history: 08:00 on each day of July, which begins on day 30. */
const JULY = Array.from({ length: 31 }, (_, day) => (30 + day) * 24 + 8);

test("over 200 companies: from the second week on, a limit a third above the month's cost is never forecast as reached", () => {
  const wrong = Array.from({ length: 200 }, (_, seed) => {
    const spend = makeHistory(seed, 90, randomShape(seed));
    const july = periodOf("monthly", Date.UTC(2026, 6, 1));
    const limit = (truth(spend, july, 0n).sum * 4n) / 3n;
    const days = JULY.slice(7).filter((hour) => {
      const forecast = forecastLimit(outlookAt(spend, hour, "monthly", limit));
      return forecast === null || forecast.reachedAtMs !== null;
    });
    return { seed, days };
  }).filter(({ days }) => days.length > 0);
  expect(wrong).toEqual([]);
});

test("over 200 companies that do not grow: a limit of three quarters of the month is forecast from the second week on, nine in ten times within two days", () => {
  const errors: number[] = [];
  for (let seed = 0; seed < 200; seed++) {
    const spend = makeHistory(seed, 90, { ...randomShape(seed), growth: 0 });
    const july = periodOf("monthly", Date.UTC(2026, 6, 1));
    const limit = (truth(spend, july, 0n).sum * 3n) / 4n;
    const reachedAtMs = truth(spend, july, limit).reachedAtMs ?? 0;
    for (const hour of JULY.slice(7)) {
      const outlook = outlookAt(spend, hour, "monthly", limit);
      if (outlook.spentNanoUsd >= limit) break;
      const at = forecastLimit(outlook)?.reachedAtMs;
      expect(at).toBeTypeOf("number");
      errors.push(Math.abs((at ?? 0) - reachedAtMs) / DAY_MS);
    }
  }
  // A weekend between two times adds days without spend.
  expect(ninetyPercentOf(errors)).toBeLessThan(2);
  expect(Math.max(...errors)).toBeLessThan(5);
});

test("over 200 companies that grow by 3% a day: such a limit is forecast a week before it is reached, nine in ten times within two days", () => {
  const errors: number[] = [];
  for (let seed = 0; seed < 200; seed++) {
    const spend = makeHistory(seed, 90, { ...randomShape(seed), growth: 0.03 });
    const july = periodOf("monthly", Date.UTC(2026, 6, 1));
    const limit = (truth(spend, july, 0n).sum * 3n) / 4n;
    const reachedAtMs = truth(spend, july, limit).reachedAtMs ?? 0;
    for (const hour of JULY) {
      const outlook = outlookAt(spend, hour, "monthly", limit);
      if (reachedAtMs - outlook.nowMs > 7 * DAY_MS) continue;
      if (outlook.spentNanoUsd >= limit) break;
      const at = forecastLimit(outlook)?.reachedAtMs;
      expect(at).toBeTypeOf("number");
      errors.push(Math.abs((at ?? 0) - reachedAtMs) / DAY_MS);
    }
  }
  // A weekend between two times adds days without spend.
  expect(ninetyPercentOf(errors)).toBeLessThan(2);
  expect(Math.max(...errors)).toBeLessThan(5);
});

function ninetyPercentOf(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length * 0.9)] ?? 0;
}

const steady = {
  ...{ hourUsd: 10, night: 1, weekend: 1, hourNoise: 0, dayNoise: 0 },
  ...{ growth: 0, monthStart: 1, outages: 0 },
};

test("at a steady pace the forecast time is exact, in a day, a week and a month", () => {
  const spend = makeHistory(1, 90, steady);
  // Wednesday 8 July, 06:00: $60 of the day, $540 of the week and $1,740 of the month are spent.
  const hour = (30 + 7) * 24 + 6;
  const reached = (name: PeriodName, usd: bigint) => {
    const at = forecastLimit(outlookAt(spend, hour, name, usd * NANO))?.reachedAtMs ?? null;
    return at === null ? null : isoFromMs(at).slice(0, 16);
  };
  expect(reached("daily", 105n)).toBe("2026-07-08T10:30");
  expect(reached("weekly", 1_020n)).toBe("2026-07-10T06:00");
  expect(reached("monthly", 3_480n)).toBe("2026-07-15T12:00");
  expect(reached("daily", 241n)).toBeNull();
});

test("a doubled pace advances a daily limit at once, and a monthly limit within a week", () => {
  const doubled = (30 + 7) * 24;
  const spend = makeHistory(1, 90, steady, (hour) => (hour >= doubled ? 10 : 0));
  const forecast = (hour: number, name: PeriodName) =>
    forecastLimit(outlookAt(spend, hour, name, 10n ** 18n))?.periodNanoUsd ?? 0n;
  // A day of $480 in total. In the first hours, half of the last day still has the old pace.
  expect(forecast(doubled + 12, "daily") / NANO).toBeGreaterThan(390n);
  // 7 days of $240, 24 of $480: $13,200.
  expect(forecast(doubled + 7 * 24, "monthly") / NANO).toBeGreaterThan(13_000n);
  expect(forecast(doubled + 7 * 24, "monthly") / NANO).toBeLessThan(13_400n);
});

test("returns no forecast without a week of history, and no time for a reached limit", () => {
  const spend = makeHistory(1, 90, steady);
  expect(forecastLimit(outlookAt(spend, 7 * 24 - 1, "monthly", NANO))).toBeNull();
  const reached = forecastLimit(outlookAt(spend, 40 * 24, "monthly", 2_000n * NANO));
  expect(reached).toMatchObject({ reachedAtMs: null });
  expect(reached?.periodNanoUsd).toBe(7_440n * NANO);
});

test("over 200 companies: the bound of a forecast is never below it, for any period and hour", () => {
  for (let seed = 0; seed < 200; seed++) {
    const spend = makeHistory(seed, 90, randomShape(seed));
    for (const name of ["daily", "weekly", "monthly"] as const) {
      for (const hour of [35 * 24, 47 * 24 + 13, 61 * 24 + 23]) {
        const outlook = outlookAt(spend, hour, name, 10n ** 18n);
        const today = hourOf(periodOf("daily", outlook.nowMs).startMs);
        const boundingNanoUsd = boundingDays[name].reduce((sum, daysAgo) => {
          const from = today - daysAgo * 24;
          return sum + sumOfHours(outlook.spend, from, from + 24);
        }, 0n);
        const forecast = forecastLimit(outlook)?.periodNanoUsd ?? 0n;
        const bound = boundForecast({ ...outlook, boundingNanoUsd });
        expect([seed, name, hour, forecast <= outlook.spentNanoUsd + bound]).toEqual([
          ...[seed, name, hour, true],
        ]);
      }
    }
  }
});

test("a limit that is passed, refuses requests or will not be passed has no forecast", () => {
  const spend = makeHistory(1, 90, steady);
  // $1,740 of $7,440 in July are spent.
  const forecast = (
    usd: bigint,
    percent: number,
    enforcement: "strict" | "alert_only" = "strict",
  ) =>
    forecastPassing({
      ...outlookAt(spend, (30 + 7) * 24 + 6, "monthly", usd * NANO),
      ...{ percent, enforcement },
    })?.periodNanoUsd;
  expect(forecast(7_000n, 100)).toBe(7_440n * NANO);
  expect(forecast(7_441n, 100)).toBeUndefined();
  expect(forecast(7_441n, 90)).toBe(7_440n * NANO);
  expect(forecast(3_000n, 50)).toBeUndefined();
  expect(forecast(1_740n, 200)).toBeUndefined();
  expect(forecast(1_740n, 200, "alert_only")).toBe(7_440n * NANO);
});
