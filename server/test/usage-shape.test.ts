import { join } from "node:path";
import { makeOpenApiDocument } from "@bursar/contract/openapi.ts";
import { sql } from "kysely";
import { expect } from "vitest";
import type { EndRecord } from "#src/domain/request-record.ts";
import { noCost, noTokens } from "#src/domain/usage.ts";
import { newId } from "#src/lib/ids.ts";
import { rollupTableNames } from "#src/recording/rollup-tables.ts";
import { sumWeek } from "#src/recording/weeks.sql.ts";
import { serverTest as base } from "./harness/admin-test.ts";
import { endRecord, recordUsage } from "./harness/usage-records.ts";

// Programs parse the names, the order and the number formats of usage. The golden files hold them byte by byte.
// After an intended change: npx vitest run server/test/usage-shape.test.ts --update

/** Depends on the random id of the request. */
const REQUEST_HASH = /"request_hash":-?\d+,/;
/** Depends on the random id of the organization. */
const ATTRIBUTION_ID = /"attribution_id":-?[1-9]\d*/;

const golden = (name: string) => join(import.meta.dirname, "usage-shape", name);

const DAY = Date.UTC(2026, 10, 17);
const MONDAY = new Date("2026-11-16T00:00:00Z");
const HOUR_MS = 3_600_000;
const RANGE = "starting_at=2026-11-17T00:00:00Z&ending_at=2026-11-18T00:00:00Z";
const ALL_LABELS =
  "workspace,api_key,member,model,service_tier,context_window,inference_geo,speed,client,status";

interface Company {
  requestId: string;
  /** Replaces random ids by the names of what they belong to. */
  toStable(text: string): string;
}

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  /** Two keys with an owner each, and four requests that differ in every label and measure. */
  .extend("company", { scope: "file" }, async ({ h, org }): Promise<Company> => {
    const { id: workspaceId } = await org.admin.createWorkspace({ name: "Research" });
    const { id: apiKeyId } = await org.admin.createApiKey(workspaceId, { name: "Notebook" });
    // Rows are listed in the order of ids, and ids begin with their time.
    h.clock.nowMs += 1_000;
    const { id: otherWorkspaceId } = await org.admin.createWorkspace({ name: "Support" });
    const { id: otherKeyId } = await org.admin.createApiKey(otherWorkspaceId, { name: "Robot" });
    const { id: memberId } = await org.member({ email: "ada@example.com", name: "Ada" });
    const requestIds = [0, 1, 2, 3].map((hour) => newId("req_", DAY + hour * HOUR_MS));
    const of = (hour: number, fields: Partial<EndRecord>) =>
      endRecord({
        requestId: requestIds[hour] ?? "",
        organizationId: org.id,
        startedAtMs: DAY + hour * HOUR_MS,
        workspaceId,
        apiKeyId,
        ...fields,
      });
    // The week of the requests is not summed up yet, whatever day the test runs on.
    await h.deps.database.updateTable("usage_weeks").set({ summed_before: MONDAY }).execute();
    const tag = { id: "tag_1", organization_id: org.id, name: "cost_center", value: "4711" };
    await h.deps.database.insertInto("tag").values(tag).execute();
    await recordUsage(h.deps.database, [
      of(0, { upstreamRequestId: "req_upstream" }),
      of(1, { ...searching, workspaceId: otherWorkspaceId, apiKeyId: otherKeyId, memberId }),
      of(2, {
        ...nothingUsed,
        ...attributed,
        outcome: "refused",
        httpStatus: 429,
        firstByteMs: null,
      }),
      of(3, { isEstimated: true, isUnpriced: true, isStream: true, outcome: "aborted" }),
    ]);
    const names = [
      [org.id, "<organization>"],
      [workspaceId, "<Research>"],
      [apiKeyId, "<Notebook>"],
      [otherWorkspaceId, "<Support>"],
      [otherKeyId, "<Robot>"],
      [memberId, "<Ada>"],
      ...requestIds.map((id, hour) => [id, `<request ${hour}>`] as const),
    ] as const;
    return {
      requestId: requestIds[1] ?? "",
      toStable: (text) => names.reduce((all, [id, name]) => all.replaceAll(id, name), text),
    };
  });

const searching: Partial<EndRecord> = {
  requestedModel: "claude-opus-5-latest",
  model: "claude-opus-5",
  serviceTier: "batch",
  contextWindow: "200k-1M",
  inferenceGeo: "us",
  speed: "fast",
  client: "claude-code",
  hasUnbilledParts: true,
  usage: {
    ...noTokens,
    inputTokens: 1_000_000,
    cacheWrite5mTokens: 20_000,
    cacheWrite1hTokens: 3_000,
    cacheReadTokens: 400,
    outputTokens: 50,
    webSearches: 6,
  },
  cost: {
    ...noCost,
    input: 7_000_000_001n,
    cacheWrite5m: 600_000_020n,
    cacheWrite1h: 50_000_300n,
    cacheRead: 4_004_000n,
    output: 350_000n,
    webSearch: 60_000_000n,
    total: 7_714_354_321n,
  },
};

const attributed: Partial<EndRecord> = {
  groupIds: ["group_1", "group_2"],
  tagIds: ["tag_1"],
};

const nothingUsed: Partial<EndRecord> = { usage: noTokens, cost: noCost };

const files = {
  "usage.csv": `/v1/admin/usage/export?bucket=1h&group_by=${ALL_LABELS}&${RANGE}`,
  "usage.jsonl": `/v1/admin/usage/export?format=jsonl&bucket=1h&group_by=${ALL_LABELS}&${RANGE}`,
  "cost.csv": `/v1/admin/cost/export?bucket=1h&group_by=${ALL_LABELS},token_type&${RANGE}`,
  "cost.jsonl": `/v1/admin/cost/export?format=jsonl&bucket=1h&group_by=model,token_type&${RANGE}`,
  "requests.csv": `/v1/admin/requests/export?${RANGE}`,
  "requests.jsonl": `/v1/admin/requests/export?format=jsonl&${RANGE}`,
};

test.for(Object.entries(files))(
  "%s has the recorded bytes",
  async ([name, path], { org, company }) => {
    const answer = await org.admin.get(path);
    expect(answer.status).toBe(200);
    await expect(company.toStable(answer.text)).toMatchFileSnapshot(golden(name));
  },
);

const official = "/v1/organizations";
const filters =
  "model=claude-opus-5&service_tier=batch&context_window=200k-1M&inference_geo=us&speed=fast&client=claude-code&status=answered";
const analyticsFilters =
  "models[]=claude-opus-5&service_tiers[]=batch&context_windows[]=200k-1M&inference_geos[]=us&speeds[]=fast";
const officialFilters =
  "models[]=claude-opus-5&service_tiers[]=batch&context_window[]=200k-1M&inference_geos[]=us&speeds[]=fast";
const officialGroups = [
  "api_key_id",
  "workspace_id",
  "model",
  "service_tier",
  "context_window",
  "inference_geo",
  "speed",
  "account_id",
]
  .map((group) => `group_by[]=${group}`)
  .join("&");

const reports = {
  "company-shape.txt": [
    `/v1/admin/usage?bucket=none&group_by=${ALL_LABELS}&${RANGE}`,
    `/v1/admin/usage?bucket=1h&${filters}&${RANGE}`,
    `/v1/admin/usage?bucket=none&group_by=model&top=1&order_by=tokens&${RANGE}`,
    `/v1/admin/cost?bucket=none&group_by=${ALL_LABELS}&${RANGE}`,
    `/v1/admin/cost?bucket=none&group_by=model,token_type&${RANGE}`,
    `/v1/admin/cost/summary?${filters}`,
    `/v1/admin/requests?${RANGE}`,
    `/v1/admin/requests?${filters}&${RANGE}`,
    "/v1/admin/requests/{request}",
    `/v1/admin/usage?bucket=none&group_by=group,tag&${RANGE}`,
    `/v1/admin/cost?bucket=none&group_by=tag&tag_name=cost_center&${RANGE}`,
    `/v1/admin/requests?tag=cost_center:none&group_id=group_1&${RANGE}`,
    `/v1/admin/requests?tag_id=tag_1&group_id=group_2&${RANGE}`,
  ],
  "official-shape.txt": [
    `${official}/usage_report/messages?bucket_width=1h&limit=4&${officialGroups}&${RANGE}`,
    `${official}/usage_report/messages?${officialFilters}&${RANGE}`,
    `${official}/cost_report?group_by[]=workspace_id&group_by[]=description&${RANGE}`,
    `${official}/usage_report/claude_code?starting_at=2026-11-17`,
    `${official}/analytics/usage?group_by[]=model&group_by[]=service_tier&group_by[]=context_window&group_by[]=inference_geo&group_by[]=speed&${RANGE}`,
    `${official}/analytics/usage?order_by=uncached_input_tokens&${analyticsFilters}&${RANGE}`,
    `${official}/analytics/cost?group_by[]=model&group_by[]=cost_type&group_by[]=token_type&${RANGE}`,
  ],
};

test.for(Object.entries(reports))(
  "reports in %s have the recorded bytes",
  async ([name, paths], { org, company }) => {
    const texts: string[] = [];
    for (const path of paths) {
      const { status, text } = await org.admin.get(path.replace("{request}", company.requestId));
      texts.push(`${path}\n${status} ${text.replaceAll("},{", "},\n{")}\n`);
    }
    await expect(company.toStable(texts.join("\n"))).toMatchFileSnapshot(golden(name));
  },
);

test("events and rollups have the recorded rows", async ({ h, company }) => {
  await h.deps.database.transaction().execute((tx) => sumWeek(tx, MONDAY));
  const tables: string[] = [];
  for (const table of ["recorded_request", ...rollupTableNames]) {
    const { rows } = await sql<{ row: string }>`
      SELECT row_to_json(part)::text AS row FROM ${sql.table(table)} AS part`.execute(
      h.deps.database,
    );
    const lines = rows
      .map(({ row }) =>
        row.replace(REQUEST_HASH, "").replace(ATTRIBUTION_ID, '"attribution_id":"<hash>"'),
      )
      .map((row) => company.toStable(row))
      .sort();
    tables.push(`${table}\n${lines.join("\n")}\n`);
  }
  await expect(tables.join("\n")).toMatchFileSnapshot(golden("tables.txt"));
});

test("an overridden price has the recorded bytes in its answer, the list and the audit log", async ({
  h,
}) => {
  const { admin } = await h.organization();
  const price = { model: "claude-sonnet-5", input_usd: "3.5", output_usd: 14 };
  const created = await admin.post<{ id: string; effective_from: string }>(
    "/v1/admin/model_prices",
    price,
  );
  const listed = await admin.get("/v1/admin/model_prices?model=claude-haiku-5-5");
  const own = await admin.get("/v1/admin/model_prices?model=claude-sonnet-5");
  const audit = await admin.get<{ data: { after: unknown }[] }>(
    "/v1/admin/audit_events?event=model_price.created",
  );
  const texts = [
    created.text,
    listed.text,
    own.text,
    JSON.stringify(audit.body.data.map(({ after }) => after)),
  ];
  const { id, effective_from } = created.body;
  const stable = texts.join("\n").replaceAll(id, "<price>").replaceAll(effective_from, "<start>");
  await expect(`${stable}\n`).toMatchFileSnapshot(golden("model-prices.txt"));
});

const operations = [
  "getUsage",
  "exportUsage",
  "getCost",
  "exportCost",
  "getCostSummary",
  "listRequests",
  "getRequest",
  "exportRequests",
  "listModelPrices",
  "createModelPrice",
  "getOfficialUsageReport",
  "getOfficialCostReport",
  "listAnalyticsUsage",
  "listAnalyticsCost",
];
const schemas = [
  "UsageRow",
  "UsageTotals",
  "CostRow",
  "CostTotals",
  "LoggedRequest",
  "LoggedRequestDetail",
  "TokenPrices",
  "ModelPrice",
];

interface Document {
  paths: Record<string, Record<string, Record<string, unknown>>>;
  components: { schemas: Record<string, unknown> };
}

test("the OpenAPI document has the recorded parameters, bodies and schemas of usage", async () => {
  const document = makeOpenApiDocument("0") as Document;
  // Descriptions are words: they may change without a program noticing it.
  const toLine = (value: unknown) =>
    JSON.stringify(value, (key, part: unknown) =>
      key === "description" && typeof part === "string" ? undefined : part,
    );
  const found = Object.values(document.paths)
    .flatMap((path) => Object.values(path))
    .filter(({ operationId }) => operations.includes(String(operationId)));
  expect(found.length).toBe(operations.length);
  const lines = found.flatMap(({ operationId, parameters, requestBody, responses }) => [
    operationId,
    ...((parameters ?? []) as unknown[]).map(toLine),
    ...(requestBody === undefined ? [] : [toLine(requestBody)]),
    toLine((responses as Record<string, unknown>)["200"]),
  ]);
  const shapes = schemas.map((name) => `${name} ${toLine(document.components.schemas[name])}`);
  await expect(`${[...lines, ...shapes].join("\n")}\n`).toMatchFileSnapshot(golden("openapi.txt"));
});
