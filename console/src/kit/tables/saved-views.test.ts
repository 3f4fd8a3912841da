import { expect, test } from "vitest";
import { addView, isSameView, removeView, toViewSearch } from "./saved-views.ts";

const unused = { page: "/api-keys", name: "Unused", search: "?unused=90" };
const other = { page: "/requests", name: "unused", search: "?status=aborted" };

test("leaves out what is open in the address", () => {
  expect(toViewSearch("?open=req_1&cost=5&sort=-created_at")).toBe("?cost=5&sort=-created_at");
  expect(toViewSearch("?open=req_1")).toBe("");
});

test("recognizes a view whatever the order of its fields", () => {
  expect(isSameView("?a=1&b=%5B%22x%22%5D", "?b=%5B%22x%22%5D&a=1&open=req_1")).toBe(true);
  expect(isSameView("?a=1", "?a=2")).toBe(false);
  expect(isSameView("", "?a=1")).toBe(false);
});

test("replaces the view of the same page and name, and no other", () => {
  const newer = { ...unused, name: "UNUSED", search: "?unused=30" };
  expect(addView([unused, other], newer)).toEqual([other, newer]);
  expect(removeView([unused, other], newer)).toEqual([other]);
});
