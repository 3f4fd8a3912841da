import type { workspaceMember } from "@bursar/contract/admin/workspace-members.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { insertGroup } from "#test/harness/groups.ts";

type WorkspaceMember = z.output<typeof workspaceMember>;

const test = base
  .extend(
    "list",
    ({ org }) =>
      async () =>
        (await org.admin.get<Listed<WorkspaceMember>>(url)).body.data,
  )
  .extend(
    "add",
    ({ org }) =>
      (memberId: string, role = "workspace_developer", client = org.admin) =>
        client.post<WorkspaceMember>(url, { member_id: memberId, workspace_role: role }),
  );

let url: string;
test.beforeEach(async ({ workspaceId }) => {
  url = `/v1/admin/workspaces/${workspaceId}/members`;
});

describe("the list", () => {
  test("separates assigned from inherited roles, with the source of the latter", async ({
    org,
    list,
    add,
  }) => {
    const owner = await org.member({ role: "owner" });
    const admin = await org.member({ role: "admin" });
    const billing = await org.member({ role: "billing" });
    const developer = await org.member({ role: "developer" });
    await org.member({ role: "developer" }); // not in this workspace
    await add(developer.id, "Limited Developer");
    const shown = (await list()).map((each) => [
      each.member_id,
      each.workspace_role,
      each.given_role,
      each.inherited_from,
    ]);
    expect(shown).toEqual([
      [developer.id, "workspace_restricted_developer", "workspace_restricted_developer", null],
      [billing.id, "workspace_billing", null, "billing"],
      [admin.id, "workspace_admin", null, "admin"],
      [owner.id, "workspace_admin", null, "owner"],
    ]);
  });

  test("names the groups that give a role, and leaves their roles to the groups", async ({
    h,
    org,
    workspaceId,
    list,
    add,
  }) => {
    const [grouped, both] = [await org.member(), await org.member()];
    await add(both.id, "Workspace Developer");
    const give = (name: string, role: GivenWorkspaceRole) =>
      insertGroup(h.deps, org.id, {
        ...{ name, memberIds: [grouped.id, both.id], workspaces: { [workspaceId]: role } },
      });
    await give("Everyone", "workspace_user");
    await give("Leads", "workspace_admin");
    const shown = (await list()).map((each) => [
      each.member_id,
      each.workspace_role,
      each.given_role,
      each.groups.map(({ name, workspace_role }) => `${name} ${workspace_role}`),
    ]);
    const groups = ["Leads workspace_admin", "Everyone workspace_user"];
    expect(shown).toEqual([
      [both.id, "workspace_admin", "workspace_developer", groups],
      [grouped.id, "workspace_admin", null, groups],
    ]);
    const removed = await org.admin.remove(`${url}/${grouped.id}`);
    expect([removed.error.details?.error_code, removed.error.message]).toEqual([
      "role_inherited",
      expect.stringContaining("“Leads”"),
    ]);
  });

  test("omits deactivated and removed members", async ({ org, workspaceId, list, add }) => {
    const gone = await org.member({ role: "admin" });
    const away = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
    await org.admin.remove(`/v1/admin/members/${gone.id}`);
    await org.admin.post(`/v1/admin/members/${away.id}/deactivate`);
    expect(await list()).toEqual([]);
    for (const { id } of [gone, away]) {
      expect((await org.admin.get(`${url}/${id}`)).status).toBe(404);
      expect((await add(id)).status).toBe(404);
    }
  });

  test("returns pages in both directions in the official shape too", async ({
    org,
    workspaceId,
  }) => {
    const people = [];
    for (let i = 0; i < 5; i++) {
      people.push(await org.member({ workspaces: { [workspaceId]: "workspace_user" } }));
    }
    const official = `/v1/organizations/workspaces/${workspaceId}/members`;
    const page = async (query: string) =>
      (
        await org.admin.get<{
          data: { user_id: string }[];
          has_more: boolean;
          first_id: string;
          last_id: string;
        }>(`${official}?limit=2${query}`)
      ).body;
    const ids = people.map(({ id }) => id).reverse();
    const first = await page("");
    expect(first.data[0]).toEqual({
      type: "workspace_member",
      user_id: ids[0],
      workspace_id: workspaceId,
      workspace_role: "workspace_user",
    });
    expect([first.first_id, first.last_id, first.has_more]).toEqual([ids[0], ids[1], true]);
    const second = await page(`&after_id=${first.last_id}`);
    expect(second.data.map((each) => each.user_id)).toEqual([ids[2], ids[3]]);
    const back = await page(`&before_id=${second.first_id}`);
    expect(back.data.map((each) => each.user_id)).toEqual([ids[0], ids[1]]);
    expect((await org.admin.get(`${official}?after_id=user_unknown`)).status).toBe(400);
  });
});

describe("adding", () => {
  test("accepts an id or an address, and grants access at once", async ({
    h,
    org,
    workspaceId,
    add,
  }) => {
    const byId = await org.member();
    const byEmail = await org.member({ email: "ann@example.com" });
    const workspaceUrl = `/v1/admin/workspaces/${workspaceId}`;
    expect((await byId.client.get(workspaceUrl)).status).toBe(404);
    expect((await add(byId.id, "User")).body).toEqual({
      type: "workspace_member",
      workspace_id: workspaceId,
      member_id: byId.id,
      email: byId.email,
      name: "Ada Lovelace",
      workspace_role: "workspace_user",
      given_role: "workspace_user",
      inherited_from: null,
      groups: [],
    });
    expect((await byId.client.get(workspaceUrl)).status).toBe(200);
    const added = await org.admin.post<WorkspaceMember>(url, {
      email: " ANN@example.com",
      workspace_role: "developer",
    });
    expect(added.body.member_id).toBe(byEmail.id);
    const [event] = await auditEventsOf(h.deps.database, byId.id);
    expect(event).toMatchObject({
      event: "workspace_member.added",
      workspace_id: workspaceId,
      before: null,
      after: { workspace_role: "workspace_user" },
    });
  });

  test("requires exactly one id or address of an existing member", async ({ h, org }) => {
    const { id, email } = await org.member();
    const elsewhere = await (await h.organization()).member({ email: "else@example.com" });
    const role = { workspace_role: "user" };
    expect((await org.admin.post(url, role)).status).toBe(400);
    expect((await org.admin.post(url, { ...role, member_id: id, email })).status).toBe(400);
    for (const [name, value] of [
      ["member_id", elsewhere.id],
      ["email", "else@example.com"],
      ["email", "%"],
      ["email", "no address"],
    ] as const) {
      const answer = await org.admin.post(url, { ...role, [name]: value });
      expect([answer.status, answer.error.message]).toEqual([404, `Member not found: ${value}`]);
    }
  });

  test("changes nothing for the same role, and is a conflict for another", async ({
    h,
    org,
    add,
  }) => {
    const { id } = await org.member();
    await add(id, "workspace_user");
    expect((await add(id, "workspace_user")).status).toBe(200);
    const conflict = await add(id, "workspace_admin");
    expect([conflict.status, conflict.error.type]).toEqual([409, "conflict_error"]);
    expect((await auditEventsOf(h.deps.database, id)).length).toBe(1);
  });

  test("creates one member for concurrent calls", async ({ org, add }) => {
    const { id } = await org.member();
    const answers = await Promise.all([
      add(id, "workspace_user"),
      add(id, "workspace_developer"),
      add(id, "workspace_admin"),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  });

  test("assigns no billing role, and no role that the organization role rules out", async ({
    org,
    add,
  }) => {
    const admin = await org.member({ role: "admin" });
    const billing = await org.member({ role: "billing" });
    const user = await org.member();
    expect((await add(user.id, "workspace_billing")).status).toBe(400);
    const toAdmin = await add(admin.id);
    expect([toAdmin.status, toAdmin.error.message]).toEqual([
      400,
      "workspace_role: this member is Admin of the organization and is Workspace Admin everywhere.",
    ]);
    expect((await add(billing.id, "workspace_developer")).status).toBe(400);
    expect((await add(billing.id, "workspace_admin")).body.workspace_role).toBe("workspace_admin");
    expect((await org.admin.remove(`${url}/${billing.id}`)).status).toBe(200);
    expect((await org.admin.get<WorkspaceMember>(`${url}/${billing.id}`)).body).toMatchObject({
      workspace_role: "workspace_billing",
      inherited_from: "billing",
    });
  });

  test("is refused in an archived workspace", async ({ org, workspaceId, add }) => {
    const { id } = await org.member();
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    expect((await add(id)).status).toBe(400);
  });
});

describe("an inherited role", () => {
  test("cannot be changed or removed there, and an assigned one counts again after the demotion", async ({
    org,
    workspaceId,
    list,
    add,
  }) => {
    const { id } = await org.member({ role: "developer" });
    await add(id, "workspace_developer");
    const member = `/v1/admin/members/${id}`;
    await org.admin.post(member, { role: "admin" });
    for (const attempt of [
      await org.admin.post(`${url}/${id}`, { workspace_role: "workspace_user" }),
      await org.admin.remove(`${url}/${id}`),
      await org.admin.remove(`/v1/organizations/workspaces/${workspaceId}/members/${id}`),
    ]) {
      expect(attempt.status).toBe(400);
      expect(attempt.error.message).toContain("as Admin of the organization");
    }
    expect((await list())[0]).toMatchObject({
      workspace_role: "workspace_admin",
      given_role: "workspace_developer",
    });
    await org.admin.post(member, { role: "user" });
    expect((await list())[0]).toMatchObject({
      workspace_role: "workspace_developer",
      inherited_from: null,
    });
  });
});

describe("changing and removing", () => {
  test("applies at once in an open session", async ({ h, org, workspaceId }) => {
    const { id, client } = await org.member({
      workspaces: { [workspaceId]: "workspace_admin" },
    });
    const rename = (name: string) => client.post(`/v1/admin/workspaces/${workspaceId}`, { name });
    expect((await rename("One")).status).toBe(200);
    const changed = await org.admin.post<WorkspaceMember>(`${url}/${id}`, {
      workspace_role: "Workspace Developer",
    });
    expect(changed.body.workspace_role).toBe("workspace_developer");
    expect((await rename("Two")).status).toBe(403);
    expect((await org.admin.remove(`${url}/${id}`)).body).toEqual({
      type: "workspace_member_deleted",
      member_id: id,
      workspace_id: workspaceId,
    });
    expect((await client.get(`/v1/admin/workspaces/${workspaceId}`)).status).toBe(404);
    expect((await org.admin.remove(`${url}/${id}`)).status).toBe(404);
    const events = await auditEventsOf(h.deps.database, id);
    expect(events.map(({ event }) => event)).toEqual([
      "workspace_member.updated",
      "workspace_member.removed",
    ]);
  });
});

describe("a workspace admin", () => {
  test("manages the members of its own workspace only", async ({ org, workspaceId, add }) => {
    const other = await org.admin.createWorkspace();
    const { client } = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    const { id } = await org.member();
    expect((await add(id, "workspace_developer", client)).status).toBe(200);
    expect((await client.post(`${url}/${id}`, { workspace_role: "admin" })).status).toBe(200);
    expect((await client.remove(`${url}/${id}`)).status).toBe(200);
    const elsewhere = `/v1/admin/workspaces/${other.id}/members`;
    const body = { member_id: id, workspace_role: "workspace_user" };
    expect((await client.post(elsewhere, body)).status).toBe(404);
    expect((await client.get(elsewhere)).status).toBe(404);
  });

  test("key manages members within its own workspace only", async ({
    h,
    org,
    workspaceId,
    add,
  }) => {
    const { key } = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
    const { id } = await org.member();
    expect((await add(id, "workspace_developer", h.as(key))).status).toBe(200);
    const weak = await org.admin.createApiKey(workspaceId, { permissions: ["write"] });
    expect((await h.as(weak.key).get(url)).status).toBe(403);
  });

  test("is the lowest role that adds members or changes roles, the own among them", async ({
    org,
    workspaceId,
    add,
  }) => {
    for (const role of ["workspace_developer", "workspace_user"] as const) {
      const { id, client } = await org.member({ workspaces: { [workspaceId]: role } });
      const self = await client.post(`${url}/${id}`, { workspace_role: "workspace_admin" });
      expect(self.status).toBe(403);
      const other = await org.member();
      expect((await add(other.id, "workspace_user", client)).status).toBe(403);
    }
  });
});
