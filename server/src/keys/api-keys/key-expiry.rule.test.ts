import { describe, expect, test } from "vitest";
import { expiryOfKey, keptExpiry } from "./key-expiry.rule.ts";

const NOW = Date.UTC(2026, 10, 20);
const DAY_MS = 86_400_000;
const free = { fromMs: NOW, nowMs: NOW, maxDays: null };
const bound = { fromMs: NOW, nowMs: NOW, maxDays: 30 };
const LATEST = NOW + 30 * DAY_MS;

describe("without a longest lifetime", () => {
  test("no expiry is none, and a time in the future is itself", () => {
    expect(expiryOfKey(undefined, free)).toBeNull();
    expect(expiryOfKey(null, free)).toBeNull();
    expect(expiryOfKey(NOW + 1, free)).toBe(NOW + 1);
    expect([keptExpiry(null, free), keptExpiry(NOW + 5, free)]).toEqual([null, NOW + 5]);
  });

  test.each([NOW, NOW - 1, Number.NaN, Number.POSITIVE_INFINITY, NOW + 1e13])(
    "%s is refused",
    (expiresAtMs) => {
      expect(() => expiryOfKey(expiresAtMs, free)).toThrow("expires_at");
    },
  );
});

describe("with a longest lifetime", () => {
  test("what is not said is the latest moment, and never is refused", () => {
    expect(expiryOfKey(undefined, bound)).toBe(LATEST);
    expect(() => expiryOfKey(null, bound)).toThrow("live 30 days at most");
  });

  test("what is later is refused, but for what clocks differ in", () => {
    expect(expiryOfKey(LATEST, bound)).toBe(LATEST);
    expect(expiryOfKey(LATEST + 3_600_000, bound)).toBe(LATEST);
    expect(() => expiryOfKey(LATEST + 3_600_001, bound)).toThrow("until 2026-12-20T00:00:00.000Z");
    expect(() => expiryOfKey(NOW, bound)).toThrow("in the future");
  });

  test("a kept expiry is never later than before, nor than the latest moment", () => {
    expect(keptExpiry(null, bound)).toBe(LATEST);
    expect(keptExpiry(LATEST + 1, bound)).toBe(LATEST);
    expect(keptExpiry(NOW + 1, bound)).toBe(NOW + 1);
  });
});
