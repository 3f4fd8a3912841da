import { sql } from "kysely";
import { describe, expect } from "vitest";
import { findActiveMember } from "#src/access/member-lookup.sql.ts";
import { findApiKeyByHash } from "#src/key-lookup/api-key-lookup.sql.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import type { Listed, Workspace } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { insertGroup, type NewGroup } from "#test/harness/groups.ts";

const test = base
  .extend(
    "group",
    ({ h, org }) =>
      (options: NewGroup) =>
        insertGroup(h.deps, org.id, options),
  )
  /** Creates a personal key of a developer, who then has no role in the workspace. */
  .extend("makeKey", ({ h, org, workspaceId }) => async (fields: object = {}) => {
    const owner = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    const { key } = await owner.client.createApiKey(workspaceId, fields);
    await org.admin.remove(`/v1/admin/workspaces/${workspaceId}/members/${owner.id}`);
    const find = async () => {
      const found = await findApiKeyByHash(h.deps.database, h.deps.rows, hashSecret(key));
      if (found === null) throw new Error("the key does not exist");
      return found;
    };
    return { owner, find };
  });

describe("roles in workspaces", () => {
  test("a member has the highest of the direct role and the roles of groups", async ({
    h,
    org,
    workspaceId,
    group,
  }) => {
    const direct = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    const grouped = await org.member();
    const memberIds = [direct.id, grouped.id];
    const roleOf = async (id: string) =>
      (await findActiveMember(h.deps.database, id))?.workspaceRoles.get(workspaceId);
    await group({ memberIds, workspaces: { [workspaceId]: "workspace_user" } });
    expect([await roleOf(direct.id), await roleOf(grouped.id)]).toEqual([
      "workspace_developer",
      "workspace_user",
    ]);
    await group({ memberIds, workspaces: { [workspaceId]: "workspace_admin" } });
    expect([await roleOf(direct.id), await roleOf(grouped.id)]).toEqual([
      "workspace_admin",
      "workspace_admin",
    ]);
  });

  test("a session sees the workspaces of its groups", async ({ org, workspaceId, group }) => {
    await org.admin.createWorkspace();
    const member = await org.member();
    const listIds = async () =>
      (await member.client.get<Listed<Workspace>>("/v1/admin/workspaces")).body.data.map(
        ({ id }) => id,
      );
    expect(await listIds()).toEqual([]);
    await group({ memberIds: [member.id], workspaces: { [workspaceId]: "workspace_user" } });
    expect(await listIds()).toEqual([workspaceId]);
  });

  test("a personal key works while a group gives its owner a role", async ({
    workspaceId,
    group,
    makeKey,
  }) => {
    const { owner, find } = await makeKey();
    expect((await find()).ownerState).toBe("outside");
    const workspaces = { [workspaceId]: "workspace_developer" } as const;
    const id = await group({ memberIds: [owner.id], workspaces });
    expect(await find()).toMatchObject({ ownerState: "active", groupIds: [id] });
  });
});

describe("allowed models", () => {
  test("are those of all groups with a list, within the list of the key", async ({
    group,
    makeKey,
  }) => {
    const { owner, find } = await makeKey();
    const limited = await makeKey({ allowed_models: ["claude-haiku-4-5", "claude-opus-5"] });
    const memberIds = [owner.id, limited.owner.id];
    await group({ memberIds });
    expect((await find()).allowedModels).toBeNull();
    await group({ memberIds, allowedModels: ["claude-sonnet-5"] });
    await group({ memberIds, allowedModels: ["claude-haiku-*"] });
    expect((await find()).allowedModels?.toSorted()).toEqual(["claude-haiku-*", "claude-sonnet-5"]);
    expect((await limited.find()).allowedModels).toEqual(["claude-haiku-4-5"]);
  });
});

describe("a row that the server did not write", () => {
  test("gives a session no role", async ({ h, org, workspaceId, group }) => {
    const member = await org.member();
    const workspaces = { [workspaceId]: "workspace_admin" } as const;
    const id = await group({ workspaces });
    await sql`INSERT INTO group_member (group_id, member_id) VALUES (${id}, ${member.id})`.execute(
      h.deps.database,
    );
    const { body } = await member.client.get<Listed<Workspace>>("/v1/admin/workspaces");
    expect(body.data).toEqual([]);
  });

  test.for<[table: string, statement: string]>([
    ["member_group", "UPDATE member_group SET allowed_models = NULL WHERE id = $1"],
    ["its list", `UPDATE member_group SET model_lists = '{"admin": {}}' WHERE id = $1`],
    ["group_workspace", "UPDATE group_workspace SET role = 'workspace_admin' WHERE group_id = $1"],
    ["group_member", "UPDATE group_member SET mac = NULL WHERE group_id = $1"],
  ])(
    "stops the keys of the group: %s",
    async ([, statement], { h, workspaceId, group, makeKey }) => {
      const { owner, find } = await makeKey();
      const workspaces = { [workspaceId]: "workspace_user" } as const;
      const allowedModels = ["claude-haiku-4-5"];
      const id = await group({ memberIds: [owner.id], workspaces, allowedModels });
      expect((await find()).isUnsigned).toBe(false);
      await sql.raw(statement.replace("$1", `'${id}'`)).execute(h.deps.database);
      expect((await find()).isUnsigned).toBe(true);
    },
  );

  test("is named by the verification, also if an earlier row was put back", async ({
    h,
    org,
    workspaceId,
  }) => {
    const { database } = h.deps;
    const member = await org.member();
    const made = await org.admin.post<{ id: string }>("/v1/admin/groups", { name: "Staff" });
    const url = `/v1/admin/groups/${made.body.id}`;
    await org.admin.post(`${url}/members`, { member_id: member.id });
    await org.admin.post(`${url}/workspaces/${workspaceId}`, { workspace_role: "workspace_user" });
    const verify = async () => {
      const path = "/v1/admin/audit_log/verification";
      const { body } = await org.admin.get<{ unexplained: Unexplained[] }>(path);
      const found = body.unexplained.filter(({ type }) => type.startsWith("group"));
      return found.map(({ type, id, reason }) => `${type} ${id} ${reason}`);
    };
    expect(await verify()).toEqual([]);
    const kept = await database
      .selectFrom("group_member")
      .selectAll()
      .where("member_id", "=", member.id)
      .executeTakeFirstOrThrow();
    await org.admin.remove(`${url}/members/${member.id}`);
    await database.insertInto("group_member").values(kept).execute();
    await sql`UPDATE group_workspace SET role = 'workspace_admin' WHERE group_id = ${made.body.id}`.execute(
      database,
    );
    expect(await verify()).toEqual([
      `group_workspace ${made.body.id} unsigned`,
      `group_member ${made.body.id} ${member.id} unlogged`,
      `group_workspace ${made.body.id} role`,
    ]);
  });
});

interface Unexplained {
  type: string;
  id: string;
  reason: string;
}
