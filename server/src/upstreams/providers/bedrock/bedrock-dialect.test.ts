import AnthropicBedrock from "@anthropic-ai/bedrock-sdk";
import type { BedrockSettings } from "@bursar/contract/admin/provider-settings.ts";
import { expect } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { messageEvents, messageJson } from "#test/harness/fake-upstream.ts";
import {
  awsKey,
  bedrockApiKey,
  temporaryAwsKey,
  test,
  toAwsCredential,
} from "#test/harness/platform-test.ts";
import {
  officialHeaders,
  openPlatformClient,
} from "#test/harness/platforms/open-platform-client.ts";
import { recordCall } from "#test/harness/raw-upstream.ts";
import { findProfile, toModelId } from "./bedrock-dialect.ts";

const settings: BedrockSettings = {
  provider: "bedrock",
  region: "eu-central-1",
  authentication: "access_key",
};

function open(
  origin: string,
  options: Partial<BedrockSettings> = {},
  credential = toAwsCredential(awsKey),
) {
  return openPlatformClient({ settings: { ...settings, ...options }, origin, credential });
}

const message = {
  model: "claude-sonnet-4-5",
  max_tokens: 100,
  messages: [{ role: "user", content: "Hello – grüß dich" }],
};
const toBody = (body: object) => Buffer.from(JSON.stringify(body));

test("sends a message to the model of the path, signed, with version and betas in the body", async ({
  bedrock,
}) => {
  const record = await recordCall(open(bedrock.origin), {
    path: "/v1/messages?beta=true",
    headers: officialHeaders({
      "anthropic-beta": "claude-code-20250219, interleaved-thinking-2025-05-14",
    }),
    body: toBody(message),
  });
  expect(bedrock.refused).toEqual([]);
  const [request] = bedrock.requests;
  expect(request).toMatchObject({
    modelId: "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    action: "invoke",
    body: {
      anthropic_version: "bedrock-2023-05-31",
      anthropic_beta: ["interleaved-thinking-2025-05-14"],
      max_tokens: 100,
      messages: message.messages,
    },
  });
  expect(request?.received.headers).not.toHaveProperty("anthropic-version");
  expect(request?.received.headers).not.toHaveProperty("x-stainless-lang");
  expect(record).toMatchObject({ starts: 1, isSent: true, statuses: [200], ends: 1, errors: [] });
  expect(JSON.parse(record.body)).toEqual(messageJson());
  expect(record.fields).toEqual(
    expect.arrayContaining(["request-id", "5f0c8b5e-0000-4000-8000-000000000001"]),
  );
});

test("leaves the bytes of all other fields unchanged", async ({ bedrock }) => {
  const rest = `"messages":[{"role":"user",  "content":"a\\u00e9\\/b"}],\n "max_tokens":1e2`;
  await recordCall(open(bedrock.origin), {
    headers: officialHeaders(),
    body: Buffer.from(`{ "model" : "claude-opus-5-5", ${rest} , "stream":false }\n`),
  });
  expect(bedrock.requests[0]?.received.body.toString()).toBe(
    `{"anthropic_version":"bedrock-2023-05-31", ${rest} }\n`,
  );
});

test.for([1, 7, 1000, 1_000_000])(
  "turns frames that arrive in pieces of %i bytes into the official events",
  async (pieceBytes, { bedrock }) => {
    const events = messageEvents(20);
    bedrock.answer = () => ({ kind: "events", events, pieceBytes });
    const record = await recordCall(open(bedrock.origin), {
      headers: officialHeaders(),
      body: toBody({ ...message, stream: true }),
    });
    expect(bedrock.requests[0]?.action).toBe("invoke-with-response-stream");
    expect(record.body).toBe(events.join(""));
    expect(record.fields).toEqual(
      expect.arrayContaining(["content-type", "text/event-stream; charset=utf-8"]),
    );
  },
);

test("ends a stream with the official error after an exception", async ({ bedrock }) => {
  const events = messageEvents().slice(0, 3);
  bedrock.answer = () => ({
    kind: "events",
    events,
    exception: ["throttlingException", "Too many tokens, arn:aws:bedrock:eu:123456789012:x"],
  });
  const record = await recordCall(open(bedrock.origin), {
    headers: officialHeaders(),
    body: toBody({ ...message, stream: true }),
  });
  const error = { type: "rate_limit_error", message: "Too many tokens, arn:…" };
  const text = Buffer.from(record.body, "latin1").toString();
  expect(text).toBe(
    `${events.join("")}event: error\ndata: ${JSON.stringify({ type: "error", error })}\n\n`,
  );
});

test("breaks a stream whose frame has a wrong checksum", async ({ bedrock }) => {
  bedrock.answer = () => ({
    kind: "script",
    run: async (exchange) => {
      exchange.response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream" });
      const frame = Buffer.alloc(20);
      frame.writeUInt32BE(20, 0);
      await exchange.write(frame);
    },
  });
  const record = await recordCall(open(bedrock.origin), {
    headers: officialHeaders(),
    body: toBody({ ...message, stream: true }),
  });
  expect(record).toMatchObject({ statuses: [200], body: "", ends: 0 });
  expect(record.errors).toHaveLength(1);
});

test("breaks a stream that ends inside a frame", async ({ bedrock }) => {
  bedrock.answer = () => ({
    kind: "script",
    run: async (exchange) => {
      exchange.response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream" });
      const frame = Buffer.alloc(20);
      frame.writeUInt32BE(200, 0);
      await exchange.write(frame);
      exchange.end();
    },
  });
  const record = await recordCall(open(bedrock.origin), {
    headers: officialHeaders(),
    body: toBody({ ...message, stream: true }),
  });
  expect(record).toMatchObject({ statuses: [200], body: "", ends: 0 });
  expect(record.errors).toHaveLength(1);
});

test("counts tokens by the count of the platform", async ({ bedrock }) => {
  const { max_tokens: _, ...counted } = message;
  const record = await recordCall(open(bedrock.origin), {
    path: "/v1/messages/count_tokens",
    headers: officialHeaders(),
    body: toBody(counted),
  });
  expect(bedrock.refused).toEqual([]);
  expect(bedrock.requests[0]).toMatchObject({
    action: "count-tokens",
    body: { messages: message.messages },
  });
  expect(record).toMatchObject({ statuses: [200], body: '{"input_tokens":12}' });
});

test.for([
  ["a key", "access_key", toAwsCredential(awsKey)],
  ["a temporary key with its token", "access_key", toAwsCredential(temporaryAwsKey)],
  ["an API key", "api_key", bedrockApiKey],
] as const)("authenticates with %s", async ([, authentication, credential], { bedrock }) => {
  // An ARN has characters that the signature encodes twice.
  const arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2";
  const client = open(
    bedrock.origin,
    { authentication, model_names: { "claude-sonnet-4-5": arn } },
    credential,
  );
  const record = await recordCall(client, { headers: officialHeaders(), body: toBody(message) });
  expect(bedrock.refused).toEqual([]);
  expect(record.statuses).toEqual([200]);
  expect(bedrock.requests[0]?.modelId).toBe(arn);
});

test("answers for a refused credential without the names of the account", async ({ bedrock }) => {
  const client = open(bedrock.origin, {}, toAwsCredential({ ...awsKey, secret: "another" }));
  const record = await recordCall(client, { headers: officialHeaders(), body: toBody(message) });
  expect(bedrock.refused).toEqual(["SignatureDoesNotMatch"]);
  expect(record.statuses).toEqual([403]);
  expect(JSON.parse(record.body)).toEqual({
    type: "error",
    error: {
      type: "permission_error",
      message:
        "Amazon Bedrock refused the credential of this server or its permission for the model. An administrator must check the upstream.",
    },
    request_id: "5f0c8b5e-0000-4000-8000-000000000001",
  });
});

test.for([
  [400, "ValidationException", 400, "invalid_request_error"],
  [404, "ResourceNotFoundException", 404, "not_found_error"],
  [408, "ModelTimeoutException", 504, "timeout_error"],
  [424, "ModelErrorException", 500, "api_error"],
  [429, "ThrottlingException", 429, "rate_limit_error"],
  [500, "InternalServerException", 500, "api_error"],
  [503, "ServiceUnavailableException", 529, "overloaded_error"],
] as const)(
  "turns a %i %s into a %i %s",
  async ([status, exception, expected, type], { bedrock }) => {
    bedrock.answer = () => ({
      kind: "error",
      status,
      exception,
      message: "The model is not available",
      headers: { "retry-after": "7" },
    });
    const record = await recordCall(open(bedrock.origin), {
      headers: officialHeaders(),
      body: toBody(message),
    });
    expect(record.statuses).toEqual([expected]);
    expect(JSON.parse(record.body)).toMatchObject({
      type: "error",
      error: { type, message: "Amazon Bedrock: The model is not available" },
    });
    expect(record.fields).toEqual(expect.arrayContaining(["retry-after", "7"]));
  },
);

test.each([
  ["container", { container: "container_1" }],
  ["mcp_servers", { mcp_servers: [{ type: "url", url: "https://example.com", name: "x" }] }],
  ["speed", { speed: "fast" }],
  ["inference_geo", { inference_geo: "us" }],
  ["service_tier", { service_tier: "priority" }],
  ["tools (web_search_20250305)", { tools: [{ type: "web_search_20250305", name: "web_search" }] }],
  ["tools (code_execution_20250825)", { tools: [{ name: "x", type: "code_execution_20250825" }] }],
  ["tools (advisor_20260301)", { tools: [{ name: "advisor", type: "advisor_20260301" }] }],
  ["tools (browser_toolset_20260801)", { tools: [{ type: "browser_toolset_20260801" }] }],
  ["fallbacks", { fallbacks: [{ model: "claude-opus-5" }] }],
])("refuses %s by its name, and sends nothing", async (feature, more) => {
  const client = open("http://127.0.0.1:9");
  const body = toBody({ ...message, ...more });
  const send = () => recordCall(client, { headers: officialHeaders(), body });
  const error = await Promise.resolve()
    .then(send)
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    status: 400,
    details: { error_code: "provider_unsupported", provider: "bedrock", feature },
  });
});

test("refuses an ARN of the client without a model, and sends nothing", async ({ bedrock }) => {
  const model = "arn:aws:bedrock:eu-central-1:1:application-inference-profile/a1b2";
  const send = async () =>
    recordCall(open(bedrock.origin), {
      headers: officialHeaders(),
      body: toBody({ ...message, model }),
    });
  await expect(send()).rejects.toMatchObject({
    status: 400,
    details: { fields: [{ path: "model" }] },
  });
  expect(bedrock.requests).toEqual([]);
});

test("sends the token of a fallback credit with its beta", async ({ bedrock }) => {
  const beta = "fallback-credit-2026-07-01";
  const record = await recordCall(open(bedrock.origin), {
    headers: officialHeaders({ "anthropic-beta": beta }),
    body: toBody({ ...message, fallback_credit_token: "token-1" }),
  });
  expect(record.statuses).toEqual([200]);
  expect(bedrock.requests[0]?.body).toMatchObject({
    anthropic_beta: [beta],
    fallback_credit_token: "token-1",
  });
});

test.for([
  { service_tier: "auto" },
  { service_tier: "standard_only", speed: "standard" },
  { mcp_servers: [], container: null },
])("removes fields whose values change nothing: %o", async (more, { bedrock }) => {
  const body = toBody({ ...message, ...more });
  const record = await recordCall(open(bedrock.origin), { headers: officialHeaders(), body });
  expect(bedrock.refused).toEqual([]);
  expect(record.statuses).toEqual([200]);
});

test("lists a page of models without a request", async ({ bedrock }) => {
  const record = await recordCall(open(bedrock.origin), {
    method: "GET",
    path: "/v1/models?limit=1",
    headers: officialHeaders(),
    body: null,
  });
  const first = { type: "model", id: expect.stringMatching(/^claude-/) };
  expect(JSON.parse(record.body)).toMatchObject({ data: [first], has_more: true });
  expect(bedrock.requests).toEqual([]);
});

test("reports an unreachable platform with nothing sent", async () => {
  const record = await recordCall(open("http://127.0.0.1:9"), {
    headers: officialHeaders(),
    body: toBody(message),
  });
  expect(record).toMatchObject({ starts: 0, statuses: [], ends: 0 });
  expect(record.errors).toHaveLength(1);
});

test("waits at its close for requests that wait for credentials", async ({ bedrock }) => {
  const client = open(bedrock.origin);
  const record = recordCall(client, { headers: officialHeaders(), body: toBody(message) });
  await client.close();
  expect(await record).toMatchObject({ statuses: [200], ends: 1 });
  expect(client.isClosed).toBe(true);
});

test.each([
  ["us-east-1", "us"],
  ["eu-west-3", "eu"],
  ["ap-northeast-1", "jp"],
  ["ap-southeast-2", "au"],
  ["ap-south-1", "global"],
  ["ca-central-1", "us"],
  ["ca-west-1", "global"],
  ["us-gov-west-1", "us-gov"],
  ["sa-east-1", "global"],
])("uses the profile of the geography of %s", (region, profile) => {
  expect(findProfile({ ...settings, region })).toBe(profile);
});

test.each([
  ["claude-opus-5-5", "eu.anthropic.claude-opus-5-5"],
  ["claude-opus-4-6", "eu.anthropic.claude-opus-4-6-v1"],
  ["claude-haiku-4-5-20251001", "eu.anthropic.claude-haiku-4-5-20251001-v1:0"],
  ["claude-sonnet-4-0", "eu.anthropic.claude-sonnet-4-20250514-v1:0"],
  ["claude-3-5-sonnet-latest", "eu.anthropic.claude-3-5-sonnet-20241022-v2:0"],
  ["claude-3-5-sonnet-20240620", "eu.anthropic.claude-3-5-sonnet-20240620-v1:0"],
  // The settings choose the profile, because it decides about the region and the price.
  ["global.anthropic.claude-opus-5-5", "eu.anthropic.claude-opus-5-5"],
  ["us.anthropic.claude-opus-4-6-v1", "eu.anthropic.claude-opus-4-6-v1"],
  [
    "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
  ],
])("maps the model %s to %s", (model, id) => {
  expect(toModelId(settings, model)).toBe(id);
});

test("the platform of the tests accepts Anthropic's own client for Bedrock", async ({
  bedrock,
}) => {
  const client = new AnthropicBedrock({
    awsRegion: "eu-central-1",
    baseURL: bedrock.origin,
    awsAccessKey: temporaryAwsKey.id,
    awsSecretKey: temporaryAwsKey.secret,
    awsSessionToken: temporaryAwsKey.sessionToken,
    defaultHeaders: { "anthropic-version": "bedrock-2023-05-31" },
  });
  const request = {
    ...message,
    model: "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    messages: [{ role: "user" as const, content: "Hi" }],
  };
  expect(await client.messages.create(request)).toMatchObject(messageJson());
  const stream = client.messages.stream(request);
  expect(await stream.finalText()).toBe("word 0 word 1 word 2 ");
  expect(bedrock.refused).toEqual([]);
});
