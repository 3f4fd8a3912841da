import type { getUsage, usageRow } from "@bursar/contract/admin/usage.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { formatUsd, parseUsd } from "#src/domain/money.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import type { TestOrganization } from "#test/harness/admin.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

type Report = z.output<(typeof getUsage)["response"]>;
type Row = z.output<typeof usageRow>;

const ungrouped = {
  workspace_id: null,
  workspace_name: null,
  api_key_id: null,
  api_key_name: null,
  member_id: null,
  member_name: null,
  member_email: null,
  model: null,
  service_tier: null,
  context_window: null,
  inference_geo: null,
  speed: null,
  client: null,
  status: null,
  is_other: false,
};

const DAY = Date.UTC(2026, 10, 19);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const COST = "0.0000811";

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  .extend("report", ({ org }) => async (query: string, client = org.admin): Promise<Report> => {
    const answer = await client.get<Report>(`/v1/admin/usage?${query}`);
    expect(answer.error.message).toBe("");
    return answer.body;
  });

let other: TestOrganization;
let first: { workspaceId: string; apiKeyId: string };
let second: { workspaceId: string; apiKeyId: string };

test.beforeAll(async ({ h, org }) => {
  other = await h.organization();
  [first, second] = [await makeKey(org), await makeKey(org)];
  const foreign = await makeKey(other);
  const of = (id: string, key: typeof first, startedAtMs: number, fields = {}) =>
    endRecord({ requestId: id, organizationId: org.id, startedAtMs, ...key, ...fields });
  await recordUsage(h.deps.database, [
    of("req_1", first, DAY),
    of("req_2", first, DAY + 30_000, { model: "claude-opus-5", hasUnbilledParts: true }),
    of("req_3", second, DAY + HOUR_MS, { ...refused, hasUnbilledParts: true }),
    of("req_4", second, DAY + 2 * HOUR_MS + 1, { outcome: "aborted", isEstimated: true }),
    of("req_5", second, DAY + 12 * HOUR_MS, { isUnpriced: true, model: "new-model" }),
    of("req_6", first, DAY - 1),
    endRecord({ requestId: "req_7", organizationId: other.id, startedAtMs: DAY, ...foreign }),
  ]);
});

const refused = { outcome: "refused", httpStatus: 529 } as const;

async function makeKey({ admin }: TestOrganization) {
  const { id: workspaceId } = await admin.createWorkspace();
  const { id: apiKeyId } = await admin.createApiKey(workspaceId);
  return { workspaceId, apiKeyId };
}

const iso = (ms: number) => new Date(ms).toISOString();
const range = (startMs: number, endMs: number) =>
  `starting_at=${iso(startMs)}&ending_at=${iso(endMs)}`;
const wholeDay = range(DAY, DAY + DAY_MS);

test("one row holds tokens by kind, requests, errors and cost, to the nano-dollar", async ({
  h,
  report,
}) => {
  const { data, totals, ...rest } = await report(wholeDay);
  const measures = {
    requests: 5,
    errors: 1,
    estimated_requests: 1,
    unpriced_requests: 1,
    partly_unbilled_requests: 1,
    input_tokens: 50,
    cache_write_5m_tokens: 5,
    cache_write_1h_tokens: 10,
    cache_read_tokens: 15,
    output_tokens: 25,
    total_tokens: 105,
    web_searches: 0,
    cost_usd: "0.0004055",
    simulated_cost_usd: "0.00",
    cost_breakdown_usd: {
      input: "0.0001",
      cache_write_5m: "0.0000125",
      cache_write_1h: "0.00004",
      cache_read: "0.000003",
      output: "0.00025",
      web_search: "0.00",
    },
  };
  expect(data).toEqual([
    {
      starting_at: iso(DAY),
      ending_at: iso(DAY + DAY_MS),
      ...ungrouped,
      ...measures,
      group_id: null,
      group_name: null,
      tag_id: null,
      tag_name: null,
      tag_value: null,
    },
  ]);
  expect(totals).toEqual(measures);
  expect(rest).toEqual({
    next_page: null,
    bucket: "1d",
    has_overlapping_rows: false,
    starting_at: iso(DAY),
    ending_at: iso(DAY + DAY_MS),
    data_refreshed_at: iso(h.clock.nowMs),
  });
});

describe("groups", () => {
  const groupsOf = (rows: Row[]) =>
    rows.map(({ workspace_id, api_key_id, model, requests }) => ({
      workspace_id,
      api_key_id,
      model,
      requests,
    }));

  test("by workspace", async ({ report }) => {
    const { data } = await report(`${wholeDay}&group_by=workspace`);
    const expected = [
      { workspace_id: first.workspaceId, api_key_id: null, model: null, requests: 2 },
      { workspace_id: second.workspaceId, api_key_id: null, model: null, requests: 3 },
    ];
    expect(new Set(groupsOf(data))).toEqual(new Set(expected));
  });

  test.for([
    ["repeated", "group_by=api_key&group_by=model"],
    ["bracketed", "group_by[]=api_key&group_by[]=model"],
    ["separated by commas", "group_by=api_key,model"],
  ] as const)("by key and model, %s", async ([_, groupBy], { report }) => {
    const { data } = await report(`${wholeDay}&${groupBy}`);
    const group = (apiKeyId: string, model: string, requests: number) => ({
      workspace_id: null,
      api_key_id: apiKeyId,
      model,
      requests,
    });
    expect(new Set(groupsOf(data))).toEqual(
      new Set([
        group(first.apiKeyId, "claude-sonnet-5", 1),
        group(first.apiKeyId, "claude-opus-5", 1),
        group(second.apiKeyId, "claude-sonnet-5", 2),
        group(second.apiKeyId, "new-model", 1),
      ]),
    );
  });
});

describe("buckets", () => {
  test("hours are oldest first, without empty ones", async ({ report }) => {
    const { data } = await report(`${wholeDay}&bucket=1h`);
    expect(
      data.map(({ starting_at, ending_at, requests }) => [starting_at, ending_at, requests]),
    ).toEqual([
      [iso(DAY), iso(DAY + HOUR_MS), 2],
      [iso(DAY + HOUR_MS), iso(DAY + 2 * HOUR_MS), 1],
      [iso(DAY + 2 * HOUR_MS), iso(DAY + 3 * HOUR_MS), 1],
      [iso(DAY + 12 * HOUR_MS), iso(DAY + 13 * HOUR_MS), 1],
    ]);
  });

  test.for(["1m", "1h", "1d"])("%s add up to the same totals", async (bucket, { report }) => {
    const { data, totals } = await report(`${wholeDay}&bucket=${bucket}&group_by=workspace,model`);
    const sum = data.reduce((nano, row) => nano + parseUsd(row.cost_usd), 0n);
    expect(formatUsd(sum)).toBe(totals.cost_usd);
    expect(totals.cost_usd).toBe("0.0004055");
    expect([totals.errors, totals.estimated_requests, totals.unpriced_requests]).toEqual([1, 1, 1]);
  });

  test("a range is widened to whole buckets, with an exclusive end", async ({ report }) => {
    const inHours = await report(`${range(DAY + 1, DAY + HOUR_MS)}&bucket=1h`);
    expect([inHours.starting_at, inHours.ending_at]).toEqual([iso(DAY), iso(DAY + HOUR_MS)]);
    expect(inHours.totals.requests).toBe(2);
    const inMinutes = await report(`${range(DAY - 1, DAY + 30_000)}&bucket=1m`);
    expect(inMinutes.data.map(({ starting_at, requests }) => [starting_at, requests])).toEqual([
      [iso(DAY - 60_000), 1],
      [iso(DAY), 2],
    ]);
  });

  test("without an end the range ends now", async ({ h, report }) => {
    const { ending_at, totals } = await report(`starting_at=${iso(DAY)}`);
    expect(ending_at).toBe(iso(Math.ceil(h.clock.nowMs / DAY_MS) * DAY_MS));
    expect(totals.requests).toBe(5);
  });

  test("another offset means the same instant", async ({ report }) => {
    const query = `starting_at=2026-11-19T05:30:00%2B05:30&ending_at=${iso(DAY + DAY_MS)}`;
    expect((await report(query)).starting_at).toBe(iso(DAY));
  });

  test.for([
    ["1m", DAY_MS, "24 hours"],
    ["1h", 31 * DAY_MS, "31 days"],
    ["1d", 366 * DAY_MS, "366 days"],
  ] as const)("%s ranges have a maximum length", async ([bucket, maxMs, text], { org }) => {
    const longest = await org.admin.get(
      `/v1/admin/usage?${range(DAY + 1, DAY + 1 + maxMs)}&bucket=${bucket}`,
    );
    expect(longest.status).toBe(200);
    const longer = await org.admin.get(
      `/v1/admin/usage?${range(DAY, DAY + maxMs + 1)}&bucket=${bucket}`,
    );
    expect(longer.status).toBe(400);
    expect(longer.error.message).toContain(text);
  });
});

describe("filters", () => {
  test("by workspace, key and model, several of each", async ({ report }) => {
    const requests = async (query: string) =>
      (await report(`${wholeDay}&${query}`)).totals.requests;
    expect(await requests(`workspace_id=${first.workspaceId}`)).toBe(2);
    expect(await requests(`workspace_id=${first.workspaceId},${second.workspaceId}`)).toBe(5);
    expect(await requests(`api_key_id[]=${second.apiKeyId}`)).toBe(3);
    expect(await requests("model=claude-opus-5&model=new-model")).toBe(2);
    expect(await requests(`workspace_id=${first.workspaceId}&model=new-model`)).toBe(0);
  });

  test("by a hidden workspace or key return the documented 404", async ({ org }) => {
    const theirs = await makeKey(other);
    for (const id of ["wksp_unknown", theirs.workspaceId]) {
      const answer = await org.admin.get(`/v1/admin/usage?${wholeDay}&workspace_id=${id}`);
      expect([answer.status, answer.error.message]).toEqual([404, `Workspace not found: ${id}`]);
    }
    for (const id of ["apikey_unknown", theirs.apiKeyId]) {
      const answer = await org.admin.get(`/v1/admin/usage?${wholeDay}&api_key_id=${id}`);
      expect([answer.status, answer.error.message]).toEqual([404, "API key not found"]);
    }
  });
});

test("pages have every row once, and the totals of the whole range", async ({ report }) => {
  const query = `${wholeDay}&bucket=1h&group_by=workspace,api_key,model`;
  const all = await report(query);
  expect(all.data.length).toBe(5);
  const seen: Row[] = [];
  let page = "";
  do {
    const part = await report(`${query}&limit=2&page=${page}`);
    expect(part.data.length).toBeLessThanOrEqual(2);
    expect(part.totals).toEqual(all.totals);
    seen.push(...part.data);
    page = part.next_page ?? "";
  } while (page !== "");
  expect(seen).toEqual(all.data);
});

test("a cursor of another query is refused", async ({ org, report }) => {
  const { next_page: page } = await report(`${wholeDay}&bucket=1h&limit=1`);
  const answer = await org.admin.get(`/v1/admin/usage?${wholeDay}&bucket=1m&limit=1&page=${page}`);
  expect(answer.status).toBe(400);
  expect(answer.error.message).toContain("cursor does not match");
});

describe("a workspace key", () => {
  test.for(["read", "write", "admin"])(
    "with %s sees its own workspace only",
    async (permission, { h, org, report }) => {
      const { key } = await org.admin.createApiKey(first.workspaceId, {
        permissions: [permission],
      });
      const { totals, data } = await report(`${wholeDay}&group_by=workspace`, h.as(key));
      expect(totals.requests).toBe(2);
      expect(data.map(({ workspace_id }) => workspace_id)).toEqual([first.workspaceId]);
      for (const query of [`workspace_id=${second.workspaceId}`, `api_key_id=${second.apiKeyId}`]) {
        expect((await h.as(key).get(`/v1/admin/usage?${wholeDay}&${query}`)).status).toBe(404);
      }
    },
  );
});

test.for([
  ["starting_at=0000-01-01T00:00:00%2B14:00&ending_at=0000-01-01T12:00:00Z", "starting_at"],
  ["starting_at=9999-12-31T00:00:00Z&ending_at=9999-12-31T12:00:00Z", "starting_at"],
  ["starting_at=2026-11-19T00:00:00Z&ending_at=9999-12-31T12:00:00Z", "ending_at"],
] as const)("a time outside 2000 to 2199 is refused: %s", async ([query, field], { org }) => {
  const answer = await org.admin.get(`/v1/admin/usage?${query}`);
  expect([answer.status, answer.error.message]).toEqual([
    400,
    `${field}: expected a time in the years 2000 to 2199.`,
  ]);
});

describe("a report without starting_at", () => {
  const NOVEMBER = Date.UTC(2026, 10, 1);
  const thisMonth = `starting_at=${iso(NOVEMBER)}`;

  test.for(["usage", "usage/export", "cost", "cost/export"])(
    "covers this month in UTC: %s",
    async (path, { org }) => {
      const answer = await org.admin.get(`/v1/admin/${path}`);
      const spelled = await org.admin.get(`/v1/admin/${path}?${thisMonth}`);
      expect([answer.status, answer.text]).toEqual([200, spelled.text]);
    },
  );

  test("has the month in its response", async ({ h, report }) => {
    const { starting_at, ending_at } = await report("bucket=none");
    expect([starting_at, ending_at]).toEqual([iso(NOVEMBER), iso(h.clock.nowMs)]);
  });

  test("starts with the month of its exclusive end", async ({ report }) => {
    const october = await report(`ending_at=${iso(NOVEMBER)}&bucket=none`);
    expect(october.starting_at).toBe(iso(Date.UTC(2026, 9, 1)));
    const november = await report(`ending_at=${iso(NOVEMBER + DAY_MS)}&bucket=none`);
    expect(november.starting_at).toBe(iso(NOVEMBER));
  });

  test("is refused by minutes, which span at most a day", async ({ org }) => {
    const answer = await org.admin.get("/v1/admin/usage?bucket=1m");
    expect([answer.status, answer.error.message]).toEqual([
      400,
      "starting_at: with bucket 1m a range spans at most 24 hours. Use a shorter range or larger buckets.",
    ]);
  });

  test("has pages of the month of its first page", async ({ h, org, report }) => {
    const first = await report("group_by=api_key,model&limit=1");
    expect(first.next_page).not.toBeNull();
    const next = `/v1/admin/usage?group_by=api_key,model&limit=1&page=${first.next_page}`;
    expect((await org.admin.get(next)).status).toBe(200);
    const nowMs = h.clock.nowMs;
    h.clock.nowMs = Date.UTC(2026, 11, 1, 12);
    const late = await org.admin.get(next);
    h.clock.nowMs = nowMs;
    expect(late.error.message).toMatch(/^page: cursor does not match current query parameters/);
  });
});

test("a range that begins in the future is refused with the default end", async ({ org }) => {
  const answer = await org.admin.get("/v1/admin/usage?starting_at=2030-01-01T00:00:00Z");
  expect(answer.error.message).toBe(
    "starting_at: expected a time before ending_at, whose default is now.",
  );
});

test("a cursor with a time that PostgreSQL cannot store is refused", async ({ org }) => {
  const filters = { starting_at: iso(DAY), bucket: "1d" };
  const page = encodeCursor([-8_640_000_000_000_000, "", "", ""], filters);
  const answer = await org.admin.get(`/v1/admin/usage?starting_at=${iso(DAY)}&page=${page}`);
  expect([answer.status, answer.error.message]).toEqual([
    400,
    "page: this is not a cursor of this list.",
  ]);
});

test("a report has only the usage of the caller's organization", async ({ report }) => {
  const { totals } = await report(wholeDay, other.admin);
  expect([totals.requests, totals.cost_usd]).toEqual([1, COST]);
});
