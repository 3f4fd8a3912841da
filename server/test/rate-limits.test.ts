import { setTimeout as delay } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, expect } from "vitest";
import { maxRequestsPerWindow } from "#src/rates/buckets/bucket.ts";
import { TEST_SECRET } from "#test/harness/test-secret.ts";
import { type DatabaseLine, openDatabaseLine } from "./harness/database-line.ts";
import { test } from "./harness/database-test.ts";
import { eventually } from "./harness/eventually.ts";
import { messageJson } from "./harness/fake-upstream.ts";
import { withinSeconds } from "./harness/node-clock.ts";
import {
  type ServerProcess,
  sendMessage,
  startServer,
  stopAllServers,
  type WorkspaceWithKey,
} from "./harness/server-process.ts";

// Rate limits on two processes with one PostgreSQL, and their errors in the official SDK. The second process has a
// connection that tests can cut.

const MODEL = "claude-sonnet-5";
let line: DatabaseLine;
let first: ServerProcess;
let second: ServerProcess;
let team: WorkspaceWithKey;

test.beforeAll(async ({ upstream, db }) => {
  line = await openDatabaseLine(db.connectionString);
  const env = {
    BURSAR_SECRET: TEST_SECRET,
    ANTHROPIC_API_KEY: "upstream-key",
    ANTHROPIC_UPSTREAM_URL: upstream.origin,
  };
  first = await startServer({ env: { ...env, DATABASE_URL: db.connectionString } });
  second = await startServer({ env: { ...env, DATABASE_URL: line.connectionString } });
}, 90_000);
afterAll(async () => {
  await stopAllServers();
  await line.close();
}, 60_000);
test.beforeEach(async ({ upstream }) => {
  upstream.script = (exchange) => exchange.json(messageJson({ model: MODEL }));
  team = await first.workspaceWithKey();
});

function limit(fields: object) {
  const scope = { type: "workspace", workspace_id: team.workspaceId };
  return first.mustAdmin("POST", "/v1/admin/rate_limits", { scope, ...fields });
}

const send = (server: ServerProcess) => sendMessage(server.url, team.key, { model: MODEL });

/** Waits until the node applies a limit of the other one. */
function waitForLimit(server: ServerProcess): Promise<true> {
  return eventually(30_000, "the node to apply the limit", async () =>
    (await send(server)).headers.has("anthropic-ratelimit-requests-limit") ? true : null,
  );
}

/** Runs clients that send one request after the other. Minimum are a duration and a number of requests. */
async function sendLoad(
  server: ServerProcess,
  { clients, ms, requests }: { clients: number; ms: number; requests: number },
) {
  const untilMs = performance.now() + ms;
  const statuses: number[] = [];
  const client = async () => {
    while (performance.now() < untilMs || statuses.length < requests) {
      statuses.push((await send(server)).status);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const others = statuses.filter((status) => status !== 200 && status !== 429);
  return { sent: statuses.filter((status) => status === 200).length, others };
}

const question = {
  model: MODEL,
  max_tokens: 100,
  messages: [{ role: "user" as const, content: "Hi" }],
};

test("the official SDK raises RateLimitError, and succeeds after the time in the response", async () => {
  await limit({ requests_per_minute: 30 });
  const sentAtMs: number[] = [];
  const options = {
    apiKey: team.key,
    baseURL: first.url,
    fetch: (input: string | URL | Request, init?: RequestInit) => {
      sentAtMs.push(performance.now());
      return fetch(input, init);
    },
  };
  // The first request that the node counts. The node reads the limit within a quarter of a second.
  const response = await eventually(30_000, "the node to apply the limit", async () => {
    const answer = await new Anthropic(options).messages.create(question).withResponse();
    const { headers } = answer.response;
    return headers.has("anthropic-ratelimit-requests-limit") ? answer.response : null;
  });
  expect(response.headers.get("anthropic-ratelimit-requests-limit")).toBe("30");
  expect(response.headers.get("anthropic-ratelimit-requests-remaining")).toBe("0");
  const resetMs = Date.parse(response.headers.get("anthropic-ratelimit-requests-reset") ?? "");
  expect(Math.abs(resetMs - Date.now())).toBeLessThan(10_000);

  const impatient = new Anthropic({ ...options, maxRetries: 0 });
  const error = await impatient.messages.create(question).catch((failure: unknown) => failure);
  if (!(error instanceof Anthropic.RateLimitError)) throw new Error(String(error));
  expect(error.message).toContain(
    "This request would exceed your workspace's rate limit of 30 requests per minute for all models.",
  );
  const waitS = Number(error.headers?.get("retry-after"));
  expect(waitS).toBeGreaterThanOrEqual(1);
  expect(waitS).toBeLessThanOrEqual(2);

  sentAtMs.length = 0;
  expect((await new Anthropic(options).messages.create(question)).type).toBe("message");
  expect(sentAtMs).toHaveLength(2);
  const [atMs = 0, againMs = 0] = sentAtMs;
  expect(againMs - atMs).toBeGreaterThanOrEqual(990);
  const metrics = await (await fetch(`${first.url}/metrics`)).text();
  expect(metrics).toContain(
    'bursar_rate_limit_refusals_total{kind="requests",scope="workspace"} 2',
  );
  expect(metrics).toContain('bursar_refusals_total{error_code="rate_limited"} 2');
});

test("two nodes together admit exactly the limit", async () => {
  await limit({ requests_per_minute: 600 });
  await waitForLimit(second);
  await delay(3_000);
  const beganMs = performance.now();
  const [a, b] = await Promise.all([
    sendLoad(first, { clients: 3, ms: 2_000, requests: 40 }),
    sendLoad(second, { clients: 3, ms: 2_000, requests: 40 }),
  ]);
  const lastedMs = performance.now() - beganMs;
  expect([...a.others, ...b.others]).toEqual([]);
  expect(a.sent + b.sent).toBeLessThanOrEqual(maxRequestsPerWindow(lastedMs, 600));
  expect(a.sent + b.sent).toBeGreaterThanOrEqual(40);
  expect(Math.min(a.sent, b.sent)).toBeGreaterThan(0);
});

test("the other node applies a changed limit and a removal within a second", async () => {
  const { id } = (await limit({ requests_per_minute: 600_000 })) as { id: string };
  await waitForLimit(second);
  await limit({ requests_per_minute: 1 });
  await withinSeconds(1, [first, second], "the other node to apply the lower limit", async () =>
    (await send(second)).status === 429 ? true : null,
  );
  await first.mustAdmin("DELETE", `/v1/admin/rate_limits/${id}`);
  await withinSeconds(1, [first, second], "the other node to apply no limit", async () =>
    (await send(second)).status === 200 ? true : null,
  );
});

test("a node without the database continues at the configured rate, and shares it again afterwards", async () => {
  await limit({ requests_per_minute: 600 });
  await waitForLimit(second);
  line.cut();
  const cutMs = performance.now();
  const alone = await sendLoad(second, { clients: 3, ms: 1_500, requests: 50 });
  expect(alone.others).toEqual([]);
  expect(alone.sent).toBeGreaterThanOrEqual(25);
  expect(alone.sent).toBeLessThanOrEqual(maxRequestsPerWindow(performance.now() - cutMs, 600));
  line.restore();
  await eventually(30_000, "the node to share the limit again", async () =>
    second.output().includes("rate limits are shared with the other nodes again") ? true : null,
  );
  const beganMs = performance.now();
  const [a, b] = await Promise.all([
    sendLoad(first, { clients: 2, ms: 1_000, requests: 1 }),
    sendLoad(second, { clients: 2, ms: 1_000, requests: 1 }),
  ]);
  expect([...a.others, ...b.others]).toEqual([]);
  expect(a.sent + b.sent).toBeLessThanOrEqual(
    maxRequestsPerWindow(performance.now() - beganMs, 600),
  );
});
