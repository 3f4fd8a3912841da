import { expect, test } from "vitest";
import { expiryOfNewKey } from "./key-expiry.ts";

const NOW = Date.UTC(2026, 10, 20);

test("no expiry is none, and a time in the future is itself", () => {
  expect(expiryOfNewKey(null, NOW)).toBeNull();
  expect(expiryOfNewKey(NOW + 1, NOW)).toBe(NOW + 1);
});

test.each([NOW, NOW - 1, Number.NaN, Number.POSITIVE_INFINITY, NOW + 1e13])(
  "%s is refused",
  (expiresAtMs) => {
    expect(() => expiryOfNewKey(expiresAtMs, NOW)).toThrow("expires_at");
  },
);
