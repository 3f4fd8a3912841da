import { expect, test } from "vitest";
import type { MemberCaller } from "#src/domain/caller.ts";
import { checkMayChangeMember, checkMayGiveRole, checkMayGiveWorkspaceRole } from "./granting.ts";

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

test("an admin neither makes an owner nor changes one; an owner does both", () => {
  expect(() => checkMayGiveRole(member("admin"), "owner")).toThrow(
    "Only an Owner, or the command line on the server's own machine, can give the role Owner.",
  );
  expect(() => checkMayChangeMember(member("admin"), "owner")).toThrow(
    "can change somebody with the role Owner.",
  );
  for (const role of ["owner", "admin", "user"] as const) {
    expect(() => checkMayGiveRole(member("owner"), role)).not.toThrow();
    expect(() => checkMayChangeMember(member("owner"), role)).not.toThrow();
  }
});

test("somebody with less gives neither admin nor billing", () => {
  for (const role of ["admin", "billing"] as const) {
    expect(() => checkMayGiveRole(member("developer"), role)).toThrow(
      `Only an Owner or Admin can give the role ${role === "admin" ? "Admin" : "Billing"}.`,
    );
  }
});

test("a role in a workspace is given by who has as much there", () => {
  const user = member("user");
  expect(() => checkMayGiveWorkspaceRole(user, "wksp_admin", "workspace_admin")).not.toThrow();
  for (const id of ["wksp_developer", "wksp_of_nobody"]) {
    expect(() => checkMayGiveWorkspaceRole(user, id, "workspace_admin")).toThrow(
      "can give the role Workspace Admin.",
    );
  }
});
