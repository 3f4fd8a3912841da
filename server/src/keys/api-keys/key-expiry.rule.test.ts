import { describe, expect, test } from "vitest";
import { capExpiry, decideExpiry } from "./key-expiry.rule.ts";

const NOW = Date.UTC(2026, 10, 20);
const DAY_MS = 86_400_000;
const free = { fromMs: NOW, nowMs: NOW, maxDays: null };
const bound = { fromMs: NOW, nowMs: NOW, maxDays: 30 };
const LATEST = NOW + 30 * DAY_MS;

describe("without a maximum lifetime", () => {
  test("keeps a time in the future, and no expiry without one", () => {
    expect(decideExpiry(undefined, free)).toBeNull();
    expect(decideExpiry(null, free)).toBeNull();
    expect(decideExpiry(NOW + 1, free)).toBe(NOW + 1);
    expect([capExpiry(null, free), capExpiry(NOW + 5, free)]).toEqual([null, NOW + 5]);
  });

  test.each([NOW, NOW - 1, Number.NaN, Number.POSITIVE_INFINITY, NOW + 1e13])(
    "refuses %s",
    (expiresAtMs) => {
      expect(() => decideExpiry(expiresAtMs, free)).toThrow("expires_at");
    },
  );
});

describe("with a maximum lifetime", () => {
  test("an omitted expiry becomes the latest time, and a key without expiry is refused", () => {
    expect(decideExpiry(undefined, bound)).toBe(LATEST);
    expect(() => decideExpiry(null, bound)).toThrow("expire within 30 days");
  });

  test("refuses a later time, with an hour of tolerance for clocks", () => {
    expect(decideExpiry(LATEST, bound)).toBe(LATEST);
    expect(decideExpiry(LATEST + 3_600_000, bound)).toBe(LATEST);
    expect(() => decideExpiry(LATEST + 3_600_001, bound)).toThrow("up to 2026-12-20T00:00:00.000Z");
    expect(() => decideExpiry(NOW, bound)).toThrow("in the future");
  });

  test("caps the expiry of a rotated key at the latest time", () => {
    expect(capExpiry(null, bound)).toBe(LATEST);
    expect(capExpiry(LATEST + 1, bound)).toBe(LATEST);
    expect(capExpiry(NOW + 1, bound)).toBe(NOW + 1);
  });
});
