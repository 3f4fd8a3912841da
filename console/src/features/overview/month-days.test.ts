import { expect, test } from "vitest";
import { BEFORE, formatChange, REAL, SIMULATED, toCostRange, toMonthDays } from "./month-days.ts";

const NOW_MS = Date.UTC(2026, 10, 24, 14);
const row = (day: string, cost_usd: string, service_tier = "standard") => {
  return { starting_at: `${day}T00:00:00.000Z`, cost_usd, service_tier };
};

test("asks for sixty days that end with today", () => {
  expect(toCostRange(NOW_MS)).toEqual({
    starting_at: "2026-09-26T00:00:00.000Z",
    ending_at: "2026-11-25T00:00:00.000Z",
  });
});

test("a day has its real and its simulated cost, and the real cost of 30 days before", () => {
  const { series, ...sums } = toMonthDays({
    rows: [
      row("2026-11-24", "2"),
      row("2026-11-24", "0.5", "priority"),
      row("2026-11-24", "7", "simulated"),
      row("2026-10-25", "1"),
      row("2026-10-25", "9", "simulated"),
      row("2026-09-27", "3"),
    ],
    nowMs: NOW_MS,
    month: null,
  });
  expect(series.points).toHaveLength(30);
  expect(series.points[0]?.at).toBe("2026-10-26T00:00:00.000Z");
  expect(series.points.at(-1)).toEqual({
    at: "2026-11-24T00:00:00.000Z",
    isRunning: true,
    isFuture: false,
    values: { [REAL]: 2_500_000_000n, [SIMULATED]: 7_000_000_000n, [BEFORE]: 1_000_000_000n },
    total: 9_500_000_000n,
  });
  expect(sums).toEqual({
    realNano: 2_500_000_000n,
    simulatedNano: 7_000_000_000n,
    beforeNano: 4_000_000_000n,
    perDayNano: null,
  });
});

test("usage that began within the 30 days before is compared with nothing", () => {
  const month = null;
  const days = (day: string) => toMonthDays({ rows: [row(day, "5")], nowMs: NOW_MS, month });
  expect(days("2026-10-02").beforeNano).toBe(5_000_000_000n);
  expect(days("2026-10-03").beforeNano).toBeNull();
});

test("the rest of the forecast is spread over the days that are left in the month", () => {
  const month = { forecastUsd: "80", toDateUsd: "50", endingAt: "2026-12-01T00:00:00.000Z" };
  const { series, perDayNano } = toMonthDays({ rows: [], nowMs: NOW_MS, month });
  expect(series.points.filter(({ isFuture }) => isFuture)).toHaveLength(6);
  expect(perDayNano).toBe(5_000_000_000n);
  const last = toMonthDays({ rows: [], nowMs: Date.UTC(2026, 10, 30, 1), month });
  expect(last.perDayNano).toBeNull();
  expect(last.series.points).toHaveLength(30);
});

test.each([
  [112n, 100n, "+12%"],
  [100n, 100n, "0.0%"],
  [94n, 100n, "−6.0%"],
  [0n, 100n, "−100%"],
  [5n, 0n, null],
  [5n, null, null],
] as const)("the change from %s against %s is %s", (now, before, text) => {
  expect(formatChange(now, before)).toBe(text);
});
