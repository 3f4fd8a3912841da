import type {
  effectiveRateLimits,
  modelGroup,
  rateLimit,
} from "@bursar/contract/admin/rate-limits.ts";
import type { WireScope } from "@bursar/contract/scope.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { queryBuckets } from "#src/rates/buckets/buckets.sql.ts";
import { listLiveRateLimits } from "#src/rates/buckets/limits.sql.ts";
import type { Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

const LIMITS = "/v1/admin/rate_limits";
type Limit = z.output<typeof rateLimit>;
type Effective = z.output<typeof effectiveRateLimits>;

const test = base.extend("limits", ({ h, org, workspaceId }) => {
  const set = (scope: unknown, fields: object = { requests_per_minute: 60 }, client = org.admin) =>
    client.post<Limit>(LIMITS, { scope, ...fields });

  const get = (id: string, client = org.admin) => client.get<Limit>(`${LIMITS}/${id}`);

  const remove = (id: string, client = org.admin) => client.remove<object>(`${LIMITS}/${id}`);

  async function idsOf(query = "", client: Client = org.admin): Promise<string[]> {
    const { status, body } = await client.get<Listed<Limit>>(`${LIMITS}${query}`);
    expect(status).toBe(200);
    return body.data.map(({ id }) => id);
  }

  async function workspaceAdmin(id = workspaceId): Promise<Client> {
    return h.as((await org.admin.createApiKey(id, { permissions: ["admin"] })).key);
  }

  /** Takes from a limit's bucket like a node. */
  async function use(
    limitId: string,
    of: { requests?: number; inputTokens?: number },
  ): Promise<void> {
    await queryBuckets(h.deps.database, [
      { limitId, kind: "requests", wanted: of.requests ?? 0, used: 0 },
      { limitId, kind: "input_tokens", wanted: 0, used: of.inputTokens ?? 0 },
    ]);
  }

  const effective = (query: string, client = org.admin) =>
    client.get<Effective>(`${LIMITS}/effective?${query}`);

  return { set, get, remove, idsOf, workspaceAdmin, use, effective };
});

let scopes: Record<"organization" | "workspace" | "api_key", WireScope>;
test.beforeEach(async ({ workspaceId, apiKeyId }) => {
  scopes = {
    organization: { type: "organization" },
    workspace: { type: "workspace", workspace_id: workspaceId },
    api_key: { type: "api_key", api_key_id: apiKeyId },
  };
});

describe("a limit is set for a scope and a model group", () => {
  test.for(["organization", "workspace", "api_key"] as const)("%s", async (type, { limits }) => {
    const { status, body } = await limits.set(scopes[type], {
      model_group: "sonnet_4",
      requests_per_minute: 600,
      output_tokens_per_minute: 1_200,
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      type: "rate_limit",
      inherited: [],
      id: expect.stringMatching(/^rlim_[0-9A-Za-z]{24}$/),
      scope: scopes[type],
      scope_name: expect.stringMatching(/./),
      model_group: "sonnet_4",
      model_group_name: "Claude Sonnet 4.x",
      models: expect.arrayContaining(["claude-sonnet-4-5", "claude-sonnet-4-5-20250929"]),
      requests_per_minute: 600,
      input_tokens_per_minute: null,
      output_tokens_per_minute: 1_200,
      // Three seconds of requests, because nodes can hold two more, and five seconds of tokens.
      remaining: { requests: 30, input_tokens: null, output_tokens: 100 },
      blocks_now: false,
      free_at: null,
      values: [
        {
          rank: "admin",
          requests_per_minute: 600,
          input_tokens_per_minute: null,
          output_tokens_per_minute: 1_200,
          set_by: { type: "admin_key", id: expect.any(String) },
          set_at: expect.stringMatching(/Z$/),
        },
      ],
      version: expect.any(Number),
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    });
    expect((await limits.get(body.id)).body).toEqual(body);
  });

  test("without a group it applies to all models", async ({ limits }) => {
    const { body } = await limits.set(scopes.workspace);
    expect(body).toMatchObject({
      model_group: "all",
      model_group_name: "All models",
      models: null,
    });
  });

  test("a second set replaces all numbers, keeps id and date, and changes nothing for equal values", async ({
    h,
    workspaceId,
    limits,
  }) => {
    const first = (await limits.set(scopes.api_key, { requests_per_minute: 5 })).body;
    const second = (await limits.set(scopes.api_key, { input_tokens_per_minute: 7_000 })).body;
    await limits.set(scopes.api_key, { input_tokens_per_minute: 7_000 });
    expect(second).toMatchObject({
      id: first.id,
      created_at: first.created_at,
      requests_per_minute: null,
      input_tokens_per_minute: 7_000,
    });
    expect(second.version).toBeGreaterThan(first.version);
    expect(await limits.idsOf()).toEqual([first.id]);
    const none = { input_tokens_per_minute: null, output_tokens_per_minute: null };
    const before = { scope: scopes.api_key, model_group: "all", requests_per_minute: 5, ...none };
    const after = { ...before, requests_per_minute: null, input_tokens_per_minute: 7_000 };
    expect(await auditEventsOf(h.deps.database, first.id)).toMatchObject([
      { event: "rate_limit.set", workspace_id: workspaceId, before: null, after: before },
      { event: "rate_limit.set", workspace_id: workspaceId, before, after },
    ]);
  });

  test.for([
    [{}, "Set at least one of requests_per_minute"],
    [{ requests_per_minute: 0 }, "requests_per_minute"],
    [{ requests_per_minute: 1.5 }, "requests_per_minute"],
    [{ requests_per_minute: 1_000_000_001 }, "requests_per_minute"],
    [
      { requests_per_minute: 1, model_group: "sonnet_99" },
      "unknown model group sonnet_99. Expected one of fable_5, ",
    ],
    [
      { output_tokens_per_minute: 1, model_group: "token_count" },
      "The group token_count limits requests only.",
    ],
  ] as const)("%o is refused", async ([fields, words], { limits }) => {
    const answer = await limits.set(scopes.workspace, fields);
    expect([answer.status, answer.error.type]).toEqual([400, "invalid_request_error"]);
    expect(answer.error.message).toContain(words);
  });

  test("of two concurrent changes, the one with an older version gets the current limit", async ({
    limits,
  }) => {
    const { version } = (await limits.set(scopes.workspace)).body;
    const changed = (
      await limits.set(scopes.workspace, { requests_per_minute: 70, if_version: version })
    ).body;
    const late = await limits.set(scopes.workspace, {
      requests_per_minute: 80,
      if_version: version,
    });
    expect([late.status, late.error.message]).toEqual([
      409,
      `The rate limit was changed meanwhile. The limit is now 70 requests per minute, at version ${changed.version}. Review it, then set if_version to ${changed.version}.`,
    ]);
    expect(
      (await limits.set(scopes.workspace, { requests_per_minute: 1, if_version: null })).status,
    ).toBe(409);
    await limits.remove(changed.id);
    const gone = await limits.set(scopes.workspace, {
      requests_per_minute: 1,
      if_version: changed.version,
    });
    expect(gone.error.message).toContain("No limit is set now");
    const anew = await limits.set(scopes.workspace, { requests_per_minute: 1, if_version: null });
    expect(anew.body.version).toBeGreaterThan(changed.version);
  });
});

describe("the level of a limit", () => {
  test("is in the response, also below 0, with the time when requests are accepted again", async ({
    h,
    limits,
  }) => {
    const { id } = (
      await limits.set(scopes.workspace, {
        requests_per_minute: 12,
        input_tokens_per_minute: 6_000,
      })
    ).body;
    // A minute of tokens beyond the 500 that were available.
    await limits.use(id, { requests: 1, inputTokens: 6_500 });
    const { body } = await limits.get(id);
    expect(body.remaining.requests).toBe(0);
    expect(body.remaining.input_tokens).toBeGreaterThanOrEqual(-6_000);
    expect(body.remaining.input_tokens).toBeLessThan(-5_500);
    expect(body.blocks_now).toBe(true);
    const waitMs = Date.parse(body.free_at ?? "") - h.clock.nowMs;
    expect(waitMs).toBeGreaterThan(55_000);
    expect(waitMs).toBeLessThanOrEqual(60_011);
  });

  test("is deleted with the limit, so a new limit is full", async ({ limits }) => {
    const { id } = (await limits.set(scopes.workspace, { input_tokens_per_minute: 6_000 })).body;
    await limits.use(id, { inputTokens: 100_000 });
    expect((await limits.get(id)).body.blocks_now).toBe(true);
    await limits.remove(id);
    const anew = (await limits.set(scopes.workspace, { input_tokens_per_minute: 6_000 })).body;
    expect([anew.id, anew.blocks_now]).toEqual([id, false]);
  });
});

describe("the list", () => {
  test("has pages, newest first, and filters by scope, workspace, key and group", async ({
    h,
    org,
    workspaceId,
    apiKeyId,
    limits,
  }) => {
    const elsewhere = (await org.admin.createWorkspace()).id;
    const ids = {
      organization: (await limits.set(scopes.organization)).body.id,
      workspace: (await limits.set(scopes.workspace)).body.id,
      opus: (await limits.set(scopes.workspace, { requests_per_minute: 1, model_group: "opus_5" }))
        .body.id,
      key: (await limits.set(scopes.api_key)).body.id,
      elsewhere: (await limits.set({ type: "workspace", workspace_id: elsewhere })).body.id,
    };
    const walked: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const page: Listed<Limit> = (
        await org.admin.get<Listed<Limit>>(`${LIMITS}?limit=2&page=${next}`)
      ).body;
      walked.push(...page.data.map(({ id }) => id));
      next = page.next_page;
    }
    expect(walked).toEqual(await limits.idsOf());
    expect(walked.toSorted()).toEqual(Object.values(ids).toSorted());
    expect(await limits.idsOf("?scope_type=organization")).toEqual([ids.organization]);
    expect(new Set(await limits.idsOf(`?workspace_id=${workspaceId}`))).toEqual(
      new Set([ids.workspace, ids.opus, ids.key]),
    );
    expect(await limits.idsOf(`?api_key_id=${apiKeyId}`)).toEqual([ids.key]);
    expect(await limits.idsOf("?model_group=opus_5")).toEqual([ids.opus]);
    expect((await org.admin.get(`${LIMITS}?model_group=opus`)).status).toBe(400);
    expect((await org.admin.get(`${LIMITS}?workspace_id=wksp_unknown`)).status).toBe(404);
    const other = await h.organization();
    expect(await limits.idsOf("", other.admin)).toEqual([]);
    expect((await limits.remove(ids.key, other.admin)).status).toBe(404);
  });
});

describe("rights", () => {
  test("a workspace admin sees the organization's limits and changes only those of the workspace", async ({
    h,
    org,
    workspaceId,
    limits,
  }) => {
    const elsewhere = (await org.admin.createWorkspace()).id;
    const above = (await limits.set(scopes.organization)).body.id;
    const hidden = (await limits.set({ type: "workspace", workspace_id: elsewhere })).body.id;
    const client = await limits.workspaceAdmin();
    const own = (await limits.set(scopes.api_key, { requests_per_minute: 3 }, client)).body.id;
    expect(new Set(await limits.idsOf("", client))).toEqual(new Set([above, own]));
    expect((await limits.get(above, client)).status).toBe(200);
    expect((await limits.get(hidden, client)).status).toBe(404);
    expect((await limits.remove(above, client)).status).toBe(403);
    expect((await limits.set(scopes.organization, undefined, client)).status).toBe(403);
    expect((await limits.remove(own, client)).body).toEqual({
      id: own,
      type: "rate_limit_deleted",
      values: [],
    });
    expect(await auditEventsOf(h.deps.database, own)).toMatchObject([
      { event: "rate_limit.set" },
      { event: "rate_limit.deleted", workspace_id: workspaceId, after: null },
    ]);
  });

  test("limits of archived scopes stay in the list, and nodes ignore them", async ({
    h,
    org,
    workspaceId,
    apiKeyId,
    limits,
  }) => {
    const key = (await limits.set(scopes.api_key)).body.id;
    const workspace = (await limits.set(scopes.workspace)).body.id;
    const live = async () =>
      (await listLiveRateLimits(h.deps.database))
        .map(({ id }) => id)
        .filter((id) => [key, workspace].includes(id));
    expect(new Set(await live())).toEqual(new Set([key, workspace]));
    await org.admin.post(`/v1/admin/api_keys/${apiKeyId}`, { status: "archived" });
    expect(await live()).toEqual([workspace]);
    expect((await limits.remove(key)).status).toBe(400);
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    expect(await live()).toEqual([]);
    expect((await limits.set(scopes.workspace, { requests_per_minute: 1 })).status).toBe(400);
    expect(new Set(await limits.idsOf())).toEqual(new Set([key, workspace]));
  });
});

describe("effective limits of a key", () => {
  test("are all limits of its chain, narrowest first, and the lowest of each kind", async ({
    h,
    workspaceId,
    apiKeyId,
    limits,
  }) => {
    const key = (await limits.set(scopes.api_key, { requests_per_minute: 30 })).body.id;
    const opus = (
      await limits.set(scopes.workspace, { requests_per_minute: 1, model_group: "opus_5" })
    ).body.id;
    const workspace = (
      await limits.set(scopes.workspace, { requests_per_minute: 60, input_tokens_per_minute: 600 })
    ).body.id;
    const above = (await limits.set(scopes.organization, { input_tokens_per_minute: 60 })).body.id;
    await limits.use(above, { inputTokens: 65 });
    const all = (await limits.effective(`api_key_id=${apiKeyId}`)).body;
    expect(all.limits.map(({ id }) => id)).toEqual([key, opus, workspace, above]);
    expect(all).toMatchObject({ model: null, model_group: null, workspace_id: workspaceId });
    expect(all.tightest.requests).toMatchObject({ rate_limit_id: opus, per_minute: 1 });
    const sonnet = (await limits.effective(`api_key_id=${apiKeyId}&model=claude-sonnet-5-20261001`))
      .body;
    expect(sonnet.model_group).toBe("sonnet_5");
    expect(sonnet.limits.map(({ id }) => id)).toEqual([key, workspace, above]);
    expect(sonnet.tightest).toEqual({
      requests: { rate_limit_id: key, per_minute: 30, remaining: 1 },
      input_tokens: { rate_limit_id: above, per_minute: 60, remaining: expect.any(Number) },
      output_tokens: null,
    });
    expect(sonnet.is_blocked).toBe(true);
    expect(Date.parse(sonnet.free_at ?? "")).toBeGreaterThan(h.clock.nowMs + 50_000);
    expect((await limits.effective("api_key_id=apikey_unknown")).status).toBe(404);
  });
});

describe("model groups", () => {
  test("are listed on one page, or filtered by model", async ({ org }) => {
    type Group = z.output<typeof modelGroup>;
    const groups = async (query = "") =>
      (await org.admin.get<{ data: Group[] }>(`/v1/admin/model_groups${query}`)).body.data;
    const ids = (await groups()).map(({ id }) => id);
    expect(ids.slice(-3)).toEqual(["other", "all", "token_count"]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(await groups("?model=claude-opus-4-5-20251101")).toMatchObject([
      { id: "opus_4", display_name: "Claude Opus 4.x", counts_tokens: true },
    ]);
    expect(await groups("?model=claude-of-tomorrow")).toMatchObject([
      { id: "other", models: null },
    ]);
  });
});
