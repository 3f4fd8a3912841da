import { expect, test } from "vitest";
import { countBlockedKeys } from "./blocked-keys.ts";

const spend = { spent_usd: "7.000000001", working_keys: 3 };

test.each([
  ["a strict limit below the spend blocks every key", "7", "strict", 3],
  ["a soft limit equal to the spend blocks every key", "7.000000001", "soft", 3],
  ["a limit a nano-dollar above the spend blocks none", "7.000000002", "strict", null],
  ["an alert-only limit blocks none", "1", "alert_only", null],
  ["an amount that is still being typed blocks none", "7.", "strict", null],
  ["an empty amount blocks none", "", "strict", null],
] as const)("%s", (_, amount, enforcement, blocked) => {
  expect(countBlockedKeys({ amount, enforcement }, spend)).toBe(blocked);
});

test("a limit of zero blocks a scope that has spent nothing", () => {
  const nothing = { spent_usd: "0.00", working_keys: 1 };
  expect(countBlockedKeys({ amount: "0", enforcement: "strict" }, nothing)).toBe(1);
});
