import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  findNextThreshold,
  formatThreshold,
  listCrossedThresholds,
  type SpendThreshold,
  type WatchedSpend,
} from "./spend-thresholds.rule.ts";

const DEFAULTS = [50, 75, 90, 100].map((percent) => ({ percent }));

function watched(overrides: Partial<WatchedSpend> = {}): WatchedSpend {
  return {
    period: "monthly",
    periodStart: "2026-11-01",
    settledNanoUsd: 0n,
    limitNanoUsd: 1_000n,
    raises: [],
    isReached: false,
    ...overrides,
  };
}

const crossed = (thresholds: readonly SpendThreshold[], overrides: Partial<WatchedSpend>) =>
  listCrossedThresholds(thresholds, watched(overrides)).map(({ threshold }) => threshold);

const episodeOf = (percent: number, overrides: Partial<WatchedSpend>) =>
  listCrossedThresholds([{ percent }], watched({ settledNanoUsd: 10_000n, ...overrides })).map(
    ({ episode }) => episode,
  );

describe("a percentage", () => {
  test("is crossed at exactly its part of the limit", () => {
    expect(crossed(DEFAULTS, { settledNanoUsd: 499n })).toEqual([]);
    expect(crossed(DEFAULTS, { settledNanoUsd: 500n })).toEqual(["50%"]);
    expect(crossed(DEFAULTS, { settledNanoUsd: 999n })).toEqual(["50%", "75%", "90%"]);
    expect(crossed(DEFAULTS, { settledNanoUsd: 1_000n })).toEqual(["50%", "75%", "90%", "100%"]);
  });

  test("is rounded up to a whole nano-USD", () => {
    expect(crossed([{ percent: 50 }], { limitNanoUsd: 3n, settledNanoUsd: 1n })).toEqual([]);
    expect(crossed([{ percent: 50 }], { limitNanoUsd: 3n, settledNanoUsd: 2n })).toEqual(["50%"]);
  });

  test("may be above 100", () => {
    expect(crossed([{ percent: 150 }], { settledNanoUsd: 1_499n })).toEqual([]);
    expect(crossed([{ percent: 150 }], { settledNanoUsd: 1_500n })).toEqual(["150%"]);
  });

  test("is not crossed without a limit, or without spend", () => {
    expect(crossed(DEFAULTS, { limitNanoUsd: null, settledNanoUsd: 10n ** 18n })).toEqual([]);
    expect(crossed(DEFAULTS, { limitNanoUsd: 0n, settledNanoUsd: 0n })).toEqual([]);
    expect(crossed(DEFAULTS, { limitNanoUsd: 0n, settledNanoUsd: 1n })).toHaveLength(4);
  });
});

describe("an amount", () => {
  const amount: SpendThreshold = { amountNanoUsd: 100_000_000_000n, period: "weekly" };

  test("is crossed in its own period, with or without a limit", () => {
    const settledNanoUsd = 100_000_000_000n;
    for (const limitNanoUsd of [null, 1n, 10n ** 15n]) {
      expect(crossed([amount], { limitNanoUsd, settledNanoUsd, period: "weekly" })).toEqual([
        "$100.00",
      ]);
      expect(crossed([amount], { limitNanoUsd, settledNanoUsd, period: "monthly" })).toEqual([]);
    }
    const less = { limitNanoUsd: null, settledNanoUsd: settledNanoUsd - 1n };
    expect(crossed([amount], { ...less, period: "weekly" })).toEqual([]);
  });

  test("has one episode for each period, also when limits change", () => {
    const spend = watched({
      period: "weekly",
      periodStart: "2026-11-23",
      settledNanoUsd: 10n ** 12n,
      raises: [{ settledNanoUsd: 0n, amountNanoUsd: null }],
    });
    expect(listCrossedThresholds([amount], spend)).toEqual([
      { episode: "weekly 2026-11-23", threshold: "$100.00" },
    ]);
  });
});

describe("an episode", () => {
  test("is the period, until the limit is raised above the spend", () => {
    expect(episodeOf(50, {})).toEqual(["monthly 2026-11-01"]);
    const raise = { settledNanoUsd: 600n, amountNanoUsd: 2_000n };
    expect(episodeOf(50, { raises: [raise] })).toEqual(["monthly 2026-11-01 +1"]);
    expect(episodeOf(50, { raises: [raise, raise] })).toEqual(["monthly 2026-11-01 +2"]);
  });

  test("continues for a threshold that a raise leaves below the spend", () => {
    const raises = [{ settledNanoUsd: 600n, amountNanoUsd: 1_100n }];
    expect(episodeOf(50, { raises })).toEqual(["monthly 2026-11-01"]);
    expect(episodeOf(75, { raises })).toEqual(["monthly 2026-11-01 +1"]);
  });

  test("ends when the limit is removed", () => {
    const raises = [{ settledNanoUsd: 600n, amountNanoUsd: null }];
    expect(episodeOf(50, { raises })).toEqual(["monthly 2026-11-01 +1"]);
  });
});

describe("a limit that refuses before all of it is settled", () => {
  test("crosses its highest threshold up to 100 %, and no other", () => {
    const spend = { settledNanoUsd: 920n, isReached: true };
    expect(crossed(DEFAULTS, spend)).toEqual(["50%", "75%", "90%", "100%"]);
    expect(crossed([{ percent: 95 }, { percent: 80 }], spend)).toEqual(["95%", "80%"]);
    expect(crossed([{ percent: 100 }, { percent: 120 }], spend)).toEqual(["100%"]);
    expect(crossed([{ percent: 120 }], spend)).toEqual([]);
    expect(crossed([{ percent: 95 }, { percent: 99 }], spend)).toEqual(["99%"]);
  });

  test("crosses the threshold also without spend", () => {
    expect(crossed(DEFAULTS, { isReached: true })).toEqual(["100%"]);
  });
});

test("a threshold is shown as a percentage or in dollars", () => {
  expect(formatThreshold({ percent: 75 })).toBe("75%");
  expect(formatThreshold({ amountNanoUsd: 1_500_000_000n, period: "daily" })).toBe("$1.50");
});

const someThreshold = fc.oneof(
  fc.record({ percent: fc.integer({ min: 1, max: 1_000 }) }),
  fc.record({
    amountNanoUsd: fc.bigInt({ min: 1n, max: 10_000n }),
    period: fc.constantFrom("daily" as const, "weekly" as const, "monthly" as const),
  }),
);
const someSpend = fc
  .record({
    settledNanoUsd: fc.bigInt({ min: 0n, max: 10_000n }),
    limitNanoUsd: fc.option(fc.bigInt({ min: 0n, max: 10_000n })),
  })
  .map((fields) => watched(fields));

describe("the next threshold", () => {
  test("is the lowest amount at which another threshold is crossed", () => {
    fc.assert(
      fc.property(fc.array(someThreshold, { maxLength: 6 }), someSpend, (thresholds, spend) => {
        const now = listCrossedThresholds(thresholds, spend).length;
        const count = (settledNanoUsd: bigint) =>
          listCrossedThresholds(thresholds, { ...spend, settledNanoUsd }).length;
        const next = findNextThreshold(thresholds, spend);
        if (next === null) {
          // The first spend crosses a limit of 0, and is always evaluated.
          const atOnce = spend.settledNanoUsd === 0n ? count(1n) : now;
          expect(count(10n ** 18n)).toBe(atOnce);
          return;
        }
        expect(next).toBeGreaterThan(spend.settledNanoUsd);
        expect(count(next)).toBeGreaterThan(now);
        if (spend.settledNanoUsd > 0n) expect(count(next - 1n)).toBe(now);
      }),
    );
  });
});
