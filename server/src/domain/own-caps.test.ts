import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  findActiveCap,
  type OwnCap,
  toCappedUsage,
  toUncappedUsage,
  toUsageHeaders,
} from "./own-caps.ts";
import { periodOf } from "./spend-period.ts";

const NOW_MS = Date.parse("2026-11-27T12:00:00Z");
const usd = (dollars: number) => BigInt(Math.round(dollars * 1e9));
const cap = (period: OwnCap["period"], spent: number, limit: number): OwnCap => ({
  period,
  spentNanoUsd: usd(spent),
  limitNanoUsd: usd(limit),
  resetMs: periodOf(period, NOW_MS).endMs,
});
const DEC_1 = "1796083200";

describe("the headers of an allowed response", () => {
  test("are none for a person without a cap", () => {
    expect(toUsageHeaders([])).toBeNull();
  });

  test.each([
    [0, "allowed", "0.00", undefined],
    [374.99, "allowed", "0.74", undefined],
    [375, "allowed_warning", "0.75", "0.75"],
    [474.99, "allowed_warning", "0.94", "0.75"],
    [475, "allowed_warning", "0.95", "0.95"],
    [499.99, "allowed_warning", "0.99", "0.95"],
    [700, "allowed_warning", "0.99", "0.95"],
  ])("say %d of 500 dollars", (spent, status, utilization, threshold) => {
    expect(toUsageHeaders([cap("monthly", spent, 500)])).toEqual({
      "anthropic-ratelimit-unified-status": status,
      "anthropic-ratelimit-unified-reset": DEC_1,
      "anthropic-ratelimit-unified-representative-claim": "overage",
      "anthropic-ratelimit-unified-overage-status": status,
      "anthropic-ratelimit-unified-overage-utilization": utilization,
      "anthropic-ratelimit-unified-overage-reset": DEC_1,
      ...(threshold && { "anthropic-ratelimit-unified-overage-surpassed-threshold": threshold }),
    });
  });
});

describe("the active cap", () => {
  test("has the largest share, and of used caps the latest end", () => {
    const day = cap("daily", 8, 10);
    const month = cap("monthly", 90, 100);
    expect(findActiveCap([day, month])).toBe(month);
    const usedDay = cap("daily", 10, 10);
    expect(findActiveCap([month, usedDay])).toBe(usedDay);
    const usedMonth = cap("monthly", 0, 0);
    expect(findActiveCap([usedDay, usedMonth])).toBe(usedMonth);
  });
});

describe("the answer about usage", () => {
  test("has a row for each cap, and the amounts of the active one", () => {
    const month = cap("monthly", 410.009, 500);
    const caps = [cap("daily", 1, 20), month];
    expect(toCappedUsage(caps, month)).toEqual({
      extra_usage: {
        is_enabled: true,
        monthly_limit: 50_000,
        used_credits: 41_000,
        utilization: 82,
        currency: "USD",
      },
      limits: [
        {
          kind: "spend",
          group: "daily",
          percent: 5,
          resets_at: "2026-11-28T00:00:00.000Z",
          severity: "normal",
          is_active: false,
        },
        {
          kind: "spend",
          group: "monthly",
          percent: 82,
          resets_at: "2026-12-01T00:00:00.000Z",
          severity: "warning",
          is_active: true,
        },
      ],
    });
  });

  test("has the spend of each period without a cap", () => {
    const spent = { daily: usd(12.4), weekly: usd(70), monthly: usd(271.4) };
    expect(toUncappedUsage(spent)).toEqual({
      extra_usage: {
        is_enabled: true,
        monthly_limit: null,
        used_credits: 27_140,
        utilization: null,
        currency: "USD",
        daily: { limit: null, used_credits: 1_240, utilization: null },
        weekly: { limit: null, used_credits: 7_000, utilization: null },
      },
      limits: [],
    });
  });

  test("equals the headers in percent and in seconds, for any caps that are not used up", () => {
    const caps = fc.array(
      fc.record({
        period: fc.constantFrom("daily" as const, "weekly" as const, "monthly" as const),
        spent: fc.integer({ min: 0, max: 99_999 }),
        limit: fc.integer({ min: 100_000, max: 200_000 }),
      }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(caps, (drawn) => {
        const own = drawn.map(({ period, spent, limit }) => cap(period, spent, limit));
        const active = findActiveCap(own);
        const headers = toUsageHeaders(own);
        if (active === null || headers === null) throw new Error("there is a cap");
        const row = toCappedUsage(own, active).limits.find(({ is_active }) => is_active);
        const resetS = Number(headers["anthropic-ratelimit-unified-overage-reset"]);
        const share = Number(headers["anthropic-ratelimit-unified-overage-utilization"]);
        expect([row?.percent, Date.parse(row?.resets_at ?? "")]).toEqual([
          Math.round(share * 100),
          resetS * 1_000,
        ]);
      }),
    );
  });
});
