import { expect, test } from "vitest";
import { describeGroupMode } from "./group-mode-effects.ts";

test("a mode states the number of members with a cap from a group, and what applies then", () => {
  expect(describeGroupMode(1, "lowest")).toEqual([
    "1 member has a cap from a group. In several groups, the lowest cap applies within a second.",
    "Members who have spent their lowest cap are refused until the period ends.",
  ]);
  expect(describeGroupMode(12, "highest")[1]).toBe("Members can spend up to their highest cap.");
  expect(describeGroupMode(0, "lowest")).toEqual([]);
});
