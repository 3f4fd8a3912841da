import type { Rank } from "@bursar/contract/permissions.ts";
import { describe, expect, test } from "vitest";
import { type GroupModels, toGroupModels } from "#src/domain/group-models.ts";
import {
  type LostJoin,
  pickLostJoins,
  restrictAdminKey,
  restrictApiKey,
  restrictGroup,
  restrictMember,
  restrictRanks,
  restrictSecrets,
  restrictWorkspace,
} from "./restrict.rule.ts";
import type {
  ApiKeyState,
  GroupState,
  MemberState,
  RankState,
  SecretState,
  WorkspaceState,
} from "./subject-state.rule.ts";

const key: ApiKeyState = {
  ...{
    type: "api_key",
    id: "apikey_1",
    status: "active",
    permission: "write",
    ownerMemberId: null,
  },
  ...{
    expiresAtMs: 2_000,
    allowedModels: ["a", "b"],
    allowedAddresses: null,
    allowedOrigins: ["https://a.example.com", "https://b.example.com"],
    userDirectoryId: null,
    requiresUser: null,
    ranks: [],
    secrets: [],
  },
};

describe("an API key", () => {
  test.each<[string, Partial<ApiKeyState>, object]>([
    ["that is the same", {}, {}],
    ["that was disabled", { status: "inactive" }, { status: "inactive" }],
    ["that was archived", { status: "archived" }, { status: "archived" }],
    ["with a lower permission", { permission: "read" }, { permission: "read" }],
    ["that expires earlier", { expiresAtMs: 1_000 }, { expiresAtMs: 1_000 }],
    ["with fewer models", { allowedModels: ["a"] }, { allowedModels: ["a"] }],
    ["with another model", { allowedModels: ["a", "c"] }, { allowedModels: ["a", "c"] }],
    ["with addresses", { allowedAddresses: ["10.0.0.0/8"] }, { allowedAddresses: ["10.0.0.0/8"] }],
    [
      "with fewer origins",
      { allowedOrigins: ["https://a.example.com"] },
      { allowedOrigins: ["https://a.example.com"] },
    ],
    [
      "with another origin",
      { allowedOrigins: ["https://a.example.com", "https://c.example.com"] },
      { allowedOrigins: ["https://a.example.com", "https://c.example.com"] },
    ],
    ["without origins", { allowedOrigins: null }, { allowedOrigins: null }],
    ["with all origins", { allowedOrigins: ["*"] }, {}],
    ["with more rights", { permission: "admin" }, {}],
    ["that expires later", { expiresAtMs: 3_000 }, {}],
    ["that never expires", { expiresAtMs: null }, {}],
    ["with more models", { allowedModels: ["a", "b", "c"] }, {}],
    ["with all models", { allowedModels: null }, {}],
  ])("%s", (_, change, restriction) => {
    expect(restrictApiKey(key, { ...key, ...change })).toEqual(restriction);
  });

  test("that allowed all origins allows the remembered ones", () => {
    const all = { ...key, allowedOrigins: ["*"] };
    const { allowedOrigins } = key;
    expect(restrictApiKey(all, key)).toEqual({ allowedOrigins });
    expect(restrictApiKey({ ...key, allowedOrigins: null }, key)).toEqual({});
  });

  const none = { userDirectoryId: null, requiresUser: null };
  const named = { userDirectoryId: "dir_a", requiresUser: false };
  const required = { ...named, requiresUser: true };
  const other = { userDirectoryId: "dir_b", requiresUser: false };

  test.each<[string, Partial<ApiKeyState>, Partial<ApiKeyState>, object]>([
    ["that named users names them again", none, named, named],
    ["that required users requires them again", none, required, required],
    ["that required users of its directory requires them again", named, required, required],
    ["of another directory gets it", named, other, other],
    [
      "of another directory still requires users",
      required,
      other,
      { ...other, requiresUser: true },
    ],
    ["that required no user still requires them", required, named, {}],
    ["that named no users still names them", required, none, {}],
    ["with the same users stays", required, required, {}],
  ])("%s", (_, current, remembered, restriction) => {
    expect(restrictApiKey({ ...key, ...current }, { ...key, ...remembered })).toEqual(restriction);
  });

  test("that was enabled stays disabled", () => {
    expect(restrictApiKey({ ...key, status: "inactive" }, key)).toEqual({});
  });
});

describe("the ranks of a key", () => {
  const admin: RankState = {
    ...{ rank: "admin", isDisabled: false, allowedModels: ["a", "b"], allowedAddresses: null },
    ...{ expiresAtMs: 2_000, setByType: "member", setById: "user_1", setAtMs: 1 },
  };
  const holder: RankState = { ...admin, rank: "holder" };

  test("get a lost restriction of each rank", () => {
    expect(restrictRanks([admin], [admin, holder])).toEqual([holder]);
    const disabled = { ...admin, isDisabled: true, setAtMs: 2 };
    expect(restrictRanks([admin, holder], [disabled, holder])).toEqual([disabled]);
  });

  test("keep the stricter of two values", () => {
    const lost = { ...admin, allowedModels: ["a"], expiresAtMs: 3_000 };
    expect(restrictRanks([admin], [lost])).toEqual([{ ...lost, expiresAtMs: 2_000 }]);
  });

  test("never get more freedom", () => {
    const freer = { ...admin, allowedModels: null, expiresAtMs: null };
    expect(restrictRanks([admin, holder], [freer])).toEqual([]);
    expect(restrictRanks([{ ...admin, isDisabled: true }], [admin])).toEqual([]);
  });
});

describe("the secrets of a key", () => {
  const old: SecretState = { id: "1", hash: "aa", hint: "a", createdAtMs: 1, validUntilMs: null };
  const fresh: SecretState = { id: "2", hash: "bb", hint: "b", createdAtMs: 2, validUntilMs: null };

  test("are replaced as in the lost rotation", () => {
    const ended = { ...old, validUntilMs: 5_000 };
    expect(restrictSecrets([old], [ended, fresh])).toEqual({ ended: [ended], added: [fresh] });
  });

  test("stay after a rotation that both have", () => {
    const ended = { ...old, validUntilMs: 5_000 };
    expect(restrictSecrets([ended, fresh], [ended, fresh])).toEqual({ ended: [], added: [] });
  });

  test("end at the lost cut-off, without another secret", () => {
    const ending = { ...old, validUntilMs: 5_000 };
    const cut = { ...old, validUntilMs: 1_000 };
    expect(restrictSecrets([ending, fresh], [cut, fresh])).toEqual({ ended: [cut], added: [] });
  });
});

test("an admin key is revoked, and never activated", () => {
  const active = {
    type: "admin_key",
    id: "adminkey_1",
    status: "active",
    expiresAtMs: null,
  } as const;
  const revoked = { ...active, status: "revoked" } as const;
  expect(restrictAdminKey(active, revoked)).toEqual({ status: "revoked" });
  expect(restrictAdminKey(revoked, active)).toEqual({});
});

describe("a workspace", () => {
  const rules = {
    personal_keys: "members",
    personal_key_models: ["a", "b"],
    personal_key_lifetime_days: 90,
    personal_keys_per_member: null,
  } as const;
  const workspace: WorkspaceState = {
    ...{ type: "workspace", id: "wksp_1", archivedAtMs: null, personalKeys: rules },
  };
  test.each<[string, Partial<WorkspaceState["personalKeys"]>, object | null]>([
    ["that is the same", {}, null],
    ["without personal keys", { personal_keys: "off" }, { personal_keys: "off" }],
    ["that is open to everyone", { personal_keys: "everyone" }, null],
    ["with fewer models", { personal_key_models: ["a"] }, { personal_key_models: ["a"] }],
    ["with all models", { personal_key_models: null }, null],
    [
      "with a shorter lifetime, and open to everyone",
      { personal_keys: "everyone", personal_key_lifetime_days: 7 },
      { personal_key_lifetime_days: 7 },
    ],
    ["with a maximum number", { personal_keys_per_member: 1 }, { personal_keys_per_member: 1 }],
    ["without a lifetime", { personal_key_lifetime_days: null }, null],
  ])("%s", (_, change, restricted) => {
    const remembered = { ...workspace, personalKeys: { ...rules, ...change } };
    expect(restrictWorkspace(workspace, remembered)).toEqual(
      restricted === null ? {} : { personalKeys: { ...rules, ...restricted } },
    );
  });

  test("that was archived", () => {
    const archived = { ...workspace, archivedAtMs: 1_000 };
    expect(restrictWorkspace(workspace, archived)).toEqual({ archivedAtMs: 1_000 });
    expect(restrictWorkspace(archived, workspace)).toEqual({});
  });
});

describe("a member", () => {
  const member: MemberState = {
    ...{
      type: "member",
      id: "user_1",
      status: "active",
      role: "developer",
      sessionIds: ["s1", "s2"],
    },
    workspaces: [
      { id: "w1", role: "workspace_admin" },
      { id: "w2", role: "workspace_user" },
    ],
    groupIds: ["g1", "g2"],
  };
  const same = { workspaces: [], leftGroupIds: [], endedSessionIds: [] };

  test.each<[string, Partial<MemberState>, object]>([
    ["that is the same", {}, same],
    ["that was deactivated", { status: "deactivated" }, { ...same, status: "deactivated" }],
    ["with a lower role", { role: "user" }, { ...same, role: "user" }],
    ["with another role of the same rank", { role: "billing" }, { ...same, role: "billing" }],
    ["with a higher role", { role: "admin" }, same],
    ["with an ended session", { sessionIds: ["s2"] }, { ...same, endedSessionIds: ["s1"] }],
    ["that left a group", { groupIds: ["g2"] }, { ...same, leftGroupIds: ["g1"] }],
    ["that joined a group", { groupIds: ["g1", "g2", "g3"] }, same],
    ["with a new session", { sessionIds: ["s1", "s2", "s3"] }, same],
    [
      "that left one workspace and has a lower role in another",
      { workspaces: [{ id: "w1", role: "workspace_developer" }] },
      {
        ...same,
        workspaces: [
          { id: "w1", role: "workspace_developer" },
          { id: "w2", role: null },
        ],
      },
    ],
  ])("%s", (_, change, restriction) => {
    expect(restrictMember(member, { ...member, ...change })).toEqual(restriction);
  });
});

/** Lists of models of a group by rank, highest first. */
function modelsOf(lists: Partial<Record<Rank, string[]>>): GroupModels {
  const setter = { set_by_type: "member", set_by_id: "user_1", set_at: "2026-11-01T00:00:00Z" };
  return toGroupModels(
    Object.entries(lists).map(([rank, allowed_models]) => ({
      ...{ rank: rank as Rank, allowed_models, ...setter },
    })),
  );
}

describe("a lost join", () => {
  const join = (
    id: string,
    lists: Parameters<typeof modelsOf>[0],
    isLimited = false,
  ): LostJoin => ({
    ...{ id, models: modelsOf(lists), isLimited },
  });
  const opus = { admin: ["claude-opus-5"] };

  test.each<[string, GroupModels[], LostJoin[], string[]]>([
    ["to a group with a list", [], [join("g1", opus)], ["g1"]],
    ["to a group with a limit", [], [join("g1", {}, true)], ["g1"]],
    ["to a group that only gives roles", [], [join("g1", {})], []],
    ["to a group with more models", [modelsOf(opus)], [join("g1", { admin: ["x"] })], []],
    [
      "to a group whose owner's list has fewer models",
      [modelsOf({ admin: ["claude-opus-5", "x"] })],
      [join("g1", { owner: ["claude-opus-5"] })],
      ["g1"],
    ],
    [
      "to two groups with lists",
      [],
      [join("g1", opus), join("g2", { admin: ["x"] })],
      ["g1", "g2"],
    ],
    [
      "to a limited group with more models than another one",
      [modelsOf({ admin: ["x"] })],
      [join("g1", { admin: ["x", "y"] }, true), join("g2", { owner: ["x"] }), join("g3", {})],
      ["g1", "g2"],
    ],
  ])("%s", (_, held, joins, ids) => {
    expect(pickLostJoins(held, joins)).toEqual(ids);
  });
});

describe("a group", () => {
  const group: GroupState = {
    type: "group",
    id: "group_1",
    models: modelsOf({ owner: ["claude-haiku-4-5", "claude-opus-5"] }),
    workspaces: [
      { id: "w1", role: "workspace_admin" },
      { id: "w2", role: "workspace_user" },
    ],
  };

  test.each<[string, Partial<GroupState>, object]>([
    ["that is the same", {}, { workspaces: [] }],
    ["without its list", { models: modelsOf({}) }, { workspaces: [] }],
    [
      "with fewer models",
      { models: modelsOf({ owner: ["claude-opus-5"] }) },
      { models: modelsOf({ owner: ["claude-opus-5"] }), workspaces: [] },
    ],
    [
      "with a stricter list of a lower rank, and without the list above",
      { models: modelsOf({ admin: ["claude-opus-5"] }) },
      {
        models: modelsOf({
          owner: ["claude-haiku-4-5", "claude-opus-5"],
          admin: ["claude-opus-5"],
        }),
        workspaces: [],
      },
    ],
    [
      "with a lower role",
      {
        workspaces: [
          { id: "w1", role: "workspace_user" },
          { id: "w2", role: "workspace_user" },
        ],
      },
      { workspaces: [{ id: "w1", role: "workspace_user" }] },
    ],
    [
      "that was deleted",
      { models: modelsOf({}), workspaces: [] },
      {
        workspaces: [
          { id: "w1", role: null },
          { id: "w2", role: null },
        ],
      },
    ],
  ])("%s", (_, change, restriction) => {
    expect(restrictGroup(group, { ...group, ...change })).toEqual(restriction);
  });
});
