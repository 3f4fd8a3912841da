import { expect, test } from "vitest";
import { describeEnding, describeSignOut } from "./end-effects.ts";

const id = "id" as never;
const nothing = { api_keys: [], workspaces: [], groups: [], invites: [] };

test("a member without anything loses no session and no key", () => {
  const counts = { sessions: 0, laptops: 0, requests: 0, ownedThings: 0 };
  expect(describeEnding({ preview: nothing, ...counts })).toEqual([
    "No session is open.",
    "No personal key stops working.",
  ]);
});

test("each thing that ends is counted and named", () => {
  const preview = {
    api_keys: [{ id, name: "ci", workspace_id: id }],
    workspaces: [{ workspace_id: id, name: "Research", workspace_role: "workspace_user" as const }],
    groups: [
      { id, name: "Data" },
      { id, name: "Web" },
    ],
    invites: [{ id, email: "ada@example.com" }],
  };
  const counts = { sessions: 2, laptops: 1, requests: 41, ownedThings: 3 };
  expect(describeEnding({ preview, ...counts })).toEqual([
    "2 sessions end.",
    "1 laptop of Claude Code is signed out.",
    "1 personal key stops working: ci.",
    "41 requests in the last hour. Further ones are refused.",
    "Roles in 1 workspace end: Research.",
    "2 memberships in groups end: Data, Web.",
    "1 pending invite ends.",
    "The member stays named on 3 things, such as reviews and channels. Hand them over on the member’s page.",
  ]);
});

test("unknown counts are left out", () => {
  expect(describeSignOut({ sessions: undefined, laptops: undefined })).toEqual([]);
});
