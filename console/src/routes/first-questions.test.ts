import { adminRoutes } from "@bursar/contract/routes.ts";
import { expect, test } from "vitest";
import type { Answer } from "../api-client.ts";
import { firstOperations, listFirstQuestions, listNextQuestions } from "./first-questions.ts";

const NOW = Date.UTC(2026, 10, 24, 12, 34, 56);
const owner = {
  permissions: Object.values(firstOperations).flatMap(([, right]) => right ?? []),
  workspaces: [],
};

test.each(Object.entries(firstOperations))(
  "%s has the path of the contract",
  (operation, [path]) => {
    const route = adminRoutes.find(({ operationId }) => operationId === operation);
    expect([route?.method, route?.path]).toEqual(["GET", path]);
  },
);

test("a report asks for its rows, its sums, the tags and the summary of the month", () => {
  const place = { pathname: "/cost", search: "?range=30d&by=model" };
  const times = "starting_at=2026-10-26T00%3A00%3A00.000Z&ending_at=2026-11-25T00%3A00%3A00.000Z";
  const asked = `/v1/admin/cost?${times}&group_by=model&order_by=cost`;
  expect(listFirstQuestions(place, owner, NOW)).toEqual([
    `${asked}&bucket=1d&top=8&limit=1000`,
    `${asked}&bucket=none&limit=1000`,
    "/v1/admin/tags?limit=1000",
    "/v1/admin/cost/summary",
    "/v1/admin/badges",
    "/v1/admin/workspaces?limit=1000",
  ]);
});

test("an access review asks for itself, its items, and the decisions of the member", () => {
  const place = { pathname: "/access-reviews/review_1", search: "" };
  const rights = { permissions: ["access_reviews:read" as const], workspaces: [] };
  expect(listFirstQuestions(place, rights, NOW)).toEqual([
    "/v1/admin/access_reviews/review_1",
    "/v1/admin/assigned_access_reviews?statuses=open&statuses=applying&statuses=closed&statuses=cancelled&limit=1000",
    "/v1/admin/access_reviews/review_1/items?limit=1000",
    "/v1/admin/workspaces?limit=1000",
  ]);
});

test("the overview asks for blocking limits and open alerts if there are any", () => {
  const badges = { blocked_limits: 0, alerts: 2 } as Answer<"getBadges">;
  expect(listNextQuestions({ pathname: "/", search: "" }, badges)).toEqual([
    "/v1/admin/alert_groups?is_over=false&order=severity&limit=5",
  ]);
  expect(listNextQuestions({ pathname: "/usage", search: "" }, badges)).toEqual([]);
});

test("a list with a filter in its address asks for the rail only", () => {
  const place = { pathname: "/api-keys", search: "?issue=never_expires" };
  expect(listFirstQuestions(place, owner, NOW)).toEqual([
    "/v1/admin/badges",
    "/v1/admin/workspaces?limit=1000",
  ]);
});

test("questions that the member has no right to are left out", () => {
  const rights = { permissions: [], workspaces: [{ permissions: ["usage:read" as const] }] };
  const place = { pathname: "/requests", search: "" };
  expect(listFirstQuestions(place, rights, NOW)).toEqual([
    "/v1/admin/requests?limit=50",
    "/v1/admin/workspaces?limit=1000",
  ]);
});
