import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BucketName, bucketMs, cutRange, nextEdge, reportRange } from "./report-range.ts";

test("a range covers what was asked, on whole buckets and less than two more of them", () => {
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

  test("months in the middle, days around them, hours at the ends", () => {
    const startMs = Date.UTC(2026, 7, 25, 22);
    const endMs = Date.UTC(2026, 10, 3, 2);
    expect(cutRange({ startMs, endMs }, units, endMs)).toEqual([
      { unit: "hour", startMs, endMs: Date.UTC(2026, 7, 26) },
      { unit: "day", startMs: Date.UTC(2026, 7, 26), endMs: Date.UTC(2026, 8, 1) },
      { unit: "month", startMs: Date.UTC(2026, 8, 1), endMs: Date.UTC(2026, 10, 1) },
      { unit: "day", startMs: Date.UTC(2026, 10, 1), endMs: Date.UTC(2026, 10, 3) },
      { unit: "hour", startMs: Date.UTC(2026, 10, 3), endMs },
    ]);
  });

  test("weeks beside the months, as far as there are any", () => {
    const startMs = Date.UTC(2026, 9, 6);
    const endMs = Date.UTC(2026, 10, 1);
    const week = (first: number, last: number) => ({
      unit: "week",
      startMs: Date.UTC(2026, 9, first),
      endMs: Date.UTC(2026, 9, last),
    });
    const day = (first: number, last: number) => ({ ...week(first, last), unit: "day" });
    const cutUpTo = (weeksEndMs: number) => cutRange({ startMs, endMs }, units, weeksEndMs);
    expect(cutUpTo(endMs)).toEqual([day(6, 12), week(12, 26), day(26, 32)]);
    expect(cutUpTo(Date.UTC(2026, 9, 19))).toEqual([day(6, 12), week(12, 19), day(19, 32)]);
    expect(cutUpTo(Date.UTC(2026, 9, 12))).toEqual([day(6, 32)]);
    expect(cutUpTo(0)).toEqual([day(6, 32)]);
  });

  test("every cut covers the range once, in order, each part on edges of its unit", () => {
    const hour = fc
      .integer({ min: 0, max: 24 * 500 })
      .map((n) => Date.UTC(2025, 0, 1) + n * 3_600_000);
    const finestFirst = fc
      .subarray(["day", "week", "month"] as const)
      .map((some) => ["hour", ...some] as const);
    fc.assert(
      fc.property(hour, hour, hour, finestFirst, (a, b, weeksEndMs, some) => {
        const range = { startMs: Math.min(a, b), endMs: Math.max(a, b) };
        const parts = cutRange(range, some, weeksEndMs);
        let atMs = range.startMs;
        for (const part of parts) {
          expect(part.startMs).toBe(atMs);
          let edgeMs = part.startMs;
          while (edgeMs < part.endMs) edgeMs = nextEdge(part.unit, edgeMs);
          expect(edgeMs).toBe(part.endMs);
          if (part.unit === "week") expect(part.endMs).toBeLessThanOrEqual(weeksEndMs);
          atMs = part.endMs;
        }
        expect(atMs).toBe(range.endMs);
      }),
    );
  });
});
