import { describe, expect, test } from "vitest";
import type { ReviewItem } from "./queries.ts";
import { describePlan, listWords, type Preview, recommendationReason } from "./words.ts";

const BEGAN = "2026-11-20T12:00:00.000Z";
const item = (fields: Partial<ReviewItem>) =>
  ({
    signals: [],
    granted_at: "2026-01-01T00:00:00.000Z",
    last_used_at: null,
    ...fields,
  }) as ReviewItem;

describe("why something is recommended", () => {
  test.each([
    [{ last_used_at: "2026-11-20T10:00:00.000Z" }, "used the day it began"],
    [{ last_used_at: "2026-11-19T10:00:00.000Z" }, "not used for 1 day"],
    [{ last_used_at: "2026-09-01T00:00:00.000Z" }, "not used for 80 days"],
    [
      { last_used_at: "2026-09-01T00:00:00.000Z", granted_at: "2026-11-10T00:00:00.000Z" },
      "given 10 days before, not used since",
    ],
    [{ signals: ["never_used" as const] }, "never used, given 323 days before"],
    [{ signals: ["never_used" as const], granted_at: BEGAN }, "new, not used yet"],
    // An admin key of before uses were noted.
    [{}, "no use noted yet"],
  ])("%j: %s", (fields, words) => {
    expect(recommendationReason(item(fields), BEGAN)).toBe(words);
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

test("a plan is told in sentences, with its counts and what happens without an answer", () => {
  const plan = {
    reviewers: ["Ada", "Grace"],
    dueAt: "2026-12-04T23:59:59Z",
    ifNoAnswer: "as_recommended",
    inactiveDays: 30,
    autoCloseDays: 7,
    recurrence: "quarterly",
  } as const;
  expect(describePlan(plan, preview)).toEqual([
    "Takes down 14 accesses as they are now: 12 roles in the company and 2 admin keys.",
    "Recommends removal for 3 of them: not used for 30 days.",
    "Asks Ada and Grace to decide by the end of 4 Dec 2026 (UTC): by mail where it is set up, and on their overview.",
    "What nobody decides about is done as recommended: 3 would go as things are, Owners apart.",
    "7 days after it is due, it closes by itself, and takes away what was decided.",
    "Begins again every three months, by itself, with what is there then.",
  ]);
  const careful = { ...plan, ifNoAnswer: "keep", autoCloseDays: null, recurrence: "none" } as const;
  expect(describePlan(careful, { ...preview, recommended_for_removal: 0 }).slice(1)).toEqual([
    "Nothing is recommended for removal: all was used in the 30 days before, or is new.",
    expect.stringContaining("Asks Ada and Grace"),
    "What nobody decides about stays.",
    "Nothing is taken away until somebody closes the review.",
  ]);
});

test("words are listed as one says them", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(listWords)).toEqual([
    "",
    "a",
    "a and b",
    "a, b and c",
  ]);
});
