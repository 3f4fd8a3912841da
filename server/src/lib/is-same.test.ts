import { expect, test } from "vitest";
import { isSame } from "./is-same.ts";

test("ignores the order of fields", () => {
  expect(isSame({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toBe(true);
});

test.for([
  ["time", new Date(1), new Date(2)],
  ["amount", 1n, 2n],
  ["order of a list", ["a", "b"], ["b", "a"]],
  ["byte", Uint8Array.of(1), Uint8Array.of(2)],
] as const)("finds another %s", ([_, before, after]) => {
  expect([isSame({ before }, { before }), isSame<object>({ before }, { before: after })]).toEqual([
    true,
    false,
  ]);
});
