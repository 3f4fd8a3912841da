import type { listRequests, loggedRequestDetail } from "@bursar/contract/admin/requests.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { EndRecord } from "#src/domain/request-record.ts";
import { newId } from "#src/lib/ids.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import type { Client, TestOrganization } from "#test/harness/admin.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

type Page = z.output<(typeof listRequests)["response"]>;
type Detail = z.output<typeof loggedRequestDetail>;

const LOG = "/v1/admin/requests";
const NOON = Date.UTC(2026, 10, 19, 12);
const HOUR_MS = 3_600_000;

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  .extend("makeKey", { scope: "file" }, ({ org }) => async (name: string) => {
    const { id: workspaceId } = await org.admin.createWorkspace();
    const { id: apiKeyId } = await org.admin.createApiKey(workspaceId, { name });
    return { workspaceId, apiKeyId };
  })
  .extend("list", ({ org }) => async (query: string, client: Client = org.admin): Promise<Page> => {
    const answer = await client.get<Page>(`${LOG}?${query}`);
    expect(answer.error.message).toBe("");
    return answer.body;
  })
  .extend(
    "numbers",
    ({ list }) =>
      async (query: string, client?: Client) =>
        (await list(query, client)).data.map(({ id }) => ids.indexOf(id)),
  );

let other: TestOrganization;
let member: Awaited<ReturnType<TestOrganization["member"]>>;
let first: { workspaceId: string; apiKeyId: string };
let second: { workspaceId: string; apiKeyId: string };
const ids: string[] = [];

test.beforeAll(async ({ h, org, makeKey }) => {
  other = await h.organization();
  [first, second] = [await makeKey("=cmd|' /C calc'!A0"), await makeKey('Key, "quoted"')];
  member = await org.member({
    workspaces: { [first.workspaceId]: "workspace_user" },
    name: "Ada, Countess",
  });
  const of = (startedAtMs: number, fields: Partial<EndRecord> = {}) => {
    const requestId = newId("req_", startedAtMs);
    ids.push(requestId);
    return endRecord({ requestId, organizationId: org.id, startedAtMs, ...first, ...fields });
  };
  await recordUsage(h.deps.database, [
    of(NOON),
    of(NOON + 1, { memberId: member.id, model: "claude-opus-5", isStream: true }),
    of(NOON + 1, { ...second, outcome: "refused", httpStatus: 429 }),
    of(NOON + HOUR_MS, { ...second, outcome: "refused", httpStatus: 529, firstByteMs: null }),
    of(NOON + 2 * HOUR_MS, {
      outcome: "interrupted",
      httpStatus: null,
      isEstimated: true,
      isUnpriced: true,
      upstreamRequestId: "req_upstream_1",
      prices: '{"row":"override"}',
    }),
    of(NOON + 2 * HOUR_MS + 1, {
      usage: { ...endRecord({ ...blank, ...first }).usage, outputTokens: 9 },
    }),
  ]);
});

const blank = { requestId: "", organizationId: "", startedAtMs: 0 };

test("a request has all recorded facts, and none of its content", async ({ org, list }) => {
  const { data } = await list("status=interrupted");
  expect(data).toEqual([
    {
      id: ids[4],
      type: "request",
      started_at: new Date(NOON + 2 * HOUR_MS).toISOString(),
      ended_at: new Date(NOON + 2 * HOUR_MS + 900).toISOString(),
      workspace_id: first.workspaceId,
      workspace_name: expect.stringMatching(/^Workspace /),
      api_key_id: first.apiKeyId,
      api_key_name: "=cmd|' /C calc'!A0",
      is_playground: false,
      member_id: null,
      member_name: null,
      member_email: null,
      requested_model: "claude-sonnet-5",
      model: "claude-sonnet-5",
      status: "interrupted",
      outcome: "interrupted",
      http_status: null,
      is_stream: false,
      is_estimated: true,
      doubt: null,
      has_unbilled_parts: false,
      adjustment_usd: null,
      groups: [],
      tags: {},
      claimed: null,
      cut: null,
      upstream_id: null,
      failover: null,
      is_unpriced: true,
      service_tier: "standard",
      context_window: "0-200k",
      inference_geo: "global",
      speed: "standard",
      client: "curl",
      input_tokens: 10,
      cache_write_5m_tokens: 1,
      cache_write_1h_tokens: 2,
      cache_read_tokens: 3,
      output_tokens: 5,
      total_tokens: 21,
      web_searches: 0,
      cost_usd: "0.0000811",
      latency_ms: 900,
      first_byte_ms: 300,
      upstream_request_id: "req_upstream_1",
    },
  ]);
  const detail = await org.admin.get<Detail>(`${LOG}/${ids[4]}`);
  expect(detail.body).toEqual({
    ...data[0],
    cost_breakdown_usd: {
      input: "0.00002",
      cache_write_5m: "0.0000025",
      cache_write_1h: "0.000008",
      cache_read: "0.0000006",
      output: "0.00005",
      web_search: "0.00",
    },
    prices: { row: "override" },
    node_id: "node_test",
  });
});

test("the first byte is never later than the end, also in older entries", async ({ h }) => {
  const home = await h.organization();
  const of = { ...first, organizationId: home.id, requestId: newId("req_", NOON) };
  await recordUsage(h.deps.database, [
    endRecord({ ...of, startedAtMs: NOON, endedAtMs: NOON + 50, firstByteMs: 212 }),
  ]);
  const { body } = await home.admin.get<Detail>(`${LOG}/${of.requestId}`);
  expect([body.first_byte_ms, body.latency_ms]).toEqual([50, 50]);
});

test("a request of the playground is marked", async ({ h, list }) => {
  const home = await h.organization();
  const { id: workspaceId } = await home.admin.createWorkspace();
  const person = await home.member({ workspaces: { [workspaceId]: "workspace_developer" } });
  const session = await person.client.post<{ api_key_id: string }>(
    "/v1/admin/playground/sessions",
    { workspace_id: workspaceId },
  );
  const { api_key_id: apiKeyId } = session.body;
  const id = await home.recordRequest({ workspaceId, apiKeyId, memberId: person.id });
  const shown = { id, is_playground: true, member_id: person.id };
  expect((await list("", home.admin)).data).toMatchObject([shown]);
  expect((await person.client.get(`${LOG}/${id}`)).body).toMatchObject(shown);
});

describe("filters", () => {
  test.for([
    ["", [5, 4, 3, 2, 1, 0]],
    ["status=rate_limited", [2]],
    ["status=rate_limited,server_error", [3, 2]],
    ["status=answered&status=server_error", [5, 3, 1, 0]],
    ["model=claude-opus-5", [1]],
    ["min_cost_usd=0.0000811", [5, 4, 3, 2, 1, 0]],
    ["min_cost_usd=0.0000812", []],
    ["upstream_request_id=req_upstream_1", [4]],
    ["upstream_request_id=req_upstream_", []],
    ["client=curl&speed=standard&service_tier=standard&inference_geo=global", [5, 4, 3, 2, 1, 0]],
    ["client=claude-code", []],
    [
      `starting_at=${new Date(NOON + 1).toISOString()}&ending_at=${new Date(NOON + HOUR_MS).toISOString()}`,
      [2, 1],
    ],
    ["request_id=req", [5, 4, 3, 2, 1, 0]],
    ["request_id=user_", []],
    ["request_id=req_%25", []],
    ["request_id=req_'--", []],
  ] as const)("%s", async ([query, expected], { numbers }) => {
    expect((await numbers(query)).toSorted()).toEqual(expected.toSorted());
  });

  test("by workspace, key and member", async ({ org, numbers }) => {
    expect(await numbers(`workspace_id=${second.workspaceId}`)).toEqual([3, 2]);
    expect(await numbers(`api_key_id=${first.apiKeyId}`)).toEqual([5, 4, 1, 0]);
    expect(await numbers(`member_id=${member.id}`)).toEqual([1]);
    expect(
      await numbers(`api_key_id=${first.apiKeyId}&workspace_id=${second.workspaceId}`),
    ).toEqual([]);
    for (const query of ["workspace_id=wksp_unknown", "api_key_id=apikey_unknown"]) {
      expect((await org.admin.get(`${LOG}?${query}`)).status).toBe(404);
    }
  });

  test("by an id or a prefix of one", async ({ numbers }) => {
    const id = ids[3] ?? "";
    for (const length of [7, 9, 12, 20, id.length]) {
      expect(await numbers(`request_id=${id.slice(0, length)}`)).toContain(3);
    }
    expect(await numbers(`request_id=${id}`)).toEqual([3]);
    expect(await numbers(`request_id=${id}x`)).toEqual([]);
  });

  test("by a claimed agent session and prompt", async ({ h, list }) => {
    const home = await h.organization();
    const { id: workspaceId } = await home.admin.createWorkspace();
    const { id: apiKeyId } = await home.admin.createApiKey(workspaceId);
    const of = { organizationId: home.id, workspaceId, apiKeyId };
    const claims = [
      { agentSessionId: "session_a", promptId: "prompt_1", requestClass: "main" },
      { agentSessionId: "session_a", promptId: "prompt_1", agentId: "=agent" },
      { agentSessionId: "session_a" },
      { agentSessionId: "session_b", promptId: "prompt_1" },
      undefined,
    ] as const;
    const records = claims.map((claimed, minute) => {
      const startedAtMs = NOON + minute * 60_000;
      const requestId = newId("req_", startedAtMs);
      return endRecord({ ...of, requestId, startedAtMs, ...(claimed && { claimed }) });
    });
    await recordUsage(h.deps.database, records);
    const find = async (query: string) =>
      (await list(query, home.admin)).data.map(({ id }) =>
        records.findIndex(({ requestId }) => requestId === id),
      );
    expect(await find("agent_session_id=session_a")).toEqual([2, 1, 0]);
    expect(await find("agent_session_id=session_a&prompt_id=prompt_1")).toEqual([1, 0]);
    expect(await find("prompt_id=prompt_1")).toEqual([3, 1, 0]);
    expect(await find("agent_session_id=session")).toEqual([]);
    const { data } = await list("", home.admin);
    const nothing = { prompt_id: null, agent_id: null, parent_agent_id: null, request_class: null };
    expect(data.map(({ claimed }) => claimed)).toEqual([
      null,
      { ...nothing, agent_session_id: "session_b", prompt_id: "prompt_1" },
      { ...nothing, agent_session_id: "session_a" },
      { ...nothing, agent_session_id: "session_a", prompt_id: "prompt_1", agent_id: "=agent" },
      {
        ...nothing,
        agent_session_id: "session_a",
        prompt_id: "prompt_1",
        request_class: "main",
      },
    ]);
    const file = await home.admin.get(`${LOG}/export?agent_session_id=session_a`);
    const [heading, ...lines] = file.text.trimEnd().split("\r\n");
    expect(heading).toMatch(/,claimed_agent_session_id,claimed_prompt_id,claimed_agent_id,/);
    const at = heading?.split(",").indexOf("claimed_agent_session_id") ?? -1;
    expect(
      lines.map((line) =>
        line
          .split(",")
          .slice(at, at + 5)
          .join(),
      ),
    ).toEqual(["session_a,,,,", "session_a,prompt_1,'=agent,,", "session_a,prompt_1,,,main"]);
  });

  test.for([
    ["min_cost_usd=-1", "min_cost_usd"],
    ["min_cost_usd=1e400", "min_cost_usd"],
    ["status=fine", "status"],
    ["starting_at=yesterday", "starting_at"],
    ["starting_at=1999-01-01T00:00:00Z", "starting_at"],
    ["request_id=a%20b", "request_id"],
    ["model=%00", "model"],
    ["agent_session_id=a%20b", "agent_session_id"],
    [`prompt_id=${"p".repeat(65)}`, "prompt_id"],
  ] as const)("%s is refused", async ([query, field], { org }) => {
    const answer = await org.admin.get(`${LOG}?${query}`);
    expect([answer.status, answer.error.message]).toEqual([400, expect.stringContaining(field)]);
  });

  test.for([
    "' OR 1=1 --",
    "'; DROP TABLE usage_event; --",
    "\\",
    "%",
    "_",
    "\u{1f600}",
    "{a,b}",
    '","',
  ])("%j in a filter is only a value", async (text, { list, numbers }) => {
    const value = encodeURIComponent(text);
    for (const name of ["model", "client", "service_tier", "speed", "member_id"]) {
      expect(await numbers(`${name}=${value}`)).toEqual([]);
    }
    expect((await list("")).data.length).toBe(6);
  });
});

describe("pages", () => {
  test("have every request once, newest first, also within one millisecond", async ({ list }) => {
    for (const query of ["", "service_tier=standard"]) {
      const seen: string[] = [];
      let page = "";
      for (let i = 0; i < 10 && page !== "end"; i++) {
        const part = await list(`${query}&limit=2&page=${page}`);
        expect(part.data.length).toBeLessThanOrEqual(2);
        seen.push(...part.data.map(({ id }) => id));
        page = part.next_page ?? "end";
      }
      const all = (await list(query)).data.map(({ id }) => id);
      expect(seen).toEqual(all);
      expect(new Set(seen)).toEqual(new Set(ids));
    }
  });

  test("reject a cursor of other filters and an invalid cursor", async ({ org, list }) => {
    const { next_page: page } = await list("limit=1");
    for (const query of [
      `limit=1&status=answered&page=${page}`,
      "page=nonsense",
      `page=${encodeCursor([1e300], {})}`,
    ]) {
      expect((await org.admin.get(`${LOG}?${query}`)).status).toBe(400);
    }
  });

  test("return the caller's log for a cursor of another organization", async ({ list }) => {
    const { next_page: page } = await list("limit=1");
    expect((await list(`limit=1&page=${page}`, other.admin)).data).toEqual([]);
  });
});

describe("visibility", () => {
  test("a workspace user sees only the requests of their own keys", async ({ h, list }) => {
    const home = await h.organization();
    const { id: workspaceId } = await home.admin.createWorkspace();
    const user = await home.member({ workspaces: { [workspaceId]: "workspace_user" } });
    const made = await Promise.all([1, 2].map(() => home.admin.createApiKey(workspaceId)));
    const [own, others] = await Promise.all(
      made.map(({ id: apiKeyId }) => home.recordRequest({ workspaceId, apiKeyId })),
    );
    expect((await list("", user.client)).data).toEqual([]);
    await h.deps.database
      .updateTable("api_key")
      .set({ owner_member_id: user.id })
      .where("id", "=", made[0]?.id ?? "")
      .execute();
    expect((await list("", user.client)).data.map(({ id }) => id)).toEqual([own]);
    expect((await user.client.get(`${LOG}/${own}`)).status).toBe(200);
    expect((await user.client.get(`${LOG}/${others}`)).status).toBe(404);
    expect((await user.client.get(`${LOG}?api_key_id=${made[1]?.id}`)).status).toBe(404);
    const usage = await user.client.get<{ totals: { requests: number } }>(
      "/v1/admin/usage?starting_at=2026-11-20T00:00:00Z",
    );
    expect(usage.body.totals.requests).toBe(1);
    const lines = (await user.client.get(`${LOG}/export?format=jsonl`)).text.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).id)).toEqual([own]);
  });

  test("a developer sees only the requests of their workspaces", async ({ org, numbers }) => {
    const developer = await org.member({
      workspaces: { [second.workspaceId]: "workspace_developer" },
    });
    expect(await numbers("", developer.client)).toEqual([3, 2]);
    expect((await developer.client.get(`${LOG}/${ids[3]}`)).status).toBe(200);
    const hidden = await developer.client.get(`${LOG}/${ids[0]}`);
    const missing = await developer.client.get(`${LOG}/${newId("req_", NOON)}`);
    expect([hidden.status, hidden.error]).toEqual([404, missing.error]);
  });

  test("requests of another organization are hidden", async ({ numbers }) => {
    expect(await numbers("", other.admin)).toEqual([]);
    expect((await other.admin.get(`${LOG}/${ids[0]}`)).status).toBe(404);
  });

  test.for([
    "req_",
    "req_x",
    "nonsense",
    "req_%00",
    "req_ÿÿÿÿÿÿÿÿ",
    `req_${"z".repeat(24)}`,
    `req_${"z".repeat(90)}`,
  ])("%s is an unknown request", async (id, { org }) => {
    const { status } = await org.admin.get(`${LOG}/${encodeURIComponent(id)}`);
    expect([400, 404]).toContain(status);
  });
});

describe("export", () => {
  test("CSV has the same requests, and cells with formulas become text", async ({ org }) => {
    const answer = await org.admin.get(`${LOG}/export?format=csv`);
    expect(answer.headers["content-type"]).toBe("text/csv; charset=utf-8");
    expect(answer.headers["content-disposition"]).toBe(
      'attachment; filename="requests-2026-11-20.csv"',
    );
    const lines = answer.text.split("\r\n");
    expect(lines[0]).toMatch(/^started_at,ended_at,request_id,workspace_id,/);
    expect(lines.length).toBe(8);
    expect(answer.text).toContain(`,'=cmd|' /C calc'!A0,`);
    expect(answer.text).toContain(`,"Key, ""quoted""",`);
    expect(answer.text).toContain(`,"Ada, Countess",`);
    expect(lines[1]).toContain(",0.0000811,900,300,");
  });

  test("JSON lines are the entries of the list", async ({ org, list }) => {
    const answer = await org.admin.get(
      `${LOG}/export?format=jsonl&status=rate_limited,server_error`,
    );
    expect(answer.headers["content-type"]).toBe("application/x-ndjson");
    const lines = answer.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toEqual((await list("status=rate_limited,server_error")).data);
  });

  test("a refusal comes before the file starts", async ({ org }) => {
    const answer = await org.admin.get(`${LOG}/export?workspace_id=wksp_unknown`);
    expect([answer.status, answer.error.type]).toEqual([404, "not_found_error"]);
  });

  test("an empty log is a CSV heading, or an empty JSON lines file", async () => {
    expect((await other.admin.get(`${LOG}/export`)).text.split("\r\n").length).toBe(2);
    expect((await other.admin.get(`${LOG}/export?format=jsonl`)).text).toBe("");
  });
});

describe("the retention of requests", () => {
  const SETTINGS = "/v1/admin/request_log/settings";

  test("is unlimited by default, and a change has an audit event", async ({ h, org }) => {
    const shown = (retention_days: number | null) => ({
      type: "request_log_settings",
      retention_days,
      pruned_before: null,
    });
    expect((await other.admin.get(SETTINGS)).body).toEqual(shown(null));
    expect((await other.admin.post(SETTINGS, { retention_days: 30 })).body).toEqual(shown(30));
    expect((await other.admin.post(SETTINGS, { retention_days: 30 })).body).toEqual(shown(30));
    expect((await other.admin.get(SETTINGS)).body).toEqual(shown(30));
    expect((await org.admin.get(SETTINGS)).body).toEqual(shown(null));
    const events = await auditEventsOf(h.deps.database, other.id);
    expect(events.filter(({ event }) => event === "request_log.settings_updated")).toMatchObject([
      { before: { retention_days: null }, after: { retention_days: 30 } },
    ]);
  });

  test.each([0, 6, -1, 1.5, "30", 36_501])("%j days are refused", async (retention_days) => {
    expect((await other.admin.post(SETTINGS, { retention_days })).status).toBe(400);
  });
});
