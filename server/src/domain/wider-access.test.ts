import { describe, expect, test } from "vitest";
import {
  isInviteWide,
  isKeyWider,
  isPriceLower,
  isRateLimitWider,
  isRoleWider,
  isRotationLooser,
  isSpendLimitWider,
  isWorkspaceRoleWider,
  type KeyAccess,
  type SpendBound,
} from "./wider-access.ts";

// A fixed clock. `Date` itself is banned beside pure rules.
const at = (ms: number) => ({ getTime: () => ms });

const key: KeyAccess = {
  status: "active",
  allowed_models: ["claude-haiku-*", "claude-sonnet-5"],
  allowed_addresses: ["10.0.0.0/8"],
  allowed_origins: ["https://app.example.com"],
  expires_at: at(1_000),
};

describe("an API key", () => {
  test.for<[string, KeyAccess, Partial<KeyAccess>, boolean]>([
    ["is enabled", { ...key, status: "inactive" }, { status: "active" }, true],
    ["is disabled", key, { status: "inactive" }, false],
    ["is archived with fewer restrictions", key, { status: "archived", expires_at: null }, false],
    ["gets all models", key, { allowed_models: null }, true],
    ["gets another model", key, { allowed_models: ["claude-opus-4-5"] }, true],
    ["gets a longer prefix", key, { allowed_models: ["claude-haiku-4-*"] }, false],
    ["gets a model of its prefix", key, { allowed_models: ["claude-haiku-4-5"] }, false],
    ["gets a shorter prefix", key, { allowed_models: ["claude-*"] }, true],
    ["gets all addresses", key, { allowed_addresses: null }, true],
    ["gets other addresses", key, { allowed_addresses: ["192.0.2.1"] }, true],
    ["gets another origin", key, { allowed_origins: ["https://b.example.com"] }, true],
    ["gets its first origin", { ...key, allowed_origins: null }, key, true],
    ["gets all origins", key, { allowed_origins: ["*"] }, true],
    ["gets one of all origins", { ...key, allowed_origins: ["*"] }, key, false],
    ["gets no origins", key, { allowed_origins: null }, false],
    ["gets its first restriction", { ...key, allowed_models: null }, key, false],
    ["expires later", key, { expires_at: at(1_001) }, true],
    ["expires never", key, { expires_at: null }, true],
    ["expires earlier", key, { expires_at: at(999) }, false],
    ["stays the same", key, {}, false],
  ])("%s", ([_, before, change, isWider]) => {
    expect(isKeyWider(before, { ...before, ...change })).toBe(isWider);
  });
});

test("a role is wider if it has a right that the earlier one lacks", () => {
  expect([isRoleWider("user", "developer"), isRoleWider("developer", "user")]).toEqual([
    true,
    false,
  ]);
  expect([isRoleWider("developer", "billing"), isRoleWider("owner", "admin")]).toEqual([
    true,
    false,
  ]);
  expect(isWorkspaceRoleWider(null, "workspace_user")).toBe(true);
  expect(isWorkspaceRoleWider("workspace_admin", "workspace_developer")).toBe(false);
  expect(isWorkspaceRoleWider("workspace_user", "workspace_developer")).toBe(true);
});

test("an invite is wide unless it gives only the plainest roles", () => {
  expect(isInviteWide("user", [])).toBe(false);
  expect(isInviteWide("claude_code_user", ["workspace_user"])).toBe(false);
  expect(isInviteWide("user", ["workspace_user", "workspace_admin"])).toBe(true);
  expect(isInviteWide("developer", [])).toBe(true);
});

test("a price is lower if one kind of token is", () => {
  const prices = { input: 5n, output: 5n, cacheWrite5m: 5n, cacheWrite1h: 5n, cacheRead: 5n };
  expect(isPriceLower(prices, prices)).toBe(false);
  expect(isPriceLower(prices, { ...prices, output: 9n })).toBe(false);
  expect(isPriceLower(prices, { ...prices, input: 9n, cacheRead: 4n })).toBe(true);
});

test("a rotation policy is looser if secrets may become older", () => {
  const policy = { rotationDays: 30, graceDays: 5 };
  expect(isRotationLooser(policy, null)).toBe(true);
  expect(isRotationLooser(null, policy)).toBe(false);
  expect(isRotationLooser(policy, { rotationDays: 31, graceDays: 0 })).toBe(true);
  expect(isRotationLooser(policy, { rotationDays: 30, graceDays: 6 })).toBe(true);
  expect(isRotationLooser(policy, { rotationDays: 20, graceDays: 15 })).toBe(false);
});

const limit: SpendBound = {
  amountNanoUsd: 10n,
  enforcement: "soft",
  openEndedHoldNanoUsd: null,
  unknownFeatures: "hold",
  hold: "steps",
};

test.for<[string, SpendBound | null, SpendBound | null, boolean]>([
  ["is new", null, limit, false],
  ["is removed", limit, null, true],
  ["is higher", limit, { ...limit, amountNanoUsd: 11n }, true],
  ["is lower", limit, { ...limit, amountNanoUsd: 9n }, false],
  ["becomes strict", limit, { ...limit, enforcement: "strict" }, false],
  ["only alerts", limit, { ...limit, enforcement: "alert_only" }, true],
  ["holds less", limit, { ...limit, openEndedHoldNanoUsd: 5n }, true],
  ["holds more", { ...limit, openEndedHoldNanoUsd: 5n }, limit, false],
  ["allows unknown features", { ...limit, unknownFeatures: "refuse" }, limit, true],
  ["refuses unknown features", limit, { ...limit, unknownFeatures: "refuse" }, false],
  ["holds streams in steps", { ...limit, hold: "whole" }, limit, true],
  ["holds streams whole", limit, { ...limit, hold: "whole" }, false],
])("a spend limit that %s", ([_, before, after, isWider]) => {
  expect(isSpendLimitWider(before, after)).toBe(isWider);
});

test("a rate limit is wider if one rate is higher or not limited", () => {
  const rates = { requests: 10, input_tokens: null };
  expect(isRateLimitWider(null, rates)).toBe(false);
  expect(isRateLimitWider(rates, null)).toBe(true);
  expect(isRateLimitWider(rates, { requests: 9, input_tokens: 5 })).toBe(false);
  expect(isRateLimitWider(rates, { requests: 11, input_tokens: 5 })).toBe(true);
  expect(isRateLimitWider(rates, { requests: null, input_tokens: 5 })).toBe(true);
});
