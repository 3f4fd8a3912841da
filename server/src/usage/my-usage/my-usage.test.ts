import type { myLimit, myUsage } from "@bursar/contract/admin/my-usage.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";

const MINE = "/v1/admin/my_usage";

const test = base
  .extend("ada", ({ org, workspaceId }) =>
    org.member({ workspaces: { [workspaceId]: "workspace_user" } }),
  )
  .extend("ownKey", async ({ org, workspaceId, ada }) =>
    org.operator.createApiKey(workspaceId, { owner_member_id: ada.id, name: "Laptop" }),
  );

const read = async (client: Client, query = "") =>
  (await client.get<z.output<typeof myUsage>>(MINE + query)).body;
const listLimits = async (client: Client) =>
  (await client.get<{ data: z.output<typeof myLimit>[] }>(`${MINE}/limits`)).body.data;

describe("the usage of a person", () => {
  test("has the requests of their keys only, also for people who see all usage", async ({
    org,
    workspaceId,
    apiKeyId,
    ada,
    ownKey,
  }) => {
    await org.recordRequest({ workspaceId, apiKeyId });
    await org.recordRequest({ workspaceId, apiKeyId: ownKey.id, memberId: ada.id });
    const usage = await read(ada.client);
    const { totals } = usage;
    expect(totals.requests).toBe(1);
    expect(usage).toMatchObject({
      member_id: ada.id,
      period: "monthly",
      bucket: "1d",
      buckets: [totals],
      models: [totals],
      api_keys: [{ api_key_id: ownKey.id, api_key_name: "Laptop", ...totals }],
      workspaces: [{ workspace_id: workspaceId, ...totals }],
      tags: [],
    });
    for (const period of ["daily", "weekly"]) {
      expect((await read(ada.client, `?period=${period}`)).totals).toEqual(totals);
    }
    const owner = await org.member({ role: "owner" });
    expect((await read(owner.client)).totals.requests).toBe(0);
  });

  test("has the simulated part of each cost", async ({ org, workspaceId, ada, ownKey }) => {
    const request = { workspaceId, apiKeyId: ownKey.id, memberId: ada.id };
    await org.recordRequest(request);
    expect((await read(ada.client)).totals.simulated_cost_usd).toBe("0.00");
    await org.recordRequest({ ...request, serviceTier: "simulated" });
    const { totals, models, api_keys, workspaces, buckets } = await read(ada.client);
    const half = { cost_usd: "0.0001622", simulated_cost_usd: "0.0000811", requests: 2 };
    expect(totals).toEqual(half);
    for (const rows of [models, api_keys, workspaces, buckets]) {
      expect(rows).toMatchObject([half]);
    }
  });

  test("counts once for each tag of a request", async ({ org, ada, ownKey, workspaceId }) => {
    const tagged = { tags: { cost_center: "4711", stage: "test" } };
    await org.operator.post(`/v1/admin/workspaces/${workspaceId}`, tagged);
    const { body } = await org.operator.get<Listed<{ id: string; name: string }>>("/v1/admin/tags");
    const [one = "", other = ""] = body.data.map(({ id }) => id);
    const request = { workspaceId, apiKeyId: ownKey.id, memberId: ada.id };
    for (const tagIds of [[one, other], [one], []]) {
      await org.recordRequest({ ...request, tagIds });
    }
    const { tags } = await read(ada.client);
    const shown = tags.map(({ tag_id, tag_name, requests }) => [tag_id, tag_name, requests]);
    const names = new Map(body.data.map(({ id, name }) => [id, name]));
    expect(shown).toHaveLength(3);
    expect(shown).toEqual(
      expect.arrayContaining([
        [one, names.get(one), 2],
        [other, names.get(other), 1],
        [null, null, 1],
      ]),
    );
  });

  test("stays visible after they left the workspace", async ({ org, workspaceId, ada, ownKey }) => {
    await org.recordRequest({ workspaceId, apiKeyId: ownKey.id, memberId: ada.id });
    await org.operator.remove(`/v1/admin/workspaces/${workspaceId}/members/${ada.id}`);
    expect((await read(ada.client)).totals.requests).toBe(1);
  });

  test("is read by their personal key, and by no key of a workspace", async ({
    h,
    org,
    workspaceId,
  }) => {
    await org.operator.post(`/v1/admin/workspaces/${workspaceId}`, { personal_keys: "everyone" });
    const { id, client } = await org.member();
    const { body } = await client.post<{ id: string; key: string }>("/v1/admin/personal_keys", {
      name: "Mine",
      workspace_id: workspaceId,
    });
    await org.recordRequest({ workspaceId, apiKeyId: body.id, memberId: id });
    expect((await read(h.as(body.key))).totals.requests).toBe(1);
    const shared = await org.operator.createApiKey(workspaceId, { permissions: ["admin"] });
    for (const other of [h.as(shared.key), org.admin, org.operator]) {
      expect((await other.get(MINE)).status).toBe(403);
      expect((await other.get(`${MINE}/limits`)).status).toBe(403);
    }
  });
});

describe("the limits of a person", () => {
  test("are theirs, those of their keys, tags and groups, and those that their role sees", async ({
    org,
    workspaceId,
    apiKeyId,
    ada,
    ownKey,
  }) => {
    const scopes = [
      { type: "api_key", api_key_id: ownKey.id },
      { type: "api_key", api_key_id: apiKeyId },
      { type: "workspace", workspace_id: workspaceId },
      { type: "organization" },
    ];
    for (const scope of scopes) {
      const limit = { scope, period: "monthly", limit_usd: 25 };
      expect((await org.operator.post("/v1/admin/spend_limits", limit)).status).toBe(200);
    }
    expect(await listLimits(ada.client)).toEqual([
      {
        type: "my_limit",
        spend_limit_id: expect.any(String),
        scope: scopes[0],
        scope_name: "Laptop",
        inherited_from: null,
        period: "monthly",
        limit_usd: 25,
        enforcement: "strict",
        spent_usd: "0.00",
        held_usd: "0.00",
        remaining_usd: "25.00",
        blocks_now: false,
        period_ends_at: "2026-12-01T00:00:00.000Z",
      },
    ]);
    const group = await org.operator.post<{ id: string }>("/v1/admin/groups", { name: "Writers" });
    const groupUrl = `/v1/admin/groups/${group.body.id}/members`;
    await org.operator.post(groupUrl, { member_id: ada.id });
    await org.operator.post(`/v1/admin/api_keys/${ownKey.id}`, { tags: { cost_center: "4711" } });
    const listed = await org.operator.get<Listed<{ id: string }>>("/v1/admin/tags");
    for (const scope of [
      { type: "group", group_id: group.body.id },
      { type: "member", member_id: ada.id },
      { type: "tag", tag_id: listed.body.data[0]?.id },
    ]) {
      const limit = { scope, period: "daily", limit_usd: 5 };
      expect((await org.operator.post("/v1/admin/spend_limits", limit)).status).toBe(200);
    }
    const types = (await listLimits(ada.client)).map(({ scope, scope_name }) => [
      scope.type,
      scope_name,
    ]);
    expect(types).toEqual([
      ["member", "Ada Lovelace"],
      ["api_key", "Laptop"],
      ["tag", "cost_center: 4711"],
      ["group", "Writers"],
    ]);
    const workspaces = { [workspaceId]: "workspace_developer" } as const;
    const developer = await org.member({ workspaces });
    await org.operator.createApiKey(workspaceId, { owner_member_id: developer.id });
    const seen = (await listLimits(developer.client)).map(({ scope }) => scope);
    expect(seen).toEqual([scopes[2]]);
    const admin = await org.member({ role: "admin" });
    expect((await listLimits(admin.client)).map(({ scope }) => scope)).toEqual([scopes[3]]);
  });
});
