import { describe, expect, test } from "vitest";
import { limitsOf, UNKNOWN_MODEL_LIMITS } from "./model-limits.ts";
import { priceList } from "./price-list.ts";

describe("limits of a model", () => {
  test("each listed model has its own limits, by each of its names", () => {
    for (const { id, aliases, periods } of priceList) {
      const limits = limitsOf(id);
      expect(limits).not.toBe(UNKNOWN_MODEL_LIMITS);
      for (const alias of aliases) expect(limitsOf(alias)).toBe(limits);
      expect(limits.fastMode === "priced").toBe(periods.some(({ fast }) => fast !== null));
    }
  });

  test("a snapshot has its model's limits, and an unknown model the largest", () => {
    expect(limitsOf("claude-haiku-4-5-20260101")).toBe(limitsOf("claude-haiku-4-5"));
    expect(limitsOf("claude-unheard-of")).toBe(UNKNOWN_MODEL_LIMITS);
    for (const { id } of priceList) {
      const limits = limitsOf(id);
      expect(limits.contextTokens).toBeLessThanOrEqual(UNKNOWN_MODEL_LIMITS.contextTokens);
      expect(limits.maxOutputTokens).toBeLessThanOrEqual(UNKNOWN_MODEL_LIMITS.maxOutputTokens);
      expect(limits.imageTokens).toBeLessThanOrEqual(UNKNOWN_MODEL_LIMITS.imageTokens);
    }
  });

  test("limits from the upstream have priority, higher or lower, each separately", () => {
    const reported = new Map([
      ["claude-sonnet-4-6", { contextTokens: 2_000_000, maxOutputTokens: 64_000 }],
      ["claude-new", { contextTokens: 50_000, maxOutputTokens: null }],
    ]);
    expect(limitsOf("claude-sonnet-4-6", reported)).toMatchObject({
      contextTokens: 2_000_000,
      maxOutputTokens: 64_000,
    });
    expect(limitsOf("claude-new", reported)).toMatchObject({
      contextTokens: 50_000,
      maxOutputTokens: 128_000,
    });
    expect(limitsOf("claude-opus-4-5", reported)).toEqual(limitsOf("claude-opus-4-5"));
  });

  test("accepts a report under another name of the model", () => {
    const reported = new Map([
      ["claude-opus-4-5-20251101", { contextTokens: 100_000, maxOutputTokens: 9_000 }],
    ]);
    expect(limitsOf("claude-opus-4-5", reported)).toMatchObject({
      contextTokens: 100_000,
      maxOutputTokens: 9_000,
    });
  });

  test("a report does not lower a limit that a beta header raises", () => {
    const plain = { contextTokens: 200_000, maxOutputTokens: 64_000 };
    const reported = new Map([
      ["claude-sonnet-4-5-20250929", plain],
      ["claude-3-7-sonnet-20250219", plain],
    ]);
    expect(limitsOf("claude-sonnet-4-5", reported).contextTokens).toBe(1_000_000);
    expect(limitsOf("claude-3-7-sonnet-latest", reported).maxOutputTokens).toBe(128_000);
  });

  test.each([0, -1, 1.5, Number.NaN])("ignores a report of %s", (count) => {
    const reported = new Map([["m", { contextTokens: count, maxOutputTokens: count }]]);
    expect(limitsOf("m", reported)).toEqual(UNKNOWN_MODEL_LIMITS);
  });
});
