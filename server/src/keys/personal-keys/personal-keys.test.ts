import type { apiKey } from "@bursar/contract/admin/api-keys.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Client, CreatedApiKey, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf, watchEvents } from "#test/harness/audit-events.ts";
import { setWorkspaceRole } from "#test/harness/members.ts";

const PERSONAL = "/v1/admin/personal_keys";
const KEYS = "/v1/admin/api_keys";
const DAY_MS = 86_400_000;
type ApiKey = z.output<typeof apiKey>;

interface Options {
  workspaces: { id: string; role: string | null; keys: number; max_keys: number | null }[];
  group_models: string[] | null;
  contacts: { email: string }[];
}

const test = base
  /** A Member with the plainest role in the workspace. */
  .extend("ada", ({ org, workspaceId }) =>
    org.member({ workspaces: { [workspaceId]: "workspace_user" } }),
  )
  /** A person without a workspace. */
  .extend("grace", ({ org }) => org.member({ role: "claude_code_user" }))
  .extend("allow", ({ org, workspaceId }) => async (rules: object) => {
    const set = await org.admin.post(`/v1/admin/workspaces/${workspaceId}`, rules);
    expect(set.status).toBe(200);
  })
  .extend(
    "create",
    ({ workspaceId }) =>
      (client: Client, fields: object = {}) =>
        client.post<CreatedApiKey>(PERSONAL, {
          name: "Mine",
          workspace_id: workspaceId,
          ...fields,
        }),
  );

describe("a workspace with personal keys", () => {
  test("off lets no member without the right create one", async ({ ada, grace, create }) => {
    const refused = await create(ada.client);
    expect([refused.status, refused.error.details?.error_code]).toEqual([403, "permission_denied"]);
    expect(refused.error.message).toContain("Ask a Workspace Admin");
    expect((await create(grace.client)).status).toBe(404);
  });

  test("for members lets each role create a key of its own", async ({
    h,
    org,
    workspaceId,
    ada,
    grace,
    allow,
    create,
  }) => {
    await allow({ personal_keys: "members" });
    const made = await create(ada.client);
    expect([made.status, made.body.owner, made.body.permissions]).toEqual([
      200,
      { type: "member", id: ada.id, name: "Ada Lovelace", email: ada.email },
      ["write"],
    ]);
    expect(made.body.key).toMatch(/^sk-ant-api03-\w{20,}/);
    expect((await h.as(made.body.key).get("/v1/admin/model_prices")).status).toBe(200);
    const roles = ["workspace_admin", "workspace_restricted_developer"] as const;
    for (const role of roles) {
      const { client } = await org.member({ workspaces: { [workspaceId]: role } });
      expect([role, (await create(client)).status]).toEqual([role, 200]);
    }
    // The same bytes as for a workspace that does not exist.
    const outside = await create(grace.client);
    const missing = await create(grace.client, { workspace_id: "wksp_unknown" });
    expect([outside.status, outside.error.message.replace(workspaceId, "wksp_unknown")]).toEqual([
      404,
      missing.error.message,
    ]);
  });

  test("for members lets a member allow and remove pages of origins", async ({
    h,
    org,
    workspaceId,
    ada,
    allow,
    create,
  }) => {
    await allow({ personal_keys: "members" });
    const allowed_origins = ["https://app.example.com"];
    const { body } = await create(ada.client, { allowed_origins });
    expect(body.allowed_origins).toEqual(allowed_origins);
    const path = `${PERSONAL}/${body.id}`;
    const removed = await ada.client.post<ApiKey>(path, { allowed_origins: null });
    expect(removed.body.allowed_origins).toBe(null);
    const late = await org.member({
      workspaces: { [workspaceId]: "workspace_user" },
      steppedUpAtMs: h.clock.nowMs - 3_600_000,
    });
    const refused = await create(late.client, { allowed_origins });
    expect(refused.error.details?.error_code).toBe("step_up_required");
  });

  test("for everyone makes the creator of a first key a Workspace User", async ({
    h,
    org,
    workspaceId,
    grace,
    allow,
    create,
  }) => {
    await allow({ personal_keys: "everyone" });
    const listEvents = await watchEvents(h.deps.database, org.id);
    const made = await Promise.all([create(grace.client), create(grace.client)]);
    expect(made.map(({ status }) => status)).toEqual([200, 200]);
    const events = (await listEvents()).map(({ event, actor_id }) => [event, actor_id]);
    expect(events).toEqual([
      ["workspace_member.added", grace.id],
      ["api_key.created", grace.id],
      ["api_key.created", grace.id],
    ]);
    const list = `/v1/admin/workspaces/${workspaceId}/members`;
    const members = (await org.admin.get<Listed<{ workspace_role: string }>>(list)).body.data;
    expect(members.map(({ workspace_role }) => workspace_role)).toEqual(["workspace_user"]);
    const key = h.as(made[0]?.body.key ?? "");
    expect((await key.get("/v1/admin/model_prices")).status).toBe(200);
    // The key ends with the role.
    await org.admin.remove(`${list}/${grace.id}`);
    expect((await key.get("/v1/admin/model_prices")).status).toBe(401);
  });

  test("for everyone adds no member whose organization role excludes it", async ({
    org,
    allow,
    create,
  }) => {
    await allow({ personal_keys: "everyone" });
    const { client } = await org.member({ role: "billing" });
    expect((await create(client)).status).toBe(403);
  });

  test("allows at most the permission write", async ({ org, ada, workspaceId, allow, create }) => {
    await allow({ personal_keys: "members" });
    expect((await create(ada.client, { permissions: ["admin"] })).status).toBe(400);
    const admin = await org.member({ role: "admin" });
    const made = await org.admin.createApiKey(workspaceId, {
      owner_member_id: admin.id,
      permissions: ["admin"],
    });
    const rotated = await admin.client.post(`${PERSONAL}/${made.id}/rotate`, {});
    expect([rotated.status, rotated.error.message]).toEqual([
      403,
      expect.stringContaining('at most the "write" permission'),
    ]);
  });

  test("refuses them in an archived workspace, and without a required second factor", async ({
    org,
    ada,
    workspaceId,
    allow,
    create,
  }) => {
    await allow({ personal_keys: "members" });
    const owner = await org.member({ role: "owner" });
    await org.operator.post("/v1/admin/security_settings", { second_factor: "all" });
    const unproved = await create(ada.client);
    expect(unproved.error.details?.error_code).toBe("second_factor_required");
    await org.operator.post("/v1/admin/security_settings", { second_factor: "off" });
    await org.operator.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    for (const { client } of [ada, owner]) {
      expect((await create(client)).error.details?.error_code).toBe("resource_archived");
    }
  });
});

describe("a personal key", () => {
  test("sees the usage of its owner's keys only, as the owner does", async ({
    h,
    org,
    workspaceId,
    apiKeyId,
    ada,
    allow,
    create,
  }) => {
    await allow({ personal_keys: "members" });
    const { id, key } = (await create(ada.client)).body;
    await org.recordRequest({ workspaceId, apiKeyId });
    const own = await org.recordRequest({ workspaceId, apiKeyId: id, memberId: ada.id });
    const list = async (client: Client) =>
      (await client.get<Listed<{ id: string }>>("/v1/admin/requests")).body.data.map(
        (request) => request.id,
      );
    expect(await list(h.as(key))).toEqual([own]);
    expect(await list(ada.client)).toEqual([own]);
    expect((await h.as(key).get(`/v1/admin/requests?api_key_id=${apiKeyId}`)).status).toBe(404);
    // The key sees more as soon as its owner does.
    const role = { workspaceId, memberId: ada.id, role: "workspace_developer" } as const;
    await setWorkspaceRole(h.deps, role);
    expect(await list(h.as(key))).toHaveLength(2);
  });

  test("is rotated, disabled and archived by its owner, and by no other member", async ({
    h,
    org,
    workspaceId,
    ada,
    allow,
    create,
  }) => {
    await allow({ personal_keys: "members" });
    const { id, key } = (await create(ada.client)).body;
    const other = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    for (const call of [`${PERSONAL}/${id}`, `${PERSONAL}/${id}/rotate`]) {
      expect((await other.client.post(call, {})).status).toBe(404);
    }
    const rotated = await ada.client.post<CreatedApiKey>(`${PERSONAL}/${id}/rotate`, {});
    expect([rotated.status, rotated.body.waiting_secret]).toEqual([200, null]);
    expect((await h.as(key).get("/v1/admin/model_prices")).status).toBe(401);
    expect((await h.as(rotated.body.key).get("/v1/admin/model_prices")).status).toBe(200);
    for (const status of ["inactive", "active", "archived"]) {
      const changed = await ada.client.post<ApiKey>(`${PERSONAL}/${id}`, { status });
      expect([changed.status, changed.body.status]).toEqual([200, status]);
    }
    const events = await auditEventsOf(h.deps.database, id);
    expect(events.map(({ event }) => event.split(".")[1])).toEqual([
      ...["created", "rotated", "updated", "updated", "updated"],
    ]);
    const listed = await ada.client.get<Listed<ApiKey>>(PERSONAL);
    expect(listed.body.data.map((each) => [each.id, each.status])).toEqual([[id, "archived"]]);
  });

  test("can only be stopped by its owner after the workspace ended personal keys", async ({
    ada,
    allow,
    create,
  }) => {
    await allow({ personal_keys: "members" });
    const { id } = (await create(ada.client)).body;
    await allow({ personal_keys: "off" });
    const change = async (body: object) =>
      (await ada.client.post(`${PERSONAL}/${id}`, body)).status;
    expect((await ada.client.post(`${PERSONAL}/${id}/rotate`, {})).status).toBe(403);
    expect(await change({ status: "inactive" })).toBe(200);
    expect(await change({ status: "active" })).toBe(403);
    expect(await change({ status: "archived" })).toBe(200);
  });
});

describe("rules of a workspace for personal keys", () => {
  test("bound models, lifetime and number", async ({ h, ada, allow, create }) => {
    await allow({
      personal_keys: "members",
      personal_key_models: ["claude-haiku-*"],
      personal_key_lifetime_days: 30,
      personal_keys_per_member: 2,
    });
    const { body } = await create(ada.client);
    const latest = new Date(h.clock.nowMs + 30 * DAY_MS).toISOString();
    expect([body.allowed_models, body.expires_at]).toEqual([["claude-haiku-*"], latest]);
    const change = (fields: object) => ada.client.post(`${PERSONAL}/${body.id}`, fields);
    expect((await change({ allowed_models: null })).error.details?.error_code).toBe(
      "restricted_by_higher_rank",
    );
    const later = new Date(h.clock.nowMs + 31 * DAY_MS).toISOString();
    for (const expires_at of [null, later]) {
      expect((await change({ expires_at })).status).toBe(400);
      expect((await create(ada.client, { expires_at })).status).toBe(400);
    }
    const more = await Promise.all([1, 2, 3].map(() => create(ada.client)));
    expect(more.map(({ status }) => status).toSorted()).toEqual([200, 403, 403]);
    const refused = more.find(({ status }) => status === 403);
    expect(refused?.error.details?.error_code).toBe("key_count_reached");
  });

  test("apply to the next key when they become wider or narrower", async ({
    ada,
    allow,
    create,
  }) => {
    for (const models of [["claude-haiku-*"], ["claude-haiku-*", "claude-sonnet-*"], null]) {
      await allow({ personal_keys: "members", personal_key_models: models });
      expect((await create(ada.client)).body.allowed_models).toEqual(models);
    }
  });

  test("bind no member whose role creates keys", async ({ org, workspaceId, allow, create }) => {
    await allow({ personal_keys: "members", personal_key_models: ["claude-haiku-*"] });
    const { client } = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    expect((await create(client)).body.allowed_models).toBeNull();
  });
});

describe("a restriction by a higher rank", () => {
  test("of a disabled key is not escaped by another key", async ({ org, ada, allow, create }) => {
    await allow({ personal_keys: "members" });
    const { id } = (await create(ada.client)).body;
    await org.admin.post(`${KEYS}/${id}`, { status: "inactive" });
    const refused = await create(ada.client);
    expect([refused.status, refused.error.details?.error_code]).toEqual([
      403,
      "restricted_by_higher_rank",
    ]);
    const enabled = await ada.client.post(`${PERSONAL}/${id}`, { status: "active" });
    expect(enabled.error.details?.error_code).toBe("restricted_by_higher_rank");
  });

  test("stays with further keys, also beside the workspace's models", async ({
    org,
    workspaceId,
    ada,
    allow,
    create,
  }) => {
    await allow({ personal_keys: "members", personal_key_models: ["claude-haiku-*"] });
    const first = (await create(ada.client)).body;
    const admin = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    const url = `${KEYS}/${first.id}`;
    await admin.client.post(url, { allowed_models: ["claude-haiku-4-5"], rank: "workspace" });
    let previous = first.id;
    for (const models of [["claude-haiku-*"], null]) {
      await allow({ personal_key_models: models });
      const next = (await create(ada.client)).body;
      expect(next.allowed_models).toEqual(["claude-haiku-4-5"]);
      await ada.client.post(`${PERSONAL}/${previous}`, { status: "archived" });
      previous = next.id;
    }
  });
});

describe("the options", () => {
  const list = async (client: Client, query = "") =>
    (await client.get<Options>(`/v1/admin/personal_key_options${query}`)).body;

  test("name the workspaces with a ground for a key, and whom to ask", async ({
    org,
    workspaceId,
    ada,
    grace,
    allow,
    create,
  }) => {
    const admin = await org.member({ role: "admin" });
    const none = await list(ada.client);
    expect([none.workspaces, none.contacts]).toEqual([
      [],
      [{ name: "Ada Lovelace", email: admin.email }],
    ]);
    await allow({ personal_keys: "members", personal_keys_per_member: 3 });
    await create(ada.client);
    const [own] = (await list(ada.client)).workspaces;
    expect(own).toMatchObject({ id: workspaceId, role: "workspace_user", keys: 1, max_keys: 3 });
    expect((await list(grace.client)).workspaces).toEqual([]);
    await allow({ personal_keys: "everyone" });
    const [open] = (await list(grace.client)).workspaces;
    expect(open).toMatchObject({ id: workspaceId, role: null, keys: 0 });
    expect((await list(grace.client, "?name=unknown")).workspaces).toEqual([]);
  });

  test("have the models that the groups of the person allow", async ({ org, ada }) => {
    expect((await list(ada.client)).group_models).toBeNull();
    for (const [name, model] of [
      ["Interns", "claude-haiku-*"],
      ["Science", "claude-opus-5"],
    ]) {
      const group = { name, allowed_models: [model] };
      const { body } = await org.admin.post<{ id: string }>("/v1/admin/groups", group);
      await org.admin.post(`/v1/admin/groups/${body.id}/members`, { member_id: ada.id });
    }
    const { group_models } = await list(ada.client);
    expect(group_models?.toSorted()).toEqual(["claude-haiku-*", "claude-opus-5"]);
  });
});
