import {
  includesRank,
  type KeyPermission,
  type OrganizationRole,
  organizationRoles,
  ranks,
  type WorkspaceRole,
} from "@bursar/contract/permissions.ts";
import { expect, test } from "vitest";
import { makeAdminKeyCaller } from "#test/harness/admin-key-caller.ts";
import type { Caller } from "./caller.ts";
import { rankOf } from "./rank.ts";

const HERE = "wrkspc_here";
const ELSEWHERE = "wrkspc_elsewhere";
const organizationId = "organization";
const operator: Caller = { kind: "local_operator", id: "0", organizationId };
const adminKey = makeAdminKeyCaller("adminkey_1", organizationId);
const keyWith = (permission: KeyPermission): Caller => ({
  kind: "api_key",
  id: "apikey_1",
  organizationId,
  workspaceId: HERE,
  ownerMemberId: null,
  seesOwnUsageOnly: false,
  permission,
});
const member = (role: OrganizationRole, here?: WorkspaceRole): Caller => ({
  kind: "member",
  id: "user_1",
  organizationId,
  role,
  workspaceRoles: new Map(here ? [[HERE, here]] : []),
  sessionId: "session",
  steppedUpAtMs: null,
});

test.each([
  ["the operator", operator, "machine", "machine"],
  ["an owner", member("owner"), "owner", "owner"],
  ["an admin", member("admin"), "admin", "admin"],
  ["an admin key", adminKey, "admin", "admin"],
  ["billing", member("billing"), "holder", "admin"],
  ["a workspace admin", member("developer", "workspace_admin"), "workspace", "workspace"],
  ["billing as workspace admin", member("billing", "workspace_admin"), "workspace", "admin"],
  ["a key with admin", keyWith("admin"), "workspace", "workspace"],
  ["a key with write", keyWith("write"), "holder", "holder"],
  ["a developer", member("user", "workspace_developer"), "holder", "holder"],
] as const)("%s has its rank", (_, caller, keys, limits) => {
  expect(rankOf(caller, HERE, "keys")).toBe(keys);
  expect(rankOf(caller, HERE, "limits")).toBe(limits);
});

test("a workspace role has its rank in its own workspace only", () => {
  for (const workspaceId of [ELSEWHERE, null]) {
    expect(rankOf(member("user", "workspace_admin"), workspaceId, "keys")).toBe("holder");
    expect(rankOf(keyWith("admin"), workspaceId, "limits")).toBe("holder");
    expect(rankOf(member("owner", "workspace_user"), workspaceId, "keys")).toBe("owner");
  }
});

test("a workspace role never lowers the rank of an organization role", () => {
  for (const role of organizationRoles) {
    const alone = rankOf(member(role), HERE, "keys");
    expect(includesRank(rankOf(member(role, "workspace_user"), HERE, "keys"), alone)).toBe(true);
  }
});

test("each rank includes itself and all lower ranks", () => {
  for (const [position, held] of ranks.entries()) {
    expect(ranks.filter((other) => includesRank(held, other))).toEqual(ranks.slice(position));
  }
});
