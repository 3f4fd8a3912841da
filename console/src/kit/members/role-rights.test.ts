import { expect, test } from "vitest";
import { describeRights, listWorkspaceRights } from "./role-rights.ts";

const describe = (...[before, after]: Parameters<typeof listWorkspaceRights>[0][]) =>
  describeRights(
    listWorkspaceRights(before ?? "workspace_user"),
    listWorkspaceRights(after ?? "workspace_user"),
  );

test("an unchanged role gains and loses nothing", () => {
  expect(describe("workspace_user", "workspace_user")).toEqual([]);
});

test("a right for own things only counts as a lost right to all things", () => {
  expect(describe("workspace_admin", "workspace_developer")).toEqual([
    "Loses 6 rights, such as “change and archive the workspace”, “add, change and remove members of the workspace”, “create, change and revoke API keys”.",
  ]);
});

test("a role with other rights gains and loses", () => {
  expect(describe("workspace_developer", "workspace_billing")).toEqual([
    "Gains 2 rights: “set and remove spend limits”, “create, change, mute and acknowledge alerts”.",
    "Loses 3 rights: “create, change and revoke API keys”, “see the members of the workspace”, “see the workspace's API keys”.",
  ]);
});
