import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import PreviousAnthropic from "anthropic-sdk-previous";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeUsageReader } from "#src/gateway/read-usage.ts";
import type { SimulatedModel } from "./models.ts";
import { type Simulator, startSimulator } from "./server.ts";
import type { AnswerUsage } from "./wire-answer.ts";

let simulator: Simulator;
let origin: string;

beforeAll(async () => {
  simulator = await startSimulator({ port: 0 });
  if (!("origin" in simulator.address)) throw new Error("a port was asked for");
  origin = simulator.address.origin;
});

afterAll(() => simulator.close());

const hello = { max_tokens: 1000, messages: [{ role: "user" as const, content: "Hello, Claude" }] };

describe.each(["1.14.0", "0.137.0"])("the official SDK %s", (version) => {
  const client = () => {
    const options = { apiKey: "sk-ant-test", baseURL: origin, maxRetries: 0 };
    return version === "1.14.0"
      ? new Anthropic(options)
      : // Another release of the SDK with the same calls.
        (new PreviousAnthropic(options) as unknown as Anthropic);
  };

  test("creates a message with an old model", async () => {
    const message = await client().messages.create({
      model: "claude-3-5-sonnet-20241022",
      ...hello,
    });
    expect(message).toMatchObject({
      type: "message",
      role: "assistant",
      model: "claude-3-5-sonnet-20241022",
      stop_reason: "end_turn",
      stop_sequence: null,
    });
    expect(textOf(message)).toContain("You wrote: Hello, Claude");
    expect(message._request_id).toMatch(/^req_/);
    expect(message.usage).toEqual({
      input_tokens: 11,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      output_tokens: message.usage.output_tokens,
      output_tokens_details: null,
      server_tool_use: null,
      service_tier: "standard",
      speed: "standard",
      inference_geo: "not_available",
    });
    expect(message.usage.output_tokens).toBeGreaterThan(20);
  });

  test("streams the same message as it creates", async () => {
    const params = { model: "claude-sonnet-5", ...hello };
    const { id, ...created } = await client().messages.create(params);
    const { id: _, ...streamed } = await client().messages.stream(params).finalMessage();
    expect(streamed).toMatchObject(created);
  });

  test("counts the tokens that the message reports", async () => {
    const params = { model: "claude-sonnet-5", messages: hello.messages, system: "Be brief." };
    const counted = await client().messages.countTokens(params);
    const message = await client().messages.create({ ...params, max_tokens: 10 });
    expect(counted).toEqual({ input_tokens: message.usage.input_tokens });
  });

  test("lists models page by page, and finds one by its alias", async () => {
    const ids: string[] = [];
    for await (const model of client().models.list({ limit: 5 })) ids.push(model.id);
    expect(ids.length).toBeGreaterThan(15);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain("claude-sonnet-4-5-20250929");
    expect((await client().models.retrieve("claude-sonnet-4-5")).id).toBe(
      "claude-sonnet-4-5-20250929",
    );
    const missing = client().models.retrieve("claude-none");
    await expect(missing).rejects.toMatchObject({ status: 404, type: "not_found_error" });
  });

  test("calls a tool and ends after its result", async () => {
    const params: Anthropic.MessageCreateParamsNonStreaming = {
      model: "claude-opus-5",
      max_tokens: 500,
      tools: [
        {
          name: "get_weather",
          input_schema: {
            type: "object",
            properties: {
              city: { type: "string" },
              unit: { enum: ["C", "F"] },
              days: { type: "integer" },
            },
          },
        },
      ],
      messages: [{ role: "user", content: "Please use get_weather." }],
    };
    const call = await client().messages.create(params);
    expect(call.stop_reason).toBe("tool_use");
    const use = call.content[0];
    if (use?.type !== "tool_use") throw new Error("a tool call was expected");
    expect(use).toMatchObject({
      name: "get_weather",
      input: { city: "sample city", unit: "C", days: 1 },
    });
    const { id: _, ...streamed } = await client()
      .messages.stream({ ...params })
      .finalMessage();
    expect(streamed.content).toEqual(
      call.content.map((block) => ({ ...block, id: expect.any(String) })),
    );
    const done = await client().messages.create({
      ...params,
      messages: [
        ...params.messages,
        {
          role: "assistant",
          content: [{ type: "tool_use", id: use.id, name: use.name, input: use.input }],
        },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: use.id, content: "get_weather: sunny" }],
        },
      ],
    });
    expect(done.stop_reason).toBe("end_turn");
  });

  test("gets official errors as its own classes", async () => {
    const failing = (model: string) => client().messages.create({ model, ...hello });
    await expect(failing("simulate-overloaded")).rejects.toMatchObject({
      status: 529,
      type: "overloaded_error",
    });
    await expect(failing("simulate-error-401")).rejects.toMatchObject({
      status: 401,
      type: "authentication_error",
    });
    const limited = await failing("simulate-error-429").catch((error: unknown) => error);
    expect(limited).toMatchObject({ status: 429, type: "rate_limit_error" });
    expect((limited as InstanceType<typeof Anthropic.APIError>).headers?.get("retry-after")).toBe(
      "1",
    );
  });
});

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

describe("failures", () => {
  test("cut: the connection ends after so many events", async () => {
    const got = await broken({ ...hello, model: "simulate-cut-4", stream: true });
    expect(eventsOf(got).map((event) => event.type)).toEqual([
      "message_start",
      "content_block_start",
      "ping",
      "content_block_delta",
    ]);
  });

  test("tear: in the middle of the next event", async () => {
    const got = await broken({ ...hello, model: "simulate-tear-1", stream: true });
    expect(got).toMatch(/^event: message_start\n.*\n\nevent: content_block_start\ndata: \{[^\n]*$/);
  });

  test("cut of a JSON response: half of it", async () => {
    const got = await broken({ ...hello, model: "simulate-cut-1" });
    expect(got).toMatch(/^\{"id":"msg_/);
    expect(() => JSON.parse(got)).toThrow(SyntaxError);
  });

  test("cut before everything: not even headers", async () => {
    await expect(post({ ...hello, model: "simulate-cut" })).rejects.toThrow("socket hang up");
  });

  test("break: an error event inside the stream", async () => {
    const { text } = await post({ ...hello, model: "simulate-break-2", stream: true });
    expect(eventsOf(text).at(-1)).toEqual({
      type: "error",
      error: { type: "overloaded_error", message: "Overloaded" },
    });
    expect(eventsOf(text)).toHaveLength(3);
  });

  test("hang: silence until the client disconnects", async () => {
    const asked = send({ ...hello, model: "simulate-hang", metadata: { user_id: "hanging" } });
    let answered = false;
    asked.on("response", () => {
      answered = true;
    });
    while (!(await received()).user_ids.includes("hanging"));
    expect(answered).toBe(false);
    asked.on("error", () => {});
    asked.destroy();
  });

  test("hang-2: silence after two events", async () => {
    const response = await open({ ...hello, model: "simulate-hang-2", stream: true });
    let text = "";
    for await (const chunk of response) {
      text += String(chunk);
      if (eventsOf(text).length === 2) break;
    }
    expect(eventsOf(text)).toHaveLength(2);
  });

  test("slow and pace: not before the requested time", async () => {
    const startedMs = performance.now();
    const { text } = await post({
      ...hello,
      model: "simulate-slow-50-pace-10-words-2",
      stream: true,
    });
    expect(eventsOf(text)).toHaveLength(8);
    expect(performance.now() - startedMs).toBeGreaterThan(50 + 7 * 9);
  });

  test("refuse: stop_reason refusal", async () => {
    expect(await message({ ...hello, model: "simulate-refuse" })).toMatchObject({
      model: "claude-sonnet-5",
      content: [],
      stop_reason: "refusal",
      stop_details: { type: "refusal" },
    });
  });

  test("names an unknown word", async () => {
    const got = await post({ ...hello, model: "simulate-nonsense" });
    expect([got.status, JSON.parse(got.text).error.message]).toEqual([
      404,
      'model: simulate-nonsense (the simulator does not understand "nonsense")',
    ]);
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

describe("models", () => {
  const list = async (query: string) => JSON.parse((await get(`/v1/models?${query}`)).text);
  test("are paged in both directions", async () => {
    const all = await list("limit=1000");
    const ids = all.data.map((model: SimulatedModel) => model.id);
    expect(all).toMatchObject({ has_more: false, first_id: ids[0], last_id: ids.at(-1) });
    const page = await list(`limit=3&after_id=${ids[1]}`);
    expect(page.data.map((model: SimulatedModel) => model.id)).toEqual(ids.slice(2, 5));
    expect(page.has_more).toBe(true);
    const back = await list(`limit=3&before_id=${ids[4]}`);
    expect(back.data.map((model: SimulatedModel) => model.id)).toEqual(ids.slice(1, 4));
    expect(back.has_more).toBe(true);
  });

  test("include retired ones only on request, and reject an invalid limit", async () => {
    const shown = (await list("limit=1000")).data.map((model: SimulatedModel) => model.lifecycle);
    expect(new Set(shown)).toEqual(new Set(["active", "deprecated"]));
    const retired = await list("lifecycle%5B%5D=retired");
    expect(retired.data.map((model: SimulatedModel) => model.id)).toContain(
      "claude-3-5-sonnet-20241022",
    );
    expect((await get("/v1/models?limit=0")).status).toBe(400);
  });
});

describe("the log of requests", () => {
  test("counts each message and stores user ids, except of refused ones", async () => {
    const before = await received();
    for (const id of ["a", "b"]) await post({ ...hello, model: "m", metadata: { user_id: id } });
    await post("{");
    await post({ ...hello, model: "m" }, "/v1/messages/count_tokens");
    const after = await received();
    expect(after.count - before.count).toBe(3);
    expect(after.user_ids.slice(-2)).toEqual(["a", "b"]);
    expect(JSON.parse((await get("/simulator/requests?last=1")).text).user_ids).toEqual(["b"]);
  });
});

describe("listening", () => {
  test("uses a socket only for its owner, and replaces one of a killed process", async () => {
    const folder = mkdtempSync(join(tmpdir(), "simulator-"));
    const socketPath = join(folder, "s.sock");
    const first = await startSimulator({ socketPath });
    expect(first.address).toEqual({ socketPath });
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    const second = await startSimulator({ socketPath });
    const asked = httpRequest({ socketPath, path: "/api/hello", method: "HEAD" }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    await second.close();
    await first.close();
    writeFileSync(socketPath, "not a socket");
    await expect(startSimulator({ socketPath })).rejects.toThrow("EADDRINUSE");
    rmSync(folder, { recursive: true });
  });

  test("closing ends running responses", async () => {
    const own = await startSimulator({ port: 0 });
    if (!("origin" in own.address)) throw new Error("a port was asked for");
    const response = await open(
      { ...hello, model: "simulate-hang-1", stream: true },
      own.address.origin,
    );
    const ended = new Promise((resolve) => response.on("close", resolve));
    response.on("error", () => {});
    response.resume();
    await own.close();
    await ended;
  });
});

interface Got {
  status: number;
  headers: IncomingMessage["headers"];
  text: string;
}

function send(body: object | string, base = origin, path = "/v1/messages") {
  const request = httpRequest(`${base}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  request.end(typeof body === "string" ? body : JSON.stringify(body));
  return request;
}

async function open(body: object | string, base = origin, path?: string): Promise<IncomingMessage> {
  const [response] = (await once(send(body, base, path), "response")) as [IncomingMessage];
  return response;
}

async function read(response: IncomingMessage): Promise<Got> {
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

async function post(body: object | string, path?: string): Promise<Got> {
  return read(await open(body, origin, path));
}

async function get(path: string): Promise<Got> {
  const [response] = (await once(httpRequest(`${origin}${path}`).end(), "response")) as [
    IncomingMessage,
  ];
  return read(response);
}

/** The received part of a response that must not be complete. */
async function broken(body: object): Promise<string> {
  const response = await open(body);
  let text = "";
  const reading = async () => {
    for await (const chunk of response) text += String(chunk);
  };
  await expect(reading()).rejects.toThrow("aborted");
  return text;
}

async function received(): Promise<{ count: number; user_ids: string[] }> {
  return JSON.parse((await get("/simulator/requests")).text);
}

async function message(body: object): Promise<Anthropic.Message> {
  const got = await post(body);
  expect(got.status).toBe(200);
  return JSON.parse(got.text);
}

function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

function eventsOf(text: string): { type: string }[] {
  return [...text.matchAll(/^event: (.*)\ndata: (.*)\n\n/gm)].map(([, name, data = ""]) => {
    const event = JSON.parse(data) as { type: string };
    expect(event.type).toBe(name);
    return event;
  });
}
