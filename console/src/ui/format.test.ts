import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import {
  formatDay,
  formatExactTime,
  formatIsoDay,
  formatMoment,
  formatRelative,
  formatTime,
  formatUsd,
  formatUtcDay,
  nameTimeZone,
  nanoToUsdText,
  parseDay,
  setTimeDisplay,
  shareOf,
  toNanoUsd,
  toUsdText,
} from "./format.ts";

describe("money", () => {
  test.each([
    ["0", "$0.00"],
    ["0.000000001", "<$0.01"],
    ["0.009999999", "<$0.01"],
    ["-0.000000001", "-$0.00"],
    ["-0.01", "-$0.01"],
    ["0.01", "$0.01"],
    ["0.014999999", "$0.01"],
    ["0.015", "$0.02"],
    ["1234.5678", "$1,234.57"],
    ["999.995", "$1,000.00"],
    ["9007199254740993.01", "$9,007,199,254,740,993.01"],
    ["-12.5", "-$12.50"],
  ])("%s is shown as %s", (text, shown) => expect(formatUsd(text)).toBe(shown));

  test("converting to text and back is exact", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), (nano) => {
        expect(toNanoUsd(nanoToUsdText(nano))).toBe(nano);
      }),
    );
  });

  test("a number of the API becomes text with the same amount", () => {
    expect(toUsdText(100.5)).toBe("100.5");
    expect(toNanoUsd(toUsdText(1e-7))).toBe(100n);
    expect(toNanoUsd(toUsdText(123456789012.345))).toBe(123456789012345000000n);
  });

  test("rejects text that is no amount", () => {
    for (const text of ["", "1e3", "1.2.3", "NaN", "0x10"]) expect(() => toNanoUsd(text)).toThrow();
  });

  test("a share of zero is 0 or 1, and a share can exceed 1", () => {
    expect([shareOf("0", "0"), shareOf("1", "0"), shareOf("1", "4"), shareOf("5", "4")]).toEqual([
      0, 1, 0.25, 1.25,
    ]);
  });
});

test.each([
  [0, "just now"],
  [-30, "a moment ago"],
  [14, "just now"],
  [30, "in a moment"],
  [-90, "1 minute ago"],
  [7_200, "in 2 hours"],
  [-86_400, "1 day ago"],
  [1.9 * 86_400, "in 1 day"],
  [13 * 86_400, "in 13 days"],
  [-3_000_000, "4 weeks ago"],
  [-61 * 86_400, "2 months ago"],
  [-400 * 86_400, "13 months ago"],
  [-800 * 86_400, "2 years ago"],
])("%i seconds from now is %s", (seconds, words) => {
  const nowMs = Date.UTC(2026, 10, 24, 12);
  expect(formatRelative(new Date(nowMs + seconds * 1000).toISOString(), nowMs)).toBe(words);
});

describe("a time", () => {
  const instant = "2026-11-24T23:03:12.417Z";
  afterEach(() => setTimeDisplay({ timeZone: null, dateFormat: null }));

  test.each([
    ["UTC", null, "24 Nov 2026, 23:03:12 UTC"],
    ["Europe/Berlin", "day_month_year", "25 Nov 2026, 00:03:12 UTC+1"],
    ["America/New_York", "month_day_year", "Nov 24, 2026, 18:03:12 UTC-5"],
    ["Asia/Kolkata", "year_month_day", "2026-11-25, 04:33:12 UTC+5:30"],
  ] as const)("in %s in the format %s is %s", (timeZone, dateFormat, shown) => {
    setTimeDisplay({ timeZone, dateFormat });
    expect(formatTime(instant)).toBe(shown);
  });

  test("has the offset of its own day, so that summer time is right", () => {
    setTimeDisplay({ timeZone: "Europe/Berlin", dateFormat: null });
    expect(formatTime("2026-07-01T12:00:00Z")).toBe("1 Jul 2026, 14:00:00 UTC+2");
    expect(nameTimeZone()).toBe("Berlin");
  });

  test("moves a day with the zone, but not the bound of a money period", () => {
    setTimeDisplay({ timeZone: "Asia/Tokyo", dateFormat: "year_month_day" });
    expect(formatDay(instant)).toBe("2026-11-25");
    expect(formatUtcDay(instant)).toBe("2026-11-24 (UTC)");
    expect(formatIsoDay("2026-11-24")).toBe("2026-11-24");
    expect(formatMoment(instant)).toBe("11-25 08:03:12");
  });

  test("is shown in the browser's zone when that zone does not exist", () => {
    setTimeDisplay({ timeZone: "Europe/Atlantis", dateFormat: null });
    const own = formatTime(instant);
    setTimeDisplay({ timeZone: null, dateFormat: null });
    expect(own).toBe(formatTime(instant));
  });

  test("has milliseconds where log entries are compared", () => {
    setTimeDisplay({ timeZone: "UTC", dateFormat: null });
    expect(formatExactTime(instant)).toBe("24 Nov 2026, 23:03:12.417 UTC");
  });
});

describe("a written day", () => {
  test.each([
    ["2026-11-27", "2026-11-27"],
    [" 27 Nov 2026 ", "2026-11-27"],
    ["27 november 2026", "2026-11-27"],
    ["Nov 27, 2026", "2026-11-27"],
    ["sept 3 2026", "2026-09-03"],
    ["27.11.2026", "2026-11-27"],
    ["29 Feb 2028", "2028-02-29"],
  ])("%s is read as %s", (text, day) => expect(parseDay(text)).toBe(day));

  test.each([
    "",
    "11/27/2026",
    "27/11/2026",
    "29 Feb 2026",
    "31.11.2026",
    "27 No 2026",
    "tomorrow",
    "27 Nov",
  ])("%s is not a day", (text) => expect(parseDay(text)).toBeNull());

  test("is read again in each format that the console writes", () => {
    for (const dateFormat of ["day_month_year", "month_day_year", "year_month_day"] as const) {
      setTimeDisplay({ timeZone: null, dateFormat });
      expect(parseDay(formatIsoDay("2026-03-01"))).toBe("2026-03-01");
    }
    setTimeDisplay({ timeZone: null, dateFormat: null });
  });
});
