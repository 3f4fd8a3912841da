import { expect, test } from "vitest";
import { describeArchiving } from "./archive-effects.ts";

const unchangeable =
  "Roles, limits and rules of the workspace stay as they are, and cannot be changed.";

test("an empty workspace has no key that stops", () => {
  expect(describeArchiving({ keys: [], requests: 0, laptops: 0, members: 0 })).toEqual([
    "The workspace has no active key.",
    unchangeable,
  ]);
});

test("keys, requests, laptops and members are counted", () => {
  const keys = ["a", "b", "c", "d", "e", "f"];
  expect(describeArchiving({ keys, requests: 41, laptops: 1, members: 2 })).toEqual([
    "6 active keys will stop working within a second: a, b, c, d, e and 1 more.",
    "41 requests in the last hour. Further ones are refused.",
    "1 laptop of Claude Code stops working.",
    "2 members can no longer use the workspace.",
    unchangeable,
  ]);
});
