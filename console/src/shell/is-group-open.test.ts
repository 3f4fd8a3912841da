import { expect, test } from "vitest";
import { isGroupOpen } from "./is-group-open.ts";

const folded = { title: "System", isOpenAtFirst: false, isCurrent: false, placeCount: 25 };
const open = { ...folded, title: "Spend", isOpenAtFirst: true };

test("without a choice, a group is in its first state", () => {
  expect([isGroupOpen({}, open), isGroupOpen({}, folded)]).toEqual([true, false]);
});

test("a rail of few places has no folded group at first", () => {
  expect(isGroupOpen({}, { ...folded, placeCount: 9 })).toBe(true);
});

test("a choice replaces the first state", () => {
  const choices = { Spend: false, System: true };
  expect([isGroupOpen(choices, open), isGroupOpen(choices, folded)]).toEqual([false, true]);
});

test("the group of the open page is open, even if it was folded", () => {
  expect(isGroupOpen({ System: false }, { ...folded, isCurrent: true })).toBe(true);
});
