import type { member } from "@bursar/contract/admin/members.ts";
import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { MEMBER_PASSWORD } from "#test/harness/members.ts";

const MEMBERS = "/v1/admin/members";
const USERS = "/v1/organizations/users";

type Member = z.output<typeof member>;

const test = base
  .extend(
    "getMember",
    ({ org }) =>
      async (id: string) =>
        (await org.admin.get<Member>(`${MEMBERS}/${id}`)).body,
  )
  .extend("countOf", ({ h }) => async (table: "auth_user" | "auth_session", memberId: string) => {
    const column = table === "auth_user" ? "id" : "user_id";
    const rows = await h.deps.database
      .selectFrom(table)
      .select("id")
      .where(column as "id", "=", memberId)
      .execute();
    return rows.length;
  })
  /** A member with sessions, roles, keys and invites that end with the member. */
  .extend("makeBusyMember", ({ org, countOf }) => async () => {
    const workspace = await org.admin.createWorkspace({ name: "Research" });
    const person = await org.member({
      role: "admin",
      name: "Busy",
      workspaces: { [workspace.id]: "workspace_developer" },
    });
    const key = await person.client.post<{ id: string; key: string }>("/v1/admin/api_keys", {
      name: "My key",
      workspace_id: workspace.id,
      owner_member_id: person.id,
    });
    expect(key.status).toBe(200);
    const invited = await person.client.post<{
      results: { invite: { id: string }; link: string }[];
    }>("/v1/admin/invites", { emails: ["friend@example.com"], role: "user" });
    const [result] = invited.body.results;
    expect([
      await countOf("auth_user", person.id),
      (await countOf("auth_session", person.id)) > 0,
    ]).toEqual([1, true]);
    return { person, workspace, key: key.body, inviteId: result?.invite.id ?? "" };
  });

let owner: { id: string; email: string; client: Client };
test.beforeEach(async ({ org }) => {
  owner = await org.member({ role: "owner", name: "Olga Owner" });
});
const setRole = (client: Client, id: string, role: string) =>
  client.post<Member>(`${MEMBERS}/${id}`, { role });

describe("the list", () => {
  test("shows members with their assigned roles, newest first", async ({ org }) => {
    const workspace = await org.admin.createWorkspace({ name: "Research" });
    const { id, email } = await org.member({
      role: "developer",
      name: "Dana",
      workspaces: { [workspace.id]: "workspace_developer" },
    });
    const { body } = await org.admin.get<Listed<Member>>(MEMBERS);
    expect(body.data.map((each) => each.id)).toEqual([id, owner.id]);
    expect(body.data[0]).toEqual({
      id,
      type: "member",
      email,
      name: "Dana",
      role: "developer",
      status: "active",
      workspaces: [{ workspace_id: workspace.id, workspace_role: "workspace_developer" }],
      workspace_count: 1,
      created_at: expect.any(String),
      last_active_at: null,
      removed_at: null,
    });
  });

  test("counts roles without listing them, on request", async ({ org }) => {
    const seen = await org.admin.createWorkspace();
    const hidden = await org.admin.createWorkspace();
    const workspaces = { [seen.id]: "workspace_user", [hidden.id]: "workspace_user" } as const;
    const { id } = await org.member({ workspaces });
    const developer = await org.member({
      role: "developer",
      workspaces: { [seen.id]: "workspace_developer" },
    });
    const find = async (client: Client) => {
      const { body } = await client.get<Listed<Member>>(`${MEMBERS}?omit_workspaces=true`);
      return body.data.find((each) => each.id === id);
    };
    expect(await find(org.admin)).toMatchObject({ workspaces: null, workspace_count: 2 });
    expect(await find(developer.client)).toMatchObject({ workspaces: null, workspace_count: 1 });
  });

  test("matches % and _ literally in a search", async ({ org }) => {
    const percent = await org.member({ name: "100% Ann", email: "a_b@example.com" });
    const plain = await org.member({ name: "100x Ann", email: "axb@example.com" });
    const search = async (text: string) => {
      const url = `${MEMBERS}?search=${encodeURIComponent(text)}`;
      return (await org.admin.get<Listed<Member>>(url)).body.data.map(({ id }) => id);
    };
    expect(await search("100%")).toEqual([percent.id]);
    expect(await search("a_b@")).toEqual([percent.id]);
    expect(await search("%")).toEqual([percent.id]);
    expect(await search("\\")).toEqual([]);
    // The search has a space, because the owner's address contains random letters.
    expect(await search("0X ANN")).toEqual([plain.id]);
    expect(await search("% ANN")).toEqual([percent.id]);
    expect(await search("'; DROP TABLE member; --")).toEqual([]);
  });

  test("filters by role in both spellings, by status and by workspace", async ({ org }) => {
    const workspace = await org.admin.createWorkspace();
    const user = await org.member({ workspaces: { [workspace.id]: "workspace_user" } });
    const billing = await org.member({ role: "billing" });
    await org.admin.post(`${MEMBERS}/${billing.id}/deactivate`);
    const ids = async (query: string) =>
      (await org.admin.get<Listed<Member>>(`${MEMBERS}?${query}`)).body.data.map(({ id }) => id);
    expect(await ids("roles=Member")).toEqual([user.id]);
    expect(await ids("roles=OWNER,Billing")).toEqual([billing.id, owner.id]);
    expect(await ids("statuses=deactivated")).toEqual([billing.id]);
    expect(await ids(`workspace_id=${workspace.id}`)).toEqual([user.id]);
    expect((await org.admin.get(`${MEMBERS}?workspace_id=wksp_unknown`)).status).toBe(404);
    expect((await org.admin.get(`${MEMBERS}?roles=boss`)).status).toBe(400);
  });

  test("returns pages, and binds a cursor to its filters", async ({ org }) => {
    for (let i = 0; i < 4; i++) await org.member({ name: `Person ${i}` });
    const seen: string[] = [];
    let next: string | null = null;
    do {
      const url: string = `${MEMBERS}?limit=2${next === null ? "" : `&page=${next}`}`;
      const { body } = await org.admin.get<Listed<Member>>(url);
      seen.push(...body.data.map(({ id }) => id));
      next = body.next_page;
    } while (next !== null);
    expect(new Set(seen).size).toBe(5);
    expect(seen.length).toBe(5);
    const first = await org.admin.get<Listed<Member>>(`${MEMBERS}?limit=2`);
    const wrong = await org.admin.get(`${MEMBERS}?search=x&page=${first.body.next_page}`);
    expect(wrong.status).toBe(400);
  });

  test("omits workspaces that the caller cannot see", async ({ org }) => {
    const seen = await org.admin.createWorkspace();
    const hidden = await org.admin.createWorkspace();
    const developer = await org.member({
      role: "developer",
      workspaces: { [seen.id]: "workspace_developer" },
    });
    const both = await org.member({
      workspaces: { [seen.id]: "workspace_user", [hidden.id]: "workspace_user" },
    });
    const read = await developer.client.get<Member>(`${MEMBERS}/${both.id}`);
    expect(read.body.workspaces).toEqual([
      { workspace_id: seen.id, workspace_role: "workspace_user" },
    ]);
    expect(read.text).not.toContain(hidden.id);
  });
});

describe("a role", () => {
  test("changes in both spellings, applies at once in an open session, and is audited", async ({
    h,
    org,
  }) => {
    const { id, client } = await org.member({ role: "user" });
    expect((await client.get(MEMBERS)).status).toBe(403);
    const changed = await setRole(owner.client, id, "Developer");
    expect([changed.status, changed.body.role]).toEqual([200, "developer"]);
    expect((await client.get(MEMBERS)).status).toBe(200);
    await setRole(owner.client, id, "Member");
    expect((await client.get(MEMBERS)).status).toBe(403);
    const events = await auditEventsOf(h.deps.database, id);
    expect(events.map(({ event, actor_type, actor_id }) => [event, actor_type, actor_id])).toEqual([
      ["member.updated", "member", owner.id],
      ["member.updated", "member", owner.id],
    ]);
    expect(events[0]?.before).toMatchObject({ role: "user" });
    expect(events[0]?.after).toMatchObject({ role: "developer" });
  });

  test("is not changed when it is the same", async ({ h, org }) => {
    const { id } = await org.member({ role: "developer" });
    expect((await setRole(org.admin, id, "developer")).status).toBe(200);
    expect(await auditEventsOf(h.deps.database, id)).toEqual([]);
  });

  test("above the caller's cannot be assigned or changed", async ({ org, getMember }) => {
    const admin = await org.member({ role: "admin" });
    const user = await org.member();
    for (const client of [admin.client, org.admin]) {
      for (const id of [user.id, admin.id]) {
        const refused = await setRole(client, id, "owner");
        expect([refused.status, refused.error.type]).toEqual([403, "permission_error"]);
        expect(refused.error.message).toContain("Owner is above yours");
      }
      expect((await setRole(client, owner.id, "user")).status).toBe(403);
      expect((await client.post(`${MEMBERS}/${owner.id}/deactivate`)).status).toBe(403);
      expect((await client.remove(`${MEMBERS}/${owner.id}`)).status).toBe(403);
    }
    expect((await org.admin.remove(`${USERS}/${owner.id}`)).status).toBe(403);
    expect((await getMember(user.id)).role).toBe("user");
    expect((await getMember(owner.id)).role).toBe("owner");
    expect((await setRole(admin.client, user.id, "admin")).status).toBe(200);
    expect((await setRole(owner.client, user.id, "owner")).status).toBe(200);
  });

  test("cannot be set to admin or owner in the official shape", async ({ org }) => {
    const { id } = await org.member();
    for (const role of ["admin", "owner", "managed", "Developer"]) {
      const refused = await org.admin.post(`${USERS}/${id}`, { role });
      expect([refused.status, refused.error.type]).toEqual([400, "invalid_request_error"]);
      expect(refused.error.message).toBe(
        "role: expected one of user, developer, billing, claude_code_user.",
      );
    }
    expect((await org.admin.post(`${USERS}/${id}`, { role: "billing" })).status).toBe(200);
  });

  test("cannot be set through other fields", async ({ org }) => {
    const { id } = await org.member();
    for (const extra of [{ status: "removed" }, { email: "x@example.com" }, { id: owner.id }]) {
      const refused = await owner.client.post(`${MEMBERS}/${id}`, { role: "user", ...extra });
      expect(refused.status).toBe(400);
    }
  });
});

describe("an active owner", () => {
  test("remains when the last one is demoted, deactivated or removed", async ({
    org,
    getMember,
  }) => {
    const other = await org.member({ role: "owner" });
    expect((await setRole(owner.client, other.id, "admin")).status).toBe(200);
    const refused = await setRole(owner.client, owner.id, "admin");
    expect(refused.status).toBe(400);
    expect(refused.error.message).toContain("the last active Owner");
    for (const attempt of [
      await org.operator.post(`${MEMBERS}/${owner.id}/deactivate`),
      await org.operator.remove(`${MEMBERS}/${owner.id}`),
      await org.operator.remove(`${USERS}/${owner.id}`),
    ]) {
      expect(attempt.status).toBe(400);
      expect(attempt.body).toMatchObject({
        error: { details: { error_code: "cannot_remove_last_member" } },
      });
    }
    expect((await getMember(owner.id)).status).toBe("active");
  });

  test("remains when two owners step down at the same moment", async ({ org, getMember }) => {
    const roles = async () => [(await getMember(a.id)).role, (await getMember(b.id)).role].sort();
    const a = owner;
    const b = await org.member({ role: "owner" });
    const answers = await Promise.all([
      setRole(a.client, a.id, "admin"),
      setRole(b.client, b.id, "admin"),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(await roles()).toEqual(["admin", "owner"]);
  });

  test("remains when two owners remove each other at the same moment", async ({ org }) => {
    const b = await org.member({ role: "owner" });
    const answers = await Promise.all([
      owner.client.remove(`${MEMBERS}/${b.id}`),
      b.client.remove(`${MEMBERS}/${owner.id}`),
    ]);
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
    const { body } = await org.admin.get<Listed<Member>>(`${MEMBERS}?roles=owner&statuses=active`);
    expect(body.data.length).toBe(1);
  });

  test("does not count while deactivated", async ({ org }) => {
    const other = await org.member({ role: "owner" });
    await owner.client.post(`${MEMBERS}/${other.id}/deactivate`);
    expect((await setRole(owner.client, owner.id, "admin")).status).toBe(400);
    // An active owner remains after this change.
    expect((await setRole(owner.client, other.id, "admin")).status).toBe(200);
  });
});

describe("removing", () => {
  test("ends sessions, sign-in, roles, personal keys and sent invites, and lists them in the preview, response and audit log", async ({
    h,
    getMember,
    countOf,
    makeBusyMember,
  }) => {
    const { person, workspace, key, inviteId } = await makeBusyMember();
    const ended = {
      api_keys: [{ id: key.id, name: "My key", workspace_id: workspace.id }],
      workspaces: [
        { workspace_id: workspace.id, name: "Research", workspace_role: "workspace_developer" },
      ],
      groups: [],
      invites: [{ id: inviteId, email: "friend@example.com" }],
    };
    const preview = await owner.client.get(`${MEMBERS}/${person.id}/removal_preview`);
    expect(preview.body).toEqual({ member_id: person.id, refusal: null, ...ended });
    const removed = await owner.client.remove(`${MEMBERS}/${person.id}`);
    expect(removed.body).toEqual({ id: person.id, type: "member_deleted", ...ended });

    expect((await person.client.get(MEMBERS)).status).toBe(401);
    expect(
      (await h.as(key.key).get("/v1/admin/usage?starting_at=2026-11-20T00:00:00Z")).status,
    ).toBe(401);
    expect(await countOf("auth_user", person.id)).toBe(0);
    expect(await countOf("auth_session", person.id)).toBe(0);
    const invite = await owner.client.get<{ status: string }>(`/v1/admin/invites/${inviteId}`);
    expect(invite.body.status).toBe("revoked");
    expect(await getMember(person.id)).toMatchObject({
      status: "removed",
      removed_at: new Date(h.clock.nowMs).toISOString(),
      workspaces: [],
      name: "Busy",
    });
    const [event] = (await auditEventsOf(h.deps.database, person.id)).slice(-1);
    expect(event).toMatchObject({ event: "member.removed", after: { status: "removed", ended } });
  });

  test("removes the member from both lists, and keeps the row readable", async ({ org }) => {
    const { id } = await org.member();
    await org.admin.remove(`${MEMBERS}/${id}`);
    const listed = await org.admin.get<Listed<Member>>(MEMBERS);
    expect(listed.body.data.map((each) => each.id)).toEqual([owner.id]);
    const removed = await org.admin.get<Listed<Member>>(`${MEMBERS}?statuses=removed`);
    expect(removed.body.data.map((each) => each.id)).toEqual([id]);
    expect((await org.admin.get(`${USERS}/${id}`)).status).toBe(404);
    expect((await org.admin.remove(`${USERS}/${id}`)).status).toBe(404);
    expect((await org.admin.post(`${USERS}/${id}`, { role: "user" })).status).toBe(404);
  });

  test("is refused a second time, as are later changes", async ({ h, org }) => {
    const { id } = await org.member();
    await org.admin.remove(`${MEMBERS}/${id}`);
    for (const attempt of [
      await org.admin.remove(`${MEMBERS}/${id}`),
      await setRole(org.admin, id, "developer"),
      await org.admin.post(`${MEMBERS}/${id}/deactivate`),
      await org.admin.post(`${MEMBERS}/${id}/reactivate`),
    ]) {
      expect(attempt.status).toBe(400);
      expect(attempt.error.message).toContain("was removed");
    }
    expect((await auditEventsOf(h.deps.database, id)).length).toBe(1);
  });

  test("is refused for the caller, and the preview states the reason", async ({ org }) => {
    const admin = await org.member({ role: "admin" });
    const preview = await admin.client.get<{ refusal: string }>(
      `${MEMBERS}/${admin.id}/removal_preview`,
    );
    expect(preview.body.refusal).toContain("You cannot remove yourself");
    expect((await admin.client.remove(`${MEMBERS}/${admin.id}`)).status).toBe(400);
    expect((await admin.client.post(`${MEMBERS}/${admin.id}/deactivate`)).status).toBe(400);
  });
});

describe("deactivating", () => {
  test("ends sessions and access, keeps the sign-in, and does not restore roles when undone", async ({
    h,
    countOf,
    makeBusyMember,
  }) => {
    const { person, workspace, key } = await makeBusyMember();
    const deactivated = await owner.client.post<Member>(`${MEMBERS}/${person.id}/deactivate`);
    expect([deactivated.body.status, deactivated.body.workspaces]).toEqual(["deactivated", []]);
    expect((await person.client.get(MEMBERS)).status).toBe(401);
    expect(await countOf("auth_session", person.id)).toBe(0);
    expect(await countOf("auth_user", person.id)).toBe(1);
    expect(
      (await h.as(key.key).get("/v1/admin/usage?starting_at=2026-11-20T00:00:00Z")).status,
    ).toBe(401);
    const [event] = (await auditEventsOf(h.deps.database, person.id)).slice(-1);
    expect(event).toMatchObject({
      event: "member.deactivated",
      after: {
        ended: { api_keys: [{ id: key.id }], workspaces: [{ workspace_id: workspace.id }] },
      },
    });

    await owner.client.post(`${MEMBERS}/${person.id}/deactivate`);
    const back = await owner.client.post<Member>(`${MEMBERS}/${person.id}/reactivate`);
    expect([back.body.status, back.body.role, back.body.workspaces]).toEqual([
      "active",
      "admin",
      [],
    ]);
    // The old session stays ended. A new sign-in starts another one.
    expect((await person.client.get(MEMBERS)).status).toBe(401);
    const signedIn = { email: person.email, password: MEMBER_PASSWORD };
    expect((await h.visitor.post("/v1/admin/sign_in", signedIn)).status).toBe(200);
    const events = await auditEventsOf(h.deps.database, person.id);
    expect(events.map(({ event: name }) => name)).toEqual([
      "member.deactivated",
      "member.reactivated",
    ]);
  });
});

describe("the official shape", () => {
  test("filters by the full address in any case, and by roles", async ({ org }) => {
    const ann = await org.member({ role: "developer", email: "ann@example.com" });
    await org.member({ role: "developer", email: "ann@example.com.au" });
    const find = async (query: string) =>
      (await org.admin.get<{ data: { id: string }[] }>(`${USERS}?${query}`)).body.data.map(
        ({ id }) => id,
      );
    expect(await find("email=ANN%40Example.com")).toEqual([ann.id]);
    expect(await find("email=ann%25")).toEqual([]);
    expect(await find("roles[]=owner&roles[]=billing")).toEqual([owner.id]);
    const read = await org.admin.get(`${USERS}/${ann.id}`);
    expect(read.body).toEqual({
      id: ann.id,
      type: "user",
      email: "ann@example.com",
      name: "Ada Lovelace",
      role: "developer",
      added_at: expect.any(String),
    });
  });
});

test("allows each role to read members according to the table of rights", async ({ org }) => {
  const may: Record<OrganizationRole, number> = {
    owner: 200,
    admin: 200,
    developer: 200,
    billing: 200,
    user: 403,
    claude_code_user: 403,
  };
  for (const [role, status] of Object.entries(may)) {
    const { client } = await org.member({ role: role as OrganizationRole });
    expect([role, (await client.get(MEMBERS)).status]).toEqual([role, status]);
  }
});
