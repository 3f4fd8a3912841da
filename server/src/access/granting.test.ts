import { expect, test } from "vitest";
import type { MemberCaller } from "#src/domain/caller.ts";
import { checkMemberChange, checkRoleGrant, checkWorkspaceRoleGrant } from "./granting.ts";

const member = (role: MemberCaller["role"]): MemberCaller => ({
  kind: "member",
  id: "user_1",
  organizationId: "organization",
  role,
  workspaceRoles: new Map([
    ["wksp_admin", "workspace_admin"],
    ["wksp_developer", "workspace_developer"],
  ]),
  sessionId: "session",
  steppedUpAtMs: null,
});

test("an admin can neither create nor change an owner, and an owner can do both", () => {
  expect(() => checkRoleGrant(member("admin"), "owner")).toThrow(
    "Only an Owner, or the command line on the server's own machine, can grant the role Owner.",
  );
  expect(() => checkMemberChange(member("admin"), "owner")).toThrow(
    "can change a member with the role Owner.",
  );
  for (const role of ["owner", "admin", "user"] as const) {
    expect(() => checkRoleGrant(member("owner"), role)).not.toThrow();
    expect(() => checkMemberChange(member("owner"), role)).not.toThrow();
  }
});

test("lower roles can grant neither admin nor billing", () => {
  for (const role of ["admin", "billing"] as const) {
    expect(() => checkRoleGrant(member("developer"), role)).toThrow(
      `Only an Owner or Admin can grant the role ${role === "admin" ? "Admin" : "Billing"}.`,
    );
  }
});

test("a workspace role can be granted by members with at least its permissions", () => {
  const user = member("user");
  expect(() => checkWorkspaceRoleGrant(user, "wksp_admin", "workspace_admin")).not.toThrow();
  for (const id of ["wksp_developer", "wksp_of_nobody"]) {
    expect(() => checkWorkspaceRoleGrant(user, id, "workspace_admin")).toThrow(
      "can grant the role Workspace Admin.",
    );
  }
});
