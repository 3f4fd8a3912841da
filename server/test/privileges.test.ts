import { isSelfAction, keyPermissions, roleNames } from "@bursar/contract/permissions.ts";
import { describe, expect } from "vitest";
import { findAuditHead } from "#src/audit/audit.sql.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import type { CreatedApiKey, Listed, TestMember, Workspace } from "./harness/admin.ts";
import { serverTest as base } from "./harness/admin-test.ts";
import { consoleHeaders, setWorkspaceRole } from "./harness/members.ts";
import { type Made, makeEach } from "./harness/route-samples/subjects.ts";
import { callRoute, namedRoutes } from "./harness/route-samples.ts";

// Known privilege escalations of similar products, one by one. Each has had a public advisory. For requests that programs
// read differently see ambiguous-requests.test.ts.

const KEYS = "/v1/admin/api_keys";
const WORKSPACES = "/v1/admin/workspaces";

// The server never reads the body of a GET.
const writes = namedRoutes.filter(
  ([, { audited, method }]) => audited !== null && method !== "GET",
);

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  .extend("roleOf", ({ h }) => async (memberId: string) => {
    const { database } = h.deps;
    const row = await database
      .selectFrom("member")
      .selectAll()
      .where("id", "=", memberId)
      .execute();
    return row[0];
  })
  .extend("whoMay", ({ h, org }) => async ({ action }: (typeof writes)[number][1]) => {
    if (action === "public") return h.visitor;
    return isSelfAction(action) ? (await org.member({ role: "owner" })).client : org.operator;
  });

let made: Made;

test.beforeAll(async ({ org }) => {
  made = await makeEach(org);
});

describe("mass assignment: no undeclared field of a body counts", () => {
  const fields = {
    id: "wksp_chosen",
    organization_id: "b6d8a3a4-0000-4000-8000-000000000000",
    role: "owner",
    organization_role: "owner",
    workspace_role: "workspace_admin",
    permission: "admin",
    is_default: true,
    is_admin: true,
    status: { admin: true },
    created_by: { type: "user", id: "user_chosen" },
    created_by_id: "user_chosen",
    user_id: "user_chosen",
    secret_hash: "00",
    key: "sk-ant-api03-chosen",
    archived_at: null,
    created_at: "2020-01-01T00:00:00Z",
  };

  test.for(writes)("%s", async ([_, route], { h, org, whoMay }) => {
    const client = await whoMay(route);
    const declared = "body" in route ? Object.keys(route.body.shape) : [];
    const before = await findAuditHead(h.deps.database, org.id);
    for (const [name, value] of Object.entries(fields)) {
      if (declared.includes(name) && name !== "status") continue;
      const answer = await callRoute(client, route, made, { [name]: value });
      expect([name, answer.status]).toEqual([name, 400]);
      expect(answer.error.message).toContain(name);
    }
    expect(await findAuditHead(h.deps.database, org.id)).toEqual(before);
  });
});

describe("self-promotion", () => {
  test("no field of a change, no header and no query raises a role", async ({ org, roleOf }) => {
    const member = await org.member({
      role: "developer",
      workspaces: { [made.workspace_id]: "workspace_developer" },
    });
    const before = await roleOf(member.id);
    for (const [, route] of namedRoutes) {
      if (route.audited === null) continue;
      await callRoute(member.client, route, made, {
        role: "owner",
        workspace_role: "workspace_admin",
      });
    }
    const raised = await member.client.send({
      method: "POST",
      url: "/v1/admin/admin_keys",
      headers: { "x-role": "owner", "x-user-role": "owner", "x-bursar-role": "owner" },
      payload: { name: "x" },
    });
    expect(raised.status).toBe(403);
    expect((await member.client.get("/v1/admin/admin_keys?role=owner")).status).toBe(403);
    expect(await roleOf(member.id)).toEqual(before);
  });

  test("identity comes from the session only, not from a body, a query or a second cookie", async ({
    org,
  }) => {
    const owner = await org.member({ role: "owner" });
    const user = await org.member({ role: "user" });
    const { cookie = "" } = consoleHeaders(user.cookie);
    const { cookie: ownersCookie = "" } = consoleHeaders(owner.cookie);
    const attempts = [
      { headers: { "x-user-id": owner.id, "x-member-id": owner.id } },
      { headers: { cookie: `${cookie}; ${ownersCookie}x` } },
      { url: `/v1/admin/admin_keys?member_id=${owner.id}` },
    ];
    for (const attempt of attempts) {
      const answer = await user.client.send({
        method: "GET",
        url: "/v1/admin/admin_keys",
        ...attempt,
      });
      expect([401, 403]).toContain(answer.status);
    }
  });
});

describe("keys above the caller's rights", () => {
  const mint = (client: TestMember["client"], permissions: string[], workspaceId: string) =>
    client.post<CreatedApiKey>(KEYS, { name: "x", workspace_id: workspaceId, permissions });

  test("a developer creates keys up to write, a workspace admin up to admin, in their own workspace only", async ({
    org,
  }) => {
    const { id } = await org.admin.createWorkspace();
    const { id: elsewhere } = await org.admin.createWorkspace();
    for (const [role, strongest] of [
      ["workspace_developer", "write"],
      ["workspace_restricted_developer", "write"],
      ["workspace_admin", "admin"],
    ] as const) {
      const { client } = await org.member({ workspaces: { [id]: role } });
      for (const permission of keyPermissions) {
        const isAbove = keyPermissions.indexOf(permission) > keyPermissions.indexOf(strongest);
        const answer = await mint(client, [permission], id);
        expect([role, permission, answer.status]).toEqual([role, permission, isAbove ? 403 : 200]);
        if (isAbove) expect(answer.error.message).toContain('at most the "write" permission');
        expect((await mint(client, [permission], elsewhere)).status).toBe(404);
      }
      // The highest permission of a list counts.
      const mixed = await mint(client, ["read", "admin", "write"], id);
      expect(mixed.status).toBe(strongest === "admin" ? 200 : 403);
    }
  });

  test("a key creates no key with more permissions than its own", async ({ h, org }) => {
    const key = await org.admin.createApiKey(made.workspace_id, { permissions: ["write"] });
    expect((await mint(h.as(key.key), ["admin"], made.workspace_id)).status).toBe(403);
    expect((await mint(h.as(key.key), ["read"], made.workspace_id)).status).toBe(403);
  });

  test("a former admin cannot reactivate the key of that time with its permissions", async ({
    h,
    org,
  }) => {
    const { id } = await org.admin.createWorkspace();
    const member = await org.member({ workspaces: { [id]: "workspace_admin" } });
    const shared = (await mint(member.client, ["admin"], id)).body;
    const own = await member.client.createApiKey(id, {
      permissions: ["admin"],
      owner_member_id: member.id,
    });
    const set = (keyId: string, status: string) =>
      member.client.post<{ permissions: string[] }>(`${KEYS}/${keyId}`, { status });
    for (const key of [shared, own]) expect((await set(key.id, "inactive")).status).toBe(200);
    const role = "workspace_developer";
    await setWorkspaceRole(h.deps, { workspaceId: id, memberId: member.id, role });
    expect((await set(shared.id, "active")).status).toBe(403);
    expect((await member.client.post(`${KEYS}/${shared.id}/rotate`, {})).status).toBe(403);
    expect((await h.as(shared.key).get("/v1/organizations/me")).status).toBe(401);
    // The own key returns with the permissions of the current role.
    expect((await set(own.id, "active")).body.permissions).toEqual(["write"]);
    expect((await h.as(own.key).get("/v1/organizations/me")).status).toBe(403);
    // Stopping a key needs no higher role.
    expect((await set(own.id, "archived")).status).toBe(200);
  });

  test("only owners, admins and admin keys create admin keys", async ({ h, org }) => {
    for (const role of ["developer", "billing", "user", "claude_code_user"] as const) {
      const workspaces = { [made.workspace_id]: "workspace_admin" } as const;
      const { client } = await org.member({ role, workspaces });
      const answer = await client.post("/v1/admin/admin_keys", { name: "x" });
      expect(answer.status).toBe(403);
      expect(answer.error.message).toContain(`you are ${roleNames[role]}`);
    }
    const { key } = await org.admin.createApiKey(made.workspace_id, { permissions: ["admin"] });
    expect((await h.as(key).post("/v1/admin/admin_keys", { name: "x" })).status).toBe(403);
  });

  test("no key and no admin can use the upstream's credential", async ({ org }) => {
    const admin = await org.member({ role: "admin" });
    for (const client of [admin.client, org.admin]) {
      for (const change of [{ base_url: "https://elsewhere.example" }, { credential: null }]) {
        const answer = await client.post(`/v1/admin/upstreams/${made.upstream_id}`, change);
        expect(answer.status).toBe(403);
        expect(answer.error.message).toContain("the role Owner");
      }
    }
  });
});

describe("a change of roles applies at once to open sessions", () => {
  test("in the organization, up and down", async ({ h, org }) => {
    const member = await org.member({ role: "admin" });
    const list = async () => (await member.client.get("/v1/admin/admin_keys")).status;
    const setRole = (role: "admin" | "billing") =>
      inSignedTransaction(h.deps, (tx) =>
        tx.updateTable("member").set({ role }).where("id", "=", member.id).execute(),
      );
    expect(await list()).toBe(200);
    await setRole("billing");
    expect(await list()).toBe(403);
    await setRole("admin");
    expect(await list()).toBe(200);
  });

  test("in a workspace, where access ends with the role", async ({ h, org }) => {
    const { id: workspaceId } = await org.admin.createWorkspace();
    const member = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    const rename = async () =>
      (await member.client.post(`${WORKSPACES}/${workspaceId}`, { description: "x" })).status;
    const set = (role: "workspace_admin" | "workspace_user" | null) =>
      setWorkspaceRole(h.deps, { workspaceId, memberId: member.id, role });
    expect(await rename()).toBe(200);
    await set("workspace_user");
    expect(await rename()).toBe(403);
    await set(null);
    // The rename is now a 403: the member is admin in no workspace any more.
    expect(await rename()).toBe(403);
    expect((await member.client.get(`${WORKSPACES}/${workspaceId}`)).status).toBe(404);
    await set("workspace_admin");
    expect(await rename()).toBe(200);
  });
});

test("a cursor grants nothing: with an owner's cursor a member sees only its own rows", async ({
  org,
}) => {
  const { id: mine } = await org.admin.createWorkspace();
  for (let i = 0; i < 3; i++) await org.admin.createWorkspace();
  const owner = await org.member({ role: "owner" });
  const { client } = await org.member({ workspaces: { [mine]: "workspace_user" } });
  const page = await owner.client.get<Listed<Workspace>>(`${WORKSPACES}?limit=1`);
  const url = `${WORKSPACES}?limit=100&page=${page.body.next_page}`;
  const shown = await client.get<Listed<Workspace>>(url);
  const ids = shown.body.data.map(({ id }) => id);
  expect(ids.filter((id) => id !== mine)).toEqual([]);
});
