import { expect, test } from "vitest";
import {
  type Column,
  isHidden,
  layOutColumns,
  pickColumns,
  sortRows,
  toggleSort,
} from "./table-columns.ts";

interface Key {
  name: string;
  spent: bigint;
}

const columns: Column<Key>[] = [
  { id: "name", header: "Name", cell: ({ name }) => name, sortBy: ({ name }) => name },
  { id: "hint", header: "Hint", cell: () => "", from: "lg", isBelow: true },
  { id: "owner", header: "Owner", cell: () => "", isOptional: true },
  { id: "spent", header: "Spent", cell: () => "", from: "sm", sortBy: ({ spent }) => spent },
  { id: "actions", header: "", cell: () => "" },
];
const rows: Key[] = [
  { name: "key 10", spent: 5n },
  { name: "Key 9", spent: 7n },
  { name: "alpha", spent: 5n },
];
const ids = (of: readonly { id: string }[]) => of.map(({ id }) => id);
const names = (of: readonly Key[]) => of.map(({ name }) => name);

test("shows all columns except the optional ones without a choice", () => {
  expect(ids(pickColumns(columns, null))).toEqual(["name", "hint", "spent", "actions"]);
});

test("shows the chosen columns in the table's order, and always the first and the actions", () => {
  expect(ids(pickColumns(columns, ["spent", "owner"]))).toEqual([
    "name",
    "owner",
    "spent",
    "actions",
  ]);
  expect(ids(pickColumns(columns, ["unknown"]))).toEqual(["name", "actions"]);
});

test("moves a marked column into the second line below its width, and at no other", () => {
  const narrow = layOutColumns(columns, null, "sm");
  expect(ids(narrow.below)).toEqual(["hint"]);
  expect(ids(narrow.columns)).toEqual(["name", "spent", "actions"]);
  const wide = layOutColumns(columns, null, "lg");
  expect(ids(wide.below)).toEqual([]);
  expect(ids(wide.columns)).toEqual(["name", "hint", "spent", "actions"]);
});

test("hides a column below its width, unless it moves into the second line", () => {
  const shown = (screen: "xs" | "sm") => ids(columns.filter((column) => !isHidden(column, screen)));
  expect(shown("xs")).toEqual(["name", "hint", "owner", "actions"]);
  expect(shown("sm")).toEqual(["name", "hint", "owner", "spent", "actions"]);
});

test("names the last column that the screen shows", () => {
  const cut = columns
    .filter(({ id }) => id !== "actions")
    .concat({ ...columns[0], from: "lg", id: "wide" } as Column<Key>);
  expect(layOutColumns(cut, null, "sm").lastId).toBe("spent");
  expect(layOutColumns(cut, null, "lg").lastId).toBe("wide");
});

test("sorts text by its numbers without case, and keeps the order of equal rows", () => {
  expect(names(sortRows(rows, columns, { id: "name" }))).toEqual(["alpha", "Key 9", "key 10"]);
  const down = sortRows(rows, columns, { id: "spent", isDescending: true });
  expect(names(down)).toEqual(["Key 9", "key 10", "alpha"]);
});

test("keeps the order for a column that is unknown or cannot be sorted", () => {
  expect(sortRows(rows, columns, { id: "hint" })).toBe(rows);
  expect(sortRows(rows, columns, { id: "gone" })).toBe(rows);
  expect(sortRows(rows, columns, null)).toBe(rows);
});

test("sorts text up and figures down at first, and turns the order at the next press", () => {
  const [name, , , spent] = columns as [Column<Key>, Column<Key>, Column<Key>, Column<Key>];
  expect(toggleSort(name, null, rows)).toEqual({ id: "name", isDescending: false });
  expect(toggleSort(spent, { id: "name" }, rows)).toEqual({ id: "spent", isDescending: true });
  expect(toggleSort(spent, { id: "spent", isDescending: true }, rows)).toEqual({
    id: "spent",
    isDescending: false,
  });
});
