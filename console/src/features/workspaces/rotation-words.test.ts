import { expect, test } from "vitest";
import { describeRotation } from "./rotation-words.ts";

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
