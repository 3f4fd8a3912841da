import type { VertexSettings } from "@bursar/contract/admin/provider-settings.ts";
import { expect } from "vitest";
import { messageEvents, messageJson } from "#test/harness/fake-upstream.ts";
import { test } from "#test/harness/platform-test.ts";
import {
  officialHeaders,
  openPlatformClient,
} from "#test/harness/platforms/open-platform-client.ts";
import { openVertexSdk } from "#test/harness/platforms/open-vertex-sdk.ts";
import { sendGoogleError, startVertexPlatform } from "#test/harness/platforms/vertex-platform.ts";
import { recordCall } from "#test/harness/raw-upstream.ts";
import { parseServiceAccount } from "./google-credentials.ts";

const settings: VertexSettings = {
  provider: "vertex",
  region: "europe-west1",
  project_id: "test-project",
  authentication: "service_account",
};
const message = {
  model: "claude-sonnet-4-5",
  max_tokens: 100,
  messages: [{ role: "user" as const, content: "Hello" }],
};
const toBody = (body: object) => Buffer.from(JSON.stringify(body));

test("sends a message to the model of the path, with a token that the key of the account signed", async ({
  vertex,
}) => {
  const client = openPlatformClient({
    settings,
    origin: vertex.origin,
    credential: vertex.serviceAccount,
  });
  const record = await recordCall(client, {
    path: "/v1/messages?beta=true",
    headers: officialHeaders({
      "anthropic-beta": "interleaved-thinking-2025-05-14,claude-code-20250219",
    }),
    body: toBody(message),
  });
  expect(vertex.refused).toEqual([]);
  expect(vertex.requests[0]).toMatchObject({
    model: "claude-sonnet-4-5@20250929",
    action: "rawPredict",
    body: { anthropic_version: "vertex-2023-10-16", messages: message.messages },
    received: { headers: { "anthropic-beta": "interleaved-thinking-2025-05-14" } },
  });
  expect(record.statuses).toEqual([200]);
  expect(JSON.parse(record.body)).toEqual(messageJson());
});

test("relays an official stream unchanged", async ({ vertex }) => {
  const client = openPlatformClient({
    settings,
    origin: vertex.origin,
    credential: vertex.serviceAccount,
  });
  const body = `{"stream":true,"model":"claude-opus-5-5","max_tokens":5,"messages":[]}`;
  const record = await recordCall(client, { headers: officialHeaders(), body: Buffer.from(body) });
  expect(vertex.requests[0]).toMatchObject({
    model: "claude-opus-5-5",
    action: "streamRawPredict",
  });
  expect(vertex.requests[0]?.received.body.toString()).toBe(
    `{"anthropic_version":"vertex-2023-10-16","stream":true,"max_tokens":5,"messages":[]}`,
  );
  expect(record.body).toBe(messageEvents().join(""));
});

test("counts tokens with the platform's name of the model in the body", async ({ vertex }) => {
  const client = openPlatformClient({
    settings,
    origin: vertex.origin,
    credential: vertex.serviceAccount,
  });
  const { max_tokens: _, ...counted } = message;
  const record = await recordCall(client, {
    path: "/v1/messages/count_tokens",
    headers: officialHeaders(),
    body: toBody(counted),
  });
  expect(vertex.refused).toEqual([]);
  expect(vertex.requests[0]).toMatchObject({
    model: "count-tokens",
    body: { model: "claude-sonnet-4-5@20250929" },
  });
  expect(record.body).toBe('{"input_tokens":12}');
});

test.for([
  [404, "NOT_FOUND", 404, "not_found_error"],
  [429, "RESOURCE_EXHAUSTED", 429, "rate_limit_error"],
  [503, "UNAVAILABLE", 529, "overloaded_error"],
] as const)("turns a %i %s into a %i %s", async ([code, status, expected, type], { vertex }) => {
  const client = openPlatformClient({
    settings,
    origin: vertex.origin,
    credential: vertex.serviceAccount,
  });
  vertex.answer = (exchange) =>
    sendGoogleError(exchange, code, status, "Publisher model projects/secret-name/x is not there");
  const record = await recordCall(client, { headers: officialHeaders(), body: toBody(message) });
  expect(record.statuses).toEqual([expected]);
  expect(JSON.parse(Buffer.from(record.body, "latin1").toString())).toMatchObject({
    error: { type, message: "Google Vertex AI: Publisher model projects/…/x is not there" },
  });
});

test("relays an error in the official body unchanged", async ({ vertex }) => {
  const client = openPlatformClient({
    settings,
    origin: vertex.origin,
    credential: vertex.serviceAccount,
  });
  const error = {
    type: "error",
    error: { type: "invalid_request_error", message: "max_tokens: 0" },
  };
  vertex.answer = (exchange) => exchange.json(error, { status: 400 });
  const record = await recordCall(client, { headers: officialHeaders(), body: toBody(message) });
  expect(record).toMatchObject({ statuses: [400], body: JSON.stringify(error) });
});

test("answers for a refused token without the name of the project", async ({ vertex }) => {
  const other = await startVertexPlatform({
    project: "test-project",
    location: "europe-west1",
    keyName: "other",
  });
  await other.close();
  const client = openPlatformClient({
    settings,
    origin: vertex.origin,
    credential: other.serviceAccount,
  });
  const record = await recordCall(client, { headers: officialHeaders(), body: toBody(message) });
  expect(vertex.refused).toEqual(["invalid signature"]);
  expect(record.statuses).toEqual([401]);
  expect(record.body).not.toContain("test-project");
});

test.for([
  '{"type":"external_account","credential_source":{"executable":{"command":"/bin/id"}}}',
  '{"type":"authorized_user"}',
  "not JSON",
])("refuses a credential of another kind: %s", (credential) => {
  expect(() => parseServiceAccount(credential)).toThrow("not the JSON key of a service account");
});

test("the platform of the tests accepts Anthropic's own client for Vertex AI", async ({
  vertex,
}) => {
  const { accessToken } = vertex;
  const client = openVertexSdk({ baseURL: `${vertex.origin}/v1`, accessToken });
  const request = { ...message, model: "claude-sonnet-4-5@20250929" };
  expect(await client.messages.create(request)).toMatchObject(messageJson());
  expect(await client.messages.stream(request).finalText()).toBe("word 0 word 1 word 2 ");
  expect(
    await client.messages.countTokens({ model: request.model, messages: request.messages }),
  ).toMatchObject({ input_tokens: 12 });
  expect(vertex.refused).toEqual([]);
});
