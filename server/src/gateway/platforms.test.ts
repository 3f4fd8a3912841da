import Anthropic from "@anthropic-ai/sdk";
import type { ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import { expect, onTestFinished } from "vitest";
import { parseUsd } from "#src/domain/money.ts";
import { messageEnd, messageJson, messageStart, textDelta } from "#test/harness/fake-upstream.ts";
import { startTestGateway, type TestGateway } from "#test/harness/gateway.ts";
import { awsKey, foundryAccount, test, toAwsCredential } from "#test/harness/platform-test.ts";

// Clients of the Claude API in front of upstreams on cloud platforms.

const bedrockSettings: ProviderSettings = {
  provider: "bedrock",
  region: "eu-central-1",
  authentication: "access_key",
};
const vertexSettings: ProviderSettings = {
  provider: "vertex",
  region: "europe-west1",
  project_id: "test-project",
  authentication: "service_account",
};
const foundrySettings: ProviderSettings = {
  provider: "foundry",
  resource: "test",
  authentication: "api_key",
  model_names: { "claude-sonnet-4-6": "sonnet-deployment" },
};

const request = {
  model: "claude-sonnet-4-6",
  max_tokens: 1_000,
  messages: [{ role: "user" as const, content: "Hello" }],
};
const usage = {
  input_tokens: 1_000,
  cache_creation_input_tokens: 300,
  cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
  cache_read_input_tokens: 5_000,
  output_tokens: 700,
};
/** Cost of the usage at $3, $3.75, $6, $0.30 and $15 per million tokens. */
const listCost =
  (parseUsd("3") * 1_000n +
    parseUsd("3.75") * 100n +
    parseUsd("6") * 200n +
    parseUsd("0.3") * 5_000n +
    parseUsd("15") * 700n) /
  1_000_000n;

async function open(origin: string, settings: ProviderSettings, credential: string) {
  const gateway = await startTestGateway({ origin, platform: { settings, credential } });
  onTestFinished(() => gateway.close());
  return { gateway, client: toClient(gateway) };
}

function toClient(gateway: TestGateway) {
  return new Anthropic({ baseURL: gateway.origin, apiKey: gateway.secret, maxRetries: 0 });
}

test("a message through Bedrock in a region is metered with its surcharge", async ({ bedrock }) => {
  bedrock.answer = () => ({ kind: "message", message: messageJson({ usage }) });
  const { gateway, client } = await open(bedrock.origin, bedrockSettings, toAwsCredential(awsKey));
  expect(await client.messages.create(request)).toMatchObject({ content: [{ text: "Hello" }] });
  const end = await gateway.end();
  expect(end).toMatchObject({ outcome: "answered", model: "claude-sonnet-4-5-20250929" });
  expect(end.cost.total).toBe((listCost * 11n) / 10n);
  expect(end.upstreamRequestId).toBe("5f0c8b5e-0000-4000-8000-000000000001");
  expect(bedrock.refused).toEqual([]);
});

test("a message through Bedrock's global profile costs the list price", async ({ bedrock }) => {
  bedrock.answer = () => ({ kind: "message", message: messageJson({ usage }) });
  const settings: ProviderSettings = { ...bedrockSettings, inference_profile: "global" };
  const { gateway, client } = await open(bedrock.origin, settings, toAwsCredential(awsKey));
  await client.messages.create(request);
  expect((await gateway.end()).cost.total).toBe(listCost);
  expect(bedrock.requests[0]?.modelId).toBe("global.anthropic.claude-sonnet-4-6");
});

test("a stream of Bedrock's frames is metered like the official one", async ({ bedrock }) => {
  const { output_tokens, ...input } = usage;
  const events = [
    messageStart(input),
    textDelta("Hello "),
    textDelta("there"),
    ...messageEnd({ output_tokens }),
  ];
  bedrock.answer = () => ({ kind: "events", events, pieceBytes: 13 });
  const { gateway, client } = await open(bedrock.origin, bedrockSettings, toAwsCredential(awsKey));
  const texts: string[] = [];
  for await (const event of await client.messages.create({ ...request, stream: true })) {
    if (event.type === "content_block_delta" && event.delta.type === "text_delta") {
      texts.push(event.delta.text);
    }
  }
  expect(texts.join("")).toBe("Hello there");
  expect((await gateway.end()).cost.total).toBe((listCost * 11n) / 10n);
});

test("a client that leaves ends the stream at Bedrock, and pays what it got", async ({
  bedrock,
}) => {
  const { output_tokens: _, ...input } = usage;
  const cut = Promise.withResolvers<void>();
  bedrock.answer = () => ({
    kind: "endless",
    events: [messageStart(input), textDelta("Hello ")],
    onCut: cut.resolve,
  });
  const { gateway, client } = await open(bedrock.origin, bedrockSettings, toAwsCredential(awsKey));
  const stream = await client.messages.create({ ...request, stream: true });
  for await (const event of stream) if (event.type === "content_block_delta") break;
  stream.controller.abort();
  const end = await gateway.end();
  await cut.promise;
  expect(end.outcome).toBe("aborted");
  expect(end.usage.inputTokens).toBe(1_000);
});

test("a message through Vertex AI in a region is metered with its surcharge", async ({
  vertex,
}) => {
  vertex.answer = (exchange) => exchange.json(messageJson({ usage }));
  const { gateway, client } = await open(vertex.origin, vertexSettings, vertex.serviceAccount);
  await client.messages.create(request);
  expect((await gateway.end()).cost.total).toBe((listCost * 11n) / 10n);
});

test("a message through Foundry costs the list price", async ({ foundry }) => {
  foundry.answer = (exchange) => exchange.json(messageJson({ usage }));
  const { gateway, client } = await open(foundry.origin, foundrySettings, foundryAccount.apiKey);
  await client.messages.create(request);
  expect((await gateway.end()).cost.total).toBe(listCost);
});

test("a feature that the platform lacks is a 400 with its name, without cost", async ({
  bedrock,
}) => {
  const { gateway, client } = await open(bedrock.origin, bedrockSettings, toAwsCredential(awsKey));
  const failed = client.messages.create({
    ...request,
    tools: [{ type: "web_search_20250305", name: "web_search" }],
  });
  await expect(failed).rejects.toMatchObject({
    status: 400,
    error: {
      error: {
        type: "invalid_request_error",
        details: {
          error_code: "provider_unsupported",
          provider: "bedrock",
          feature: "tools (web_search_20250305)",
        },
      },
    },
  });
  expect(await gateway.end()).toMatchObject({ outcome: "unreached", cost: { total: 0n } });
  expect(bedrock.requests).toEqual([]);
  expect(gateway.order[0].health.facts()).toMatchObject({ failures: 0, state: "closed" });
});

test("an error of Bedrock has the official class, and no cost", async ({ bedrock }) => {
  bedrock.answer = () => ({
    kind: "error",
    status: 429,
    exception: "ThrottlingException",
    message: "Too many requests",
    headers: { "retry-after": "3" },
  });
  const { gateway, client } = await open(bedrock.origin, bedrockSettings, toAwsCredential(awsKey));
  const failed = client.messages.create(request);
  await expect(failed).rejects.toThrow(Anthropic.RateLimitError);
  expect(await gateway.end()).toMatchObject({ outcome: "refused", cost: { total: 0n } });
});

test("tokens are counted and models are listed on every platform", async ({
  bedrock,
  vertex,
  foundry,
}) => {
  const opened = [
    await open(bedrock.origin, bedrockSettings, toAwsCredential(awsKey)),
    await open(vertex.origin, vertexSettings, vertex.serviceAccount),
    await open(foundry.origin, foundrySettings, foundryAccount.apiKey),
  ];
  const { max_tokens: _, ...counted } = request;
  for (const { client } of opened) {
    expect(await client.messages.countTokens(counted)).toMatchObject({ input_tokens: 12 });
    await expect(client.models.retrieve("claude-none")).rejects.toThrow(Anthropic.NotFoundError);
    const whole = await client.models.list({ limit: 1000 });
    expect(whole.has_more).toBe(false);
    const listed: unknown[] = [];
    for await (const model of client.models.list({ limit: 1 })) listed.push(model);
    expect(listed).toEqual(whole.data);
    await expect(client.models.list({ limit: 0 })).rejects.toThrow(Anthropic.BadRequestError);
    expect(whole.data).toContainEqual({
      type: "model",
      id: "claude-sonnet-4-6",
      display_name: "Claude Sonnet 4.6",
      created_at: "1970-01-01T00:00:00Z",
      lifecycle: "active",
      line: null,
      max_input_tokens: null,
      max_tokens: null,
      deprecated_at: null,
      retires_at: null,
      capabilities: null,
    });
  }
});
