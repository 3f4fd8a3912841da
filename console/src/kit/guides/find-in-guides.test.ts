import { expect, test } from "vitest";
import { findInGuides } from "./find-in-guides.ts";

const MAX = 8;
const guides = [
  {
    name: "reports",
    title: "Reports",
    lead: "Use reports for usage and spend.",
    headings: [{ id: "limits-of-a-page", level: 2, text: "Limits of a page" }],
  },
  { name: "spend-limits", title: "Spend limits", lead: "Cap the cost.", headings: [] },
];

const find = (text: string, max = MAX) =>
  findInGuides(guides, text, max).map(({ guide, heading }) => [guide.name, heading?.id ?? null]);

test("finds titles before headings, in any case", () => {
  expect(find("LIMITS")).toEqual([
    ["spend-limits", null],
    ["reports", "limits-of-a-page"],
  ]);
});

test("finds a guide by a word of its first sentence, after titles", () => {
  expect(find("spend")).toEqual([
    ["spend-limits", null],
    ["reports", null],
  ]);
});

test("needs every word", () => {
  expect(find("page limits")).toEqual([["reports", "limits-of-a-page"]]);
  expect(find("page nothing")).toEqual([]);
});

test("finds nothing for an empty text, and at most the maximum", () => {
  expect(find("  ")).toEqual([]);
  expect(find("limits", 1)).toHaveLength(1);
});
