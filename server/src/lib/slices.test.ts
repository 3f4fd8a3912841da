import { expect, test } from "vitest";
import { forEachInSlices, mapInSlices, SLICE_ITEMS } from "./slices.ts";

const numbers = Array.from({ length: 3 * SLICE_ITEMS + 1 }, (_, at) => at);

test("maps all items in their order", async () => {
  expect(await mapInSlices(numbers, (item, index) => item + index)).toEqual(
    numbers.map((item) => 2 * item),
  );
  expect(await mapInSlices([], String)).toEqual([]);
});

test("other work runs between two slices, and not inside one", async () => {
  const seen: number[] = [];
  let others = 0;
  const other = () => {
    others += 1;
    if (seen.length < numbers.length) setImmediate(other);
  };
  setImmediate(other);
  await forEachInSlices(numbers, () => void seen.push(others));
  const perTurn = [...Map.groupBy(seen, (turn) => turn).values()].map(({ length }) => length);
  expect(perTurn).toEqual([SLICE_ITEMS, SLICE_ITEMS, SLICE_ITEMS, 1]);
});

test("rejects with the error of an item, and continues no further", async () => {
  const seen: number[] = [];
  const failing = forEachInSlices(numbers, (item) => {
    if (item === SLICE_ITEMS) throw new Error("no");
    seen.push(item);
  });
  await expect(failing).rejects.toThrow("no");
  expect(seen).toHaveLength(SLICE_ITEMS);
});
