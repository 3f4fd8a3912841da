import { expect, onTestFinished, test } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { type AdminHarness, startAdmin } from "#test/harness/admin.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { startFakeUpstream } from "#test/harness/fake-upstream.ts";
import { awsKey, bedrockAccount, toAwsCredential } from "#test/harness/platform-test.ts";
import { startBedrockPlatform } from "#test/harness/platforms/bedrock-platform.ts";
import { makeAnthropicUpstream } from "./anthropic.ts";
import { makeProviderUpstream } from "./provider-upstreams.ts";
import type { Upstream } from "./upstream.ts";

const CREDENTIAL = "sk-ant-api03-credential-of-the-test";
const used = new Map<string, Upstream>();

async function start(): Promise<{ h: AdminHarness; id: string; test: () => Promise<object> }> {
  const h = await startAdmin({ upstreams: { find: (_, id) => used.get(id) ?? null } });
  onTestFinished(() => h.close());
  const org = await h.organization();
  const body = { name: "Claude", base_url: "https://api.anthropic.com", credential: CREDENTIAL };
  const { id } = (await org.operator.post<{ id: string }>("/v1/admin/upstreams", body)).body;
  const run = async () =>
    (await org.operator.post<object>(`/v1/admin/upstreams/${id}/test`, {})).body;
  return { h, id, test: run };
}

function use(id: string, baseUrl: string): Upstream {
  const credential = CREDENTIAL;
  const options = { idleTimeoutMs: 1_000, turnEnd: null, source: "stored" } as const;
  const upstream = makeAnthropicUpstream({ id, baseUrl, credential, ...options });
  onTestFinished(() => upstream.client.destroy());
  used.set(id, upstream);
  return upstream;
}

test("a test lists one model with the credential, and shows a refusal without it", async () => {
  const upstream = await startFakeUpstream();
  onTestFinished(() => upstream.close());
  const { h, id, test } = await start();
  use(id, upstream.origin);
  upstream.script = ({ json }) => json({ data: [] });
  expect(await test()).toMatchObject({ is_working: true, http_status: 200, problem: null });
  expect(upstream.received[0]).toMatchObject({
    method: "GET",
    url: "/v1/models?limit=1",
    headers: { "x-api-key": CREDENTIAL, "anthropic-version": "2023-06-01" },
  });
  const message = `invalid x-api-key ${CREDENTIAL}`;
  upstream.script = ({ json }) => json({ type: "error", error: { message } }, { status: 401 });
  expect(await test()).toMatchObject({
    is_working: false,
    http_status: 401,
    problem: "The upstream answered 401: invalid x-api-key …",
  });
  const events = await auditEventsOf(h.deps.database, id);
  expect(events.map(({ event }) => event)).toEqual([
    "upstream.created",
    "upstream.tested",
    "upstream.tested",
  ]);
});

test("a test of a cloud platform counts tokens, because the platform lists no models", async () => {
  const upstream = await startFakeUpstream();
  onTestFinished(() => upstream.close());
  const { id, test } = await start();
  const testModel = "claude-haiku-4-5";
  used.set(id, { ...use(id, upstream.origin), kind: "bedrock", testModel });
  upstream.script = ({ json }) => json({ input_tokens: 8 });
  expect(await test()).toMatchObject({ is_working: true, http_status: 200 });
  expect(upstream.received[0]).toMatchObject({
    method: "POST",
    url: "/v1/messages/count_tokens",
    headers: { "content-type": "application/json" },
  });
});

test("a test names the reason when the upstream is not reached, and when it cannot be used", async () => {
  const gone = await startFakeUpstream();
  await gone.close();
  const { id, test } = await start();
  expect(await test()).toMatchObject({
    is_working: false,
    problem: expect.stringContaining("cannot be used"),
  });
  use(id, gone.origin);
  expect(await test()).toMatchObject({
    is_working: false,
    http_status: null,
    problem: expect.stringContaining("ECONNREFUSED"),
  });
});

test("a test of a cloud platform counts tokens with a signed request", async () => {
  const platform = await startBedrockPlatform(bedrockAccount);
  onTestFinished(() => platform.close());
  const { id, test } = await start();
  const upstream = makeProviderUpstream({
    id,
    baseUrl: platform.origin,
    settings: { provider: "bedrock", region: "eu-central-1", authentication: "access_key" },
    credential: toAwsCredential(awsKey),
    extraHeaders: [],
    isMachineAllowed: false,
    nowMs: Date.now,
    logger: makeLogger("silent"),
    idleTimeoutMs: 1_000,
    turnEnd: null,
  });
  onTestFinished(() => upstream.client.destroy());
  used.set(id, upstream);
  expect(await test()).toMatchObject({ is_working: true, http_status: 200, problem: null });
  expect(platform.requests[0]).toMatchObject({ action: "count-tokens" });
  expect(platform.refused).toEqual([]);
});
