import { expect, test } from "vitest";
import { describeShorterRetention, findFirstKeptDay, isShorter } from "./retention-effects.ts";

const nowMs = Date.parse("2026-11-30T06:12:00Z");
const shorter = {
  words: ["request", "requests"] as const,
  days: 30,
  nowMs,
};

test("the first kept day is a whole day in UTC", () => {
  expect(findFirstKeptDay(30, nowMs)).toBe("2026-10-31T00:00:00.000Z");
});

test.each([
  [30, null, true],
  [30, 90, true],
  [90, 30, false],
  [30, 30, false],
  [null, 30, false],
])("a retention of %s days after one of %s is shorter: %s", (days, current, expected) => {
  expect(isShorter(days, current)).toBe(expected);
});

test("a shorter retention names the deleted requests and that they do not return", () => {
  expect(describeShorterRetention({ ...shorter, deleted: 12_400 })).toEqual([
    "12,400 requests from before 31 Oct 2026 (UTC) are deleted within a day.",
    "This cannot be undone. A longer retention later restores nothing.",
  ]);
  expect(describeShorterRetention({ ...shorter, deleted: 1 })[0]).toBe(
    "1 request from before 31 Oct 2026 (UTC) is deleted within a day.",
  );
});

test("a count that covers a part of the time is a lower bound", () => {
  expect(describeShorterRetention({ ...shorter, deleted: 7, isLeast: true })[0]).toBe(
    "At least 7 requests from before 31 Oct 2026 (UTC) are deleted within a day.",
  );
});

test("an unknown count leaves the day", () => {
  expect(describeShorterRetention({ ...shorter, deleted: undefined })[0]).toBe(
    "All requests from before 31 Oct 2026 (UTC) are deleted within a day.",
  );
});

test("a retention that deletes nothing yet says so", () => {
  expect(describeShorterRetention({ ...shorter, deleted: 0 })[0]).toBe(
    "No request is older than 31 Oct 2026 (UTC). Each later day deletes one more day.",
  );
});
