import { expect, test } from "vitest";
import { describeCostCenters } from "./cost-center-effects.ts";

test("another tag splits all statements in another way", () => {
  expect(describeCostCenters({ before: "team", after: "cost_center", statements: 14 })).toEqual([
    "Rows of 14 statements have the values of cost_center as cost centres at once, in closed months too. Amounts stay the same.",
  ]);
  expect(describeCostCenters({ before: "team", after: null, statements: undefined })).toEqual([
    "Rows of all statements have no cost centres at once, in closed months too. Amounts stay the same.",
  ]);
  expect(describeCostCenters({ before: null, after: null, statements: 14 })).toEqual([]);
});
