import { expect, test } from "vitest";
import { makeSearchReader } from "../../search-fields.ts";
import { fromSortText, toColumnsText, toSortText, viewFields } from "./view-fields.ts";

const columns = [
  { id: "name", header: "Name", cell: () => "" },
  { id: "spent", header: "Spent", cell: () => "" },
  { id: "created_at", header: "Created", cell: () => "", isOptional: true as const },
];

test("reads an order with its direction, and writes it back", () => {
  expect(fromSortText("-created_at")).toEqual({ id: "created_at", isDescending: true });
  expect(fromSortText("name")).toEqual({ id: "name", isDescending: false });
  expect(fromSortText(undefined)).toBeNull();
  expect(toSortText({ id: "created_at", isDescending: true })).toBe("-created_at");
  expect(toSortText({ id: "name" })).toBe("name");
});

test("writes chosen columns in the table's order, and nothing for the usual ones", () => {
  expect(toColumnsText(columns, new Set(["created_at", "spent"]))).toBe("name,spent,created_at");
  expect(toColumnsText(columns, new Set(["spent"]))).toBeUndefined();
  expect(toColumnsText(columns, new Set())).toBe("name");
});

test("ignores an order and columns that no table has written", () => {
  const read = makeSearchReader(viewFields);
  expect(read({ sort: "--a", columns: "a,,b" })).toEqual({});
  expect(read({ sort: ["name"], columns: 7 })).toEqual({});
  expect(read({ sort: "-spent", columns: "name,spent" })).toEqual({
    sort: "-spent",
    columns: "name,spent",
  });
});
