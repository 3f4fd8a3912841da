import { expect, test } from "vitest";
import { describeRotation } from "./rotation-words.ts";

test("says what a rotation policy does, with its days", () => {
  expect(describeRotation({ rotationDays: 90, remindDays: 14, graceDays: 1 })).toBe(
    "Each key needs a new secret every 90 days. Its owner is reminded by mail 14 days before; for a key of the workspace, " +
      "its Workspace Admins are. A key that is not rotated expires 1 day after it was due, 91 days old, and programs that " +
      "use it stop. Keys that are older already get 14 days from when this is saved.",
  );
});

test("without a policy keys keep their secrets", () => {
  expect(describeRotation({ rotationDays: null, remindDays: 14, graceDays: 14 })).toContain(
    "keep their secrets",
  );
});

test("while days are missing nothing is promised", () => {
  expect(describeRotation({ rotationDays: 90, remindDays: null, graceDays: 14 })).toBe("");
});
