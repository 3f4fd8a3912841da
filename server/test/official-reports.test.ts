import Anthropic from "@anthropic-ai/sdk";
import { describe, expect } from "vitest";
import type { EndRecord } from "#src/domain/request-record.ts";
import { serverTest as base } from "./harness/admin-test.ts";
import { endRecord, recordUsage } from "./harness/usage-records.ts";

// The official reports, as dashboards and the official SDK read them.

const DAY = Date.UTC(2026, 10, 17);
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  .extend("report", ({ org }) => async (path: string): Promise<Buckets> => {
    const answer = await org.admin.get<Buckets>(`/v1/organizations/${path}`);
    expect(answer.error.message).toBe("");
    return answer.body;
  });

let client: Anthropic;
let research: { workspaceId: string; apiKeyId: string };
let byDefault: { workspaceId: string; apiKeyId: string };
let memberId: string;

test.beforeAll(async ({ h, org }) => {
  const { id: workspaceId } = await org.admin.createWorkspace();
  const { id: apiKeyId } = await org.admin.createApiKey(workspaceId, { name: "Research" });
  research = { workspaceId, apiKeyId };
  const defaultWorkspace = await h.deps.database
    .selectFrom("workspace")
    .select("id")
    .where("organization_id", "=", org.id)
    .where("is_default", "=", true)
    .executeTakeFirstOrThrow();
  const { id } = await org.admin.createApiKey(defaultWorkspace.id);
  byDefault = { workspaceId: defaultWorkspace.id, apiKeyId: id };
  const member = await org.member({ email: "ada@example.com", name: "Ada" });
  memberId = member.id;
  const of = (name: string, startedAtMs: number, fields: Partial<EndRecord> = {}) =>
    endRecord({
      requestId: `req_${name}`,
      organizationId: org.id,
      startedAtMs,
      ...research,
      ...fields,
    });
  await recordUsage(h.deps.database, [
    of("1", DAY),
    of("2", DAY + HOUR_MS, { ...byDefault, client: "claude-code", memberId }),
    of("3", DAY + 2 * HOUR_MS, { client: "claude-code", model: "claude-opus-5" }),
    of("4", DAY + 2 * DAY_MS, { serviceTier: "batch", contextWindow: "200k-1M" }),
  ]);
  const baseURL = await h.app.listen({ host: "127.0.0.1", port: 0 });
  client = new Anthropic({ apiKey: org.adminKey, baseURL, maxRetries: 0 });
});

interface Buckets {
  data: { starting_at: string; ending_at: string; results: Record<string, unknown>[] }[];
  has_more: boolean;
  next_page: string | null;
}

describe("usage_report/messages", () => {
  const range = `starting_at=${iso(DAY + 1)}&ending_at=${iso(DAY + 3 * DAY_MS)}`;

  test("returns one bucket for each day, including empty ones, oldest first, with the official fields", async ({
    report,
  }) => {
    const { data, ...rest } = await report(`usage_report/messages?${range}`);
    expect(rest).toEqual({ has_more: false, next_page: null });
    expect(data.map(({ starting_at, results }) => [starting_at, results.length])).toEqual([
      [iso(DAY), 1],
      [iso(DAY + DAY_MS), 0],
      [iso(DAY + 2 * DAY_MS), 1],
    ]);
    expect(data[0]).toEqual({
      starting_at: iso(DAY),
      ending_at: iso(DAY + DAY_MS),
      results: [
        {
          uncached_input_tokens: 30,
          cache_creation: { ephemeral_1h_input_tokens: 6, ephemeral_5m_input_tokens: 3 },
          cache_read_input_tokens: 9,
          output_tokens: 15,
          server_tool_use: { web_search_requests: 0 },
          api_key_id: null,
          workspace_id: null,
          model: null,
          service_tier: null,
          context_window: null,
          inference_geo: null,
          speed: null,
          account_id: null,
          service_account_id: null,
        },
      ],
    });
  });

  test("groups, with null for the default workspace", async ({ report }) => {
    const { data } = await report(
      `usage_report/messages?${range}&group_by[]=workspace_id&group_by[]=model&group_by[]=account_id&group_by[]=service_account_id`,
    );
    const rows = data[0]?.results.map(({ workspace_id, model, account_id, output_tokens }) => [
      workspace_id,
      model,
      account_id,
      output_tokens,
    ]);
    expect(new Set(rows)).toEqual(
      new Set([
        [null, "claude-sonnet-5", memberId, 5],
        [research.workspaceId, "claude-sonnet-5", null, 5],
        [research.workspaceId, "claude-opus-5", null, 5],
      ]),
    );
  });

  test("filters", async ({ report }) => {
    const output = async (query: string) =>
      (await report(`usage_report/messages?${range}&${query}`)).data.flatMap(({ results }) =>
        results.map((result) => result["output_tokens"]),
      );
    expect(await output(`workspace_ids[]=${research.workspaceId}`)).toEqual([10, 5]);
    expect(await output(`api_key_ids[]=${byDefault.apiKeyId}&models[]=claude-sonnet-5`)).toEqual([
      5,
    ]);
    expect(await output("service_tiers[]=batch&context_window[]=200k-1M")).toEqual([5]);
    expect(await output(`account_ids[]=${memberId}`)).toEqual([5]);
    expect(await output("service_account_ids[]=svac_1")).toEqual([]);
    expect(await output("api_key_ids[]=apikey_unknown")).toEqual([]);
  });

  test.for([
    ["1d", 2],
    ["1h", 20],
    ["1m", 100],
  ] as const)(
    "returns every bucket once in pages of %s buckets",
    async ([width, limit], { report }) => {
      const end = width === "1m" ? DAY + 5 * HOUR_MS : DAY + 3 * DAY_MS;
      const query = `usage_report/messages?starting_at=${iso(DAY)}&ending_at=${iso(end)}&bucket_width=${width}&limit=${limit}`;
      const seen: Buckets["data"] = [];
      let page = "";
      for (let i = 0; i < 20; i++) {
        const part = await report(`${query}&page=${page}`);
        expect(part.data.length).toBeLessThanOrEqual(limit);
        seen.push(...part.data);
        if (!part.has_more) break;
        page = part.next_page ?? "";
      }
      const ms = { "1d": DAY_MS, "1h": HOUR_MS, "1m": 60_000 }[width] ?? 0;
      expect(seen.map(({ starting_at }) => starting_at)).toEqual(
        Array.from({ length: (end - DAY) / ms }, (_, index) => iso(DAY + index * ms)),
      );
      const tokens = seen.flatMap(({ results }) =>
        results.map((result) => Number(result["output_tokens"])),
      );
      expect(tokens.reduce((sum, each) => sum + each, 0)).toBe(width === "1m" ? 15 : 20);
    },
  );

  test.for([
    "limit=32",
    "bucket_width=1h&limit=169",
    "bucket_width=1w",
    "group_by[]=organization",
    "page=nonsense",
    "speed=fast",
  ])("refuses %s", async (query, { org }) => {
    const answer = await org.admin.get(`/v1/organizations/usage_report/messages?${range}&${query}`);
    expect(answer.status).toBe(400);
  });
});

describe("cost_report", () => {
  const range = `starting_at=${iso(DAY)}&ending_at=${iso(DAY + DAY_MS)}`;

  test("returns cents as decimals", async ({ report }) => {
    const { data } = await report(`cost_report?${range}`);
    expect(data[0]?.results).toEqual([
      {
        amount: "0.02433",
        currency: "USD",
        workspace_id: null,
        description: null,
        cost_type: null,
        model: null,
        service_tier: null,
        token_type: null,
        context_window: null,
        inference_geo: null,
      },
    ]);
  });

  test("describes each cost, and the parts sum to the whole", async ({ report }) => {
    const { data } = await report(
      `cost_report?${range}&group_by[]=description&group_by[]=workspace_id`,
    );
    const results = data[0]?.results ?? [];
    const cents = results.reduce((sum, { amount }) => sum + Number(amount), 0);
    expect(cents).toBeCloseTo(0.02433, 12);
    expect(results).toContainEqual({
      amount: "0.005",
      currency: "USD",
      workspace_id: research.workspaceId,
      description: "Claude Opus 5 Usage - Output Tokens",
      cost_type: "tokens",
      model: "claude-opus-5",
      service_tier: "standard",
      token_type: "output_tokens",
      context_window: "0-200k",
      inference_geo: "global",
    });
  });
});

test("usage_report/claude_code returns the values that a gateway knows, per person and per key", async ({
  org,
}) => {
  const records: object[] = [];
  let page = "";
  for (let i = 0; i < 5; i++) {
    const { body } = await org.admin.get<{ data: object[]; next_page: string | null }>(
      `/v1/organizations/usage_report/claude_code?starting_at=2026-11-17&limit=1&page=${page}`,
    );
    records.push(...body.data);
    if (body.next_page === null) break;
    page = body.next_page;
  }
  const breakdown = (model: string) => [
    {
      model,
      tokens: { input: 10, output: 5, cache_read: 3, cache_creation: 3 },
      estimated_cost: { amount: 0.00811, currency: "USD" },
    },
  ];
  expect(records.length).toBe(2);
  expect(records).toContainEqual(
    expect.objectContaining({
      date: iso(DAY),
      actor: { type: "user_actor", email_address: "ada@example.com" },
      organization_id: org.id,
      model_breakdown: breakdown("claude-sonnet-5"),
    }),
  );
  expect(records).toContainEqual(
    expect.objectContaining({
      actor: { type: "api_actor", api_key_name: "Research" },
      model_breakdown: breakdown("claude-opus-5"),
    }),
  );
});

describe("analytics, through the official SDK", () => {
  const starting_at = iso(DAY);
  const ending_at = iso(DAY + 3 * DAY_MS);

  test("pages usage by actor and product to the end, the most tokens first", async ({ org }) => {
    const rows = [];
    for await (const row of client.beta.organization.analytics.usage.list({
      starting_at,
      ending_at,
      group_by: ["actor", "product", "organization_id", "agent_id"],
      limit: 1,
    })) {
      rows.push(row);
    }
    expect(
      rows.map(({ group, usage }) => [
        group.actor,
        group.product,
        usage.total_tokens,
        usage.requests,
      ]),
    ).toEqual([
      [{ type: "api_actor", api_key_id: research.apiKeyId }, "claude_code", 21, 1],
      [{ type: "api_actor", api_key_id: research.apiKeyId }, "message_batches_api", 21, 1],
      [{ type: "api_actor", api_key_id: research.apiKeyId }, "messages_api", 21, 1],
      [
        {
          type: "user_actor",
          user_id: memberId,
          name: "Ada",
          email_address: "ada@example.com",
          deleted: false,
        },
        "claude_code",
        21,
        1,
      ],
    ]);
    expect(rows[0]?.group).toMatchObject({ organization_id: org.id, agent_id: null, model: null });
    expect([rows[0]?.starting_at, rows[0]?.ending_at]).toEqual([starting_at, ending_at]);
  });

  test("returns cost by kind and token type, with list amounts", async ({ h }) => {
    const page = await client.beta.organization.analytics.cost.list({
      starting_at,
      ending_at,
      group_by: ["cost_type", "token_type"],
      limit: 100,
    });
    expect(
      page.data.map(({ group, cost }) => [
        group.cost_type,
        group.token_type,
        cost.amount,
        cost.requests,
      ]),
    ).toEqual([
      ["tokens", "uncached_input_tokens", "0.008", null],
      ["tokens", "cache_creation.ephemeral_5m_input_tokens", "0.001", null],
      ["tokens", "cache_creation.ephemeral_1h_input_tokens", "0.0032", null],
      ["tokens", "cache_read_input_tokens", "0.00024", null],
      ["tokens", "output_tokens", "0.02", null],
    ]);
    expect(page.has_more).toBe(false);
    expect(page.data_refreshed_at).toBe(iso(h.clock.nowMs));
  });

  test("returns buckets in order of time", async () => {
    const page = await client.beta.organization.analytics.usage.list({
      starting_at,
      ending_at,
      time_bucket_width: "1d",
      order_by: "time",
      order: "asc",
    });
    expect(page.data.map((row) => [row.starting_at, row.usage.requests])).toEqual([
      [iso(DAY), 3],
      [iso(DAY + 2 * DAY_MS), 1],
    ]);
  });

  test("filters by unknown values return no rows, and removed members can be excluded", async ({
    h,
    org,
  }) => {
    const requests = async (params: object) => {
      const page = await client.beta.organization.analytics.usage.list({
        starting_at,
        ending_at,
        ...params,
      });
      return page.data.reduce((sum, { usage }) => sum + (usage.requests ?? 0), 0);
    };
    expect(await requests({})).toBe(4);
    expect(await requests({ agent_ids: ["agent_1"] })).toBe(0);
    expect(await requests({ organization_ids: [org.id] })).toBe(4);
    expect(await requests({ organization_ids: ["another"] })).toBe(0);
    expect(await requests({ actor_types: ["user_actor"] })).toBe(1);
    expect(await requests({ products: ["claude_code"] })).toBe(2);
    await h.deps.database
      .updateTable("member")
      .set({ status: "removed", removed_at: new Date() })
      .where("id", "=", memberId)
      .execute();
    expect(await requests({ group_by: ["actor"], exclude_deleted_users: true })).toBe(3);
    expect(await requests({ group_by: ["actor"] })).toBe(4);
  });

  test.each([
    { time_bucket_width: "1d", ending_at: undefined },
    { exclude_deleted_users: true },
    { group_by: ["model", "speed", "product", "actor", "workspace_id", "api_key_id"] },
  ])("refuses %j", async (params) => {
    const asked = client.beta.organization.analytics.usage.list({
      starting_at,
      ending_at,
      ...params,
    } as Parameters<typeof client.beta.organization.analytics.usage.list>[0]);
    await expect(asked).rejects.toMatchObject({ status: 400 });
  });
});
