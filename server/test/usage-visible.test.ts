import { afterAll, expect } from "vitest";
import { messageEnd, messageJson, messageStart, textDelta } from "#test/harness/fake-upstream.ts";
import { withinSeconds } from "#test/harness/node-clock.ts";
import {
  type ServerProcess,
  sendMessage,
  startServer,
  stopAllServers,
} from "#test/harness/server-process.ts";
import { test } from "#test/harness/upstream-test.ts";

const VISIBLE_SECONDS = 2;
const MODEL = "claude-3-5-sonnet-20241022";
let server: ServerProcess;

test.beforeAll(async ({ upstream }) => {
  server = await startServer({
    env: { ANTHROPIC_API_KEY: "upstream-credential", ANTHROPIC_UPSTREAM_URL: upstream.origin },
  });
}, 90_000);
afterAll(async () => {
  await stopAllServers();
});

const usage = {
  input_tokens: 1_001,
  cache_creation_input_tokens: 2_308,
  cache_creation: { ephemeral_5m_input_tokens: 2_003, ephemeral_1h_input_tokens: 305 },
  cache_read_input_tokens: 40_007,
  output_tokens: 1_234,
  server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
  service_tier: "standard",
};

// Prices of this model per million tokens: 3, cache writes 3.75 and 6, cache reads 0.30, output 15. A search costs 0.01.
// Cost of `oneRequest`:
//   1,001 × 3,000 nano-dollars =  3,003,000     305 × 6,000 =  1,830,000     1,234 × 15,000 = 18,510,000
//   2,003 × 3,750              =  7,511,250  40,007 ×   300 = 12,002,100     2 searches     = 20,000,000
const oneRequest = {
  input_tokens: 1_001,
  cache_write_5m_tokens: 2_003,
  cache_write_1h_tokens: 305,
  cache_read_tokens: 40_007,
  output_tokens: 1_234,
  total_tokens: 44_550,
  web_searches: 2,
  cost_usd: "0.06285635",
  cost_breakdown_usd: {
    input: "0.003003",
    cache_write_5m: "0.00751125",
    cache_write_1h: "0.00183",
    cache_read: "0.0120021",
    output: "0.01851",
    web_search: "0.02",
  },
};
const twoRequests = {
  input_tokens: 2_002,
  cache_write_5m_tokens: 4_006,
  cache_write_1h_tokens: 610,
  cache_read_tokens: 80_014,
  output_tokens: 2_468,
  total_tokens: 89_100,
  web_searches: 4,
  cost_usd: "0.1257127",
};

test("a request's tokens by kind and its exact cost are visible within two seconds, JSON and stream", async ({
  upstream,
}) => {
  const made = await server.workspaceWithKey({ name: "Visible" });

  upstream.script = (exchange) => exchange.json(messageJson({ usage, model: MODEL }));
  expect((await sendMessage(server.url, made.key, { model: MODEL })).status).toBe(200);
  const afterJson = await waitForUsage(1, made.workspaceId);
  expect(afterJson.row).toMatchObject({
    workspace_id: made.workspaceId,
    api_key_id: made.apiKeyId,
    model: MODEL,
    requests: 1,
    errors: 0,
    estimated_requests: 0,
    unpriced_requests: 0,
    ...oneRequest,
  });

  upstream.script = (exchange) =>
    exchange.stream([
      messageStart({ ...usage, output_tokens: 1 }).replaceAll("claude-sonnet-4-5-20250929", MODEL),
      textDelta("Hello"),
      ...messageEnd({ output_tokens: 1_234, server_tool_use: usage.server_tool_use }),
    ]);
  const streamed = await sendMessage(server.url, made.key, { model: MODEL, stream: true });
  expect(streamed.text).toContain("message_stop");
  const afterStream = await waitForUsage(2, made.workspaceId);
  expect(afterStream.totals).toMatchObject({ requests: 2, errors: 0, ...twoRequests });

  await withinSeconds(VISIBLE_SECONDS, [server], "the spend of both", async () => {
    const path = `/v1/admin/workspaces/limits?workspace_id=${made.workspaceId}`;
    const { data } = (await server.mustAdmin("GET", path)) as { data: Record<string, unknown>[] };
    const [{ spent_usd, monthly_limit_usd } = {}] = data;
    return spent_usd === "0.1257127" && monthly_limit_usd === null ? true : null;
  });
});

test("a refused request of the upstream counts as an error and costs nothing", async ({
  upstream,
}) => {
  const made = await server.workspaceWithKey({ name: "Refused" });
  const body = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
  upstream.script = (exchange) => exchange.json(body, { status: 529 });
  const answer = await sendMessage(server.url, made.key);
  expect(answer.status).toBe(529);
  expect(answer.text).toBe(JSON.stringify(body));
  const { totals } = await waitForUsage(1, made.workspaceId);
  expect(totals).toMatchObject({ requests: 1, errors: 1, total_tokens: 0, cost_usd: "0.00" });
});

test("hours and days equal the sum of minutes", async ({ upstream }) => {
  const made = await server.workspaceWithKey({ name: "Buckets" });
  upstream.script = (exchange) => exchange.json(messageJson({ usage, model: MODEL }));
  await sendMessage(server.url, made.key, { model: MODEL });
  for (const bucket of ["1m", "1h", "1d"]) {
    const { row, totals } = await waitForUsage(1, made.workspaceId, bucket);
    expect({ bucket, row, totals }).toMatchObject({
      bucket,
      row: { requests: 1, ...oneRequest },
      totals: { requests: 1, ...oneRequest },
    });
  }
});

function makeUsagePath(workspaceId: string, bucket: string): string {
  const query = new URLSearchParams({
    starting_at: new Date(Date.now() - 300_000).toISOString(),
    ending_at: new Date(Date.now() + 60_000).toISOString(),
    bucket,
    group_by: "workspace,api_key,model",
    workspace_id: workspaceId,
  });
  return `/v1/admin/usage?${query}`;
}

/** Returns the usage once it has this number of requests. Fails after two seconds. */
function waitForUsage(requests: number, workspaceId: string, bucket = "1m") {
  return withinSeconds(VISIBLE_SECONDS, [server], `${requests} requests in the usage`, async () => {
    const answer = (await server.mustAdmin("GET", makeUsagePath(workspaceId, bucket))) as {
      data: Record<string, unknown>[];
      totals: Record<string, unknown>;
    };
    const { requests: counted } = answer.totals;
    return counted === requests ? { row: answer.data[0], totals: answer.totals } : null;
  });
}
