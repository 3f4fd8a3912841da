import { AnthropicBedrockMantle } from "@anthropic-ai/bedrock-sdk";
import { AnthropicFoundry } from "@anthropic-ai/foundry-sdk";
import type { BedrockSettings, FoundrySettings } from "@bursar/contract/admin/provider-settings.ts";
import { expect } from "vitest";
import { messageEvents, messageJson } from "#test/harness/fake-upstream.ts";
import { awsKey, foundryAccount, test, toAwsCredential } from "#test/harness/platform-test.ts";
import {
  officialHeaders,
  openPlatformClient,
} from "#test/harness/platforms/open-platform-client.ts";
import { recordCall } from "#test/harness/raw-upstream.ts";

const settings: FoundrySettings = {
  provider: "foundry",
  resource: "test-resource",
  authentication: "api_key",
  model_names: { "claude-sonnet-4-5": "sonnet-deployment" },
};
const mantle: BedrockSettings = {
  provider: "bedrock",
  api: "messages",
  region: "eu-central-1",
  authentication: "access_key",
};
const message = {
  model: "claude-sonnet-4-5",
  max_tokens: 100,
  messages: [{ role: "user" as const, content: "Hello" }],
};
const toBody = (body: object) => Buffer.from(JSON.stringify(body));

test("sends a message to its deployment, with all other bytes unchanged", async ({ foundry }) => {
  const { apiKey } = foundryAccount;
  const client = openPlatformClient({ settings, origin: foundry.origin, credential: apiKey });
  const record = await recordCall(client, {
    headers: officialHeaders({ "anthropic-beta": "skills-2025-10-02" }),
    body: Buffer.from(`{"max_tokens":1, "model" : "claude-sonnet-4-5-20250929" ,"messages":[]}`),
  });
  expect(foundry.refused).toEqual([]);
  const received = foundry.requests[0]?.received;
  expect(received?.body.toString()).toBe(
    `{"max_tokens":1, "model" : "sonnet-deployment" ,"messages":[]}`,
  );
  expect(received?.headers).toMatchObject({
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "skills-2025-10-02",
  });
  expect(JSON.parse(record.body)).toEqual(messageJson());
});

test("sends the body itself if nothing changes", async ({ foundry }) => {
  const { apiKey } = foundryAccount;
  const client = openPlatformClient({ settings, origin: foundry.origin, credential: apiKey });
  const body = toBody({ ...message, model: "claude-opus-5-5", stream: true });
  const record = await recordCall(client, { headers: officialHeaders(), body });
  expect(foundry.requests[0]?.received.body).toEqual(body);
  expect(record.body).toBe(messageEvents().join(""));
});

test("counts tokens", async ({ foundry }) => {
  const { apiKey } = foundryAccount;
  const client = openPlatformClient({ settings, origin: foundry.origin, credential: apiKey });
  const record = await recordCall(client, {
    path: "/v1/messages/count_tokens",
    headers: officialHeaders(),
    body: toBody({ model: message.model, messages: message.messages }),
  });
  expect(record.body).toBe('{"input_tokens":12}');
});

test("names the deployment that is missing", async ({ foundry }) => {
  const { apiKey } = foundryAccount;
  const client = openPlatformClient({ settings, origin: foundry.origin, credential: apiKey });
  const body = toBody({ ...message, model: "claude-haiku-4-5" });
  const record = await recordCall(client, { headers: officialHeaders(), body });
  expect(record.statuses).toEqual([404]);
  expect(JSON.parse(record.body)).toMatchObject({
    error: {
      type: "not_found_error",
      message: "Microsoft Foundry: The API deployment for this resource does not exist.",
    },
  });
});

test("signs a request of Bedrock's Messages API for its own service", async ({
  mantlePlatform,
}) => {
  const client = openPlatformClient({
    settings: mantle,
    origin: mantlePlatform.origin,
    credential: toAwsCredential(awsKey),
  });
  const body = toBody({ ...message, model: "claude-opus-5-5", stream: true });
  const record = await recordCall(client, { headers: officialHeaders(), body });
  expect(mantlePlatform.refused).toEqual([]);
  expect(mantlePlatform.requests[0]?.body["model"]).toBe("anthropic.claude-opus-5-5");
  expect(record.body).toBe(messageEvents().join(""));
});

test.for([
  ["claude-haiku-4-5-20251001", "anthropic.claude-haiku-4-5"],
  ["us.anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic.claude-haiku-4-5"],
  ["global.anthropic.claude-opus-5-5", "anthropic.claude-opus-5-5"],
] as const)(
  "sends %s to Bedrock's Messages API as %s",
  async ([model, name], { mantlePlatform }) => {
    const credential = toAwsCredential(awsKey);
    const { origin } = mantlePlatform;
    const client = openPlatformClient({ settings: mantle, origin, credential });
    const body = toBody({ ...message, model });
    const record = await recordCall(client, { headers: officialHeaders(), body });
    expect(record.statuses).toEqual([200]);
    expect(mantlePlatform.requests[0]?.body["model"]).toBe(name);
  },
);

test.each([
  ["tools (advisor_20260301)", { tools: [{ type: "advisor_20260301", name: "advisor" }] }],
  ["fallbacks", { fallbacks: [{ model: "claude-opus-5" }] }],
])("refuses %s for Foundry by its name", async (feature, more) => {
  const client = openPlatformClient({
    settings: { provider: "foundry", resource: "test", authentication: "api_key" },
    origin: "http://127.0.0.1:9",
    credential: foundryAccount.apiKey,
  });
  const body = toBody({ ...message, ...more });
  const send = async () => recordCall(client, { headers: officialHeaders(), body });
  await expect(send()).rejects.toMatchObject({
    details: { error_code: "provider_unsupported", provider: "foundry", feature },
  });
});

test("the platforms of the tests accept Anthropic's own clients", async ({
  foundry,
  mantlePlatform,
}) => {
  const onFoundry = new AnthropicFoundry({
    baseURL: `${foundry.origin}/anthropic`,
    apiKey: foundryAccount.apiKey,
  });
  const onMantle = new AnthropicBedrockMantle({
    baseURL: `${mantlePlatform.origin}/anthropic`,
    awsRegion: "eu-central-1",
    awsAccessKey: awsKey.id,
    awsSecretAccessKey: awsKey.secret,
  });
  const deployed = { ...message, model: "sonnet-deployment" };
  expect(await onFoundry.messages.stream(deployed).finalText()).toBe("word 0 word 1 word 2 ");
  const named = { ...message, model: "anthropic.claude-opus-5-5" };
  expect(await onMantle.messages.create(named)).toMatchObject(messageJson());
  expect([foundry.refused, mantlePlatform.refused]).toEqual([[], []]);
});
