import { expect, test } from "vitest";
import { readApiKeysSearch } from "./search.ts";

test("a message about unused keys leads to the keys that are unused for so long", () => {
  expect(readApiKeysSearch({ unused: 90 })).toEqual({ unused: 90 });
  expect(readApiKeysSearch({ unused: 1e9 })).toEqual({ unused: 3_650 });
});

test("what makes no sense in the address is as if it were not there", () => {
  const nonsense = [{ unused: "90" }, { unused: 0 }, { unused: 1.5 }, { unused: null }];
  for (const raw of [...nonsense, { issue: "none" }, { show: "nothing" }, { find: "" }]) {
    expect(readApiKeysSearch(raw)).toEqual({});
  }
});
