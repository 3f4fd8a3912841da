import AnthropicBedrock, { AnthropicBedrockMantle } from "@anthropic-ai/bedrock-sdk";
import Anthropic from "@anthropic-ai/sdk";
import { EventStreamCodec } from "@smithy/eventstream-codec";
import { afterAll, expect } from "vitest";
import {
  type FakeUpstream,
  messageEvents,
  messageJson,
  messageStart,
} from "#test/harness/fake-upstream.ts";
import { call, startTestGateway, type TestGateway, withKey } from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { openVertexSdk } from "#test/harness/platforms/open-vertex-sdk.ts";
import { test } from "#test/harness/upstream-test.ts";

const message = {
  max_tokens: 100,
  messages: [{ role: "user" as const, content: "Hello" }],
};
const bedrockModel = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
const officialModel = "claude-sonnet-4-5-20250929";

interface Calls {
  request: typeof message & { model: string };
  /** Fields of the token count. */
  counted: Anthropic.MessageCountTokensParams;
}

/** Sends a message, a stream and a token count. Returns what the upstream received, in the official form. */
async function sendEach(
  upstream: FakeUpstream,
  { messages }: { messages: Pick<Anthropic["messages"], "create" | "stream" | "countTokens"> },
  { request, counted }: Calls,
) {
  const from = upstream.received.length;
  upstream.script = (exchange) => exchange.json(messageJson());
  expect(await messages.create(request)).toMatchObject(messageJson());
  upstream.script = (exchange) => exchange.stream(messageEvents());
  expect(await messages.stream(request).finalText()).toBe("word 0 word 1 word 2 ");
  upstream.script = (exchange) => exchange.json({ input_tokens: 42 });
  expect(await messages.countTokens(counted)).toMatchObject({ input_tokens: 42 });
  const sent = upstream.received.slice(from);
  expect(sent.map(({ url }) => url)).toEqual([
    "/v1/messages",
    "/v1/messages",
    "/v1/messages/count_tokens",
  ]);
  return sent;
}

describeEachReader(() => {
  let gateway: TestGateway;
  test.beforeAll(async ({ upstream }) => {
    gateway = await startTestGateway({ origin: upstream.origin });
  });
  afterAll(() => gateway.close());

  function send(request: { method?: string; path: string; body: string }) {
    return call(gateway.origin, { ...request, headers: withKey(gateway.secret) });
  }

  function openBedrock() {
    return new AnthropicBedrock({
      baseURL: `${gateway.origin}/bedrock`,
      awsRegion: "eu-central-1",
      apiKey: gateway.secret,
      maxRetries: 0,
    });
  }

  test("a message of the Bedrock SDK becomes the official one", async ({ upstream }) => {
    upstream.script = (exchange) => exchange.json(messageJson());
    const from = upstream.received.length;
    const answer = await openBedrock().beta.messages.create({
      ...message,
      model: bedrockModel,
      betas: ["interleaved-thinking-2025-05-14"],
    });
    expect(answer).toMatchObject(messageJson());
    const received = upstream.received[from];
    expect(received?.url).toBe("/v1/messages");
    expect(JSON.parse(String(received?.body))).toEqual({ ...message, model: officialModel });
    expect(received?.headers).toMatchObject({
      "anthropic-version": "2026-10-21",
      "anthropic-beta": "interleaved-thinking-2025-05-14",
    });
  });

  test("a stream of the Bedrock SDK has the official events in frames", async ({ upstream }) => {
    upstream.script = (exchange) => exchange.stream(messageEvents(5));
    const stream = openBedrock().messages.stream({ ...message, model: bedrockModel });
    expect(await stream.finalText()).toBe("word 0 word 1 word 2 word 3 word 4 ");
  });

  test("frames have the checksums that AWS's codec verifies", async ({ upstream }) => {
    const events = messageEvents(2);
    upstream.script = (exchange) => exchange.stream(events);
    const { status, headers, body } = await send({
      path: `/bedrock/model/${encodeURIComponent(bedrockModel)}/invoke-with-response-stream`,
      body: JSON.stringify({ ...message, anthropic_version: "bedrock-2023-05-31" }),
    });
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("application/vnd.amazon.eventstream");
    expect(headers["x-amzn-requestid"]).toBe("req_upstream");
    const codec = new EventStreamCodec(
      (bytes) => Buffer.from(bytes as Uint8Array).toString(),
      (text) => Buffer.from(text),
    );
    const sent: string[] = [];
    for (let at = 0; at < body.length; ) {
      const length = body.readUInt32BE(at);
      const frame = codec.decode(body.subarray(at, at + length));
      const { bytes } = JSON.parse(Buffer.from(frame.body).toString()) as { bytes: string };
      sent.push(Buffer.from(bytes, "base64").toString());
      at += length;
    }
    expect(sent).toEqual(events.map((event) => /^data: (.*)$/m.exec(event)?.[1]));
  });

  test("an error inside a stream becomes an exception of AWS", async ({ upstream }) => {
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    upstream.script = (exchange) =>
      exchange.stream([messageStart(), `event: error\ndata: ${JSON.stringify(error)}\n\n`]);
    const stream = openBedrock().messages.stream({ ...message, model: bedrockModel });
    await expect(stream.finalText()).rejects.toThrow(/serviceUnavailableException.*Overloaded/);
  });

  test("an error has the forms of AWS and of the Claude API", async ({ upstream }) => {
    upstream.script = (exchange) => exchange.json(messageJson());
    const { status, headers, body } = await send({
      path: `/bedrock/model/${bedrockModel}/invoke`,
      body: JSON.stringify({ ...message, messages: 7 }),
    });
    expect(status).toBe(400);
    expect(headers["x-amzn-errortype"]).toBe("ValidationException");
    expect(JSON.parse(body.toString())).toMatchObject({
      message: "messages: Input should be a valid list",
      type: "error",
      error: { type: "invalid_request_error" },
    });
  });

  test("a lack of capacity is the 503 that AWS's clients retry", async ({ upstream }) => {
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    upstream.script = (exchange) => exchange.json(error, { status: 529 });
    const { status, headers } = await send({
      path: `/bedrock/model/${bedrockModel}/invoke`,
      body: JSON.stringify(message),
    });
    expect(status).toBe(503);
    expect(headers["x-amzn-errortype"]).toBe("ServiceUnavailableException");
  });

  test("counts the body of Bedrock's CountTokens", async ({ upstream }) => {
    upstream.script = (exchange) => exchange.json({ input_tokens: 42 });
    const from = upstream.received.length;
    const counted = Buffer.from(
      JSON.stringify({ ...message, anthropic_version: "bedrock-2023-05-31" }),
    );
    const { body } = await send({
      path: `/bedrock/model/${bedrockModel}/count-tokens`,
      body: JSON.stringify({ input: { invokeModel: { body: counted.toString("base64") } } }),
    });
    expect(body.toString()).toBe('{"inputTokens":42}');
    const received = upstream.received[from];
    expect(received?.url).toBe("/v1/messages/count_tokens");
    expect(JSON.parse(String(received?.body))).toEqual({
      model: officialModel,
      messages: message.messages,
    });
    expect(received?.headers["anthropic-version"]).toBe("2023-06-01");
  });

  test.for([
    // A client of `bedrock-mantle`, and one of `bedrock-runtime.….amazonaws.com/anthropic` with a Bedrock API key.
    ["AnthropicBedrockMantle", "anthropic.claude-haiku-4-5"],
    ["Anthropic", "eu.anthropic.claude-haiku-4-5-20251001-v1:0"],
  ] as const)(
    "messages, streams and counts of Bedrock's Messages API become official ones, with %s",
    async ([name, model], { upstream }) => {
      const options = { baseURL: `${gateway.origin}/bedrock/anthropic`, maxRetries: 0 };
      const client =
        name === "Anthropic"
          ? new Anthropic({ ...options, apiKey: null, authToken: gateway.secret })
          : new AnthropicBedrockMantle({
              ...options,
              awsRegion: "eu-central-1",
              apiKey: gateway.secret,
            });
      const request = { ...message, model };
      const { max_tokens: _, ...counted } = request;
      const sent = await sendEach(upstream, client, { request, counted });
      const models = sent.map(({ body }) => (JSON.parse(String(body)) as { model: string }).model);
      expect(new Set(models)).toEqual(
        new Set([name === "Anthropic" ? "claude-haiku-4-5-20251001" : "claude-haiku-4-5"]),
      );
    },
  );

  test("messages, streams and counts of the Vertex AI SDK become official ones", async ({
    upstream,
  }) => {
    const client = openVertexSdk({
      baseURL: `${gateway.origin}/vertex/v1`,
      accessToken: gateway.secret,
    });
    const request = { ...message, model: "claude-sonnet-4-5@20250929" };
    const counted = { model: officialModel, messages: message.messages };
    const sent = await sendEach(upstream, client, { request, counted });
    expect(sent.map(({ body }) => JSON.parse(String(body)) as object)).toEqual([
      { ...message, model: officialModel },
      { ...message, model: officialModel, stream: true },
      counted,
    ]);
    expect(new Set(sent.map(({ headers }) => headers["anthropic-version"]))).toEqual(
      new Set(["2023-06-01"]),
    );
  });

  test("refuses a wrong key in the form of the client", async () => {
    const client = openBedrock().withOptions({ apiKey: "bursar-wrong" });
    const failed = client.messages.create({ ...message, model: bedrockModel });
    await expect(failed).rejects.toMatchObject({ status: 401 });
  });

  test.each([
    ["GET", "/bedrock/model/x/invoke"],
    ["POST", "/bedrock/model/x/converse"],
    ["POST", "/bedrock/anthropic/v1/messages/batches"],
    ["POST", "/vertex/v1/projects/p/locations/l/publishers/google/models/gemini:rawPredict"],
    ["POST", "/bedrock/model/%ff/invoke"],
  ])("answers %s %s with a 404", async (method, path) => {
    const body = method === "POST" ? "{}" : "";
    const { status } = await send({ method, path, body });
    expect(status).toBe(404);
  });
});
