import { expect, test } from "vitest";
import { describeReactivation } from "./reactivation-effects.ts";

const key = (name: string, stopped_because: string | null, status = "active") => {
  return { name, status, stopped_because };
};
const keys = [
  key("ci", "owner_deactivated"),
  key("laptop", "owner_outside_workspace"),
  key("old", "owner_deactivated", "archived"),
  key("held", "disabled_by_admin"),
];

test("a member with roles in all workspaces has all stopped keys again", () => {
  expect(describeReactivation({ role: "admin", keys })).toEqual([
    "The member can sign in again, with the company role Admin.",
    "2 personal keys work again: ci, laptop.",
  ]);
});

test("a member without a role in a workspace needs one first", () => {
  expect(describeReactivation({ role: "developer", keys: keys.slice(0, 1) })[1]).toBe(
    "1 personal key works again, once the member has a role in the workspace of the key: ci.",
  );
});

test("a member without stopped keys has none that work again", () => {
  expect(describeReactivation({ role: "developer", keys: [] })[1]).toBe(
    "No personal key works again.",
  );
});

test("unknown keys have no sentence", () => {
  expect(describeReactivation({ role: "owner", keys: undefined })).toHaveLength(1);
});
