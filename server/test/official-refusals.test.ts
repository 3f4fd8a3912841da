import Current, { type ClientOptions } from "@anthropic-ai/sdk";
import Previous from "anthropic-sdk-previous";
import { afterAll, describe, expect } from "vitest";
import { eventually } from "./harness/eventually.ts";
import { messageJson } from "./harness/fake-upstream.ts";
import {
  type ServerProcess,
  startServer,
  stopAllServers,
  type WorkspaceWithKey,
} from "./harness/server-process.ts";
import { test } from "./harness/upstream-test.ts";

// Refusals by a spend limit in a program with an official SDK: class and message of the error, and the number of
// requests.

type Sdk = typeof Current;
const sdks: [string, Sdk][] = [
  ["current", Current],
  // Two releases of one SDK. The calls here are the same in both.
  ["previous", Previous as unknown as Sdk],
];

const MODEL = "claude-sonnet-5";
let server: ServerProcess;
let team: WorkspaceWithKey;

test.beforeAll(async ({ upstream }) => {
  server = await startServer({
    env: {
      ANTHROPIC_API_KEY: "upstream-key",
      ANTHROPIC_UPSTREAM_URL: upstream.origin,
      BURSAR_HOLD_WAIT: "1s",
    },
  });
}, 90_000);
afterAll(async () => {
  await stopAllServers();
});
test.beforeEach(async ({ upstream }) => {
  // One response of $10.20.
  const usage = { input_tokens: 100_000, output_tokens: 1_000_000 };
  upstream.script = (exchange) => exchange.json(messageJson({ model: MODEL, usage }));
  team = await server.workspaceWithKey();
});

const question = {
  model: MODEL,
  max_tokens: 1_000,
  messages: [{ role: "user" as const, content: "Hi" }],
};

interface Limit {
  state: string;
  spent_usd: string;
  held_usd: string;
  remaining_usd: string;
}

async function setLimit(limitUsd: number): Promise<void> {
  await server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: team.workspaceId,
    monthly_limit_usd: limitUsd,
    // The refusals of JSON and of streams are the same.
    hold: "whole",
  });
  await waitForLimit(({ state }) => state === "active");
}

function waitForLimit(isMatch: (limit: Limit) => boolean): Promise<Limit> {
  const path = `/v1/admin/workspaces/limits?workspace_id=${team.workspaceId}`;
  return eventually(30_000, `a limit where ${isMatch.toString()}`, async () => {
    const { data } = (await server.mustAdmin("GET", path)) as { data: Limit[] };
    const [limit] = data;
    return limit !== undefined && isMatch(limit) ? limit : null;
  });
}

/** Claude Code uses the SDK with its own user agent. */
const CLAUDE_CODE = { defaultHeaders: { "user-agent": "claude-cli/2.1.332 (external, cli)" } };

function makeClient(Sdk: Sdk, options: ClientOptions = {}) {
  const sentAtMs: number[] = [];
  const client = new Sdk({
    apiKey: team.key,
    baseURL: server.url,
    fetch: (input, init) => {
      sentAtMs.push(performance.now());
      return fetch(input, init);
    },
    ...options,
  });
  return { client, sentAtMs };
}

const requestKinds = [
  ["JSON", (client: Current) => client.messages.create(question)],
  ["a stream", (client: Current) => client.messages.create({ ...question, stream: true })],
  ["the stream helper", (client: Current) => client.messages.stream(question).finalMessage()],
] as const;

async function failureOf(call: PromiseLike<unknown>): Promise<InstanceType<Sdk["APIError"]>> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Current.APIError || error instanceof Previous.APIError) {
      return error as InstanceType<Sdk["APIError"]>;
    }
    throw error;
  }
  throw new Error("the call is refused");
}

describe.each(sdks)("the %s SDK", (_, Sdk) => {
  test.each(requestKinds)(
    "against a spent limit, with %s: BadRequestError with the official text, for Claude Code RateLimitError, after one request",
    async (_way, ask) => {
      const { client, sentAtMs } = makeClient(Sdk);
      await client.messages.create(question);
      await setLimit(10);
      await waitForLimit(({ spent_usd }) => spent_usd === "10.20");
      sentAtMs.length = 0;
      const error = await failureOf(ask(client));
      expect(error).toBeInstanceOf(Sdk.BadRequestError);
      expect(error.status).toBe(400);
      expect(error.message).toMatch(
        /You have reached your specified workspace API usage limits\. You will regain access on \d{4}-\d\d-01 at 00:00 UTC\. The monthly spend limit of workspace wksp_\w+ is \$10\.00; spent: \$10\.20\./,
      );
      expect(error.message).toMatch(
        /To ask for a higher limit, open http\S+\/increase-requests\/new\?scope=workspace&id=wksp_\w+&period=monthly"/,
      );
      expect(error.headers?.get("x-should-retry")).toBe("false");
      expect(error.requestID).toMatch(/^req_/);
      expect(sentAtMs).toHaveLength(1);
      const { client: claudeCode, sentAtMs: sentByClaudeCodeAtMs } = makeClient(Sdk, CLAUDE_CODE);
      const limited = await failureOf(ask(claudeCode));
      expect(limited).toBeInstanceOf(Sdk.RateLimitError);
      const details = { error_code: "spend_limit_reached", limit: { spent_usd: "10.20" } };
      expect(error.error).toMatchObject({ error: { details } });
      expect(limited.error).toMatchObject({ error: { type: "billing_error", details } });
      expect(limited.message).toContain("You have reached your specified workspace API usage");
      expect(sentByClaudeCodeAtMs).toHaveLength(1);
    },
  );

  test.each(requestKinds)(
    "with a wrong key, with %s: AuthenticationError after one request",
    async (_way, ask) => {
      const { client, sentAtMs } = makeClient(Sdk, { apiKey: "sk-ant-api03-wrong" });
      const error = await failureOf(ask(client));
      expect(error).toBeInstanceOf(Sdk.AuthenticationError);
      expect(error.headers?.get("x-should-retry")).toBe("false");
      expect(sentAtMs).toHaveLength(1);
    },
  );
});

test("while running requests hold the rest, both SDKs: RateLimitError after two retries, each after retry-after", {
  timeout: 120_000,
}, async ({ upstream }) => {
  await setLimit(0.02);
  upstream.script = () => undefined;
  const next = upstream.nextExchange();
  const holder = makeClient(Current).client.messages.create(question);
  const running = await next;
  // The limit shows the hold while the request runs.
  const limit = await waitForLimit(({ held_usd }) => held_usd !== "0.00");
  const rest = 0.02 - Number(limit.held_usd);
  expect([limit.spent_usd, Number(limit.remaining_usd)]).toEqual(["0.00", expect.closeTo(rest, 9)]);
  // Concurrent, because most of the time is waiting.
  const asked = await Promise.all(
    sdks.flatMap(([name, Sdk]) =>
      requestKinds.map(async ([way, ask]) => {
        const { client, sentAtMs } = makeClient(Sdk);
        return {
          way: `${name}: ${way}`,
          Sdk,
          client,
          sentAtMs,
          error: await failureOf(ask(client)),
        };
      }),
    ),
  );
  expect(asked.map(({ way }) => way)).toEqual([
    "current: JSON",
    "current: a stream",
    "current: the stream helper",
    "previous: JSON",
    "previous: a stream",
    "previous: the stream helper",
  ]);
  for (const { Sdk, error, sentAtMs } of asked) {
    expect(error).toBeInstanceOf(Sdk.RateLimitError);
    expect(error.message).toContain("Other requests hold what remains of a spend limit.");
    expect(error.error).toMatchObject({ error: { details: { error_code: "budget_held" } } });
    expect(error.headers?.get("retry-after")).toBe("2");
    expect(sentAtMs).toHaveLength(3);
    const waits = sentAtMs.slice(1).map((atMs, i) => atMs - (sentAtMs[i] ?? 0));
    for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(2_000);
  }
  upstream.script = (exchange) => exchange.json(messageJson());
  running.json(messageJson());
  await holder;
  await waitForLimit(({ held_usd, spent_usd }) => held_usd === "0.00" && spent_usd !== "0.00");
  for (const { client } of asked) {
    expect((await client.messages.create(question)).type).toBe("message");
  }
});

test("the tool runner starts a thread, and continues it: 200, 200, end_turn", async ({
  upstream,
}) => {
  upstream.script = (exchange) => {
    const hasResult = exchange.received.body.includes('"tool_result"');
    exchange.json(hasResult ? messageJson({ text: "It rains." }) : toolCall("get_weather"));
  };
  const statuses: number[] = [];
  const client = new Current({
    apiKey: team.key,
    baseURL: server.url,
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      statuses.push(response.status);
      return response;
    },
  });
  const asked: unknown[] = [];
  const runner = client.beta.messages.toolRunner({
    ...question,
    tools: [
      {
        name: "get_weather",
        description: "Weather of a city",
        input_schema: { type: "object", properties: { city: { type: "string" } } },
        parse: (input: unknown) => input,
        run: (input: unknown) => {
          asked.push(input);
          return "rain";
        },
      },
    ],
  });
  const message = await runner.runUntilDone();
  expect(message.stop_reason).toBe("end_turn");
  expect(asked).toEqual([{ city: "Berlin" }]);
  expect(statuses).toEqual([200, 200]);
  const threads = upstream.received.slice(-2).map(({ body }) => JSON.parse(body.toString()).thread);
  expect(threads).toEqual([
    { type: "create" },
    { type: "continue", previous_message_id: messageJson().id },
  ]);
});

test("a thread that the workspace does not own gets ThreadNotFoundError after one request", async () => {
  const { client, sentAtMs } = makeClient(Current);
  const thread = { type: "continue" as const, previous_message_id: "msg_of_another_workspace" };
  const error = await failureOf(client.beta.messages.create({ ...question, thread }));
  expect(error).toBeInstanceOf(Current.ThreadNotFoundError);
  expect(error).toMatchObject({ status: 404, details: { error_code: "thread_not_found" } });
  expect(sentAtMs).toHaveLength(1);
});

test("workspace_id of another workspace gets the same NotFoundError as an unknown one, after one request", async () => {
  const other = await server.workspaceWithKey();
  for (const id of [other.workspaceId, "wksp_unknown"]) {
    const { client, sentAtMs } = makeClient(Current);
    const error = await failureOf(client.messages.create({ ...question, workspace_id: id }));
    expect(error).toBeInstanceOf(Current.NotFoundError);
    expect(error.message).toContain(`Workspace \`${id}\` not found.`);
    expect(sentAtMs).toHaveLength(1);
  }
  const { client } = makeClient(Current);
  const own = { ...question, workspace_id: team.workspaceId };
  expect((await client.messages.create(own)).type).toBe("message");
});

test("a compressed body gets RequestBodyEncodingUnsupportedError", async () => {
  const { client, sentAtMs } = makeClient(Current);
  const headers = { "content-encoding": "gzip" };
  const error = await failureOf(client.messages.create(question, { headers }));
  expect(error).toBeInstanceOf(Current.RequestBodyEncodingUnsupportedError);
  expect(sentAtMs).toHaveLength(1);
});

function toolCall(name: string) {
  return {
    ...messageJson(),
    content: [{ type: "tool_use", id: "toolu_1", name, input: { city: "Berlin" } }],
    stop_reason: "tool_use",
  };
}
