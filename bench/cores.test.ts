import { expect, test } from "vitest";
import { allotCores } from "./cores.ts";

const split = { target: 0, rest: [1, 2, 3] };

test("a target has its number of cores, and the other processes have the others", () => {
  expect(allotCores(split, 1)).toEqual({ target: [0], rest: [1, 2, 3] });
  expect(allotCores(split, 2)).toEqual({ target: [0, 1], rest: [2, 3] });
});

test("a target that has all cores shares them", () => {
  expect(allotCores(split, 4)).toEqual({ target: [0, 1, 2, 3], rest: [0, 1, 2, 3] });
  expect(allotCores({ target: 0, rest: [1] }, 2)).toEqual({ target: [0, 1], rest: [0, 1] });
});
