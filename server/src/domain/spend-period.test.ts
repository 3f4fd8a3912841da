import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatRegainAccess,
  isoFromMs,
  msFromIsoDate,
  type PeriodName,
  periodNames,
  periodOf,
} from "./spend-period.ts";

const anyTime = fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9990, 11, 31) });
const at = (iso: string) => Date.parse(iso);

describe("the period of a time", () => {
  test.each<[PeriodName, string, string, string]>([
    ["daily", "2026-11-24T15:00:00.000Z", "2026-11-24", "2026-11-25"],
    ["daily", "2026-11-24T00:00:00.000Z", "2026-11-24", "2026-11-25"],
    ["daily", "2026-11-23T23:59:59.999Z", "2026-11-23", "2026-11-24"],
    ["weekly", "2026-11-24T15:00:00.000Z", "2026-11-23", "2026-11-30"],
    ["weekly", "2026-11-23T00:00:00.000Z", "2026-11-23", "2026-11-30"],
    ["weekly", "2026-11-22T23:59:59.999Z", "2026-11-16", "2026-11-23"],
    ["weekly", "2027-01-01T00:00:00.000Z", "2026-12-28", "2027-01-04"],
    ["weekly", "1970-01-01T00:00:00.000Z", "1969-12-29", "1970-01-05"],
    ["monthly", "2026-11-24T15:00:00.000Z", "2026-11-01", "2026-12-01"],
    ["monthly", "2026-12-31T23:59:59.999Z", "2026-12-01", "2027-01-01"],
    ["monthly", "2028-02-29T12:00:00.000Z", "2028-02-01", "2028-03-01"],
    ["monthly", "2100-02-28T12:00:00.000Z", "2100-02-01", "2100-03-01"],
    ["monthly", "2000-02-29T12:00:00.000Z", "2000-02-01", "2000-03-01"],
  ])("%s at %s begins %s and ends before %s", (name, moment, start, end) => {
    const expected = { start, startMs: at(`${start}T00:00:00Z`), endMs: at(`${end}T00:00:00Z`) };
    expect(periodOf(name, at(moment))).toEqual(expected);
  });

  test("a fraction of a millisecond belongs to the period it is in", () => {
    const midnight = at("2026-12-01T00:00:00Z");
    expect(periodOf("monthly", midnight - 0.5).start).toBe("2026-11-01");
  });
});

test.each(periodNames.map((name) => ({ name })))("$name periods partition time", ({ name }) => {
  fc.assert(
    fc.property(anyTime, (moment) => {
      const period = periodOf(name, moment);
      expect(period.startMs <= moment && moment < period.endMs).toBe(true);
      expect(periodOf(name, period.startMs)).toEqual(period);
      expect(periodOf(name, period.endMs - 1)).toEqual(period);
      expect(periodOf(name, period.endMs).startMs).toBe(period.endMs);
      expect(periodOf(name, period.startMs - 1).endMs).toBe(period.startMs);
      expect(period.start).toBe(new Date(period.startMs).toISOString().slice(0, 10));
    }),
  );
});

test("a week starts on Monday and has seven days, a month starts on the 1st", () => {
  fc.assert(
    fc.property(anyTime, (moment) => {
      const week = periodOf("weekly", moment);
      expect(new Date(week.startMs).getUTCDay()).toBe(1);
      expect(week.endMs - week.startMs).toBe(7 * 86_400_000);
      expect(new Date(periodOf("monthly", moment).startMs).getUTCDate()).toBe(1);
    }),
  );
});

describe("times as text", () => {
  test("match the platform's calendar", () => {
    fc.assert(
      fc.property(anyTime, (moment) => {
        expect(isoFromMs(moment)).toBe(new Date(moment).toISOString());
      }),
      { numRuns: 2000 },
    );
  });

  test("a date equals its first millisecond", () => {
    fc.assert(
      fc.property(anyTime, (moment) => {
        const date = new Date(moment).toISOString().slice(0, 10);
        expect(msFromIsoDate(date)).toBe(Date.parse(`${date}T00:00:00Z`));
      }),
    );
  });

  test.each(["2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "today", ""])(
    "rejects the date %s",
    (text) => {
      expect(() => msFromIsoDate(text)).toThrow("assertion failed");
    },
  );

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1e15, 1e15])(
    "rejects the time %s",
    (moment) => {
      expect(() => isoFromMs(moment)).toThrow("assertion failed");
    },
  );

  test("the end of access loss has the official words", () => {
    const { endMs } = periodOf("monthly", at("2026-11-24T15:00:00Z"));
    expect(formatRegainAccess(endMs)).toBe("2026-12-01 at 00:00 UTC");
  });
});
