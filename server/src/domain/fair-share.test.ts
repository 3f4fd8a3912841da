import fc from "fast-check";
import { expect, test } from "vitest";
import { computeShare, INNER_PART, OUTER_PART } from "./fair-share.ts";

test("a lone key can take three eighths of a total", () => {
  const workspace = computeShare(20_000, OUTER_PART, 1);
  expect([workspace, computeShare(workspace, INNER_PART, 1)]).toEqual([10_000, 7_500]);
});

test("whatever two takers hold, a third finds at least a quarter of the total less the smallest shares", () => {
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 1_000_000 }), (total) => {
      const first = computeShare(total, OUTER_PART, 1);
      const second = computeShare(total - first, OUTER_PART, 1);
      expect(total - first - second).toBeGreaterThanOrEqual(Math.floor(total / 4));
    }),
  );
});

test("a share is never below the least", () => {
  expect(computeShare(0, OUTER_PART, 32)).toBe(32);
});
