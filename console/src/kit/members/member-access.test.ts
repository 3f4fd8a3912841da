import { expect, test } from "vitest";
import {
  describeStoppedPersonalKeys,
  findStoppedKeys,
  type MemberAccess,
} from "./member-access.ts";

const key = (name: string, workspace_id: string, status = "active") => ({
  name,
  workspace_id,
  status,
  stopped_because: null,
});
const keys = [
  key("a", "wksp_a"),
  key("b", "wksp_b"),
  key("c", "wksp_c"),
  key("old", "wksp_a", "archived"),
];
const access = (over: Partial<MemberAccess>): MemberAccess => ({
  role: "user",
  assigned: [],
  groups: [],
  ...over,
});
const groupOf = (...ids: string[]) => ({
  id: "group_1",
  workspaces: ids.map((workspace_id) => ({ workspace_id })),
});

test("keys stop in workspaces without an assigned role and without one of a group", () => {
  const kept = { assigned: ["wksp_a"], groups: [groupOf("wksp_b")] };
  const before = access({ role: "admin", ...kept });
  const after = access({ role: "developer", ...kept });
  expect(findStoppedKeys(keys, { before, after }).map(({ name }) => name)).toEqual(["c"]);
});

test("no key stops while the company role gives a role in every workspace", () => {
  const before = access({ role: "admin" });
  expect(findStoppedKeys(keys, { before, after: access({ role: "billing" }) })).toEqual([]);
});

test("only keys of workspaces that a group alone gave stop with the membership", () => {
  const before = access({ assigned: ["wksp_b"], groups: [groupOf("wksp_a", "wksp_b")] });
  const after = access({ assigned: ["wksp_b"] });
  expect(findStoppedKeys(keys, { before, after }).map(({ name }) => name)).toEqual(["a"]);
});

test("stopped keys are counted and named", () => {
  expect(describeStoppedPersonalKeys([])).toBe("No personal key stops working.");
  expect(describeStoppedPersonalKeys([{ name: "ci" }])).toBe("1 personal key stops working: ci.");
  expect(describeStoppedPersonalKeys([{ name: "ci" }, { name: "cd" }])).toBe(
    "2 personal keys stop working: ci, cd.",
  );
});
