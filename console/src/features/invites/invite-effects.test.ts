import { expect, test } from "vitest";
import { describeRevokedInvite } from "./invite-effects.ts";

const invite = {
  status: "pending",
  role: "developer",
  workspaces: [{ workspace_id: "wrkspc_1", workspace_role: "workspace_developer" }],
  groups: [
    { group_id: "grp_1", name: "Platform" },
    { group_id: "grp_2", name: "Data" },
  ],
} as const;

test("a revoked invite names what its link gave", () => {
  const revoked = { ...invite, workspaces: [...invite.workspaces], groups: [...invite.groups] };
  expect(describeRevokedInvite(revoked)).toEqual([
    "The link no longer gives the role Developer, with 1 workspace and 2 groups.",
    "To undo it, send another invite.",
  ]);
  expect(describeRevokedInvite({ ...revoked, workspaces: [], groups: [] })[0]).toBe(
    "The link no longer gives the role Developer.",
  );
});

test("an expired invite takes no access away", () => {
  const expired = { ...invite, status: "expired" as const, workspaces: [], groups: [] };
  expect(describeRevokedInvite(expired)).toEqual([
    "The link has expired already, so no access ends.",
  ]);
});
