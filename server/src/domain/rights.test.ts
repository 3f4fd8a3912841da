import {
  type Action,
  type AdminKeyScope,
  adminKeyScopes,
  hasRight,
  isInScopes,
  keyPermissions,
  type OrganizationAction,
  type OrganizationRole,
  organizationActions,
  organizationRoles,
  type WorkspaceAction,
  type WorkspaceRole,
  workspaceActions,
  workspaceRoles,
} from "@bursar/contract/permissions.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import { describe, expect, test } from "vitest";
import { authorize } from "#src/access/authorize.ts";
import { makeAdminKeyCaller } from "#test/harness/admin-key-caller.ts";
import type { Caller, MemberCaller } from "./caller.ts";
import {
  canGrantKeyPermission,
  canGrantOrganizationRole,
  canGrantWorkspaceRole,
  findOrganizationReach,
  findStrongestKeyPermission,
  findWorkspaceReach,
  hasOrganizationPermission,
  listPermittedWorkspaces,
} from "./rights.ts";

const HERE = "wksp_here";
const ELSEWHERE = "wksp_elsewhere";
const organizationId = "organization";

const adminKey = makeAdminKeyCaller("adminkey_1", organizationId);
const operator: Caller = { kind: "local_operator", id: "0", organizationId };
const keyWith = (permission: (typeof keyPermissions)[number]): Caller => ({
  kind: "api_key",
  id: "apikey_1",
  organizationId,
  workspaceId: HERE,
  ownerMemberId: null,
  seesOwnUsageOnly: false,
  permission,
});
const member = (role: OrganizationRole, here?: WorkspaceRole): MemberCaller => ({
  kind: "member",
  id: "user_1",
  organizationId,
  role,
  workspaceRoles: new Map(here ? [[HERE, here]] : []),
  sessionId: "session",
  steppedUpAtMs: null,
});

const allowed = (caller: Caller) =>
  organizationActions.filter((action) => hasOrganizationPermission(caller, action));
const reaches = (caller: Caller, workspaceId: string) =>
  Object.fromEntries(
    workspaceActions
      .map((action): [WorkspaceAction, string | null] => [
        action,
        findWorkspaceReach(caller, action, workspaceId),
      ])
      .filter(([, reach]) => reach !== null),
  );

describe("in the organization", () => {
  const allBut = (...missing: OrganizationAction[]) =>
    organizationActions.filter((action) => !missing.includes(action));
  test.each([
    ["owner", organizationActions],
    ["admin", allBut("owners:write", "upstreams:write", "directories:write")],
    ["developer", ["members:read", "groups:read"]],
    ["billing", ["members:read", "groups:read", "contract_terms:read", "contract_terms:write"]],
    ["user", []],
    ["claude_code_user", []],
  ] as const)("%s", (role, expected) => {
    expect(allowed(member(role))).toEqual(expected);
  });

  test("an admin key is an admin, the local operator an owner, a workspace key has no role", () => {
    expect(allowed(adminKey)).toEqual(allowed(member("admin")));
    expect(allowed(operator)).toEqual(organizationActions);
    for (const permission of keyPermissions) expect(allowed(keyWith(permission))).toEqual([]);
  });

  test("a workspace role grants nothing in the organization", () => {
    for (const role of workspaceRoles) expect(allowed(member("user", role))).toEqual([]);
  });
});

describe("in a workspace", () => {
  const everything = Object.fromEntries(workspaceActions.map((action) => [action, "all"]));
  const reading = {
    "organization:read": "all",
    "model_prices:read": "all",
    "workspaces:read": "all",
    "spend_limits:request": "all",
  };
  const developer = {
    ...reading,
    "workspace_members:read": "all",
    "api_keys:read": "all",
    "api_keys:write": "own",
    "spend_limits:read": "all",
    "rate_limits:read": "all",
    "alerts:read": "all",
    "usage:read": "all",
  };
  const billing = {
    ...reading,
    "spend_limits:read": "all",
    "spend_limits:write": "all",
    "rate_limits:read": "all",
    "alerts:read": "all",
    "alerts:write": "all",
    "usage:read": "all",
    "statements:read": "all",
  };
  test.each([
    ["workspace_admin", everything],
    ["workspace_developer", developer],
    ["workspace_restricted_developer", developer],
    ["workspace_user", { ...reading, "usage:read": "own" }],
  ] as const)("%s", (role, expected) => {
    expect(reaches(member("user", role), HERE)).toEqual(expected);
    expect(reaches(member("developer", role), HERE)).toEqual(expected);
    expect(reaches(member("user", role), ELSEWHERE)).toEqual({});
  });

  test("owner, admin and billing have their permissions in every workspace, without being added to it", () => {
    expect(reaches(member("owner"), ELSEWHERE)).toEqual(everything);
    expect(reaches(member("admin"), ELSEWHERE)).toEqual(everything);
    expect(reaches(member("billing"), ELSEWHERE)).toEqual(billing);
    for (const role of ["developer", "user", "claude_code_user"] as const) {
      expect(reaches(member(role), ELSEWHERE)).toEqual({});
    }
  });

  test("a lower workspace role removes nothing, and two roles add up", () => {
    expect(reaches(member("admin", "workspace_user"), HERE)).toEqual(everything);
    expect(reaches(member("billing", "workspace_user"), HERE)).toEqual(billing);
    expect(reaches(member("billing", "workspace_developer"), HERE)).toEqual({
      ...developer,
      ...billing,
    });
  });

  test("a key has the actions of its permission, only in its own workspace", () => {
    expect(reaches(keyWith("admin"), HERE)).toEqual(everything);
    const read = { "usage:read": "all", "model_prices:read": "all" };
    expect(reaches(keyWith("read"), HERE)).toEqual(read);
    expect(reaches(keyWith("write"), HERE)).toEqual({ ...read, "spend_limits:request": "all" });
    expect(reaches(keyWith("admin"), ELSEWHERE)).toEqual({});
    expect(findOrganizationReach(keyWith("admin"), "usage:read")).toBeNull();
  });
});

test("lists the workspaces with a permission, or null for all", () => {
  expect(listPermittedWorkspaces(member("billing"), "usage:read")).toBeNull();
  expect(listPermittedWorkspaces(member("billing"), "api_keys:read")).toEqual([]);
  expect(listPermittedWorkspaces(adminKey, "api_keys:read")).toBeNull();
  expect(listPermittedWorkspaces(keyWith("admin"), "api_keys:read")).toEqual([HERE]);
  expect(listPermittedWorkspaces(member("user"), "workspaces:read")).toEqual([]);
  const user = member("user", "workspace_user");
  expect(listPermittedWorkspaces(user, "usage:read")).toEqual([HERE]);
  expect(listPermittedWorkspaces(user, "usage:read", "own")).toEqual([HERE]);
  expect(listPermittedWorkspaces(user, "usage:read", "all")).toEqual([]);
  expect(listPermittedWorkspaces(member("owner"), "usage:read", "own")).toEqual([]);
});

describe("callers cannot grant more than their own permissions", () => {
  test.each([
    ["an owner", member("owner"), "admin"],
    ["an admin key", adminKey, "admin"],
    ["a workspace admin", member("user", "workspace_admin"), "admin"],
    ["a workspace developer", member("user", "workspace_developer"), "write"],
    ["a limited developer", member("user", "workspace_restricted_developer"), "write"],
    ["a workspace user", member("user", "workspace_user"), null],
    ["billing", member("billing"), null],
    ["a key with admin", keyWith("admin"), "admin"],
    ["a key with write", keyWith("write"), "write"],
    ["a key with read", keyWith("read"), "read"],
  ] as const)("the strongest key of %s", (_, caller, expected) => {
    expect(findStrongestKeyPermission(caller, HERE)).toBe(expected);
    for (const permission of keyPermissions) {
      const isWithin =
        expected !== null && keyPermissions.indexOf(permission) <= keyPermissions.indexOf(expected);
      expect(canGrantKeyPermission(caller, HERE, permission)).toBe(isWithin);
    }
  });

  test("no key in a workspace without a role", () => {
    expect(findStrongestKeyPermission(member("user", "workspace_admin"), ELSEWHERE)).toBeNull();
    expect(findStrongestKeyPermission(keyWith("admin"), ELSEWHERE)).toBeNull();
  });

  test("organization roles: an owner grants any, an admin and an admin key any but owner", () => {
    const given = (caller: Caller) =>
      organizationRoles.filter((role) => canGrantOrganizationRole(caller, role));
    expect(given(member("owner"))).toEqual(organizationRoles);
    expect(given(operator)).toEqual(organizationRoles);
    const belowOwner = organizationRoles.filter((role) => role !== "owner");
    expect(given(member("admin"))).toEqual(belowOwner);
    expect(given(adminKey)).toEqual(belowOwner);
    expect(given(keyWith("admin"))).toEqual([]);
    for (const role of ["developer", "user", "claude_code_user"] as const) {
      expect(given(member(role, "workspace_admin"))).not.toContain("admin");
      expect(given(member(role, "workspace_admin"))).not.toContain("billing");
    }
  });

  test("workspace roles: a workspace admin grants any, a developer none above its own", () => {
    const given = (caller: Caller, workspaceId: string) =>
      workspaceRoles.filter((role) => canGrantWorkspaceRole(caller, workspaceId, role));
    expect(given(member("user", "workspace_admin"), HERE)).toEqual(workspaceRoles);
    expect(given(member("user", "workspace_admin"), ELSEWHERE)).toEqual([]);
    expect(given(keyWith("admin"), HERE)).toEqual(workspaceRoles);
    expect(given(member("user", "workspace_developer"), HERE)).not.toContain("workspace_admin");
    expect(given(member("user", "workspace_developer"), HERE)).not.toContain("workspace_billing");
  });

  test("only an owner can grant a role whose permissions no other role has", () => {
    const ownersOnly = organizationActions.filter(
      (action) => organizationRoles.filter((role) => hasRight(role, action)).length === 1,
    );
    expect(ownersOnly).toEqual(["owners:write", "upstreams:write", "directories:write"]);
  });
});

describe("an admin key with scopes", () => {
  const scoped = (...scopes: AdminKeyScope[]) =>
    makeAdminKeyCaller("adminkey_1", organizationId, { scopes });
  const passes = (caller: Caller, action: Exclude<Action, "public">) => {
    try {
      authorize(caller, action);
      return true;
    } catch {
      return false;
    }
  };
  const routeActions = [...new Set(adminRoutes.map(({ action }) => action))].filter(
    (action) => action !== "public",
  );

  test.each(adminKeyScopes)("makes the calls of its scope only: %s", (scope) => {
    for (const action of routeActions) {
      const isGranted = passes(adminKey, action) && isInScopes([scope], action);
      expect([action, passes(scoped(scope), action)]).toEqual([action, isGranted]);
    }
  });

  test("with every scope has all rights of an admin key", () => {
    for (const action of routeActions) {
      expect([action, passes(scoped(...adminKeyScopes), action)]).toEqual([
        action,
        passes(adminKey, action),
      ]);
    }
  });

  test("with read changes nothing", () => {
    const changes = adminRoutes.filter(
      ({ audited, method }) => audited !== null && method !== "GET",
    );
    expect(
      changes.filter(({ action }) => action !== "public" && passes(scoped("read"), action)),
    ).toEqual([]);
  });

  test("has no rights by a scope that this version does not know", () => {
    const unknown = makeAdminKeyCaller("adminkey_1", organizationId, { scopes: ["later"] });
    expect(passes(unknown, "members:read")).toBe(false);
    expect(passes(unknown, "api_keys:write")).toBe(false);
  });

  test("gives others no more than its scopes", () => {
    expect(canGrantOrganizationRole(scoped("members"), "developer")).toBe(true);
    expect(canGrantOrganizationRole(scoped("members"), "admin")).toBe(false);
    expect(canGrantOrganizationRole(scoped("members"), "billing")).toBe(false);
    expect(canGrantWorkspaceRole(scoped("members"), HERE, "workspace_admin")).toBe(false);
    expect(canGrantWorkspaceRole(scoped("members"), HERE, "workspace_developer")).toBe(false);
    const both = scoped("members", "api_keys", "read");
    expect(canGrantWorkspaceRole(both, HERE, "workspace_developer")).toBe(true);
    expect(findStrongestKeyPermission(scoped("api_keys"), HERE)).toBe("write");
    expect(findStrongestKeyPermission(scoped("read"), HERE)).toBeNull();
  });
});
