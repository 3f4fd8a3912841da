import OpenAI from "openai";
import { afterAll, describe, expect } from "vitest";
import {
  blockStart,
  messageEvents,
  messageJson,
  messageStart,
  sse,
  textDelta,
} from "#test/harness/fake-upstream.ts";
import { call, startTestGateway, type TestGateway } from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { test } from "#test/harness/upstream-test.ts";

const request = {
  model: "claude-sonnet-4-5",
  max_completion_tokens: 1_000,
  messages: [{ role: "user" as const, content: "Hello" }],
};

const tools = [
  {
    type: "function" as const,
    function: {
      name: "get_weather",
      description: "Weather of a city",
      parameters: { type: "object", properties: { city: { type: "string" } } },
      strict: true,
    },
  },
];

/** A stream that says one word and then calls two tools. */
const toolEvents = [
  messageStart({ input_tokens: 40, cache_read_input_tokens: 2 }),
  blockStart,
  textDelta("Looking"),
  sse("content_block_stop", { index: 0 }),
  ...toolBlock(1, "toolu_1", ['{"city":', '"Bern"}']),
  ...toolBlock(2, "toolu_2", ['{"city":"Rome"}']),
  sse("message_delta", { delta: { stop_reason: "tool_use" }, usage: { output_tokens: 30 } }),
  sse("message_stop", {}),
];

function toolBlock(index: number, id: string, parts: readonly string[]): string[] {
  const block = { type: "tool_use", id, name: "get_weather", input: {} };
  return [
    sse("content_block_start", { index, content_block: block }),
    ...parts.map((partial_json) =>
      sse("content_block_delta", { index, delta: { type: "input_json_delta", partial_json } }),
    ),
    sse("content_block_stop", { index }),
  ];
}

describeEachReader(() => {
  let gateway: TestGateway;
  test.beforeAll(async ({ upstream }) => {
    gateway = await startTestGateway({ origin: upstream.origin });
  });
  afterAll(async () => {
    await gateway.close();
  });
  test.beforeEach(({ upstream }) => {
    upstream.received.splice(0);
    gateway.ends.splice(0);
  });

  const makeClient = (apiKey = gateway.secret) =>
    new OpenAI({ apiKey, baseURL: `${gateway.origin}/v1`, maxRetries: 0, organization: "org-1" });

  describe("a completion of the OpenAI SDK", () => {
    test("becomes a message, with its answer in the official shape", async ({ upstream }) => {
      upstream.script = (exchange) =>
        exchange.json(messageJson({ text: "Hi", usage: { cache_read_input_tokens: 7 } }));
      const { data, request_id: requestId } = await makeClient()
        .chat.completions.create({
          ...request,
          messages: [{ role: "system", content: "Be short." }, ...request.messages],
        })
        .withResponse();
      expect(data).toEqual({
        id: "msg_01",
        choices: [
          {
            finish_reason: "stop",
            index: 0,
            logprobs: null,
            message: { role: "assistant", content: "Hi", refusal: null },
          },
        ],
        created: expect.closeTo(Date.now() / 1_000, -2),
        model: "claude-sonnet-4-5-20250929",
        object: "chat.completion",
        service_tier: null,
        system_fingerprint: null,
        usage: {
          completion_tokens: 5,
          prompt_tokens: 17,
          total_tokens: 22,
          completion_tokens_details: null,
          prompt_tokens_details: null,
        },
      });
      expect(requestId).toBe("req_upstream");
      const [received] = upstream.received;
      expect(received?.url).toBe("/v1/messages");
      expect(received?.headers["openai-organization"]).toBe(undefined);
      expect(received?.headers["anthropic-version"]).toBe("2023-06-01");
      expect(JSON.parse(String(received?.body))).toEqual({
        model: "claude-sonnet-4-5",
        max_tokens: 1_000,
        system: "Be short.",
        messages: [{ role: "user", content: "Hello" }],
      });
      expect(await gateway.end()).toMatchObject({
        requestedModel: "claude-sonnet-4-5",
        outcome: "answered",
        usage: { inputTokens: 10, cacheReadTokens: 7, outputTokens: 5 },
      });
    });

    test("with a body that arrives in parts is served the same", async ({ upstream }) => {
      upstream.script = (exchange) => exchange.json(messageJson({ text: "Long" }));
      const content = "é".repeat(400_000);
      const completion = await makeClient().chat.completions.create({
        ...request,
        messages: [{ role: "user", content }],
      });
      expect(completion.choices[0]?.message.content).toBe("Long");
      const sent = JSON.parse(String(upstream.received[0]?.body));
      expect(sent.messages[0].content).toBe(content);
    });

    test("with tools gets their calls, and sends results back", async ({ upstream }) => {
      const block = {
        type: "tool_use",
        id: "toolu_1",
        name: "get_weather",
        input: { city: "Bern" },
      };
      upstream.script = (exchange) =>
        exchange.json({ ...messageJson(), content: [block], stop_reason: "tool_use" });
      const first = await makeClient().chat.completions.create({
        ...request,
        tools,
        tool_choice: "required",
        parallel_tool_calls: false,
      });
      expect(first.choices[0]).toMatchObject({
        finish_reason: "tool_calls",
        message: {
          content: null,
          tool_calls: [
            {
              id: "toolu_1",
              type: "function",
              function: { name: "get_weather", arguments: '{"city":"Bern"}' },
            },
          ],
        },
      });
      expect(JSON.parse(String(upstream.received[0]?.body))).toMatchObject({
        tools: [
          {
            name: "get_weather",
            description: "Weather of a city",
            input_schema: { type: "object", properties: { city: { type: "string" } } },
          },
        ],
        tool_choice: { type: "any", disable_parallel_tool_use: true },
      });
      const [choice] = first.choices;
      if (choice === undefined) throw new Error("no choice");
      upstream.script = (exchange) => exchange.json(messageJson({ text: "Sunny" }));
      await makeClient().chat.completions.create({
        ...request,
        tools,
        messages: [
          ...request.messages,
          choice.message,
          { role: "tool", tool_call_id: "toolu_1", content: "sunny" },
        ],
      });
      expect(JSON.parse(String(upstream.received[1]?.body)).messages).toEqual([
        { role: "user", content: "Hello" },
        { role: "assistant", content: [block] },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "sunny" }],
        },
      ]);
    });
  });

  describe("a stream of the OpenAI SDK", () => {
    test("has the text, the reason of its end, and no usage by default", async ({ upstream }) => {
      upstream.script = (exchange) => exchange.stream(messageEvents(3, { output_tokens: 9 }));
      const stream = await makeClient().chat.completions.create({ ...request, stream: true });
      const chunks: OpenAI.ChatCompletionChunk[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      const texts = chunks.map(({ choices }) => choices[0]?.delta.content ?? "");
      expect(texts.join("")).toBe("word 0 word 1 word 2 ");
      expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
      expect(chunks.every(({ id, model }) => id === "msg_01" && model !== "")).toBe(true);
      expect(chunks.some((chunk) => "usage" in chunk)).toBe(false);
      expect(await gateway.end()).toMatchObject({
        outcome: "answered",
        isStream: true,
        usage: { inputTokens: 10, outputTokens: 9 },
      });
    });

    test("has tool calls and usage that the SDK's runner joins", async ({ upstream }) => {
      upstream.script = async (exchange) => {
        exchange.startStream();
        const bytes = Buffer.from(toolEvents.join(""));
        // Splits inside of names, values and line ends.
        for (let at = 0; at < bytes.length; at += 97) {
          await exchange.write(bytes.subarray(at, at + 97));
        }
        exchange.response.end();
      };
      const stream = makeClient().chat.completions.stream({
        ...request,
        tools,
        stream_options: { include_usage: true },
      });
      const completion = await stream.finalChatCompletion();
      expect(completion.choices[0]?.finish_reason).toBe("tool_calls");
      expect(completion.choices[0]?.message).toMatchObject({
        content: "Looking",
        tool_calls: [
          { id: "toolu_1", function: { name: "get_weather", arguments: '{"city":"Bern"}' } },
          { id: "toolu_2", function: { name: "get_weather", arguments: '{"city":"Rome"}' } },
        ],
      });
      expect(completion.usage).toEqual({
        completion_tokens: 30,
        prompt_tokens: 42,
        total_tokens: 72,
        completion_tokens_details: null,
        prompt_tokens_details: null,
      });
    });

    test("with an error event fails with the error's cause", async ({ upstream }) => {
      const error = { type: "overloaded_error", message: "Overloaded" };
      upstream.script = (exchange) =>
        exchange.stream([messageStart(), blockStart, textDelta("a"), sse("error", { error })]);
      const stream = await makeClient().chat.completions.create({ ...request, stream: true });
      const read = async () => {
        for await (const _ of stream);
      };
      await expect(read()).rejects.toMatchObject({ type: "overloaded_error", error });
    });

    test("that breaks after some text ends with an error of this server", async ({ upstream }) => {
      upstream.script = async (exchange) => {
        exchange.startStream();
        await exchange.write(messageStart() + blockStart + textDelta("a"));
        exchange.socket.destroy();
      };
      const stream = await makeClient().chat.completions.create({ ...request, stream: true });
      const read = async () => {
        for await (const _ of stream);
      };
      await expect(read()).rejects.toMatchObject({ code: "upstream_connection_lost" });
    });

    test("that the client ends also ends the upstream's stream", async ({ upstream }) => {
      const arrived = upstream.nextExchange();
      upstream.script = async (exchange) => {
        exchange.startStream();
        for (const event of messageEvents(2).slice(0, 4)) await exchange.write(event);
      };
      const stream = await makeClient().chat.completions.create({ ...request, stream: true });
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
      const exchange = await arrived;
      await exchange.closed;
      expect(exchange.isCut()).toBe(true);
      expect((await gateway.end()).outcome).toBe("aborted");
    });
  });

  describe("a failure", () => {
    test("of the key is an AuthenticationError with the server's request id", async () => {
      const failed = makeClient("sk-ant-api03-wrong").chat.completions.create(request);
      await expect(failed).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
      await expect(failed).rejects.toMatchObject({
        status: 401,
        type: "authentication_error",
        requestID: expect.stringMatching(/^req_/),
      });
    });

    test("of a field names the field, and reaches no upstream", async ({ upstream }) => {
      const failed = makeClient().chat.completions.create({ ...request, n: 2 });
      await expect(failed).rejects.toMatchObject({
        status: 400,
        code: "invalid_fields",
        param: "n",
      });
      expect(upstream.received).toEqual([]);
    });

    test("of the upstream keeps status and headers for retries", async ({ upstream }) => {
      const error = { type: "rate_limit_error", message: "Slow down" };
      upstream.script = (exchange) =>
        exchange.json(
          { type: "error", error, request_id: "req_upstream" },
          { status: 429, headers: { "retry-after": "7", "x-should-retry": "false" } },
        );
      const failed = makeClient().chat.completions.create(request);
      await expect(failed).rejects.toBeInstanceOf(OpenAI.RateLimitError);
      const thrown: unknown = await failed.catch((caught: unknown) => caught);
      if (!(thrown instanceof OpenAI.RateLimitError)) throw thrown;
      expect(thrown.headers.get("retry-after")).toBe("7");
      expect(thrown.headers.get("x-should-retry")).toBe("false");
      expect(thrown.error).toEqual({
        code: "rate_limit_error",
        message: "Slow down",
        type: "rate_limit_error",
        param: null,
      });
    });

    test("without JSON passes as it is", async ({ upstream }) => {
      upstream.script = ({ response }) => {
        response.writeHead(502, { "content-type": "text/html" });
        response.end("<h1>Bad gateway</h1>");
      };
      const answer = await callChat({ body: JSON.stringify(request) });
      expect(answer).toMatchObject({ status: 502, text: "<h1>Bad gateway</h1>" });
    });

    test("of a long body is answered before its end", async () => {
      const answer = await callChat({
        headers: { "content-length": String(33 * 1024 * 1024) },
        body: "{",
      });
      expect(answer.status).toBe(413);
      expect(JSON.parse(answer.text).error).toMatchObject({ code: "request_too_large" });
    });
  });

  test("lists the models of the Claude API", async ({ upstream }) => {
    upstream.script = (exchange) =>
      exchange.json({
        data: [{ type: "model", id: "claude-sonnet-5-5", display_name: "Claude Sonnet 5.5" }],
        has_more: false,
        first_id: "claude-sonnet-5-5",
        last_id: "claude-sonnet-5-5",
      });
    const ids: string[] = [];
    for await (const { id } of makeClient().models.list()) ids.push(id);
    expect(ids).toEqual(["claude-sonnet-5-5"]);
  });

  test("rate limits have the names that the OpenAI SDKs read", async ({ upstream }) => {
    const reset = new Date(Date.now() + 30_000).toISOString();
    upstream.script = (exchange) =>
      exchange.json(messageJson(), {
        headers: {
          "anthropic-ratelimit-requests-limit": "50",
          "anthropic-ratelimit-requests-remaining": "49",
          "anthropic-ratelimit-tokens-reset": reset,
        },
      });
    const { response } = await makeClient().chat.completions.create(request).withResponse();
    expect(response.headers.get("x-ratelimit-limit-requests")).toBe("50");
    expect(response.headers.get("x-ratelimit-remaining-requests")).toBe("49");
    expect(response.headers.get("x-ratelimit-reset-tokens")).toMatch(/^(?:29|30)s$/);
  });

  function callChat(options: { headers?: Record<string, string>; body: string }) {
    return call(gateway.origin, {
      method: "POST",
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${gateway.secret}`, ...options.headers },
      body: options.body,
    });
  }
});
