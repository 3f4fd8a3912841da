import { expect, test } from "vitest";
import { readApiKeysSearch } from "./search.ts";

test("reads the days of the link in a message about unused keys", () => {
  expect(readApiKeysSearch({ unused: 90 })).toEqual({ unused: 90 });
  expect(readApiKeysSearch({ unused: 1e9 })).toEqual({ unused: 3_650 });
});

test("ignores invalid values in the address", () => {
  const nonsense = [{ unused: "90" }, { unused: 0 }, { unused: 1.5 }, { unused: null }];
  for (const raw of [...nonsense, { issue: "none" }, { show: "nothing" }, { find: "" }]) {
    expect(readApiKeysSearch(raw)).toEqual({});
  }
});
