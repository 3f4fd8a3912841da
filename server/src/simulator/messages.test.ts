import Anthropic from "@anthropic-ai/sdk";
import { afterAll, describe, expect, test } from "vitest";
import { makeUsageReader } from "#src/gateway/read-usage.ts";
import { eventsOf, hello, startTestSimulator, textOf } from "#test/harness/simulator.ts";
import type { SimulatedModel } from "./models.ts";
import type { AnswerUsage } from "./wire-answer.ts";

const simulator = await startTestSimulator();
const { origin, post, message } = simulator;
afterAll(() => simulator.close());

describe("responses", () => {
  test("have the types of the official SDK, at compile time", () => {
    const usage = (value: AnswerUsage): Anthropic.Usage => value;
    const model = (value: SimulatedModel): Anthropic.ModelInfo => value;
    expect([typeof usage, typeof model]).toEqual(["function", "function"]);
  });

  test("are byte-equal for the same body, as JSON and stream", async () => {
    for (const stream of [false, true]) {
      const body = { model: "claude-sonnet-5", stream, ...hello };
      expect(await post(body).then((got) => got.text)).toBe(
        await post(body).then((got) => got.text),
      );
    }
  });

  test("respect max_tokens, which also warms the cache with 0", async () => {
    const cut = await message({ ...hello, model: "claude-sonnet-5", max_tokens: 3 });
    expect(cut).toMatchObject({ stop_reason: "max_tokens", usage: { output_tokens: 3 } });
    expect(textOf(cut)).toBe("This is Bursar's");
    const warm = await message({ ...hello, model: "claude-sonnet-5", max_tokens: 0 });
    expect(warm).toMatchObject({
      stop_reason: "max_tokens",
      content: [],
      usage: { output_tokens: 0 },
    });
  });

  test("respect stop sequences", async () => {
    const got = await message({
      ...hello,
      model: "claude-sonnet-5",
      stop_sequences: ["never", " no Claude", "spent"],
    });
    expect(got).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: " no Claude" });
    expect(textOf(got)).toBe("This is Bursar's built-in simulator:");
  });

  test.each([undefined, "omitted"] as const)(
    "include requested thinking (display %s) and count it",
    async (display) => {
      const thinking = { type: "adaptive" as const, ...(display ? { display } : {}) };
      const params = { ...hello, model: "claude-opus-5", thinking };
      const created = await message(params);
      const [first, second] = created.content;
      expect(first).toMatchObject({ type: "thinking", signature: expect.stringMatching(/=$/) });
      expect(first?.type === "thinking" && first.thinking === "").toBe(display === "omitted");
      expect(second?.type).toBe("text");
      expect(created.usage.output_tokens_details?.thinking_tokens).toBeGreaterThan(10);
      const streamed = await new Anthropic({ apiKey: "k", baseURL: origin }).messages
        .stream(params)
        .finalMessage();
      expect(streamed.content).toEqual(created.content);
      expect(streamed.usage).toEqual(created.usage);
    },
  );

  test("count images, call a required tool and follow a JSON schema", async () => {
    const image = {
      type: "image",
      source: { type: "base64", media_type: "image/png", data: "AAAA" },
    };
    const seen = await message({
      model: "m",
      max_tokens: 99,
      messages: [{ role: "user", content: [image, image] }],
    });
    expect(textOf(seen)).toContain("The prompt shows 2 image(s).");
    expect(seen.usage.input_tokens).toBe(4 + 2 * 1_503);
    const tools = [
      { name: "a", input_schema: {} },
      { name: "b", input_schema: { properties: { x: { type: "boolean" } } } },
    ];
    const any = await message({ ...hello, model: "m", tools, tool_choice: { type: "any" } });
    expect(any.content[0]).toMatchObject({ type: "tool_use", name: "a" });
    const named = await message({
      ...hello,
      model: "m",
      tools,
      tool_choice: { type: "tool", name: "b" },
    });
    expect(named.content[0]).toMatchObject({ type: "tool_use", name: "b", input: { x: true } });
    const schema = {
      type: "object",
      properties: { n: { type: "array", items: { type: "number" } } },
    };
    const formatted = await message({
      ...hello,
      model: "m",
      output_config: { format: { type: "json_schema", schema } },
    });
    expect(JSON.parse(textOf(formatted))).toEqual({ n: [1] });
  });

  test("return the model of an alias, and an unknown model unchanged", async () => {
    expect((await message({ ...hello, model: "claude-haiku-4-5" })).model).toBe(
      "claude-haiku-4-5-20251001",
    );
    expect((await message({ ...hello, model: "claude-3-5-sonnet-latest" })).model).toBe(
      "claude-3-5-sonnet-20241022",
    );
    expect((await message({ ...hello, model: "claude-from-tomorrow" })).model).toBe(
      "claude-from-tomorrow",
    );
  });

  test("write the prompt cache first, then read it", async () => {
    const system = [
      { type: "text", text: "x".repeat(8_000), cache_control: { type: "ephemeral", ttl: "1h" } },
    ];
    const ask = async (text: string) => {
      const { usage } = await message({
        model: "claude-sonnet-5",
        max_tokens: 5,
        system,
        messages: [{ role: "user", content: text }],
      });
      return [usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation];
    };
    expect(await ask("one")).toEqual([
      4,
      0,
      { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 2_007 },
    ]);
    expect(await ask("twelve")).toEqual([
      5,
      2_007,
      { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    ]);
  });

  test("carry the official headers", async () => {
    const { headers } = await post({ ...hello, model: "claude-sonnet-5" });
    expect(headers["request-id"]).toMatch(/^req_[0-9A-Za-z]{24}$/);
    expect(headers["content-type"]).toBe("application/json");
    expect(headers["anthropic-ratelimit-requests-limit"]).toBe("4000");
    expect(headers["anthropic-ratelimit-output-tokens-reset"]).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    );
    expect(headers["content-encoding"]).toBeUndefined();
  });
});

describe("a stream", () => {
  test("is the whole official sequence of events, with cumulative usage at the end", async () => {
    const { text, headers } = await post({ ...hello, model: "simulate-words-3", stream: true });
    expect(headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    const events = eventsOf(text);
    expect(events.map((event) => event.type)).toEqual([
      "message_start",
      "content_block_start",
      "ping",
      "content_block_delta",
      "content_block_delta",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(events[0]).toMatchObject({
      message: { content: [], stop_reason: null, usage: { output_tokens: 1, input_tokens: 11 } },
    });
    expect(events[7]).toEqual({
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null, stop_details: null, container: null },
      usage: {
        input_tokens: 11,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: 3,
        output_tokens_details: null,
        server_tool_use: null,
      },
    });
  });

  test("has the same usage as its JSON, read by the gateway", async () => {
    const model =
      "simulate-usage-in10-out20-read30-write5m40-write1h50-search2-us-as-claude-opus-5";
    const json = makeUsageReader({ isStream: false });
    json.push(Buffer.from((await post({ ...hello, model })).text));
    const stream = makeUsageReader({ isStream: true });
    stream.push(Buffer.from((await post({ ...hello, model, stream: true })).text));
    const [fromJson, fromStream] = [await json.finish(), await stream.finish()];
    expect(fromStream.usage).toEqual(fromJson.usage);
    expect(fromStream).toMatchObject({ isComplete: true, isAtEventBoundary: true });
    expect(fromJson.usage).toEqual({
      model: "claude-opus-5",
      total: {
        inputTokens: 10,
        outputTokens: 20,
        cacheReadTokens: 30,
        cacheWrite5mTokens: 40,
        cacheWrite1hTokens: 50,
        webSearches: 2,
      },
      iterations: null,
      serviceTier: "standard",
      inferenceGeo: "us",
      speed: "standard",
    });
  });
});

describe("refusals in the official words", () => {
  test.each<[object | string, string]>([
    ["{", "The request body is not valid JSON."],
    ["[]", "Input should be an object"],
    [{ max_tokens: 1, messages: [] }, "model: Field required"],
    [{ model: "m", messages: [] }, "max_tokens: Field required"],
    [{ model: "m", max_tokens: 1 }, "messages: Field required"],
    [{ model: "m", max_tokens: 1, messages: [] }, "messages: at least one message is required"],
    [{ model: "m", max_tokens: 1, messages: {} }, "messages: Input should be a valid list"],
    [
      { model: "m", max_tokens: 1, messages: [{ role: "robot", content: "" }] },
      "messages.0.role: Input should be 'user', 'assistant' or 'system'",
    ],
    [
      { model: "m", max_tokens: 1, messages: [{ role: "user" }] },
      "messages.0.content: Field required",
    ],
    [{ model: "m", max_tokens: 1.5, messages: [] }, "max_tokens: Input should be a valid integer"],
    [{ ...hello, model: "m", tools: {} }, "tools: Input should be a valid list"],
    [
      { ...hello, model: "m", thinking: { type: "enabled", budget_tokens: 2_000 } },
      "`max_tokens` must be greater than `thinking.budget_tokens`.",
    ],
    [
      { ...hello, model: "m", tools: [], tool_choice: { type: "tool", name: "x" } },
      "Tool 'x' not found in provided tools",
    ],
    [
      { ...hello, model: "claude-3-haiku-20240307", max_tokens: 5_000 },
      "max_tokens: 5000 > 4096, which is the maximum allowed number of output tokens for claude-3-haiku-20240307",
    ],
    [
      { ...hello, model: "claude-haiku-4-5", inference_geo: "us" },
      "inference_geo: not supported by claude-haiku-4-5-20251001",
    ],
  ])("%j", async (body, text) => {
    const got = await post(body);
    expect([got.status, JSON.parse(got.text)]).toEqual([
      400,
      {
        type: "error",
        error: { type: "invalid_request_error", message: text },
        request_id: got.headers["request-id"],
      },
    ]);
  });

  test("33 MB, and an unknown path", async () => {
    expect((await post(`"${"x".repeat(33 * 1024 * 1024)}"`)).status).toBe(413);
    expect((await post({}, "/v1/complete")).status).toBe(404);
  });
});
