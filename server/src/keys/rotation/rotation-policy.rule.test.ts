import { expect, test } from "vitest";
import { computeRotationTimes, findRotationStep, isStricter } from "./rotation-policy.rule.ts";

const DAY_MS = 86_400_000;
const policy = { rotationDays: 90, remindDays: 14, graceDays: 7, effectiveAtMs: 0 };
const day = (days: number) => days * DAY_MS;

test("reminder, due date and expiry follow from the age of the secret", () => {
  expect(computeRotationTimes(day(1_000), policy)).toEqual({
    remindAtMs: day(1_076),
    dueAtMs: day(1_090),
    expireAtMs: day(1_097),
  });
});

test("a new policy starts with the reminder period and the grace period", () => {
  const times = computeRotationTimes(0, { ...policy, effectiveAtMs: day(2_000) });
  expect(times).toEqual({
    remindAtMs: day(2_000),
    dueAtMs: day(2_014),
    expireAtMs: day(2_021),
  });
});

test("each step begins at its time", () => {
  const times = computeRotationTimes(0, policy);
  const steps = [75.9, 76, 89.9, 90, 96.9, 97, 5_000].map((days) =>
    findRotationStep(times, day(days)),
  );
  expect(steps).toEqual([null, "due", "due", "overdue", "overdue", "expired", "expired"]);
});

test("a policy is stricter when keys can be due or expire earlier", () => {
  expect(isStricter({ ...policy, rotationDays: 89 }, policy)).toBe(true);
  expect(isStricter({ ...policy, graceDays: 6 }, policy)).toBe(true);
  expect(isStricter({ ...policy, rotationDays: 120, graceDays: 1 }, policy)).toBe(false);
  expect(isStricter({ ...policy, remindDays: 1 }, policy)).toBe(false);
  expect(isStricter(policy, policy)).toBe(false);
});
