import { expect, test } from "vitest";
import { describePersonalKeys } from "./describe-personal-keys.ts";

const open = (...names: string[]) =>
  names.map((name) => ({ name, personal_keys: "members" as const }));

test.each([
  [[], "No workspace allows personal keys. People whose role creates no keys need one from you."],
  [open("Research"), "People can create a key in Research."],
  [open("Research", "Sales"), "People can create a key in Research and Sales."],
  [open("A", "B", "C", "D", "E"), "People can create a key in A, B, C and 2 more."],
])("the open workspaces of %j are one sentence", (workspaces, sentence) => {
  expect(describePersonalKeys(workspaces)).toBe(sentence);
});

test("a workspace without personal keys is not named", () => {
  const closed = { name: "Closed", personal_keys: "off" as const };
  expect(describePersonalKeys([closed, ...open("Research")])).toBe(
    "People can create a key in Research.",
  );
});
