import { describe, expect, test } from "vitest";
import type { ReviewItem } from "./queries.ts";
import { describePlan, describeRecommendation, joinWords, type Preview } from "./words.ts";

const BEGAN = "2026-11-20T12:00:00.000Z";
const item = (fields: Partial<ReviewItem>) =>
  ({
    signals: [],
    granted_at: "2026-01-01T00:00:00.000Z",
    last_used_at: null,
    ...fields,
  }) as ReviewItem;

describe("returns the reason of a recommendation", () => {
  test.each([
    [{ last_used_at: "2026-11-20T10:00:00.000Z" }, "used on the day of the review"],
    [{ last_used_at: "2026-11-19T10:00:00.000Z" }, "not used for 1 day"],
    [{ last_used_at: "2026-09-01T00:00:00.000Z" }, "not used for 80 days"],
    [
      { last_used_at: "2026-09-01T00:00:00.000Z", granted_at: "2026-11-10T00:00:00.000Z" },
      "granted 10 days before, not used since",
    ],
    [{ signals: ["never_used" as const] }, "never used, granted 323 days before"],
    [{ signals: ["never_used" as const], granted_at: BEGAN }, "new, not used yet"],
    // An admin key from a version that did not record uses.
    [{}, "no use recorded yet"],
  ])("%j: %s", (fields, words) => {
    expect(describeRecommendation(item(fields), BEGAN)).toBe(words);
  });
});

const preview: Preview = {
  type: "access_review_preview",
  items: 14,
  recommended_for_removal: 3,
  without_reviewer: 0,
  paths: [
    { path: "organization_role", items: 12, recommended_for_removal: 3, without_reviewer: 0 },
    { path: "member_key", items: 0, recommended_for_removal: 0, without_reviewer: 0 },
    { path: "admin_key", items: 2, recommended_for_removal: 0, without_reviewer: 0 },
  ],
};

test("describes a plan with its counts and its rule for missing decisions", () => {
  const plan = {
    reviewers: ["Ada", "Grace"],
    dueAt: "2026-12-04T23:59:59Z",
    ifNoAnswer: "as_recommended",
    inactiveDays: 30,
    autoCloseDays: 7,
    recurrence: "quarterly",
  } as const;
  expect(describePlan(plan, preview)).toEqual([
    "The review lists 14 accesses: 12 company roles and 2 admin keys.",
    "Removal is recommended for 3: not used for 30 days.",
    "Ada and Grace decide by the end of 4 Dec 2026 (UTC). They are notified by e-mail and on their overview.",
    "Access without a decision follows the recommendation: 3 would be removed now, except for Owners.",
    "The review closes automatically 7 days after the due date, and access is removed as decided.",
    "A new review starts automatically every three months, with the access of that day.",
  ]);
  const careful = { ...plan, ifNoAnswer: "keep", autoCloseDays: null, recurrence: "none" } as const;
  expect(describePlan(careful, { ...preview, recommended_for_removal: 0 }).slice(1)).toEqual([
    "No removal is recommended: all access is new, or was used in the last 30 days.",
    expect.stringContaining("Ada and Grace decide"),
    "Access without a decision is kept.",
    "Access is removed when the review is closed manually.",
  ]);
});

test("joins words with commas and a final and", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(joinWords)).toEqual([
    "",
    "a",
    "a and b",
    "a, b and c",
  ]);
});
