import { expect, test } from "vitest";
import { describeDeletedTerm, describeNewTerm } from "./term-effects.ts";

const statements = [
  { month: "2026-11", state: "open" as const },
  { month: "2026-10", state: "ended" as const },
  { month: "2026-09", state: "closed" as const },
];
const earlier = { from_month: "2026-06", model_family: null, discount_percent: "10" };
const term = { from_month: "2026-10", model_family: null, discount_percent: "12.5" };
const later = { from_month: "2026-11", model_family: null, discount_percent: "-5" };
const opus = { from_month: "2026-08", model_family: "claude-opus", discount_percent: "20" };

test("a new term names the open months and the term that it replaces", () => {
  expect(describeNewTerm({ term, terms: [earlier, opus], statements })).toEqual([
    "2 open statements change at once: November 2026, October 2026.",
    "The term replaces the discount of 10% from June 2026.",
    "The term applies to each later month too.",
    "Closed months stay as they are.",
  ]);
});

test("a later term ends a new one", () => {
  expect(describeNewTerm({ term, terms: [later], statements })).toEqual([
    "1 open statement changes at once: October 2026.",
    "The term ends with the surcharge of 5% from November 2026.",
    "Closed months stay as they are.",
  ]);
});

test("a term of a future month changes no statement now", () => {
  const future = { ...term, from_month: "2027-01" };
  expect(describeNewTerm({ term: future, terms: [], statements })[0]).toBe(
    "No open statement changes now.",
  );
});

test("a deleted term names the one that then applies", () => {
  expect(describeDeletedTerm({ term, terms: [earlier, term], statements })).toEqual([
    "2 open statements change at once: November 2026, October 2026.",
    "They then have the discount of 10% from June 2026.",
    "Closed months stay as they are. To undo it, create the term again.",
  ]);
  const deleted = { term: { ...opus, from_month: "2026-11" }, terms: [], statements };
  expect(describeDeletedTerm(deleted)[1]).toBe(
    "They then have no term for models that begin with claude-opus.",
  );
});
