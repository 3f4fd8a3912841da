import { expect, test } from "vitest";
import { stateOf } from "./review-state.ts";

const BEGAN = "2026-11-20T12:00:00.000Z";
const reviewers = [{ can_decide: false }, { can_decide: true }];

test.each([
  [{ status: "open", is_overdue: false, due_at: "2026-12-20T00:00:00Z" }, "open"],
  [{ status: "open", is_overdue: false, due_at: "2026-11-22T12:00:00Z" }, "due in 2 days"],
  [{ status: "open", is_overdue: false, due_at: "2026-11-20T18:00:00Z" }, "due in 6 hours"],
  [{ status: "open", is_overdue: true, due_at: "2026-11-01T00:00:00Z" }, "overdue"],
  [
    { status: "open", is_overdue: true, due_at: "", reviewers: [{ can_decide: false }] },
    "no reviewer",
  ],
  [{ status: "applying", is_overdue: false, due_at: "2026-11-01T00:00:00Z" }, "applying"],
  [{ status: "cancelled", is_overdue: false, due_at: "2026-12-01T00:00:00Z" }, "cancelled"],
])("a review that is %j is shown as %s", (fields, text) => {
  expect(
    stateOf({ reviewers, ...fields } as Parameters<typeof stateOf>[0], Date.parse(BEGAN)).text,
  ).toBe(text);
});
