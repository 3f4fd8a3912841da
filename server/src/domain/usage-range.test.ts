import fc from "fast-check";
import { expect, test } from "vitest";
import { type BucketName, bucketMs, usageRange } from "./usage-range.ts";

test("a range covers what was asked, on whole buckets and less than two more of them", () => {
  const bucket = fc.constantFrom<BucketName>("1m", "1h", "1d");
  const start = fc.integer({ min: Date.UTC(2000), max: 4e12 });
  const length = fc.integer({ min: 1, max: 86_400_000 });
  fc.assert(
    fc.property(bucket, start, length, (name, startMs, lengthMs) => {
      const ms = bucketMs(name);
      const range = usageRange(name, startMs, startMs + lengthMs);
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
  expect(() => usageRange("1d", startMs, endMs)).toThrow(field);
});
