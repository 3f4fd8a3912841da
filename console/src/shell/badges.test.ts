import { expect, test } from "vitest";
import { sumBadges } from "./badges.ts";

test("no count of the names is above zero: no badge", () => {
  expect(sumBadges(["alerts", "failing_channels"], { alerts: 0, access_reviews: 3 })).toBeNull();
});

test("counts of a place are added up, with a fact for each", () => {
  expect(
    sumBadges(["blocked_limits", "increase_requests"], { blocked_limits: 2, increase_requests: 1 }),
  ).toEqual({
    count: 3,
    isUrgent: true,
    words: "2 limits block requests, 1 increase request to decide",
  });
});

test("a count that only waits for a decision is not urgent", () => {
  expect(sumBadges(["increase_requests"], { increase_requests: 1_200 })).toEqual({
    count: 1_200,
    isUrgent: false,
    words: "1,200 increase requests to decide",
  });
});
