import { describe, expect, test } from "vitest";
import {
  type AccessFacts,
  finalAnswer,
  findNextStart,
  recommend,
  reminderDue,
  signalsOf,
} from "./access-review.rule.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 20, 12);
const ago = (days: number) => NOW - days * DAY_MS;

function access(fields: Partial<AccessFacts> = {}): AccessFacts {
  return {
    path: "member_key",
    role: "write",
    grantedAtMs: ago(200),
    notedSinceMs: null,
    lastUsedAtMs: ago(1),
    expiresAtMs: NOW + DAY_MS,
    ...fields,
  };
}

describe("signals", () => {
  test.each<[string, Partial<AccessFacts>, string[]]>([
    ["used yesterday", {}, []],
    ["used 30 days ago", { lastUsedAtMs: ago(30) }, ["unused_30_days"]],
    ["used a little less than 30 days ago", { lastUsedAtMs: ago(30) + 1 }, []],
    ["used 90 days ago", { lastUsedAtMs: ago(90) }, ["unused_90_days"]],
    ["never used", { lastUsedAtMs: null }, ["never_used", "unused_90_days"]],
    ["never used, and new", { lastUsedAtMs: null, grantedAtMs: NOW }, ["never_used"]],
    ["granted again after the last use", { lastUsedAtMs: ago(90), grantedAtMs: ago(2) }, []],
    ["a key without an expiry", { expiresAtMs: null }, ["never_expires"]],
    ["a role, which has no expiry", { path: "workspace_role", expiresAtMs: null }, []],
    ["a key with admin permission", { role: "admin" }, ["wide_permission"]],
    ["a Workspace Admin", { path: "workspace_role", role: "workspace_admin" }, ["wide_permission"]],
    ["an Owner", { path: "organization_role", role: "owner" }, ["wide_permission"]],
    [
      "an admin key that was never used",
      { path: "admin_key", role: "", lastUsedAtMs: null },
      ["never_used", "unused_90_days", "wide_permission"],
    ],
    [
      "an admin key with usage records for 40 days",
      { path: "admin_key", role: "", lastUsedAtMs: null, notedSinceMs: ago(40) },
      ["unused_30_days", "wide_permission"],
    ],
  ])("are derived from: %s", (_, fields, signals) => {
    expect(signalsOf(access(fields), NOW)).toEqual(signals);
  });
});

describe("the recommendation", () => {
  test.each<[Partial<AccessFacts>, number, string]>([
    [{ lastUsedAtMs: ago(30) }, 30, "remove"],
    [{ lastUsedAtMs: ago(30) + 1 }, 30, "keep"],
    [{ lastUsedAtMs: ago(60) }, 90, "keep"],
    [{ lastUsedAtMs: null }, 90, "remove"],
    [{ lastUsedAtMs: null, grantedAtMs: ago(5) }, 30, "keep"],
    [{ path: "admin_key", lastUsedAtMs: null }, 30, "remove"],
    [{ path: "admin_key", lastUsedAtMs: null, notedSinceMs: ago(29) }, 30, "keep"],
    [{ path: "admin_key", lastUsedAtMs: null, notedSinceMs: ago(30) }, 30, "remove"],
    [{ expiresAtMs: null, role: "admin" }, 30, "keep"],
  ])("for %j within %i days: %s", (fields, inactiveDays, expected) => {
    expect(recommend(access(fields), { nowMs: NOW, inactiveDays })).toBe(expected);
  });
});

test("uses the reviewer's decision, or the default if it is absent or not sure", () => {
  const recommendation = "remove";
  const answer = (
    decision: "keep" | "remove" | "not_sure" | null,
    ifNoAnswer: "keep" | "remove" | "as_recommended",
  ) => Object.values(finalAnswer({ decision, recommendation }, ifNoAnswer));
  expect(answer("keep", "remove")).toEqual(["keep", true]);
  expect(answer("remove", "keep")).toEqual(["remove", true]);
  expect(answer(null, "keep")).toEqual(["keep", false]);
  expect(answer("not_sure", "keep")).toEqual(["keep", false]);
  expect(answer("not_sure", "remove")).toEqual(["remove", false]);
  expect(answer(null, "as_recommended")).toEqual(["remove", false]);
});

describe("the next of a series", () => {
  const iso = (ms: number | null) => ms && new Date(ms).toISOString().slice(0, 16);
  test.each([
    ["2026-01-31T09:30", "monthly", "2026-01-31T09:30", "2026-02-28T09:30"],
    ["2026-01-31T09:30", "monthly", "2026-02-28T09:30", "2026-03-31T09:30"],
    ["2024-02-29T00:00", "yearly", "2024-02-29T00:00", "2025-02-28T00:00"],
    ["2024-02-29T00:00", "yearly", "2027-03-01T00:00", "2028-02-29T00:00"],
    ["2026-11-30T23:59", "quarterly", "2026-11-30T23:59", "2027-02-28T23:59"],
    ["2026-11-30T23:59", "quarterly", "2029-01-01T00:00", "2029-02-28T23:59"],
    ["2026-12-15T00:00", "monthly", "2026-12-15T00:00", "2027-01-15T00:00"],
  ] as const)("from %s %s after %s is %s", (first, recurrence, after, expected) => {
    const at = (text: string) => Date.parse(`${text}Z`);
    expect(iso(findNextStart(at(first), recurrence, at(after)))).toBe(expected);
  });

  test("is always later and skips no turn", () => {
    const first = Date.UTC(2023, 11, 31, 5);
    for (const recurrence of ["monthly", "quarterly", "yearly"] as const) {
      let at = first;
      for (let turn = 0; turn < 60; turn++) {
        const next = findNextStart(first, recurrence, at) as number;
        const longest = { monthly: 31, quarterly: 92, yearly: 366 }[recurrence];
        expect((next - at) / DAY_MS).toBeGreaterThanOrEqual(28);
        expect((next - at) / DAY_MS).toBeLessThanOrEqual(longest);
        at = next;
      }
    }
  });

  test("is null without a recurrence", () => {
    expect(findNextStart(NOW, "none", NOW)).toBeNull();
  });
});

test("returns one reminder at a time, and none that was due when the review started", () => {
  const dueAtMs = NOW;
  const at = (beganDays: number, daysBefore: number) =>
    reminderDue({ beganAtMs: ago(beganDays), dueAtMs }, NOW - daysBefore * DAY_MS);
  expect(at(14, 7.01)).toBeNull();
  expect(at(14, 7)).toBe("due_in_7_days");
  expect(at(14, 1)).toBe("due_in_1_day");
  expect(at(14, 0)).toBe("overdue");
  expect(at(14, -30)).toBe("overdue");
  expect(at(5, 4)).toBeNull();
  expect(at(5, 1)).toBe("due_in_1_day");
  expect(at(0.5, 0.4)).toBeNull();
});
