import type { ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import { expect, onTestFinished } from "vitest";
import type { HttpClient, StreamedClient } from "#src/lib/http-client.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { makeObjectClient } from "#src/upstreams/make-client.ts";
import { awsKey, foundryAccount, test, toAwsCredential } from "#test/harness/platform-test.ts";
import { officialHeaders } from "#test/harness/platforms/open-platform-client.ts";
import { recordCall } from "#test/harness/raw-upstream.ts";
import { makeProviderObjects } from "../make-provider-client.ts";

const settings: ProviderSettings = {
  provider: "foundry",
  resource: "test-resource",
  authentication: "api_key",
};

function open(origin: string, credential: string, used: ProviderSettings = settings) {
  const objects = makeProviderObjects(
    {
      settings: used,
      baseUrl: `${origin}/`,
      credential,
      extraHeaders: [],
      isMachineAllowed: false,
      nowMs: Date.now,
      logger: makeLogger("silent"),
      proxy: null,
    },
    () => makeObjectClient({ origin }, { idleTimeoutMs: 20_000, turnEnd: null }),
  );
  if (objects !== null) onTestFinished(() => objects.destroy());
  return objects;
}

/** Sends a request as the gateway does, with the key of the client still in it. */
function send(objects: StreamedClient | null, method: "GET" | "POST" | "DELETE", path: string) {
  if (objects === null) throw new Error("no client");
  const body = method === "POST" ? Buffer.from("content") : null;
  const client: HttpClient = {
    ...objects,
    send: (request, handler) =>
      objects.send({ ...request, method, body, bodyBytes: body?.length ?? null }, handler),
  };
  const headers = officialHeaders({
    "anthropic-beta": "files-api-2025-04-14",
    "x-api-key": "key-of-the-client",
  });
  return recordCall(client, { path, headers });
}

test.for(["files", "skills"])(
  "%s are stored under the address of the resource, with its key",
  async (kind, { foundry }) => {
    const objects = open(foundry.origin, foundryAccount.apiKey);
    const record = await send(objects, "POST", `/v1/${kind}?beta=true`);
    expect([record.statuses, record.errors]).toEqual([[200], []]);
    const { id } = JSON.parse(record.body) as { id: string };
    expect(foundry.objects.get(id)?.toString()).toBe("content");
    expect((await send(objects, "DELETE", `/v1/${kind}/${id}`)).statuses).toEqual([200]);
    expect([foundry.objects.size, foundry.refused]).toEqual([0, []]);
  },
);

test("errors have the official body", async ({ foundry }) => {
  const missing = await send(open(foundry.origin, foundryAccount.apiKey), "GET", "/v1/files/x");
  expect(missing.statuses).toEqual([404]);
  expect(JSON.parse(missing.body)).toMatchObject({
    error: { type: "not_found_error", message: "Microsoft Foundry: No such file" },
  });
  const refused = await send(open(foundry.origin, "another-key"), "GET", "/v1/files/x");
  expect(refused.statuses).toEqual([401]);
  expect(JSON.parse(refused.body)).toMatchObject({ error: { type: "authentication_error" } });
  expect(refused.body).not.toContain("another-key");
});

test("requests after the close are refused, and none waits for ever", async ({ foundry }) => {
  const objects = open(foundry.origin, foundryAccount.apiKey);
  const sending = send(objects, "POST", "/v1/files");
  await objects?.close();
  expect((await sending).statuses).toEqual([200]);
  expect(objects?.isClosed).toBe(true);
  expect((await send(objects, "GET", "/v1/files")).errors).toEqual(["UND_ERR_CLOSED"]);
});

test("Bedrock and Vertex AI store no objects", ({ vertex }) => {
  const aws: ProviderSettings = {
    provider: "bedrock",
    region: "eu-central-1",
    authentication: "access_key",
  };
  expect(open("http://127.0.0.1:9", toAwsCredential(awsKey), aws)).toBeNull();
  const google: ProviderSettings = {
    provider: "vertex",
    region: "global",
    project_id: "test-project",
    authentication: "service_account",
  };
  expect(open("http://127.0.0.1:9", vertex.serviceAccount, google)).toBeNull();
});
