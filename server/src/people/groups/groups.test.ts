import type { group, groupMember } from "@bursar/contract/admin/groups.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

type Group = z.output<typeof group>;
type GroupMember = z.output<typeof groupMember>;

const url = "/v1/admin/groups";

const test = base.extend(
  "create",
  ({ org }) =>
    async (fields: object = {}, client: Client = org.admin) =>
      (await client.post<Group>(url, { name: "Engineering", ...fields })).body,
);

const codeOf = ({ error }: { error: { details?: { error_code?: string } } }) =>
  error.details?.error_code;

describe("a group", () => {
  test("is created, renamed, listed by name and by member, and deleted", async ({
    h,
    org,
    workspaceId,
    create,
  }) => {
    const member = await org.member();
    const made = await create({ allowed_models: ["claude-haiku-*"] });
    h.clock.nowMs += 1;
    const other = await create({ name: "100% Sales" });
    await org.admin.post(`${url}/${made.id}/members`, { email: member.email });
    await org.admin.post(`${url}/${made.id}/workspaces/${workspaceId}`, {
      workspace_role: "Developer",
    });
    const renamed = await org.admin.post<Group>(`${url}/${made.id}`, { name: "Research" });
    expect(renamed.body).toMatchObject({
      ...{ name: "Research", source: "direct", allowed_models: ["claude-haiku-*"] },
      ...{ member_count: 1 },
      workspaces: [{ workspace_id: workspaceId, workspace_role: "workspace_developer" }],
    });
    const list = async (query: string) =>
      (await org.admin.get<Listed<Group>>(`${url}${query}`)).body.data.map(({ id }) => id);
    expect(await list("")).toEqual([other.id, made.id]);
    expect(await list("?search=RESE")).toEqual([made.id]);
    expect(await list("?search=100%25")).toEqual([other.id]);
    expect(await list(`?member_id=${member.id}`)).toEqual([made.id]);
    expect((await org.admin.remove(`${url}/${made.id}`)).body).toEqual({
      ...{ id: made.id, type: "group_deleted" },
    });
    expect(await list(`?member_id=${member.id}`)).toEqual([]);
    expect((await org.admin.get(`${url}/${made.id}`)).status).toBe(404);
  });

  test("keeps the list of models of an Owner from Admins", async ({ org, create }) => {
    const owner = await org.member({ role: "owner" });
    const group = await create(
      { allowed_models: ["claude-haiku-*", "claude-opus-5"] },
      owner.client,
    );
    const wide = await create({ allowed_models: ["claude-*"] }, owner.client);
    const [member, other] = [await org.member(), await org.member()];
    const set = (allowed_models: string[] | null, client: Client = org.admin) =>
      client.post<Group>(`${url}/${group.id}`, { allowed_models });
    const join = (groupId: string, { id }: { id: string }, client: Client = org.admin) =>
      client.post(`${url}/${groupId}/members`, { member_id: id });
    expect((await join(group.id, member)).status).toBe(200);
    expect((await join(wide.id, other)).status).toBe(200);
    const refused = await set(["claude-haiku-*", "claude-sonnet-5"]);
    expect([refused.status, codeOf(refused), refused.error.details?.["restriction"]]).toEqual([
      403,
      "restricted_by_higher_rank",
      {
        ...{ field: "allowed_models", rank: "owner", set_by: { type: "user", id: owner.id } },
        set_at: expect.stringMatching(/^\d{4}-/),
      },
    ]);
    // An Admin can set a stricter list, and remove it again.
    expect((await set(["claude-haiku-4-5"])).body).toMatchObject({
      allowed_models: ["claude-haiku-4-5"],
      model_lists: [{ rank: "owner" }, { rank: "admin", allowed_models: ["claude-haiku-4-5"] }],
    });
    expect((await set(null)).body.allowed_models).toEqual(["claude-haiku-*", "claude-opus-5"]);
    for (const calling of [
      set(null),
      join(wide.id, member),
      org.admin.remove(`${url}/${group.id}/members/${member.id}`),
      org.admin.remove(`${url}/${group.id}`),
    ]) {
      expect(codeOf(await calling)).toBe("restricted_by_higher_rank");
    }
    expect((await org.admin.post(`${url}/${group.id}`, { name: "Interns" })).status).toBe(200);
    expect((await set(["claude-haiku-4-5"])).status).toBe(200);
    // An Owner's list ends that of an Admin.
    expect((await set(["claude-opus-5"], owner.client)).body.model_lists).toMatchObject([
      { rank: "owner", allowed_models: ["claude-opus-5"] },
    ]);
    expect((await join(wide.id, member, owner.client)).status).toBe(200);
    expect((await owner.client.remove(`${url}/${group.id}`)).status).toBe(200);
  });

  test("writes events with the member or the group as their subject", async ({
    h,
    org,
    workspaceId,
    create,
  }) => {
    const member = await org.member();
    const { id } = await create();
    const members = `${url}/${id}/members`;
    await org.admin.post(members, { member_id: member.id });
    await org.admin.post(members, { member_id: member.id }); // unchanged
    const place = `${url}/${id}/workspaces/${workspaceId}`;
    await org.admin.post(place, { workspace_role: "workspace_user" });
    await org.admin.remove(place);
    await org.admin.remove(`${members}/${member.id}`);
    await org.admin.remove(`${url}/${id}`);
    const eventsOf = async (subject: string) =>
      (await auditEventsOf(h.deps.database, subject)).map(({ event }) => event);
    expect(await eventsOf(id)).toEqual([
      ...["group.created", "group_workspace.set", "group_workspace.removed", "group.deleted"],
    ]);
    expect(await eventsOf(member.id)).toEqual(["group_member.added", "group_member.removed"]);
  });

  test("shows a developer its roles in visible workspaces only", async ({
    org,
    workspaceId,
    create,
  }) => {
    const hidden = await org.admin.createWorkspace();
    const { id } = await create();
    for (const workspace of [workspaceId, hidden.id]) {
      await org.admin.post(`${url}/${id}/workspaces/${workspace}`, {
        workspace_role: "workspace_admin",
      });
    }
    const workspaces = { [workspaceId]: "workspace_user" } as const;
    const developer = await org.member({ role: "developer", workspaces });
    const { body } = await developer.client.get<Group>(`${url}/${id}`);
    expect(body.workspaces.map(({ workspace_id }) => workspace_id)).toEqual([workspaceId]);
    const user = await org.member({ workspaces });
    expect((await user.client.get(url)).status).toBe(403);
  });
});

describe("limits of callers", () => {
  test("an admin key gives no role above its scopes, and adds no member to a group with one", async ({
    h,
    org,
    workspaceId,
    create,
  }) => {
    const { key } = await org.admin.createAdminKey({ scopes: ["members"] });
    const limited = h.as(key);
    const { id } = await create();
    const place = `${url}/${id}/workspaces/${workspaceId}`;
    const body = { workspace_role: "workspace_admin" };
    expect(codeOf(await limited.post(place, body))).toBe("role_too_high");
    await org.admin.post(place, body);
    const { id: member_id } = await org.member();
    const added = await limited.post(`${url}/${id}/members`, { member_id });
    expect(codeOf(added)).toBe("role_too_high");
  });

  test("an archived workspace, an unknown one and a foreign group are refused", async ({
    h,
    org,
    workspaceId,
    create,
  }) => {
    const { id } = await create();
    const body = { workspace_role: "workspace_user" };
    const foreign = await (await h.organization()).admin.createWorkspace();
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    const refused = [workspaceId, foreign.id, "wksp_unknown"];
    const answers = [];
    for (const workspace of refused) {
      answers.push(codeOf(await org.admin.post(`${url}/${id}/workspaces/${workspace}`, body)));
    }
    expect(answers).toEqual(["resource_archived", "resource_not_found", "resource_not_found"]);
    const stranger = (await h.organization()).admin;
    expect((await stranger.get(`${url}/${id}`)).status).toBe(404);
    expect((await stranger.post(`${url}/${id}/members`, { email: "a@b.test" })).status).toBe(404);
  });
});

describe("a step-up", () => {
  test("is needed for more models or rights, and not for less", async ({
    org,
    workspaceId,
    create,
  }) => {
    const owner = await org.member({ role: "owner", steppedUpAtMs: null });
    const { client } = owner;
    const [member, developer] = [
      await org.member(),
      await org.member({ workspaces: { [workspaceId]: "workspace_developer" } }),
    ];
    const limited = await create({ allowed_models: ["claude-haiku-*"] }, client);
    const wider = await create({ allowed_models: ["claude-haiku-*", "claude-opus-5"] }, client);
    const rights = await create();
    await org.admin.post(`${url}/${rights.id}/workspaces/${workspaceId}`, {
      workspace_role: "workspace_user",
    });
    const add = async (of: Group, { id: member_id }: { id: string }) =>
      codeOf(await client.post(`${url}/${of.id}/members`, { member_id })) ?? "done";
    const remove = async (of: Group, { id }: { id: string }) =>
      codeOf(await client.remove(`${url}/${of.id}/members/${id}`)) ?? "done";
    const setModels = async (of: Group, allowed_models: string[] | null) =>
      codeOf(await client.post(`${url}/${of.id}`, { allowed_models })) ?? "done";

    expect(await add(rights, member)).toBe("step_up_required");
    expect(await add(rights, developer)).toBe("done");
    expect(await add(limited, member)).toBe("done");
    expect(await add(wider, member)).toBe("step_up_required");
    expect(await remove(limited, member)).toBe("step_up_required");
    expect(await setModels(limited, ["claude-*"])).toBe("step_up_required");
    expect(await setModels(limited, ["claude-haiku-4-5"])).toBe("done");
    expect(await setModels(limited, null)).toBe("step_up_required");
    await org.operator.post(`${url}/${wider.id}/members`, { member_id: member.id });
    // The other list still allows more than this one.
    expect(await remove(limited, member)).toBe("done");
    expect(codeOf(await client.remove(`${url}/${wider.id}`))).toBe("step_up_required");
    expect(codeOf(await client.remove(`${url}/${limited.id}`))).toBe(undefined);
  });
});

describe("leaving", () => {
  test("a deactivation and a removal end the memberships", async ({ org, create }) => {
    const { id } = await create();
    const [away, gone] = [await org.member(), await org.member()];
    for (const { id: member_id } of [away, gone]) {
      await org.admin.post(`${url}/${id}/members`, { member_id });
    }
    await org.admin.post(`/v1/admin/members/${away.id}/deactivate`);
    const removed = await org.admin.remove<{ groups: object[] }>(`/v1/admin/members/${gone.id}`);
    expect(removed.body.groups).toEqual([{ id, name: "Engineering" }]);
    await org.admin.post(`/v1/admin/members/${away.id}/reactivate`);
    const { body } = await org.admin.get<Listed<GroupMember>>(`${url}/${id}/members`);
    expect(body.data).toEqual([]);
  });
});
