import { expect, test } from "vitest";
import { describeRevokedToken, describeRotatedToken } from "./scim-effects.ts";

const nowMs = Date.parse("2026-11-30T06:12:00Z");
const token = { last_used_at: "2026-11-30T06:02:00.000Z" };
const provided = { members: 41, groups: 1 };

test("the last token of a directory leaves its people without updates", () => {
  expect(describeRevokedToken({ token, otherTokens: 0, provided, nowMs })).toEqual([
    "The provider last used this token 10 minutes ago.",
    "No other token is valid. 41 provided members and 1 provided group no longer follow the provider.",
    "People who leave stay active here until the provider has another token.",
    "This cannot be undone. Create another token and enter it at the provider.",
  ]);
});

test("another valid token continues to provide people", () => {
  expect(describeRevokedToken({ token, otherTokens: 1, provided, nowMs })[1]).toBe(
    "1 other token stays valid.",
  );
});

test("a rotation without a grace period stops the provider", () => {
  expect(describeRotatedToken({ last_used_at: null }, nowMs)).toEqual([
    "The provider has not used this token yet.",
    "The provider gets a 401 until the new token is entered there.",
  ]);
});
