import { expect, test } from "vitest";
import { countOlderKeys, describeOlderKeys, describeRotation } from "./rotation-words.ts";

test("describes a rotation policy with its days", () => {
  expect(describeRotation({ rotationDays: 90, remindDays: 14, graceDays: 1 })).toBe(
    "Each key needs a new secret every 90 days. The key owner, or the Workspace Admins for a workspace key, get an " +
      "e-mail 14 days before. A key that is not rotated expires 1 day after the due date, at an age of 91 days. Older " +
      "keys are due 14 days after this policy is saved.",
  );
});

test("needs no rotation without a policy", () => {
  expect(describeRotation({ rotationDays: null, remindDays: 14, graceDays: 14 })).toContain(
    "need no rotation",
  );
});

test("is empty while days are missing", () => {
  expect(describeRotation({ rotationDays: 90, remindDays: null, graceDays: 14 })).toBe("");
});

test("counts living keys for calls whose newest secret is as old as the interval", () => {
  const nowMs = Date.parse("2026-11-24T00:00:00Z");
  const key = (at: string, over = {}) => ({
    status: "active",
    purpose: "calls",
    secrets: [{ created_at: at }, { created_at: "2026-01-01T00:00:00Z" }],
    ...over,
  });
  const keys = [
    key("2026-10-25T00:00:00Z"),
    key("2026-10-25T00:00:01Z"),
    key("2026-09-01T00:00:00Z", { status: "inactive" }),
    key("2026-09-01T00:00:00Z", { status: "expired" }),
    key("2026-09-01T00:00:00Z", { purpose: "claude_code" }),
    key("2026-09-01T00:00:00Z", { secrets: [] }),
  ];
  expect(countOlderKeys(keys, { rotationDays: 30, nowMs })).toBe(2);
});

test("states when older keys are due and refused", () => {
  expect(describeOlderKeys(3, { remindDays: 14, graceDays: 7 })).toEqual([
    "3 keys are older than this interval and due in 14 days. Their owners get an e-mail.",
    "Without a new secret, they are refused in 21 days. An expired key cannot be rotated.",
  ]);
  expect(describeOlderKeys(0, { remindDays: 14, graceDays: 7 })).toEqual([
    "No key is older than this interval.",
  ]);
});
