import type { costRow, costSummary, getCost } from "@bursar/contract/admin/cost.ts";
import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { EndRecord } from "#src/domain/request-record.ts";
import { noCost, noTokens } from "#src/domain/usage.ts";
import type { Client, TestOrganization } from "#test/harness/admin.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

type Report = z.output<(typeof getCost)["response"]>;
type Summary = z.output<typeof costSummary>;
type Line = z.output<typeof costRow>;

/** The test clock is noon of 20 November 2026, a Friday. */
const TODAY = Date.UTC(2026, 10, 20);
const DAY_MS = 86_400_000;
const USD = 1_000_000_000n;

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  /** Records a request with these costs, in whole dollars. */
  .extend(
    "spend",
    { scope: "file" },
    ({ h, org }) =>
      async (
        startedAtMs: number,
        usd: { input: bigint; output: bigint; webSearch?: bigint },
        fields: Partial<EndRecord> & { organizationId?: string } = {},
      ): Promise<void> => {
        const { input, output, webSearch = 0n } = usd;
        const cost = {
          ...noCost,
          input: input * USD,
          output: output * USD,
          webSearch: webSearch * USD,
          total: (input + output + webSearch) * USD,
        };
        const usage = {
          ...noTokens,
          inputTokens: Number(input),
          outputTokens: Number(output),
          webSearches: Number(webSearch),
        };
        await recordUsage(h.deps.database, [
          endRecord({
            requestId: `req_cost_${++made}`,
            organizationId: org.id,
            startedAtMs,
            ...key,
            cost,
            usage,
            ...fields,
          }),
        ]);
      },
  )
  .extend("report", ({ org }) => async (query: string): Promise<Report> => {
    const answer = await org.admin.get<Report>(`/v1/admin/cost?${range}&${query}`);
    expect(answer.error.message).toBe("");
    return answer.body;
  });

let key: { workspaceId: string; apiKeyId: string };
let made = 0;

test.beforeAll(async ({ org }) => {
  key = await makeKey(org);
});

async function makeKey({ admin }: TestOrganization) {
  const { id: workspaceId } = await admin.createWorkspace();
  const { id: apiKeyId } = await admin.createApiKey(workspaceId, { name: "Key" });
  return { workspaceId, apiKeyId };
}

const iso = (ms: number) => new Date(ms).toISOString();

const range = `starting_at=${iso(TODAY - 400 * DAY_MS)}&ending_at=${iso(TODAY - 399 * DAY_MS)}`;

describe("the report", () => {
  test.beforeAll(async ({ spend }) => {
    const at = TODAY - 400 * DAY_MS;
    await spend(at, { input: 1n, output: 2n });
    await spend(
      at + 1,
      { input: 10n, output: 20n, webSearch: 4n },
      { model: "claude-opus-5", isUnpriced: true, hasUnbilledParts: true },
    );
    await spend(at + 2, { input: 0n, output: 0n }, { outcome: "refused", httpStatus: 429 });
  });
  const short = (lines: Line[]) =>
    lines.map(({ model, token_type, units, cost_usd, requests }) => [
      model,
      token_type,
      units,
      cost_usd,
      requests,
    ]);

  test("by model counts requests without a price and with unbilled parts", async ({ report }) => {
    const { data, totals } = await report("group_by=model&bucket=none");
    expect(short(data)).toEqual([
      ["claude-opus-5", null, null, "34.00", 1],
      ["claude-sonnet-5", null, null, "3.00", 2],
    ]);
    expect(data.map(({ unpriced_requests }) => unpriced_requests)).toEqual([1, 0]);
    expect(data.map((line) => line.partly_unbilled_requests)).toEqual([1, 0]);
    const counts = { requests: 3, unpriced_requests: 1, partly_unbilled_requests: 1 };
    expect(totals).toEqual({ cost_usd: "37.00", simulated_cost_usd: "0.00", ...counts });
  });

  test("has the simulated part of each row, also by token type and in the last column of a file", async ({
    org,
    spend,
  }) => {
    const at = TODAY - 300 * DAY_MS;
    await spend(at, { input: 1n, output: 2n });
    await spend(at, { input: 4n, output: 5n }, { serviceTier: SIMULATED_TIER });
    const query = `starting_at=${iso(at)}&ending_at=${iso(at + DAY_MS)}&bucket=none`;
    const ask = async (path: string) => org.admin.get<Report>(`/v1/admin/${path}&${query}`);
    const byType = (await ask("cost?group_by=token_type")).body;
    expect(byType.totals).toMatchObject({ cost_usd: "12.00", simulated_cost_usd: "9.00" });
    expect(
      byType.data.map((line) => [line.token_type, line.cost_usd, line.simulated_cost_usd]),
    ).toEqual([
      ["input", "5.00", "4.00"],
      ["output", "7.00", "5.00"],
    ]);
    const real = (await ask("cost?service_tier=standard")).body.totals;
    expect(real).toMatchObject({ cost_usd: "3.00", simulated_cost_usd: "0.00" });
    for (const kind of ["cost", "usage"]) {
      const lines = (await ask(`${kind}/export?group_by=workspace`)).text.trimEnd().split("\r\n");
      expect(lines.map((line) => line.split(",").at(-1))).toEqual(["simulated_cost_usd", "9.00"]);
    }
  });

  test("by token type has one line per type, also within models", async ({ report }) => {
    expect(short((await report("group_by=token_type&bucket=none")).data)).toEqual([
      [null, "input", 11, "11.00", null],
      [null, "output", 22, "22.00", null],
      [null, "web_search", 4, "4.00", null],
    ]);
    const split = [
      ["claude-opus-5", "input", 10, "10.00", null],
      ["claude-opus-5", "output", 20, "20.00", null],
      ["claude-opus-5", "web_search", 4, "4.00", null],
      ["claude-sonnet-5", "input", 1, "1.00", null],
      ["claude-sonnet-5", "output", 2, "2.00", null],
    ];
    expect(short((await report("group_by=model,token_type")).data)).toEqual(split);
    const first = await report("group_by=model,token_type&limit=6");
    const second = await report(`group_by=model,token_type&limit=6&page=${first.next_page}`);
    expect(short([...first.data, ...second.data])).toEqual(split);
    expect(second.next_page).toBeNull();
  });

  test("with top has the most expensive group first, then one row for the others", async ({
    report,
  }) => {
    const { data } = await report("group_by=model&top=1&bucket=none");
    expect(data.map(({ model, cost_usd, is_other }) => [model, cost_usd, is_other])).toEqual([
      ["claude-opus-5", "34.00", false],
      [null, "3.00", true],
    ]);
  });

  test.for([
    ["top=3", "top: allowed only with group_by."],
    ["top=0&group_by=model", "top"],
    ["top=51&group_by=model", "top"],
    ["top=2&group_by=model&page=x", "page: a response with top has one page."],
    ["group_by=nonsense", "group_by"],
    ["order_by=name", "order_by"],
    ["bucket=1w", "bucket"],
  ] as const)("%s is refused", async ([query, message], { org }) => {
    const answer = await org.admin.get(`/v1/admin/cost?${range}&${query}`);
    expect([answer.status, answer.error.message]).toEqual([400, expect.stringContaining(message)]);
  });

  test("refuses a query with too many possible rows before it reads them", async ({ org }) => {
    const query = `starting_at=${iso(TODAY - 31 * DAY_MS)}&ending_at=${iso(TODAY)}&bucket=1h&group_by=model&top=20`;
    const answer = await org.admin.get(`/v1/admin/cost?${query}`);
    expect([answer.status, answer.error.message]).toEqual([
      400,
      expect.stringContaining("10,000 rows"),
    ]);
  });

  test("as an export has the same lines in CSV and JSON", async ({ org }) => {
    const query = `${range}&group_by=model,token_type,api_key`;
    const { data } = (await org.admin.get<Report>(`/v1/admin/cost?${query}`)).body;
    const json = await org.admin.get(`/v1/admin/cost/export?${query}&format=jsonl`);
    expect(
      json.text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(data);
    const csv = (await org.admin.get(`/v1/admin/cost/export?${query}`)).text
      .trimEnd()
      .split("\r\n");
    expect(csv.length).toBe(data.length + 1);
    const [heading = "", ...lines] = csv.map((line) => line.split(","));
    const at = (name: string) => heading.indexOf(name);
    expect(
      lines.map((cells) => [cells[at("model")], cells[at("token_type")], cells[at("cost_usd")]]),
    ).toEqual(data.map(({ model, token_type, cost_usd }) => [model, token_type, cost_usd]));
    expect(lines.map((cells) => cells[at("api_key_name")])).toEqual(data.map(() => "Key"));
  });
});

describe("the summary", () => {
  let own: TestOrganization;
  let place: { workspaceId: string; apiKeyId: string };

  test.beforeAll(async ({ h, spend }) => {
    own = await h.organization();
    place = await makeKey(own);
    const of = (at: number, output: bigint) =>
      spend(at, { input: 0n, output }, { organizationId: own.id, ...place });
    await of(Date.UTC(2026, 9, 1), 5n);
    await of(Date.UTC(2026, 9, 19, 23, 59, 59, 999), 7n);
    await of(Date.UTC(2026, 9, 20), 11n);
    // A Friday and a Thursday of this month. Today is a Friday.
    await of(Date.UTC(2026, 10, 13), 20n);
    await of(Date.UTC(2026, 10, 19), 8n);
    await of(TODAY, 2n);
  });

  const summary = async (query = "", client: Client = own.admin): Promise<Summary> => {
    const answer = await client.get<Summary>(`/v1/admin/cost/summary?${query}`);
    expect(answer.error.message).toBe("");
    return answer.body;
  };

  test("has this month, last month, and a forecast with its method", async ({ h }) => {
    expect(await summary()).toEqual({
      type: "cost_summary",
      month: { starting_at: iso(Date.UTC(2026, 10, 1)), ending_at: iso(Date.UTC(2026, 11, 1)) },
      month_to_date_usd: "30.00",
      today_usd: "2.00",
      last_month_usd: "23.00",
      last_month_to_date_usd: "12.00",
      adjustments_usd: "0.00",
      unpriced_requests: 0,
      partly_unbilled_requests: 0,
      // The last 28 days begin on 23 October. Their first request is on 13 November, so seven days have averages: 20 on
      // Fridays and 8 on Thursdays. Today adds 18, the 26th 8, the 27th 20.
      forecast: { month_usd: "76.00", method: "same_weekday_average", based_on_days: 7 },
      simulated: {
        month_to_date_usd: "0.00",
        today_usd: "0.00",
        last_month_usd: "0.00",
        last_month_to_date_usd: "0.00",
        month_forecast_usd: "0.00",
      },
      limit: null,
      data_refreshed_at: iso(h.clock.nowMs),
    });
  });

  test("has the simulated part of each amount, which the limit counts", async ({ h, spend }) => {
    const mixed = await h.organization();
    const at = await makeKey(mixed);
    const of = (startedAtMs: number, output: bigint, serviceTier: string) =>
      spend(startedAtMs, { input: 0n, output }, { organizationId: mixed.id, ...at, serviceTier });
    await of(Date.UTC(2026, 9, 1), 5n, SIMULATED_TIER);
    await of(Date.UTC(2026, 9, 20), 11n, "standard");
    await of(TODAY - DAY_MS, 8n, SIMULATED_TIER);
    await of(TODAY, 2n, "standard");
    await mixed.admin.post("/v1/admin/workspaces/limits", {
      workspace_id: at.workspaceId,
      monthly_limit_usd: 25,
    });
    // One whole day of the average: ten more days of 8 simulated dollars, and 6 for today.
    expect(await summary(`workspace_id=${at.workspaceId}`, mixed.admin)).toMatchObject({
      month_to_date_usd: "10.00",
      last_month_usd: "16.00",
      forecast: { month_usd: "96.00" },
      simulated: {
        month_to_date_usd: "8.00",
        today_usd: "0.00",
        last_month_usd: "5.00",
        last_month_to_date_usd: "5.00",
        month_forecast_usd: "94.00",
      },
      limit: { remaining_usd: "15.00" },
    });
    expect((await summary("service_tier=standard", mixed.admin)).simulated.last_month_usd).toBe(
      "0.00",
    );
  });

  test("has the monthly limit of the filtered scope", async () => {
    await own.admin.post("/v1/admin/workspaces/limits", {
      workspace_id: place.workspaceId,
      monthly_limit_usd: 25,
    });
    await own.admin.post("/v1/admin/spend_limits", {
      scope: { type: "organization" },
      period: "monthly",
      limit_usd: 100,
    });
    expect((await summary()).limit).toMatchObject({
      monthly_limit_usd: "100.00",
      remaining_usd: "70.00",
    });
    expect((await summary(`workspace_id=${place.workspaceId}`)).limit).toMatchObject({
      monthly_limit_usd: "25.00",
      remaining_usd: "-5.00",
    });
    expect((await summary(`api_key_id=${place.apiKeyId}`)).limit).toBeNull();
    expect((await summary("model=claude-sonnet-5")).limit).toBeNull();
  });

  test("has adjustments separately, and subtracts them from the rest of the limit", async ({
    h,
  }) => {
    const charged = await h.organization();
    const at = await makeKey(charged);
    await charged.admin.post("/v1/admin/workspaces/limits", {
      workspace_id: at.workspaceId,
      monthly_limit_usd: 25,
    });
    const { workspaceId: workspace_id, apiKeyId: api_key_id } = at;
    await h.deps.database
      .insertInto("spend_adjustment")
      .values({
        id: "adj_1",
        organization_id: charged.id,
        workspace_id,
        api_key_id,
        request_id: "req_1",
        started_at: new Date(TODAY),
        cost_nano_usd: 3n * USD,
        reason: "test",
      })
      .execute();
    expect(await summary(`workspace_id=${workspace_id}`, charged.admin)).toMatchObject({
      month_to_date_usd: "0.00",
      adjustments_usd: "3.00",
      limit: { remaining_usd: "22.00" },
    });
    for (const query of ["model=claude-sonnet-5", "speed=fast"]) {
      expect((await summary(query, charged.admin)).adjustments_usd).toBe("0.00");
    }
  });

  test("has the spend, the adjustments and the limit of one member, group or tag", async ({
    h,
    spend,
  }) => {
    const { database } = h.deps;
    const shared = await h.organization();
    const { id: workspaceId } = await shared.admin.createWorkspace({ tags: { team: "search" } });
    const { id: api_key_id } = await shared.admin.createApiKey(workspaceId);
    const { body } = await shared.admin.get<{ data: { id: string }[] }>("/v1/admin/tags");
    const tagId = body.data[0]?.id ?? "";
    const member = await shared.member();
    const group = await shared.admin.post<{ id: string }>("/v1/admin/groups", { name: "Search" });
    const groupId = group.body.id;
    const whole = { organization_id: shared.id, workspace_id: workspaceId, api_key_id };
    const at = { request_id: "req_1", started_at: new Date(TODAY), reason: "test" };
    await database
      .insertInto("spend_adjustment")
      .values([
        {
          ...{ id: "adj_none", cost_nano_usd: 1n * USD, ...whole, ...at },
        },
        {
          ...{ id: "adj_all", cost_nano_usd: 3n * USD, ...whole, ...at },
          ...{ member_id: member.id, group_ids: `group_other,${groupId}`, tag_ids: tagId },
        },
      ])
      .execute();
    const attribution = { memberId: member.id, groupIds: [groupId], tagIds: [tagId] };
    const place = { organizationId: shared.id, workspaceId, apiKeyId: api_key_id };
    await spend(TODAY, { input: 0n, output: 2n }, { ...place, ...attribution });
    const scopes = [
      [{ type: "member", member_id: member.id }, `member_id=${member.id}`],
      [{ type: "group", group_id: groupId }, `group_id=${groupId}`],
      [{ type: "tag", tag_id: tagId }, `tag_id=${tagId}`, "tag=team:search"],
    ] as const;
    for (const [scope, ...queries] of scopes) {
      const limit = { scope, period: "monthly", limit_usd: 25 };
      expect((await shared.admin.post("/v1/admin/spend_limits", limit)).status).toBe(200);
      for (const query of queries) {
        expect(await summary(query, shared.admin)).toMatchObject({
          month_to_date_usd: "2.00",
          adjustments_usd: "3.00",
          limit: { monthly_limit_usd: "25.00", remaining_usd: "20.00" },
        });
      }
    }
    const rest = await summary("without_tag=team", shared.admin);
    expect(rest).toMatchObject({ adjustments_usd: "1.00", limit: null });
    expect((await summary("tag=team:none", shared.admin)).adjustments_usd).toBe("0.00");
    const developer = await shared.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    const seen = await summary(`group_id=${groupId}`, developer.client);
    expect(seen.limit).toBeNull();
  });

  test("shows a limit only to a caller who can see it", async () => {
    const user = await own.member({ workspaces: { [place.workspaceId]: "workspace_user" } });
    const seen = await summary(`workspace_id=${place.workspaceId}`, user.client);
    expect([seen.limit, seen.month_to_date_usd]).toEqual([null, "0.00"]);
    const developer = await own.member({
      workspaces: { [place.workspaceId]: "workspace_developer" },
    });
    expect((await summary("", developer.client)).limit).toBeNull();
    expect(
      (await summary(`workspace_id=${place.workspaceId}`, developer.client)).limit,
    ).not.toBeNull();
  });

  test("without requests is zero and has no forecast", async ({ h }) => {
    const empty = await h.organization();
    expect(await summary("", empty.admin)).toMatchObject({
      month_to_date_usd: "0.00",
      last_month_usd: "0.00",
      forecast: null,
    });
  });
});
