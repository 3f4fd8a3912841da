import AnthropicBedrock from "@anthropic-ai/bedrock-sdk";
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { awsKey, foundryAccount, test, toAwsCredential } from "#test/harness/platform-test.ts";
import { type ServerProcess, startServer, stopAllServers } from "#test/harness/server-process.ts";

// Upstreams on cloud platforms in the whole product: stored by the Admin API, used by official clients.

const UPSTREAMS = "/v1/admin/upstreams";
const CHANGE_MS = 30_000;

let server: ServerProcess;
let key: string;

beforeAll(async () => {
  server = await startServer({
    args: [],
    env: { BURSAR_ALLOW_PRIVATE_UPSTREAMS: "127.0.0.1" },
  });
  ({ key } = await server.workspaceWithKey());
}, 90_000);
afterAll(stopAllServers);

const request = {
  model: "claude-sonnet-4-6",
  max_tokens: 100,
  messages: [{ role: "user" as const, content: "Hello" }],
};

async function store(fields: object): Promise<void> {
  const { data } = (await server.mustOperator("GET", UPSTREAMS)) as { data: { id: string }[] };
  for (const { id } of data) await server.mustOperator("DELETE", `${UPSTREAMS}/${id}`);
  await server.mustOperator("POST", UPSTREAMS, { name: "Cloud", ...fields });
}

/** Sends messages until the platform has one. A change reaches the gateway with its next poll of the database. */
function sendUntilReceived(received: readonly object[]): Promise<string> {
  const client = new Anthropic({ baseURL: server.url, apiKey: key, maxRetries: 0 });
  return eventually(CHANGE_MS, "a message at the platform", async () => {
    const text = await client.messages.stream(request).finalText();
    return received.length > 0 ? text : null;
  });
}

test("Amazon Bedrock serves clients of the Claude API, and clients in Bedrock mode", async ({
  bedrock,
}) => {
  await store({
    base_url: bedrock.origin,
    provider_settings: {
      provider: "bedrock",
      region: "eu-central-1",
      authentication: "access_key",
    },
    credential: toAwsCredential(awsKey),
  });
  expect(await sendUntilReceived(bedrock.requests)).toBe("word 0 word 1 word 2 ");
  const inBedrockMode = new AnthropicBedrock({
    baseURL: `${server.url}/bedrock`,
    awsRegion: "eu-central-1",
    apiKey: key,
    maxRetries: 0,
  });
  const model = "us.anthropic.claude-sonnet-4-6";
  const stream = inBedrockMode.messages.stream({ ...request, model });
  expect(await stream.finalText()).toBe("word 0 word 1 word 2 ");
  expect(bedrock.refused).toEqual([]);
  expect(new Set(bedrock.requests.map(({ modelId }) => modelId))).toEqual(
    new Set(["eu.anthropic.claude-sonnet-4-6"]),
  );
});

test("Google Vertex AI serves clients of the Claude API", async ({ vertex }) => {
  await store({
    base_url: vertex.origin,
    provider_settings: {
      provider: "vertex",
      region: "europe-west1",
      project_id: "test-project",
      authentication: "service_account",
    },
    credential: vertex.serviceAccount,
  });
  expect(await sendUntilReceived(vertex.requests)).toBe("word 0 word 1 word 2 ");
  expect(vertex.refused).toEqual([]);
});

test("Microsoft Foundry serves clients of the Claude API", async ({ foundry }) => {
  await store({
    base_url: foundry.origin,
    provider_settings: {
      provider: "foundry",
      resource: "test-resource",
      authentication: "api_key",
      model_names: { "claude-sonnet-4-6": "sonnet-deployment" },
    },
    credential: foundryAccount.apiKey,
  });
  expect(await sendUntilReceived(foundry.requests)).toBe("word 0 word 1 word 2 ");
  expect(foundry.refused).toEqual([]);
});
