import { expect, test } from "vitest";
import { describeRights, listCompanyRights, listWorkspaceRights } from "./role-rights.ts";

type Rights = Parameters<typeof describeRights>[0];

const admin: Rights = new Map([
  ["usage:read", "all"],
  ["api_keys:write", "all"],
  ["workspaces:write", "all"],
  ["rate_limits:write", "all"],
]);
const developer: Rights = new Map([
  ["usage:read", "all"],
  ["api_keys:write", "own"],
]);
const billing: Rights = new Map([
  ["usage:read", "all"],
  ["spend_limits:write", "all"],
]);

test("an unchanged role gains and loses nothing", () => {
  expect(describeRights(admin, admin)).toEqual([]);
});

test("a right to own things only counts as a lost right to all things", () => {
  expect(describeRights(admin, developer)).toEqual([
    "Loses 3 rights: “create, change and revoke API keys”, “change and archive the workspace”, “set and remove rate limits”.",
  ]);
});

test("a role with other rights gains and loses, and names three, those to change something first", () => {
  expect(describeRights(billing, new Map([...admin, ["spend_limits:read", "all"]]))).toEqual([
    "Gains 4 rights, such as “create, change and revoke API keys”, “change and archive the workspace”, “set and remove rate limits”.",
    "Loses 1 right: “set and remove spend limits”.",
  ]);
});

test("a company role has the rights of its role in every workspace", () => {
  const rights = listCompanyRights("admin");
  expect(rights.get("members:write")).toBe("all");
  for (const [action, reach] of listWorkspaceRights("workspace_admin")) {
    expect([action, rights.get(action)]).toEqual([action, reach]);
  }
});
