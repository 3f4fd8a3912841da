import Anthropic from "@anthropic-ai/sdk";
import { organizationRoles, workspaceRoles } from "@bursar/contract/permissions.ts";
import AnthropicPrevious from "anthropic-sdk-previous";
import { describe, expect } from "vitest";
import type { TestOrganization } from "./harness/admin.ts";
import { serverTest as test } from "./harness/admin-test.ts";

// The official clients against a real server, with only address and key changed. The current one sends the key as a
// Bearer token, the previous one as x-api-key.

let baseURL: string;

test.beforeAll(async ({ h }) => {
  baseURL = await h.app.listen({ host: "127.0.0.1", port: 0 });
});

describe.each([
  ["current", Anthropic],
  ["previous", AnthropicPrevious],
])("the %s SDK", (version, Sdk) => {
  let org: TestOrganization;
  let client: InstanceType<typeof Anthropic>;

  test.beforeAll(async ({ h }) => {
    org = await h.organization(`Company of the ${version} SDK`);
    client = new Sdk({ apiKey: org.adminKey, baseURL, maxRetries: 2 }) as Anthropic;
  });

  test("reads the organization", async () => {
    expect(await client.organization.retrieve()).toEqual({
      id: org.id,
      name: `Company of the ${version} SDK`,
      type: "organization",
    });
  });

  test("creates, reads, updates, lists and archives workspaces", async ({ h }) => {
    const made = await client.organization.workspaces.create({
      name: "Research",
      tags: { team: "a", cost: "b" },
    });
    expect(await client.organization.workspaces.retrieve(made.id)).toEqual(made);
    const changed = await client.organization.workspaces.update(made.id, {
      name: "Science",
      tags: { cost: null },
    });
    expect(changed).toEqual({ ...made, name: "Science", tags: { team: "a" } });
    const names: string[] = [];
    for (let i = 0; i < 5; i++) {
      h.clock.nowMs++;
      await client.organization.workspaces.create({ name: `Team ${i}` });
    }
    for await (const workspace of client.organization.workspaces.list({
      limit: 2,
      include_default: true,
    })) {
      names.push(workspace.name);
    }
    expect(names.slice(0, 5)).toEqual(["Team 4", "Team 3", "Team 2", "Team 1", "Team 0"]);
    expect(new Set(names.slice(5))).toEqual(new Set(["Science", "Default"]));
    const byIds = await client.organization.workspaces.list({ ids: [made.id, "wksp_unknown"] });
    expect(byIds.data).toEqual([changed]);
    const archived = await client.organization.workspaces.archive(made.id);
    expect(archived.archived_at).not.toBeNull();
  });

  test("pages backwards too", async () => {
    const { data } = await client.organization.workspaces.list({ limit: 1000 });
    const oldest = data.at(-1)?.id ?? "";
    const seen: string[] = [];
    for await (const { id } of client.organization.workspaces.list({
      before_id: oldest,
      limit: 2,
    })) {
      seen.push(id);
    }
    expect(new Set(seen)).toEqual(new Set(data.slice(0, -1).map(({ id }) => id)));
    expect(seen.length).toBe(data.length - 1);
  });

  test("lists, reads and updates API keys", async () => {
    const workspace = await client.organization.workspaces.create({ name: "Keys" });
    const key = await org.admin.createApiKey(workspace.id, { name: "CI" });
    const keys: string[] = [];
    for await (const { id } of client.organization.apiKeys.list({
      workspace_id: workspace.id,
      status: "active",
    })) {
      keys.push(id);
    }
    expect(keys).toEqual([key.id]);
    const updated = await client.organization.apiKeys.update(key.id, { status: "inactive" });
    expect(updated.status).toBe("inactive");
    expect((await client.organization.apiKeys.retrieve(key.id)).scope).toEqual({
      type: "workspace",
      workspace_id: workspace.id,
    });
  });

  test("lists, reads, updates and removes users", async () => {
    const owner = await org.member({ role: "owner", email: `owner.${version}@example.com` });
    const users = [owner.id];
    for (let i = 0; i < 4; i++) users.unshift((await org.member({ role: "user" })).id);
    const listed: string[] = [];
    for await (const { id } of client.organization.users.list({ limit: 2 })) listed.push(id);
    expect(listed).toEqual(users);
    const [found] = (
      await client.organization.users.list({ email: owner.email.toUpperCase(), roles: ["owner"] })
    ).data;
    expect(found).toEqual(await client.organization.users.retrieve(owner.id));
    const id = users[0] ?? "";
    const updated = await client.organization.users.update(id, { role: "developer" });
    expect([updated.id, updated.role]).toEqual([id, "developer"]);
    expect(await client.organization.users.remove(id)).toEqual({ id, type: "user_deleted" });
    await expect(client.organization.users.retrieve(id)).rejects.toMatchObject({ status: 404 });
    const asOwner = org.operator.remove(`/v1/organizations/users/${owner.id}`);
    expect((await asOwner).body).toMatchObject({
      error: { details: { error_code: "cannot_remove_last_member" } },
    });
    await expect(client.organization.users.remove(owner.id)).rejects.toMatchObject({ status: 403 });
    const admin = { role: "admin" } as unknown as { role: "user" };
    const promoted = client.organization.users.update(users[1] ?? "", admin);
    await expect(promoted).rejects.toMatchObject({ status: 400 });
  });

  test.skipIf(version === "previous")(
    "creates, fills, renames, lists and deletes groups",
    async ({ h }) => {
      const { rbacGroups } = client.organization;
      const made = await rbacGroups.create({ name: "Engineering" });
      const { id } = made;
      expect(await rbacGroups.retrieve(id)).toEqual(made);
      const workspace = await client.organization.workspaces.create({ name: "Grouped" });
      await org.admin.post(`/v1/admin/groups/${id}/workspaces/${workspace.id}`, {
        workspace_role: "workspace_user",
      });
      expect(await rbacGroups.update(id, { name: "Research" })).toMatchObject({
        ...{ id, name: "Research", source_type: "direct", role_ids: ["workspace_user"] },
      });
      const members = [await org.member(), await org.member(), await org.member()];
      for (const { id: user_id } of members) await rbacGroups.members.add(id, { user_id });
      const listed: string[] = [];
      for await (const each of rbacGroups.members.list(id, { limit: 2 })) listed.push(each.user_id);
      expect(listed).toEqual(members.map((member) => member.id).reverse());
      const user_id = listed[0] ?? "";
      expect(await rbacGroups.members.remove(user_id, { rbac_group_id: id })).toEqual({
        ...{ type: "rbac_group_member_deleted", rbac_group_id: id, user_id },
      });
      h.clock.nowMs++;
      const second = await rbacGroups.create({ name: "Research" });
      const ids: string[] = [];
      for await (const group of rbacGroups.list({ limit: 1 })) ids.push(group.id);
      expect(ids).toEqual([second.id, id]);
      expect(await rbacGroups.delete(id)).toEqual({ id, type: "rbac_group_deleted" });
      const missing = rbacGroups.retrieve(id);
      await expect(missing).rejects.toMatchObject({
        status: 404,
        errorCode: "rbac_group_not_found",
      });
    },
  );

  test.skipIf(version === "previous")("lists and reads the built-in roles", async () => {
    const { rbacRoles } = client.organization;
    const roles: string[] = [];
    for await (const role of rbacRoles.list({ limit: 3 })) roles.push(role.id);
    expect(roles.toSorted()).toEqual([...organizationRoles, ...workspaceRoles].sort());
    expect(await rbacRoles.retrieve("workspace_developer")).toMatchObject({
      ...{ display_name: "Workspace Developer", source: { type: "built_in" } },
    });
    const actions: string[] = [];
    for await (const each of rbacRoles.permissions.list("billing")) actions.push(each.action);
    expect(actions).toEqual([
      "members:read",
      "groups:read",
      "contract_terms:write",
      "contract_terms:read",
    ]);
    const missing = rbacRoles.retrieve("role_unknown");
    await expect(missing).rejects.toMatchObject({ errorCode: "rbac_role_not_found" });
  });

  test.skipIf(version === "previous")("signs users out", async () => {
    const { users } = client.beta.organization;
    const [member, owner] = [await org.member(), await org.member({ role: "owner" })];
    expect((await member.client.get("/v1/admin/session")).status).toBe(200);
    expect((await users.signOut(member.id)).id).toBe(member.id);
    expect((await member.client.get("/v1/admin/session")).status).toBe(401);
    const refused = users.signOut(owner.id);
    await expect(refused).rejects.toMatchObject({
      ...{ status: 403, errorCode: "cannot_sign_out_owner" },
    });
  });

  test("creates, lists, reads and deletes invites, with the official reasons of refusals", async ({
    h,
  }) => {
    const email = `invited.${version}@example.com`;
    const made = await client.organization.invites.create({ email, role: "developer" });
    expect(made).toMatchObject({ email, role: "developer", status: "pending", rbac_group_ids: [] });
    expect(await client.organization.invites.retrieve(made.id)).toEqual(made);
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      h.clock.nowMs++;
      const more = { email: `more-${i}.${version}@example.com`, role: "user" } as const;
      ids.unshift((await client.organization.invites.create(more)).id);
    }
    const listed: string[] = [];
    const pending = { limit: 2, statuses: ["pending" as const] };
    for await (const { id } of client.organization.invites.list(pending)) listed.push(id);
    expect(listed).toEqual([...ids, made.id]);
    const byEmail = await client.organization.invites.list({ email: email.toUpperCase() });
    expect(byEmail.data).toEqual([made]);
    expect((await client.organization.invites.list({ roles: ["billing"] })).data).toEqual([]);

    const member = await org.member();
    for (const [taken, code] of [
      [email, "invite_already_exists"],
      [member.email, "already_member"],
    ] as const) {
      const refused = client.organization.invites.create({ email: taken, role: "user" });
      await expect(refused).rejects.toMatchObject({
        status: 400,
        error: { error: { type: "invalid_request_error", details: { error_code: code } } },
        ...(version === "current" && { errorCode: code }),
      });
    }
    const deleted = await client.organization.invites.delete(made.id);
    expect(deleted).toEqual({ id: made.id, type: "invite_deleted" });
    const admin = { email: "a@example.com", role: "admin" } as unknown as {
      email: string;
      role: "user";
    };
    await expect(client.organization.invites.create(admin)).rejects.toMatchObject({ status: 400 });
  });

  test("adds, lists, reads, updates and removes members of a workspace", async () => {
    const { members } = client.organization.workspaces;
    const { id: workspace_id } = await client.organization.workspaces.create({ name: "People" });
    const billing = await org.member({ role: "billing" });
    const { id } = await org.member({ role: "user" });
    const added = await members.add(workspace_id, {
      user_id: id,
      workspace_role: "workspace_developer",
    });
    expect(added).toEqual({
      type: "workspace_member",
      user_id: id,
      workspace_id,
      workspace_role: "workspace_developer",
    });
    expect(await members.retrieve(id, { workspace_id })).toEqual(added);
    const roles: [string, string][] = [];
    for await (const each of members.list(workspace_id, { limit: 1 })) {
      roles.push([each.user_id, each.workspace_role]);
    }
    expect(roles.slice(0, 2)).toEqual([
      [id, "workspace_developer"],
      [billing.id, "workspace_billing"],
    ]);
    const updated = await members.update(id, { workspace_id, workspace_role: "workspace_admin" });
    expect(updated.workspace_role).toBe("workspace_admin");
    expect(await members.remove(id, { workspace_id })).toEqual({
      type: "workspace_member_deleted",
      user_id: id,
      workspace_id,
    });
    await expect(members.retrieve(id, { workspace_id })).rejects.toMatchObject({ status: 404 });
    await expect(members.remove(billing.id, { workspace_id })).rejects.toMatchObject({
      status: 400,
    });
  });

  test("names owner and creator of a personal key", async () => {
    const workspace = await client.organization.workspaces.create({ name: "Personal" });
    const member = await org.member({ workspaces: { [workspace.id]: "workspace_developer" } });
    const { id } = await member.client.createApiKey(workspace.id);
    const found: string[] = [];
    for await (const key of client.organization.apiKeys.list({ created_by_user_id: member.id })) {
      found.push(key.id);
    }
    expect(found).toEqual([id]);
    const key = await client.organization.apiKeys.retrieve(id);
    expect(key.created_by).toEqual({ type: "user", id: member.id });
    expect(key.principal).toEqual({ type: "user_actor", user_id: member.id });
  });

  test("lists the effective spend limits of members, page by page", async () => {
    const { admin } = org;
    const ids = [(await org.member()).id, (await org.member()).id];
    const limit = { scope: { type: "organization" }, period: "weekly", limit_usd: 7 };
    const { body } = await admin.post<{ id: string }>("/v1/admin/spend_limits", limit);
    const found: string[] = [];
    const query = { user_ids: ids, period: ["weekly" as const], limit: 1 };
    for await (const row of client.beta.organization.spendLimits.effective.list(query)) {
      expect(row).toMatchObject({
        amount: "700",
        period_to_date_spend: "0",
        spend_limit_id: body.id,
      });
      if (row.actor.type === "user_actor") found.push(row.actor.user_id);
    }
    expect(found.toSorted()).toEqual(ids.toSorted());
    await admin.remove(`/v1/admin/spend_limits/${body.id}`);
  });

  test("sets, reads, lists and deletes spend limits, in cents", async () => {
    const { spendLimits } = client.beta.organization;
    const { id: workspace_id } = await client.organization.workspaces.create({ name: "Limited" });
    const scope = { type: "workspace", workspace_id } as const;
    const made = await spendLimits.set({ scope, amount: "50000" });
    expect(made).toEqual({
      id: expect.stringMatching(/^spl_/),
      type: "spend_limit",
      scope,
      amount: "50000",
      currency: "USD",
      is_enabled: true,
      period: "monthly",
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect(await spendLimits.retrieve(made.id)).toEqual(made);
    // A change in this shape keeps all other fields. Fractions of a cent are cut.
    const limits = "/v1/admin/spend_limits";
    const fields = { scope, period: "monthly", enforcement: "soft", open_ended_hold_usd: 2 };
    await org.admin.post(limits, { ...fields, limit_usd: "0.019" });
    expect((await spendLimits.retrieve(made.id)).amount).toBe("1");
    await spendLimits.set({ scope, amount: "700", period: "monthly" });
    expect((await org.admin.get(`${limits}/${made.id}`)).body).toMatchObject({
      limit_usd: 7,
      enforcement: "soft",
      open_ended_hold_usd: 2,
    });
    const organization = await spendLimits.set({
      scope: { type: "organization" },
      amount: "99999999999",
    });
    const key = await org.admin.createApiKey(workspace_id);
    const ofKey = await org.admin.post<{ id: string }>(limits, {
      scope: { type: "api_key", api_key_id: key.id },
      period: "monthly",
      limit_usd: 1,
    });
    const idsOf = async (query: Parameters<typeof spendLimits.list>[0]) => {
      const found: string[] = [];
      for await (const { id } of spendLimits.list({ limit: 1, ...query })) found.push(id);
      return found.sort();
    };
    expect(await idsOf({})).toEqual([made.id, organization.id].sort());
    expect(await idsOf({ workspace_id })).toEqual([made.id]);
    expect(await idsOf({ scope_type: ["organization"] })).toEqual([organization.id]);
    await expect(idsOf({ scope_type: ["seat_tier"] })).rejects.toMatchObject({ status: 400 });
    await expect(spendLimits.retrieve(ofKey.body.id)).rejects.toMatchObject({ status: 404 });
    await expect(spendLimits.delete(ofKey.body.id)).rejects.toMatchObject({ status: 404 });
    for (const wrong of [null, "1.5", "100000000000"]) {
      const set = spendLimits.set({ scope, amount: wrong });
      await expect(set).rejects.toMatchObject({ status: 400 });
    }
    expect(await spendLimits.delete(made.id)).toEqual({
      id: made.id,
      type: "spend_limit_deleted",
    });
    await expect(spendLimits.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
  });

  test("sets, lists and deletes limits of users, and shows their source", async () => {
    const { spendLimits, rbacGroups } = client.beta.organization;
    const { id: user_id } = await org.member();
    const group = await rbacGroups.create({ name: "Interns" });
    await rbacGroups.members.add(group.id, { user_id });
    const ofGroup = { type: "rbac_group", rbac_group_id: group.id } as const;
    const cap = { type: "group_member", group_id: group.id };
    const limits = "/v1/admin/spend_limits";
    const made = await org.admin.post<{ id: string }>(limits, {
      ...{ scope: cap, period: "monthly", limit_usd: 20 },
    });
    expect(await spendLimits.retrieve(made.body.id)).toMatchObject({
      scope: ofGroup,
      amount: "2000",
    });
    const find = async () => {
      const rows = spendLimits.effective.list({ user_ids: [user_id] });
      for await (const row of rows) if (row.period === "monthly") return row;
      return null;
    };
    const listed = async () => {
      const found = [];
      for await (const { scope } of spendLimits.list({ scope_type: ["user", "rbac_group"] }))
        found.push(scope);
      return found;
    };
    expect(await find()).toMatchObject({ source: ofGroup, spend_limit_id: made.body.id });
    expect(await listed()).toEqual([ofGroup]);
    const scope = { type: "user", user_id } as const;
    const own = await spendLimits.set({ scope, amount: "50000" });
    expect(own).toMatchObject({ scope, amount: "50000", period: "monthly", is_enabled: true });
    expect(new Set(await listed())).toEqual(new Set([scope, ofGroup]));
    expect(await find()).toMatchObject({ amount: "50000", source: scope, spend_limit_id: own.id });
    // No cap: the person is exempt from default caps too.
    expect(await spendLimits.set({ scope, amount: null })).toMatchObject({
      id: own.id,
      amount: null,
    });
    expect(await find()).toMatchObject({ amount: null, source: scope });
    expect(await spendLimits.set({ scope, amount: "100" })).toMatchObject({ amount: "100" });
    expect((await org.admin.get(`${limits}/${own.id}`)).body).toMatchObject({
      limit_usd: 1,
      enforcement: "strict",
    });
    await spendLimits.delete(own.id);
    expect(await find()).toMatchObject({ amount: "2000", source: ofGroup });
    await expect(spendLimits.retrieve(own.id)).rejects.toMatchObject({ status: 404 });
    await rbacGroups.delete(group.id);
  });

  test("maps refusals to its own errors with the request id, and retries no conflict", async () => {
    const missing = client.organization.workspaces.retrieve("wksp_unknown");
    await expect(missing).rejects.toMatchObject({
      status: 404,
      requestID: expect.stringMatching(/^req_/),
      error: { error: { type: "not_found_error", message: "Workspace not found: wksp_unknown" } },
    });
    await client.organization.workspaces.create({ name: "Once" });
    const calls: string[] = [];
    const counting = new Sdk({
      apiKey: org.adminKey,
      baseURL,
      fetch: (url, init) => {
        calls.push(String(url));
        return fetch(url, init);
      },
    }) as Anthropic;
    const twice = counting.organization.workspaces.create({ name: "Once" });
    await expect(twice).rejects.toMatchObject({ status: 409 });
    expect(calls.length).toBe(1);
  });

  test("with a workspace key gets a refusal of the server, not a parse error", async () => {
    const workspace = await client.organization.workspaces.create({ name: "Refused" });
    const { key } = await org.admin.createApiKey(workspace.id);
    const developer = new Sdk({ apiKey: key, baseURL, maxRetries: 0 }) as Anthropic;
    await expect(developer.organization.retrieve()).rejects.toMatchObject({ status: 403 });
    const stranger = new Sdk({
      apiKey: "sk-ant-api03-unknown",
      baseURL,
      maxRetries: 0,
    }) as Anthropic;
    await expect(stranger.organization.retrieve()).rejects.toMatchObject({ status: 401 });
  });
});
