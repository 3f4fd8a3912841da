import fc from "fast-check";
import { expect, test } from "vitest";
import { forecastMonth } from "./forecast.ts";

const DAY_MS = 86_400_000;
/** A Tuesday; the month has six more days. */
const TODAY_MS = Date.UTC(2026, 10, 24);
const MONTH_END_MS = Date.UTC(2026, 11, 1);

const soFar = {
  todayMs: TODAY_MS,
  monthEndMs: MONTH_END_MS,
  monthToDateNanoUsd: 1_000n,
  todayNanoUsd: 0n,
};

test("a company that works Monday to Friday is not forecast to work on Sunday", () => {
  // 28 whole days, from Tuesday 27 October to Monday 23 November.
  const pastDaysNanoUsd = Array.from({ length: 28 }, (_, index) => {
    const weekday = new Date(TODAY_MS - (28 - index) * DAY_MS).getUTCDay();
    return weekday === 0 || weekday === 6 ? 0n : 100n;
  });
  // Tuesday (today) to Friday, Saturday and Sunday for nothing, Monday.
  expect(forecastMonth({ ...soFar, pastDaysNanoUsd })).toEqual({
    monthNanoUsd: 1_500n,
    basedOnDays: 28,
  });
});

test("today counts as its average, or as what it has cost already where that is more", () => {
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

test("a weekday that has no past yet is taken for an average day", () => {
  // Sunday and Monday.
  expect(forecastMonth({ ...soFar, pastDaysNanoUsd: [10n, 30n] })).toEqual({
    // Tuesday to Saturday 20 each, Sunday 10, Monday 30.
    monthNanoUsd: 1_140n,
    basedOnDays: 2,
  });
});

test("without a whole day there is no forecast", () => {
  expect(forecastMonth({ ...soFar, pastDaysNanoUsd: [] })).toBeNull();
});

test("on the last day of the month only today is left to forecast", () => {
  const last = { ...soFar, todayMs: MONTH_END_MS - DAY_MS, pastDaysNanoUsd: [7n] };
  expect(forecastMonth(last)?.monthNanoUsd).toBe(1_007n);
});

test("a forecast is never below what was spent, and equal days give equal days", () => {
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
