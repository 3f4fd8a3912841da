import { expect, test } from "vitest";
import { describeApproval, describeDenial } from "./decision-effects.ts";

const limit = {
  limit_usd: "1000.000000000",
  spent_usd: "400.000000000",
  held_usd: "25.000000000",
  period: "monthly" as const,
};

test("an approval says what can be spent this month and each later one", () => {
  expect(describeApproval(limit, "1500")).toEqual([
    "$1,075.00 more can be spent this month. $400.00 is spent.",
    "Each later month also allows $500.00 more, until someone lowers the limit.",
    "Other limits of the same requests still apply.",
  ]);
});

test("an approval of a limit that blocks lets its requests continue", () => {
  const full = { ...limit, spent_usd: "1000.000000000", held_usd: null };
  expect(describeApproval(full, "1500").slice(0, 2)).toEqual([
    "$500.00 more can be spent this month. $1,000.00 is spent.",
    "Requests that the limit blocks now continue within a second.",
  ]);
  const over = { ...full, spent_usd: "1600.000000000" };
  expect(describeApproval(over, "1500")[0]).toBe(
    "The new limit is reached already: $1,600.00 is spent this month.",
  );
});

test("an amount that is no raise has no effect, and unknown spend is left out", () => {
  expect(describeApproval(limit, "1000")).toEqual([]);
  expect(describeApproval({ ...limit, limit_usd: null }, "1500")).toEqual([]);
  expect(describeApproval({ ...limit, spent_usd: null }, "1500")).toHaveLength(2);
});

test("a denial says what is left", () => {
  expect(describeDenial(limit)).toEqual([
    "$600.00 of the limit is left this month.",
    "The request stays denied. Its requester can send another one.",
  ]);
  expect(describeDenial({ ...limit, spent_usd: "1000.000000000", period: "daily" })[0]).toBe(
    "The limit is reached and stays so until the day ends.",
  );
});
