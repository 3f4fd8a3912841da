import type { apiKey } from "@bursar/contract/admin/api-keys.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Client, CreatedApiKey, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { setWorkspaceRole } from "#test/harness/members.ts";

const KEYS = "/v1/admin/api_keys";
const HOUR_MS = 3_600_000;
type ApiKey = z.output<typeof apiKey>;

const test = base
  .extend("developer", ({ org, workspaceId }) =>
    org.member({ workspaces: { [workspaceId]: "workspace_developer" } }),
  )
  .extend(
    "inAnHour",
    ({ h }) =>
      () =>
        new Date(h.clock.nowMs + HOUR_MS).toISOString(),
  )
  .extend("createOwn", ({ developer, workspaceId }) => () => ({
    client: developer.client,
    answer: developer.client.post<CreatedApiKey>(KEYS, { name: "Own", workspace_id: workspaceId }),
  }));

describe("a restricted key with admin", () => {
  const restricted = (expires_at: string) => ({
    permissions: ["admin"],
    allowed_models: ["claude-haiku-*"],
    allowed_addresses: ["127.0.0.0/8"],
    expires_at,
  });

  test("cannot free itself", async ({ h, org, workspaceId, inAnHour }) => {
    const { id, key } = await org.admin.createApiKey(workspaceId, restricted(inAnHour()));
    for (const change of [
      { allowed_models: null },
      { allowed_addresses: null },
      { expires_at: null },
    ]) {
      const refused = await h.as(key).post(`${KEYS}/${id}`, change);
      expect([change, refused.status]).toEqual([change, 403]);
    }
    const { body } = await org.admin.get<ApiKey>(`${KEYS}/${id}`);
    expect(body).toMatchObject({
      allowed_models: ["claude-haiku-*"],
      allowed_addresses: ["127.0.0.0/8"],
      expires_at: inAnHour(),
    });
  });

  test("cannot free itself from what its own rank has set", async ({ h, org, workspaceId }) => {
    const admin = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    const { id, key } = await admin.client.createApiKey(workspaceId, {
      permissions: ["admin"],
      allowed_models: ["claude-haiku-*"],
    });
    const freed = await h.as(key).post(`${KEYS}/${id}`, { allowed_models: null });
    expect([freed.status, freed.error.details?.error_code]).toEqual([403, "permission_denied"]);
    const narrowed = await h
      .as(key)
      .post<ApiKey>(`${KEYS}/${id}`, { allowed_models: ["claude-haiku-4-5"] });
    expect(narrowed.body.allowed_models).toEqual(["claude-haiku-4-5"]);
    expect((await admin.client.post(`${KEYS}/${id}`, { allowed_models: null })).status).toBe(200);
  });

  test("creates only keys with its own restrictions", async ({ h, org, workspaceId, inAnHour }) => {
    const { key } = await org.admin.createApiKey(workspaceId, restricted(inAnHour()));
    const child = await h.as(key).createApiKey(workspaceId, {
      permissions: ["admin"],
      allowed_models: ["claude-haiku-4-5", "claude-opus-4-5"],
      expires_at: null,
    });
    expect(child).toMatchObject({
      allowed_models: ["claude-haiku-4-5"],
      allowed_addresses: ["127.0.0.0/8"],
      expires_at: inAnHour(),
      restrictions: [{ rank: "admin" }, { rank: "workspace" }],
    });
    const grandchild = await h.as(child.key).createApiKey(workspaceId);
    expect(grandchild.allowed_models).toEqual(["claude-haiku-4-5"]);
    const url = `${KEYS}/${child.id}`;
    const widened = await h.as(key).post<ApiKey>(url, { allowed_models: null });
    expect(widened.body.allowed_models).toEqual(["claude-haiku-*"]);
    expect((await h.as(key).post(url, { allowed_models: null })).status).toBe(403);
  });

  test("neither frees another key beyond itself nor takes its secret", async ({
    h,
    org,
    workspaceId,
    inAnHour,
  }) => {
    const { id, key } = await org.admin.createApiKey(workspaceId, restricted(inAnHour()));
    const free = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
    const bound = await h.as(free.key).createApiKey(workspaceId, {
      allowed_models: ["claude-haiku-4-5"],
    });
    const freed = await h.as(key).post(`${KEYS}/${bound.id}`, { allowed_models: null });
    expect(freed.status).toBe(403);
    expect((await h.as(key).post(`${KEYS}/${free.id}/rotate`, {})).status).toBe(403);
    expect((await h.as(key).post(`${KEYS}/${id}/rotate`, {})).status).toBe(200);
  });
});

describe("a further personal key", () => {
  test("inherits what a higher rank has set on another key of its owner", async ({
    org,
    createOwn,
    inAnHour,
  }) => {
    const first = (await createOwn().answer).body;
    await org.admin.post(`${KEYS}/${first.id}`, {
      allowed_models: ["claude-haiku-*"],
      expires_at: inAnHour(),
    });
    const { client, answer } = createOwn();
    const { body: second } = await answer;
    expect(second).toMatchObject({ allowed_models: ["claude-haiku-*"], expires_at: inAnHour() });
    const freed = await client.post(`${KEYS}/${second.id}`, { allowed_models: null });
    expect(freed.error.details?.error_code).toBe("restricted_by_higher_rank");
    // An Admin can free the key, and creates one without the restrictions.
    const byAdmin = await org.admin.post<ApiKey>(`${KEYS}/${second.id}`, { allowed_models: null });
    expect(byAdmin.body.allowed_models).toBeNull();
  });

  test("does not inherit what the owner has set", async ({ createOwn }) => {
    const { client, answer } = createOwn();
    const { id } = (await answer).body;
    await client.post(`${KEYS}/${id}`, { allowed_models: ["claude-haiku-*"] });
    expect((await createOwn().answer).body.restrictions).toEqual([]);
  });

  test("inherits also after the owner revoked the restricted key", async ({ org, createOwn }) => {
    const { client, answer } = createOwn();
    const { id } = (await answer).body;
    await org.admin.post(`${KEYS}/${id}`, { allowed_models: ["claude-haiku-*"] });
    await client.post(`${KEYS}/${id}`, { status: "archived" });
    expect((await createOwn().answer).body.allowed_models).toEqual(["claude-haiku-*"]);
  });

  test("is free after a higher rank revoked the restricted key", async ({ org, createOwn }) => {
    const { id } = (await createOwn().answer).body;
    await org.admin.post(`${KEYS}/${id}`, { allowed_models: ["claude-haiku-*"] });
    await org.admin.post(`${KEYS}/${id}`, { status: "archived" });
    expect((await createOwn().answer).body.allowed_models).toBeNull();
  });

  test("is refused while a higher rank has disabled a key of the owner", async ({
    org,
    createOwn,
  }) => {
    const { client, answer } = createOwn();
    const { id } = (await answer).body;
    await org.admin.post(`${KEYS}/${id}`, { status: "inactive" });
    const refused = await createOwn().answer;
    expect([refused.status, refused.error.details]).toMatchObject([
      403,
      { error_code: "restricted_by_higher_rank", restriction: { field: "status", rank: "admin" } },
    ]);
    await client.post(`${KEYS}/${id}`, { status: "archived" });
    expect((await createOwn().answer).status).toBe(403);
  });

  test("inherits in its own workspace only", async ({ h, org, developer, createOwn }) => {
    const { id } = (await createOwn().answer).body;
    await org.admin.post(`${KEYS}/${id}`, { allowed_models: ["claude-haiku-*"] });
    const { id: workspaceId } = await org.admin.createWorkspace();
    const role = "workspace_developer";
    await setWorkspaceRole(h.deps, { workspaceId, memberId: developer.id, role });
    expect((await developer.client.createApiKey(workspaceId)).allowed_models).toBeNull();
  });
});

describe("the number of personal keys", () => {
  const SETTINGS = "/v1/admin/security_settings";

  test("is limited for each member by the setting", async ({ org, workspaceId, createOwn }) => {
    await org.admin.post(SETTINGS, { max_keys_per_member: 2 });
    const { client, answer } = createOwn();
    const { id } = (await answer).body;
    await createOwn().answer;
    const refused = await createOwn().answer;
    expect([refused.status, refused.error.details?.error_code]).toEqual([403, "key_count_reached"]);
    await client.post(`${KEYS}/${id}`, { status: "archived" });
    expect((await createOwn().answer).status).toBe(200);
    await org.admin.createApiKey(workspaceId);
    await org.admin.post(SETTINGS, { max_keys_per_member: null });
    expect((await createOwn().answer).status).toBe(200);
  });

  test("is not exceeded by concurrent requests", async ({ org, createOwn }) => {
    await org.admin.post(SETTINGS, { max_keys_per_member: 3 });
    const answers = await Promise.all(Array.from({ length: 8 }, () => createOwn().answer));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
  });
});

describe("limits of a new key", () => {
  const LIMITS = "/v1/admin/spend_limits";
  const setLimit = (client: Client, apiKeyId: string, limit_usd: number) =>
    client.post(LIMITS, {
      ...{ scope: { type: "api_key", api_key_id: apiKeyId }, period: "monthly", limit_usd },
    });
  const limitsOf = async (client: Client, apiKeyId: string) =>
    (await client.get<Listed<{ limit_usd: number }>>(`${LIMITS}?api_key_id=${apiKeyId}`)).body.data;

  test("sixty keys in a row have the limit of $0 that a higher rank set on the first", async ({
    h,
    org,
    createOwn,
  }) => {
    const listEvents = await watchEvents(h.deps.database, org.id);
    const first = (await createOwn().answer).body;
    await setLimit(org.admin, first.id, 0);
    const ids: string[] = [];
    for (let count = 0; count < 60; count += 1) ids.push((await createOwn().answer).body.id);
    const { data } = (
      await org.admin.get<Listed<{ scope: { api_key_id: string }; limit_usd: number }>>(
        `${LIMITS}?limit=100`,
      )
    ).body;
    for (const id of ids) {
      expect(data.find(({ scope }) => scope.api_key_id === id)?.limit_usd).toBe(0);
    }
    const events = await listEvents();
    expect(events.filter(({ event }) => event === "spend_limit.set")).toHaveLength(61);
  });

  test("a key that a limited key creates has its limits, whatever rank set them", async ({
    h,
    org,
    workspaceId,
  }) => {
    const admin = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    const { id, key } = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
    await setLimit(admin.client, id, 5);
    const child = await h.as(key).createApiKey(workspaceId);
    expect(await limitsOf(org.admin, child.id)).toMatchObject([{ limit_usd: 5 }]);
  });

  test("a playground session has the limits of the member's keys", async ({
    org,
    workspaceId,
    createOwn,
  }) => {
    const { client, answer } = createOwn();
    await setLimit(org.admin, (await answer).body.id, 0);
    const start = () =>
      client.post<{ api_key_id: string }>("/v1/admin/playground/sessions", {
        workspace_id: workspaceId,
      });
    const { body } = await start();
    expect(await limitsOf(org.admin, body.api_key_id)).toMatchObject([{ limit_usd: 0 }]);
    expect((await start()).status).toBe(200);
  });
});
