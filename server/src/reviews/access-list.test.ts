import type { accessGrant } from "@bursar/contract/admin/access.ts";
import { sql } from "kysely";
import { expect } from "vitest";
import type { z } from "zod";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";

type Grant = z.output<typeof accessGrant>;

const ACCESS = "/v1/admin/access";
const DAY_MS = 86_400_000;

const test = base
  .extend(
    "list",
    ({ org }) =>
      async (query = "") =>
        (await org.operator.get<Listed<Grant>>(`${ACCESS}?limit=100&${query}`)).body.data,
  )
  .extend(
    "ids",
    ({ list }) =>
      async (query: string) =>
        (await list(query)).map(({ id }) => id).sort(),
  );

let workspaceId: string;
test.beforeEach(async ({ org }) => {
  ({ id: workspaceId } = await org.operator.createWorkspace({ name: "Search" }));
});

test("lists every path to a workspace with its role or permission, source and last use", async ({
  h,
  org,
  list,
  ids,
}) => {
  const owner = await org.member({ role: "owner" });
  const billing = await org.member({ role: "billing" });
  const developer = await org.member({ role: "developer" });
  await owner.client.post(`/v1/admin/workspaces/${workspaceId}/members`, {
    member_id: developer.id,
    workspace_role: "workspace_developer",
  });
  const own = await developer.client.createApiKey(workspaceId, { name: "mine" });
  const key = await org.operator.createApiKey(workspaceId, {
    name: "shared",
    permissions: ["admin"],
    expires_at: new Date(h.clock.nowMs + DAY_MS).toISOString(),
  });
  const usedAt = new Date(h.clock.nowMs - 3 * DAY_MS);
  await sql`UPDATE api_key_secret SET last_used_at = ${usedAt} WHERE api_key_id = ${own.id}`.execute(
    h.deps.database,
  );
  await sql`UPDATE member SET last_active_at = NULL WHERE id IN (${developer.id}, ${billing.id})`.execute(
    h.deps.database,
  );
  const shown = new Map(
    (await list(`workspace_id=${workspaceId}`)).map((grant) => [grant.id, grant]),
  );
  const workspace = { id: workspaceId, name: "Search" };
  expect([...shown.keys()].sort()).toEqual(
    [
      `organization_role:${owner.id}`,
      `organization_role:${billing.id}`,
      `workspace_role:${workspaceId}:${developer.id}`,
      `api_key:${own.id}`,
      `api_key:${key.id}`,
      ...(await ids("paths=admin_key")),
    ].sort(),
  );
  expect(shown.get(`organization_role:${owner.id}`)).toMatchObject({
    path: "organization_role",
    member: { id: owner.id, email: owner.email },
    workspace: null,
    role: "owner",
    workspace_role: "workspace_admin",
    key: null,
    granted_by: null,
  });
  expect(shown.get(`organization_role:${billing.id}`)).toMatchObject({
    workspace_role: "workspace_billing",
    last_used_at: null,
  });
  expect(shown.get(`workspace_role:${workspaceId}:${developer.id}`)).toMatchObject({
    path: "workspace_role",
    workspace,
    role: "workspace_developer",
    granted_by: { type: "user", id: owner.id, name: "Ada Lovelace" },
    // Through the member's own key in this workspace.
    last_used_at: usedAt.toISOString(),
  });
  expect(shown.get(`api_key:${own.id}`)).toMatchObject({
    path: "member_key",
    member: { id: developer.id },
    workspace,
    role: null,
    key: { type: "api_key", id: own.id, name: "mine", permission: "write" },
    granted_by: { type: "user", id: developer.id },
    last_used_at: usedAt.toISOString(),
  });
  expect(shown.get(`api_key:${key.id}`)).toMatchObject({
    path: "workspace_key",
    member: null,
    key: { name: "shared", permission: "admin" },
    granted_by: { type: "local_operator", id: "1000", name: null },
    expires_at: key.expires_at,
    last_used_at: null,
  });
});

test("lists a role of a group apart from an assigned one, with the group and who added the member", async ({
  org,
  list,
}) => {
  const owner = await org.member({ role: "owner" });
  const member = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
  const groups = "/v1/admin/groups";
  const group = (await owner.client.post<{ id: string }>(groups, { name: "Search team" })).body.id;
  const role = { workspace_role: "workspace_developer" };
  await owner.client.post(`${groups}/${group}/workspaces/${workspaceId}`, role);
  await owner.client.post(`${groups}/${group}/members`, { member_id: member.id });
  const shown = await list(`member_id=${member.id}&paths=workspace_role,group_role`);
  expect(shown).toHaveLength(2);
  expect(shown.find(({ path }) => path === "workspace_role")).toMatchObject({
    role: "workspace_user",
    group: null,
  });
  expect(shown.find(({ path }) => path === "group_role")).toMatchObject({
    id: `group_role:${workspaceId}:${member.id}:${group}`,
    workspace: { id: workspaceId },
    role: "workspace_developer",
    workspace_role: "workspace_developer",
    group: { id: group, name: "Search team" },
    granted_by: { type: "user", id: owner.id },
  });
  expect(await list("search=search+team&paths=group_role")).toHaveLength(1);
  await owner.client.remove(`${groups}/${group}/members/${member.id}`);
  expect(await list(`member_id=${member.id}&paths=group_role`)).toEqual([]);
});

test("omits archived, expired, disabled and stopped keys and deactivated members", async ({
  h,
  org,
  ids,
}) => {
  const gone = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
  const left = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
  for (const { id } of [gone, left]) {
    await org.operator.createApiKey(workspaceId, { owner_member_id: id });
  }
  const [archived, disabled, expiring] = [
    await org.operator.createApiKey(workspaceId),
    await org.operator.createApiKey(workspaceId),
    await org.operator.createApiKey(workspaceId, {
      expires_at: new Date(h.clock.nowMs + 1).toISOString(),
    }),
  ];
  expect((await ids("paths=member_key,workspace_key")).length).toBe(5);
  await org.operator.post(`/v1/admin/api_keys/${archived.id}`, { status: "archived" });
  await org.operator.post(`/v1/admin/api_keys/${disabled.id}`, { status: "inactive" });
  await org.operator.post(`/v1/admin/members/${gone.id}/deactivate`);
  await org.operator.remove(`/v1/admin/workspaces/${workspaceId}/members/${left.id}`);
  const reset = h.clock.nowMs;
  h.clock.nowMs += 1;
  expect(await ids("paths=member_key,workspace_key,workspace_role")).toEqual([]);
  expect(await ids(`member_id=${gone.id}`)).toEqual([]);
  expect(await ids(`member_id=${left.id}`)).toEqual([`organization_role:${left.id}`]);
  expect(expiring.id).toBeTruthy();
  h.clock.nowMs = reset;
  const elsewhere = await org.operator.createWorkspace();
  await org.operator.createApiKey(elsewhere.id);
  await org.operator.post(`/v1/admin/workspaces/${elsewhere.id}/archive`);
  expect(await ids("paths=workspace_key")).toEqual([`api_key:${expiring.id}`]);
});

test("filters by path, member, literal text and disuse", async ({ h, org, ids }) => {
  const ann = await org.member({
    name: "Ann 100%",
    workspaces: { [workspaceId]: "workspace_user" },
  });
  await org.member({ name: "Bob" });
  const key = await org.operator.createApiKey(workspaceId, { name: "100%_sure" });
  expect(await ids(`member_id=${ann.id}`)).toEqual(
    [`organization_role:${ann.id}`, `workspace_role:${workspaceId}:${ann.id}`].sort(),
  );
  expect(await ids("search=100%25_")).toEqual([`api_key:${key.id}`]);
  expect((await ids("search=100%25")).length).toBe(3);
  expect(await ids("search=_")).toContain(`api_key:${key.id}`);
  expect(await ids("search=')%20OR%20true--")).toEqual([]);
  const old = new Date(h.clock.nowMs - 31 * DAY_MS);
  await sql`UPDATE api_key SET created_at = ${old} WHERE id = ${key.id}`.execute(h.deps.database);
  expect(await ids("unused_days=30&paths=workspace_key")).toEqual([`api_key:${key.id}`]);
  expect(await ids("unused_days=32&paths=workspace_key")).toEqual([]);
  expect((await org.operator.get(`${ACCESS}?workspace_id=wksp_no`)).status).toBe(404);
  expect((await org.operator.get(`${ACCESS}?paths=magic`)).status).toBe(400);
});

test("counts an admin key as unused from the start of its usage records, and shows its last use", async ({
  h,
  org,
  list,
  ids,
}) => {
  const [made, older] = [await org.operator.createAdminKey(), await org.operator.createAdminKey()];
  const ago = (days: number) => new Date(h.clock.nowMs - days * DAY_MS);
  await sql`UPDATE admin_key SET created_at = ${ago(100)} WHERE id IN (${made.id}, ${older.id})`.execute(
    h.deps.database,
  );
  await sql`UPDATE admin_key SET uses_noted_since = ${ago(20)} WHERE id = ${older.id}`.execute(
    h.deps.database,
  );
  expect(await ids("paths=admin_key&unused_days=100")).toEqual([`admin_key:${made.id}`]);
  expect((await ids("paths=admin_key&unused_days=20")).length).toBe(2);
  await h.as(made.key).get(ACCESS);
  await h.adminKeyUse.flush();
  expect(await ids("paths=admin_key&unused_days=20")).toEqual([`admin_key:${older.id}`]);
  const grants = await list("paths=admin_key");
  expect(grants.find(({ id }) => id === `admin_key:${made.id}`)?.last_used_at).toBe(
    new Date(h.clock.nowMs).toISOString(),
  );
});

test("returns pages without gaps or duplicates, even if all grants have the same time", async ({
  org,
  list,
}) => {
  for (let i = 0; i < 7; i++) await org.operator.createApiKey(workspaceId);
  const all = (await list("paths=workspace_key")).map(({ id }) => id);
  expect(new Set(all).size).toBe(7);
  const paged: string[] = [];
  let page = "";
  do {
    const { body } = await org.operator.get<Listed<Grant>>(
      `${ACCESS}?paths=workspace_key&limit=2${page}`,
    );
    paged.push(...body.data.map(({ id }) => id));
    page = body.next_page === null ? "" : `&page=${body.next_page}`;
  } while (page !== "");
  expect(paged).toEqual(all);
});

test("returns pages without gaps or duplicates for times within one millisecond, of each path", async ({
  h,
  org,
  list,
}) => {
  for (let i = 0; i < 4; i++) {
    await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
    await org.operator.createApiKey(workspaceId);
  }
  // Rows that the server wrote without a time of its own have microseconds.
  const at = sql`timestamptz '2026-11-01 10:00:00.000Z' + floor(random() * 3000) * interval '1 microsecond'`;
  const { database } = h.deps;
  await sql`UPDATE member SET created_at = ${at}`.execute(database);
  await sql`UPDATE workspace_member SET created_at = ${at}`.execute(database);
  await sql`UPDATE api_key SET created_at = ${at}`.execute(database);
  const all = (await list()).map(({ id }) => id);
  expect(new Set(all).size).toBe(all.length);
  const paged: string[] = [];
  let page = "";
  do {
    const { body } = await org.operator.get<Listed<Grant>>(`${ACCESS}?limit=1${page}`);
    paged.push(...body.data.map(({ id }) => id));
    page = body.next_page === null ? "" : `&page=${body.next_page}`;
  } while (page !== "");
  expect(paged).toEqual(all);
});

test("exports the whole list as JSON lines and as CSV without formula cells", async ({
  org,
  list,
}) => {
  await org.member({ name: "=cmd()", workspaces: { [workspaceId]: "workspace_user" } });
  for (let i = 0; i < 3; i++) await org.operator.createApiKey(workspaceId, { name: 'a,"b"' });
  const shown = await list();
  const csv = await org.operator.get(`${ACCESS}/export`);
  expect(csv.headers["content-type"]).toBe("text/csv; charset=utf-8");
  expect(csv.headers["content-disposition"]).toMatch(/attachment; filename="access-.*\.csv"/);
  expect(csv.text.trimEnd().split("\r\n").length).toBe(shown.length + 1);
  expect(csv.text).toContain("'=cmd()");
  expect(csv.text).toContain('"a,""b"""');
  const jsonl = await org.operator.get(`${ACCESS}/export?format=jsonl`);
  const lines = jsonl.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Grant);
  expect(lines).toEqual(shown);
  expect((await org.operator.get(`${ACCESS}/export?workspace_id=wksp_no`)).status).toBe(404);
});

test("omits other organizations", async ({ h, org }) => {
  const other = await h.organization();
  const member = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
  const { body } = await other.operator.get<Listed<Grant>>(`${ACCESS}?member_id=${member.id}`);
  expect(body.data).toEqual([]);
  expect((await other.operator.get(`${ACCESS}?workspace_id=${workspaceId}`)).status).toBe(404);
});
