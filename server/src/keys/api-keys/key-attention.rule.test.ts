import { expect, test } from "vitest";
import { type KeyTimes, listAttention } from "./key-attention.rule.ts";

const NOW = Date.UTC(2026, 10, 20);
const inDays = (days: number) => new Date(NOW + days * 86_400_000);
const key: KeyTimes = {
  status: "active",
  hasSecret: true,
  createdAt: inDays(-10),
  secretCreatedAt: inDays(-10),
  expiresAt: null,
  lastUsedAt: null,
  exceedsMaxLifetime: false,
};
const attentionOf = (changes: Partial<KeyTimes>) => listAttention({ ...key, ...changes }, NOW);

test("needs no attention only because it has no expiry, no owner and no use yet", () => {
  expect(attentionOf({})).toEqual([]);
});

test("needs attention at the day of each bound", () => {
  expect(attentionOf({ expiresAt: inDays(14) })).toEqual(["expires_within_14_days"]);
  expect(attentionOf({ expiresAt: inDays(14.01) })).toEqual([]);
  expect(attentionOf({ createdAt: inDays(-90) })).toEqual(["unused_90_days"]);
  expect(attentionOf({ createdAt: inDays(-200), lastUsedAt: inDays(-90) })).toEqual([
    "unused_90_days",
  ]);
  expect(attentionOf({ createdAt: inDays(-200), lastUsedAt: inDays(-89) })).toEqual([]);
  expect(attentionOf({ secretCreatedAt: inDays(-180) })).toEqual(["older_than_180_days"]);
  expect(attentionOf({ secretCreatedAt: inDays(-179) })).toEqual([]);
  expect(attentionOf({ exceedsMaxLifetime: true })).toEqual(["exceeds_max_lifetime"]);
});

test("asks for no rotation of a key without a secret of its own", () => {
  expect(attentionOf({ hasSecret: false, secretCreatedAt: inDays(-400) })).toEqual([]);
});

test("needs no attention after its end", () => {
  const old = { createdAt: inDays(-400), expiresAt: inDays(-1) };
  expect(attentionOf({ ...old, status: "expired" })).toEqual([]);
  expect(attentionOf({ ...old, status: "archived" })).toEqual([]);
});
