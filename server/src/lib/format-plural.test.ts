import { expect, test } from "vitest";
import { formatPlural } from "./format-plural.ts";

test("formats one in the singular and every other count in the plural", () => {
  expect([0, 1, 2, 1_200, 1n].map((count) => formatPlural(count, "key"))).toEqual([
    "0 keys",
    "1 key",
    "2 keys",
    "1,200 keys",
    "1 key",
  ]);
  expect(formatPlural(2, "person", "people")).toBe("2 people");
  expect(formatPlural(1, "person", "people")).toBe("1 person");
});
