import { expect, test } from "vitest";
import { listDefaultIds, moveId, splitByOrder } from "./order.ts";

const upstreams = [
  { id: "newest", default_position: 1 },
  { id: "apart", default_position: null },
  { id: "newer", default_position: 0 },
  { id: "oldest", default_position: 1 },
];

test("the default order follows the places, the older first at the same one", () => {
  expect(listDefaultIds(upstreams)).toEqual(["newer", "oldest", "newest"]);
});

test("upstreams outside of an order are the others, and deleted ones are left out", () => {
  const { ordered, others } = splitByOrder(upstreams, ["oldest", "deleted", "newer"]);
  expect(ordered.map(({ id }) => id)).toEqual(["oldest", "newer"]);
  expect(others.map(({ id }) => id)).toEqual(["newest", "apart"]);
});

test("an id moves by one place, and not beyond the ends", () => {
  expect(moveId(["a", "b", "c"], "c", -1)).toEqual(["a", "c", "b"]);
  expect(moveId(["a", "b", "c"], "a", 1)).toEqual(["b", "a", "c"]);
  expect(moveId(["a", "b", "c"], "a", -1)).toEqual(["a", "b", "c"]);
  expect(moveId(["a", "b", "c"], "c", 1)).toEqual(["a", "b", "c"]);
  expect(moveId(["a", "b"], "other", 1)).toEqual(["a", "b"]);
});
