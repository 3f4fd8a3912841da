import { expect, test } from "vitest";
import { pressBox, setRows } from "./selection.ts";

const keys = ["a", "b", "c", "d", "e"];
const press = { position: 3, anchor: 1, isChecked: true, isRange: false };
const list = (selected: ReadonlySet<string>) => [...selected].sort();

test("selects one row for a press without shift", () => {
  expect(list(pressBox(new Set(["a"]), keys, press))).toEqual(["a", "d"]);
});

test("selects all rows between both presses with shift, in both directions", () => {
  const range = { ...press, isRange: true };
  expect(list(pressBox(new Set(), keys, range))).toEqual(["b", "c", "d"]);
  expect(list(pressBox(new Set(), keys, { ...range, position: 0, anchor: 2 }))).toEqual([
    "a",
    "b",
    "c",
  ]);
});

test("clears all rows between both presses with shift on a selected row", () => {
  const range = { ...press, isRange: true, isChecked: false };
  expect(list(pressBox(new Set(keys), keys, range))).toEqual(["a", "e"]);
});

test("selects one row for a press with shift before any other press", () => {
  expect(list(pressBox(new Set(), keys, { ...press, isRange: true, anchor: null }))).toEqual(["d"]);
});

test("keeps selected rows that are not shown", () => {
  expect(list(setRows(new Set(["hidden"]), keys, true))).toEqual([...keys, "hidden"].sort());
  expect(list(setRows(new Set(["hidden", "a"]), keys, false))).toEqual(["hidden"]);
});
