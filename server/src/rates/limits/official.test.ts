import Anthropic, { BadRequestError, NotFoundError } from "@anthropic-ai/sdk";
import { describe, expect } from "vitest";
import { modelGroups } from "#src/domain/model-groups.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

// The official shape, read by the official client.

const test = base.extend(
  "setForOrganization",
  ({ org }) =>
    (fields: object) =>
      org.admin.post<{ id: string }>("/v1/admin/rate_limits", {
        scope: { type: "organization" },
        ...fields,
      }),
);

let baseURL: string;
let workspaceId: string;
let client: Anthropic;

test.beforeAll(async ({ h }) => {
  baseURL = await h.app.listen({ host: "127.0.0.1", port: 0 });
});
test.beforeEach(async ({ org }) => {
  workspaceId = (await org.admin.createWorkspace()).id;
  client = new Anthropic({ apiKey: org.adminKey, baseURL, maxRetries: 0 });
});

type Limits = Anthropic["organization"]["rateLimits"];
async function entries(query: Parameters<Limits["list"]>[0] = {}) {
  const listed = [];
  for await (const entry of client.organization.rateLimits.list(query)) listed.push(entry);
  return listed;
}

async function entryIdOf(model: string): Promise<string> {
  const [entry] = await entries({ model });
  return entry?.id ?? "";
}
const update = (rateLimitId: string, limits: [type: string, value: number | null][]) =>
  client.organization.workspaces.rateLimits.update(rateLimitId, {
    workspace_id: workspaceId,
    // Any text, to test values that the types forbid.
    limits: limits.map(([type, value]) => ({ type: type as "requests_per_minute", value })),
  });

async function ofWorkspace(include_inherited = false) {
  const listed = [];
  const list = client.organization.workspaces.rateLimits.list(workspaceId, { include_inherited });
  for await (const entry of list) listed.push(entry);
  return listed;
}

describe("the organization's list", () => {
  test("has an entry with limits for each model group and for token counting", async ({
    setForOrganization,
  }) => {
    const { body } = await setForOrganization({
      model_group: "sonnet_5",
      requests_per_minute: 4_000,
      input_tokens_per_minute: 2_000_000,
    });
    await setForOrganization({ requests_per_minute: 9 });
    const all = await entries();
    expect(all.map(({ group }) => group.id)).toEqual(
      modelGroups.filter(({ id }) => id !== "all").map(({ id }) => `rlg_${id}`),
    );
    expect(all.filter(({ limits }) => limits.length > 0)).toEqual([
      {
        id: body.id,
        type: "rate_limit",
        group: { type: "model_group", id: "rlg_sonnet_5", display_name: "Claude Sonnet 5" },
        models: ["claude-sonnet-5"],
        limits: [
          { type: "requests_per_minute", value: 4_000 },
          { type: "input_tokens_per_minute_cache_aware", value: 2_000_000 },
        ],
      },
    ]);
    expect(all.at(-1)).toMatchObject({ group: { type: "token_count" }, models: null, limits: [] });
  });

  test("has pages, and filters by group type and model", async () => {
    const all = await entries();
    expect(await entries({ limit: 4 })).toEqual(all);
    expect(await entries({ group_type: "token_count" })).toEqual(all.slice(-1));
    expect(await entries({ group_type: "files" })).toEqual([]);
    expect(await entries({ model: "claude-opus-4-5" })).toMatchObject([
      { group: { id: "rlg_opus_4" } },
    ]);
    await expect(entries({ model: "claude-of-tomorrow" })).rejects.toThrow(NotFoundError);
  });

  test("has permanent ids that belong to the organization", async ({ h, setForOrganization }) => {
    const id = await entryIdOf("claude-opus-5");
    await setForOrganization({ model_group: "opus_5", requests_per_minute: 1 });
    expect(await entryIdOf("claude-opus-5")).toBe(id);
    const other = await h.organization();
    client = new Anthropic({ apiKey: other.adminKey, baseURL });
    expect(await entryIdOf("claude-opus-5")).not.toBe(id);
  });
});

describe("a workspace's limits", () => {
  test("change only where named, are cleared by null, and show the organization's limits", async ({
    org,
    setForOrganization,
  }) => {
    await setForOrganization({
      model_group: "opus_5",
      requests_per_minute: 100,
      output_tokens_per_minute: 5_000,
    });
    const rate_limit_id = await entryIdOf("claude-opus-5");
    await update(rate_limit_id, [["requests_per_minute", 200]]);
    const changed = await update(rate_limit_id, [
      ["input_tokens_per_minute_cache_aware", 700],
      ["tokens_per_day", null],
    ]);
    const requests = {
      type: "requests_per_minute",
      value: 200,
      org_limit: 100,
      source: { type: "workspace" },
    };
    const input = {
      type: "input_tokens_per_minute_cache_aware",
      value: 700,
      org_limit: null,
      source: { type: "workspace" },
    };
    const output = {
      type: "output_tokens_per_minute",
      value: 5_000,
      org_limit: 5_000,
      source: { type: "organization" },
    };
    expect(changed).toEqual({
      type: "workspace_rate_limit",
      rate_limit_id,
      workspace_id: workspaceId,
      group: { type: "model_group", id: "rlg_opus_5", display_name: "Claude Opus 5" },
      models: ["claude-opus-5"],
      limits: [requests, input],
    });
    expect(await ofWorkspace()).toEqual([changed]);
    expect(await ofWorkspace(true)).toEqual([{ ...changed, limits: [requests, input, output] }]);

    const cleared = await update(rate_limit_id, [
      ["requests_per_minute", null],
      ["input_tokens_per_minute_cache_aware", null],
    ]);
    expect(cleared.limits).toEqual([]);
    expect(await ofWorkspace()).toEqual([]);
    expect((await ofWorkspace(true))[0]?.limits).toHaveLength(2);
    const company = await org.admin.get<{ data: { id: string }[] }>(
      `/v1/admin/rate_limits?workspace_id=${workspaceId}`,
    );
    expect(company.body.data).toEqual([]);
  });

  test("write an audit event for each change, and none for the same values", async ({ h, org }) => {
    const rate_limit_id = await entryIdOf("claude-haiku-4-5");
    await update(rate_limit_id, [["requests_per_minute", 2]]);
    await update(rate_limit_id, [["requests_per_minute", 2]]);
    const { body } = await org.admin.get<{ data: { id: string }[] }>(
      `/v1/admin/rate_limits?workspace_id=${workspaceId}`,
    );
    const [{ id } = { id: "" }] = body.data;
    await update(rate_limit_id, [["requests_per_minute", null]]);
    expect(await auditEventsOf(h.deps.database, id)).toMatchObject([
      { event: "rate_limit.set", workspace_id: workspaceId, before: null },
      { event: "rate_limit.set", workspace_id: workspaceId, after: null },
    ]);
  });

  test("reject unsupported limit types and unknown entries", async () => {
    const rate_limit_id = await entryIdOf("claude-opus-5");
    const refusals: [[string, number | null][], string][] = [
      [
        [["input_tokens_per_minute", 5]],
        "this server does not limit input_tokens_per_minute. Supported types:",
      ],
      [
        [
          ["requests_per_minute", 1],
          ["requests_per_minute", 2],
        ],
        "requests_per_minute is named twice",
      ],
      [[["requests_per_minute", 0]], "limits"],
    ];
    for (const [limits, words] of refusals) {
      const failure = await update(rate_limit_id, limits).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(BadRequestError);
      expect(String(failure)).toContain(words);
    }
    await expect(update("rlim_unknown", [["requests_per_minute", 1]])).rejects.toThrow(
      NotFoundError,
    );
    workspaceId = "wksp_unknown";
    await expect(update(rate_limit_id, [["requests_per_minute", 1]])).rejects.toThrow(
      NotFoundError,
    );
    await expect(ofWorkspace()).rejects.toThrow(NotFoundError);
  });
});
