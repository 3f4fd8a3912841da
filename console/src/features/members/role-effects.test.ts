import { expect, test } from "vitest";
import { describeRoleChange } from "./role-effects.ts";

const facts = { isSelf: false, activeOwners: 3, stoppedKeys: undefined } as const;

test("an unchanged role has no effect", () => {
  expect(describeRoleChange({ before: "admin", after: "admin", ...facts })).toEqual([]);
});

test("a higher role names gained rights, those to change something first", () => {
  expect(describeRoleChange({ before: "admin", after: "owner", ...facts })).toEqual([
    "Gains 3 rights: “add, change and remove owners”, “set the upstream and its credential”, “set up directories, and who signs in through them”.",
  ]);
});

test("a lower role names lost rights, workspaces and personal keys", () => {
  const stoppedKeys = [{ name: "ci" }];
  const sentences = describeRoleChange({
    before: "admin",
    after: "developer",
    ...facts,
    stoppedKeys,
  });
  expect(sentences[0]).toMatch(/^Loses \d+ rights, such as “create workspaces”, “/);
  expect(sentences.slice(1)).toEqual([
    "Loses every workspace without an assigned role or one of a group.",
    "1 personal key stops working: ci.",
  ]);
});

test("a company role with a role in every workspace says so", () => {
  const sentences = describeRoleChange({ before: "developer", after: "billing", ...facts });
  expect(sentences).toContain("Becomes Workspace Billing in every workspace.");
});

test("the last owner learns that the change is refused", () => {
  expect(
    describeRoleChange({ before: "owner", after: "admin", ...facts, activeOwners: 1 }),
  ).toEqual(["The last Owner keeps the role, so this change is refused. Add another Owner first."]);
});

test("a member who changes the own role is warned", () => {
  const sentences = describeRoleChange({ before: "owner", after: "admin", ...facts, isSelf: true });
  expect(sentences[0]).toBe("You change your own role. Someone else must give it back.");
});
