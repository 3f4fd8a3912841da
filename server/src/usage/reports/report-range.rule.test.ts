import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BucketName,
  bucketMs,
  cutRange,
  nextEdge,
  reportRange,
  type SumUnit,
} from "./report-range.rule.ts";

test("a range covers the requested time with whole buckets, and less than two extra ones", () => {
  const bucket = fc.constantFrom<BucketName>("1m", "1h", "1d");
  const start = fc.integer({ min: Date.UTC(2000), max: 4e12 });
  const length = fc.integer({ min: 1, max: 86_400_000 });
  fc.assert(
    fc.property(bucket, start, length, (name, startMs, lengthMs) => {
      const ms = bucketMs(name);
      const range = reportRange(name, startMs, startMs + lengthMs);
      expect(range.startMs % ms).toBe(0);
      expect(range.endMs % ms).toBe(0);
      expect(range.startMs).toBeLessThanOrEqual(startMs);
      expect(range.endMs).toBeGreaterThanOrEqual(startMs + lengthMs);
      expect(range.endMs - range.startMs).toBeLessThan(lengthMs + 2 * ms);
    }),
  );
});

const DAY = Date.UTC(2026, 10, 19);
test.each([
  [DAY, DAY, "starting_at"],
  [DAY + 1, DAY, "starting_at"],
  [Number.NaN, DAY, "starting_at"],
  [DAY, Number.NaN, "ending_at"],
  [Date.UTC(1999, 11, 31), Date.UTC(2000, 0, 2), "starting_at"],
  [Date.UTC(2199, 11, 31), Date.UTC(2200, 0, 2), "ending_at"],
])("from %s to %s is refused", (startMs, endMs, field) => {
  expect(() => reportRange("1d", startMs, endMs)).toThrow(field);
});

describe("cutting a range", () => {
  const units = ["hour", "day", "week", "month"] as const;
  const at = (month: number, day: number, hour = 0) => Date.UTC(2026, month - 1, day, hour);
  const part = (unit: SumUnit, startMs: number, endMs: number) => ({ unit, startMs, endMs });
  const less = (unit: SumUnit, startMs: number, endMs: number) => ({
    ...part(unit, startMs, endMs),
    isSubtracted: true,
  });
  const cutUpTo = (weeksEndMs: number, startMs: number, endMs: number, isOpenEnded = false) =>
    cutRange({ startMs, endMs }, units, { weeksEndMs, isOpenEnded });

  test("months in the middle, days around them, hours at the ends", () => {
    const [startMs, endMs] = [at(8, 25, 22), at(11, 3, 2)];
    expect(cutUpTo(0, startMs, endMs)).toEqual([
      part("hour", startMs, at(8, 26)),
      part("day", at(8, 26), at(9, 1)),
      part("month", at(9, 1), at(11, 1)),
      part("day", at(11, 1), at(11, 3)),
      part("hour", at(11, 3), endMs),
    ]);
  });

  test("weeks beside the months, up to the last summed week", () => {
    const [startMs, endMs] = [at(10, 6), at(10, 29)];
    expect(cutUpTo(at(10, 26), startMs, endMs)).toEqual([
      part("week", at(10, 5), at(10, 26)),
      less("day", at(10, 5), at(10, 6)),
      part("day", at(10, 26), at(10, 29)),
    ]);
    expect(cutUpTo(at(10, 12), at(10, 5), at(10, 14))).toEqual([
      part("week", at(10, 5), at(10, 12)),
      part("day", at(10, 12), at(10, 14)),
    ]);
    expect(cutUpTo(at(10, 5), at(10, 5), at(10, 14))).toEqual([part("day", at(10, 5), at(10, 14))]);
  });

  test("most of a unit is the unit minus the rest", () => {
    expect(cutUpTo(0, at(9, 2), at(10, 31))).toEqual([
      part("month", at(9, 1), at(11, 1)),
      less("day", at(9, 1), at(9, 2)),
      less("day", at(10, 31), at(11, 1)),
    ]);
    expect(cutUpTo(0, at(10, 14, 3), at(10, 14, 23))).toEqual([
      part("day", at(10, 14), at(10, 15)),
      less("hour", at(10, 14), at(10, 14, 3)),
      less("hour", at(10, 14, 23), at(10, 15)),
    ]);
  });

  test("an open-ended range has its last units as whole units", () => {
    const endMs = at(11, 25, 2);
    expect(cutUpTo(0, at(11, 1), endMs, true)).toEqual([part("month", at(11, 1), at(12, 1))]);
    expect(cutUpTo(0, at(11, 24), endMs, true)).toEqual([part("day", at(11, 24), at(11, 26))]);
    expect(cutUpTo(0, at(11, 24), endMs)).toEqual([
      part("day", at(11, 24), at(11, 25)),
      part("hour", at(11, 25), endMs),
    ]);
  });

  test("every cut covers each hour of the range once, with parts on edges of their unit", () => {
    const hour = fc.integer({ min: 0, max: 24 * 500 });
    const finestFirst = fc
      .subarray(["day", "week", "month"] as const)
      .map((some) => ["hour", ...some] as const);
    const HOUR = 3_600_000;
    const START = Date.UTC(2025, 0, 6);
    fc.assert(
      fc.property(hour, hour, hour, finestFirst, fc.boolean(), (a, b, c, some, isOpenEnded) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const weeksEndMs = START + Math.floor(c / 168) * 168 * HOUR;
        const range = { startMs: START + from * HOUR, endMs: START + to * HOUR };
        const counts = new Map<number, number>();
        for (const each of cutRange(range, some, { weeksEndMs, isOpenEnded })) {
          let edgeMs = each.startMs;
          while (edgeMs < each.endMs) edgeMs = nextEdge(each.unit, edgeMs);
          expect(edgeMs).toBe(each.endMs);
          if (each.unit === "week") expect(each.endMs).toBeLessThanOrEqual(weeksEndMs);
          for (let ms = each.startMs; ms < each.endMs; ms += HOUR) {
            const index = (ms - START) / HOUR;
            counts.set(index, (counts.get(index) ?? 0) + (each.isSubtracted ? -1 : 1));
          }
        }
        const covered = Array.from({ length: to - from }, (_, index) => counts.get(from + index));
        expect(covered.filter((count) => count !== 1)).toEqual([]);
        const beyond = [...counts].filter(([i]) => i < from || (i >= to && !isOpenEnded));
        expect(beyond.filter(([, count]) => count !== 0)).toEqual([]);
      }),
    );
  });
});
