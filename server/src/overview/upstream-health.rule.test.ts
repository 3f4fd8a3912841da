import { expect, test } from "vitest";
import { judgeHealth } from "./upstream-health.rule.ts";

test.each([
  [0, 0, "idle"],
  [4, 4, "working"],
  [5, 1, "failing"],
  [5, 0, "working"],
  [1_000, 199, "working"],
  [1_000, 200, "failing"],
] as const)(
  "of %i requests with %i failed ones, the upstream is judged %s",
  (requests, failedRequests, state) => {
    expect(judgeHealth({ requests, failedRequests })).toBe(state);
  },
);
