import { randomBytes } from "node:crypto";
import { type Action, isSelfAction } from "@bursar/contract/permissions.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import { afterAll, expect, test } from "vitest";
import {
  expectCleanFiles,
  expectCleanTables,
  expectNoCanary,
} from "#test/harness/canary-search.ts";
import { eventually } from "#test/harness/eventually.ts";
import {
  messageEvents,
  messageJson,
  startFakeUpstream,
  textDelta,
} from "#test/harness/fake-upstream.ts";
import { unknownIds } from "#test/harness/route-samples/subjects.ts";
import { samples } from "#test/harness/route-samples.ts";
import {
  type Answer,
  callAdmin,
  type ServerProcess,
  sendMessage,
  startServer,
  stopAllServers,
  textField,
  toAnswer,
} from "#test/harness/server-process.ts";
import { signInLaptop, startSignIn } from "#test/harness/sign-in-laptop.ts";

afterAll(stopAllServers);

/** Text that occurs by chance in no other place. */
function canary(kind: string): string {
  return `canary-${kind}-${randomBytes(16).toString("hex")}`;
}

/** Name of a workspace. Not secret, so it shows that the search finds existing text. */
const CONTROL = canary("control");

test("no secret, prompt or answer appears in logs, tables, files, errors, reads or metrics", {
  timeout: 240_000,
}, async () => {
  const upstream = await startFakeUpstream();
  const secrets = new Map<string, string>([
    ["upstream credential of the environment", canary("credential")],
    ["upstream credential stored", canary("stored")],
    ["upstream credential replaced", canary("replaced")],
    ["BURSAR_SECRET", canary("secret")],
    ["prompt", canary("prompt")],
    ["system prompt", canary("system")],
    ["answer", canary("answer")],
    ["prompt of a batch", canary("batch")],
    ["content of a file", canary("file")],
    ["user id", canary("user")],
    ["context of a safeguard", canary("safeguard")],
    ["tag", canary("tag")],
    ["error of the upstream", canary("error")],
    ["address of a webhook", canary("webhook")],
    ["client secret of the directory", canary("client")],
    ["header of a telemetry receiver", canary("header")],
  ]);
  const secret = (name: string): string => secrets.get(name) ?? "";
  const server = await startServer({
    env: {
      ANTHROPIC_API_KEY: secret("upstream credential of the environment"),
      ANTHROPIC_UPSTREAM_URL: upstream.origin,
      BURSAR_SECRET: secret("BURSAR_SECRET"),
      BURSAR_LOG_LEVEL: "trace",
      BURSAR_ALLOW_PRIVATE_UPSTREAMS: "127.0.0.1",
    },
  });
  const answers: Answer[] = [];
  try {
    const made = await server.workspaceWithKey({ name: CONTROL });
    secrets.set("admin key", await server.adminKey());
    secrets.set("API key", made.key);
    const second = await server.mustAdmin("POST", "/v1/admin/admin_keys", { name: "second" });
    secrets.set("second admin key", textField(second, "key"));
    secrets.set("password", canary("password"));
    const member = await inviteMember(server, secrets);

    const path = `/v1/admin/api_keys/${made.apiKeyId}/rotate`;
    const rotated = await server.mustAdmin("POST", path, { grace_period_seconds: 3600 });
    secrets.set("rotated API key", textField(rotated, "key"));

    answers.push(...(await makeChanges(server, upstream.origin, secrets)));
    await sendMessages(server, upstream, made.key, secret);
    answers.push(...(await causeErrors(server, upstream, made.key, secrets)));
    await server.mustAdmin("POST", "/v1/admin/spend_limits", {
      scope: { type: "organization" },
      period: "monthly",
      limit_usd: 1_000,
    });
    await server.mustAdmin("POST", "/v1/admin/rate_limits", {
      scope: { type: "organization" },
      requests_per_minute: 100_000,
    });
    await eventually(30_000, "all requests in the database", async () => {
      const [row] = await server.sql<{ count: string }>(
        "SELECT count(*)::text FROM recorded_request",
      );
      return Number(row?.count) >= upstream.received.length ? row : null;
    });
    await createObjects(server, upstream, made.key, secret);
    await fireAlert(server, made.workspaceId);
    answers.push(...(await readEverything(server, { ...made, ...member }, secrets)));

    // Admin responses must contain no canary. Responses of Claude itself are not among them.
    for (const { text, headers } of answers) {
      expectNoCanary("an answer", text + JSON.stringify([...headers]), secrets);
    }
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expectNoCanary("/metrics", metrics, secrets);
    await expectCleanTables(server, secrets, CONTROL);
    await server.stop();
    expectNoCanary("the log", server.output(), secrets);
    expectCleanFiles(server.dataDir, secrets, { control: CONTROL, apiKeyId: made.apiKeyId });
  } finally {
    await upstream.close();
  }
});

type Secret = (name: string) => string;
type Upstream = Awaited<ReturnType<typeof startFakeUpstream>>;

/** Makes changes with secret input. */
async function makeChanges(
  server: ServerProcess,
  origin: string,
  secrets: Map<string, string>,
): Promise<Answer[]> {
  const secret: Secret = (name) => secrets.get(name) ?? "";
  const stored = await server.operator("POST", "/v1/admin/upstreams", {
    name: "Stored",
    base_url: origin,
    credential: secret("upstream credential stored"),
  });
  expect({ status: stored.status, text: stored.text }).toMatchObject({ status: 200 });
  const directory = await server.operator("POST", "/v1/admin/directories", {
    name: "Company",
    issuer: "https://login.example.com",
    client_secret: secret("client secret of the directory"),
  });
  expect({ status: directory.status, text: directory.text }).toMatchObject({ status: 200 });
  const receiver = await server.operator("POST", "/v1/admin/telemetry_receivers", {
    name: "Collector",
    url: "https://otel.invalid",
    headers: { authorization: secret("header of a telemetry receiver") },
  });
  expect({ status: receiver.status, text: receiver.text }).toMatchObject({ status: 200 });
  const path = `/v1/admin/upstreams/${textField(stored.json, "id")}`;
  const replaced = await server.operator("POST", path, {
    credential: secret("upstream credential replaced"),
  });
  const wrong = await server.operator("POST", path, {
    credential: `${secret("upstream credential replaced")} with a space`,
    unknown_field: secret("upstream credential replaced"),
  });
  expect([replaced.status, wrong.status]).toEqual([200, 400]);
  // The name does not resolve. So the test of the channel fails, and its error must not contain the address.
  const channel = await server.operator("POST", "/v1/admin/alert_channels", {
    name: "Hook",
    target: { kind: "webhook", url: `https://hooks.invalid/${secret("address of a webhook")}` },
  });
  secrets.set("signing secret", textField(channel.json, "signing_secret").slice("whsec_".length));
  const id = textField(channel.json, "id");
  const tested = await server.operator("POST", `/v1/admin/alert_channels/${id}/test`);
  expect([channel.status, tested.json?.["status"]]).toEqual([200, "failed"]);
  return [stored, replaced, wrong, tested];
}

/** Accepts one invite, and leaves another one in the mail queue. */
async function inviteMember(
  server: ServerProcess,
  secrets: Map<string, string>,
): Promise<{ memberId: string; inviteId: string; cookie: string }> {
  const invite = async (email: string) => {
    const body = { emails: [email], role: "user" };
    const { results } = await server.mustOperator("POST", "/v1/admin/invites", body);
    const [result] = results as { invite: { id: string }; link: string }[];
    return { id: result?.invite.id ?? "", token: result?.link.split("#token=")[1] ?? "" };
  };
  const accepted = await invite("ann@example.com");
  const waiting = await invite("bob@example.com");
  secrets.set("token of an accepted invite", accepted.token);
  secrets.set("token of an invite", waiting.token);
  const answer = await fetch(`${server.url}/v1/admin/invites/accept`, {
    method: "POST",
    headers: {
      origin: server.url,
      "content-type": "application/json",
      "x-bursar-console": "1",
    },
    body: JSON.stringify({
      token: accepted.token,
      name: "Ann",
      password: secrets.get("password"),
    }),
  });
  const { status, text, json } = await toAnswer(answer);
  expect({ status, text }).toMatchObject({ status: 200 });
  expectNoCanary("the answer to the new member", text, secrets);
  const cookie = answer.headers.getSetCookie().map((line) => line.split(";")[0] ?? "");
  for (const each of cookie) secrets.set("cookie", each.split("=")[1] ?? "");
  return {
    memberId: textField(json, "member_id"),
    inviteId: waiting.id,
    cookie: cookie.join("; "),
  };
}

/** Sends messages with and without a stream. Prompts and answers are full of canaries. */
async function sendMessages(
  server: ServerProcess,
  upstream: Upstream,
  key: string,
  secret: Secret,
): Promise<void> {
  const body = JSON.stringify({
    model: "claude-haiku-4-5-20251001",
    max_tokens: 64,
    system: secret("system prompt"),
    metadata: { user_id: secret("user id") },
    tags: { cost_centre: secret("tag") },
    safeguards: [
      {
        type: "dangerous_tool_use",
        classifier_context: { live_cwd: secret("context of a safeguard") },
      },
    ],
    messages: [{ role: "user", content: secret("prompt") }],
  });
  upstream.script = (exchange) => exchange.json(messageJson({ text: secret("answer") }));
  const json = await post(server.url, key, body);
  expect(json.text).toContain(secret("answer"));
  upstream.script = (exchange) => {
    const [start = "", ...rest] = messageEvents(3);
    return exchange.stream([start, textDelta(secret("answer")), ...rest]);
  };
  const streamed = await post(server.url, key, body.replace("{", '{"stream":true,'));
  expect(streamed.text).toContain(secret("answer"));
}

/** Creates a message batch and a file. The upstream never ends the batch. */
async function createObjects(
  server: ServerProcess,
  upstream: Upstream,
  key: string,
  secret: Secret,
): Promise<void> {
  const created_at = new Date().toISOString();
  const expires_at = new Date(Date.parse(created_at) + 86_400_000).toISOString();
  const request_counts = { processing: 1, succeeded: 0, errored: 0, canceled: 0, expired: 0 };
  const batch = {
    ...{ id: "msgbatch_01Canary", type: "message_batch", processing_status: "in_progress" },
    ...{ request_counts, created_at, expires_at, ended_at: null, archived_at: null },
    ...{ cancel_initiated_at: null, results_url: null },
  };
  const file = { id: "file_01Canary", type: "file", filename: "report.txt", size_bytes: 9 };
  const described = { ...file, mime_type: "text/plain", created_at, downloadable: false };
  upstream.script = (exchange) =>
    exchange.json(exchange.received.url.startsWith("/v1/files") ? described : batch);
  const params = {
    model: "claude-haiku-4-5-20251001",
    max_tokens: 64,
    messages: [{ role: "user", content: secret("prompt of a batch") }],
  };
  const created = await fetch(`${server.url}/v1/messages/batches`, {
    method: "POST",
    headers: { "x-api-key": key, "content-type": "application/json" },
    body: JSON.stringify({ requests: [{ custom_id: "one", params }] }),
  }).then(toAnswer);
  expect(created).toMatchObject({ status: 200 });
  const form = new FormData();
  form.set("file", new Blob([secret("content of a file")], { type: "text/plain" }), "report.txt");
  const uploaded = await fetch(`${server.url}/v1/files`, {
    method: "POST",
    headers: { "x-api-key": key, "anthropic-beta": "files-api-2025-04-14" },
    body: form,
  }).then(toAnswer);
  expect(uploaded).toMatchObject({ status: 200 });
}

/** Causes every kind of error, with a canary in the faulty part. */
async function causeErrors(
  server: ServerProcess,
  upstream: Upstream,
  key: string,
  secrets: ReadonlyMap<string, string>,
): Promise<Answer[]> {
  const { url } = server;
  const secret: Secret = (name) => secrets.get(name) ?? "";
  const prompt = secret("prompt");
  const refusals = [
    await post(url, key, `{"model":"claude-haiku-4-5","messages":"${prompt}`),
    await post(
      url,
      key,
      `{"model":7,"max_tokens":1,"messages":[{"role":"user","content":"${prompt}"}]}`,
    ),
    await post(url, key, `{"model":"m","max_tokens":"${prompt}","messages":[]}`),
    await post(url, key, `{"model":"m","system":"a","system":"${prompt}","messages":[]}`),
    await post(url, key.slice(0, -1), "{}"),
    await post(url, key, `{"model":"m","safeguards":"${secret("context of a safeguard")}"}`),
    await post(url, key, `{"model":"m","safeguards":"${secret("context of a safeguard")}`),
    await post(url, secret("admin key"), "{}"),
    await callAdmin(url, key, "GET", "/v1/admin/workspaces"),
    await callAdmin(url, `${secret("admin key")}x`, "GET", "/v1/admin/workspaces"),
    await callAdmin(url, secret("upstream credential stored"), "GET", "/v1/admin/workspaces"),
  ];
  expect(refusals.filter(({ status }) => status < 400)).toEqual([]);
  // People put a key into the address by mistake. A log must not contain it.
  for (const name of ["admin key", "API key"]) {
    const query = `x-api-key=${encodeURIComponent(secret(name))}`;
    refusals.push(await callAdmin(url, null, "GET", `/v1/admin/workspaces?${query}`));
    refusals.push(await callAdmin(url, null, "GET", `/v1/models?${query}`));
    // The response of a 404 repeats the path to its sender only.
    await callAdmin(url, null, "GET", `/nowhere/${secret(name)}?${query}`);
    await callAdmin(url, null, "POST", `/v1/messages/${secret(name)}`, {});
  }

  // The upstream fails in several ways. Its error body passes to the client only.
  const error = { type: "invalid_request_error", message: secret("error of the upstream") };
  upstream.script = (exchange) => exchange.json({ type: "error", error }, { status: 400 });
  expect((await sendMessage(url, key, { text: prompt })).text).toContain(error.message);
  upstream.script = (exchange) => exchange.reset();
  refusals.push(await sendMessage(url, key, { text: prompt }));
  upstream.script = (exchange) => exchange.json(`${secret("answer")} is no JSON`);
  await sendMessage(url, key, { text: prompt });
  upstream.script = async (exchange) => {
    exchange.startStream();
    await exchange.write(textDelta(secret("answer")));
    exchange.reset();
  };
  await sendMessage(url, key, { text: prompt, stream: true }).catch(() => undefined);
  return refusals;
}

/** Fires an alert at once. Its message fails at the channel. */
async function fireAlert(server: ServerProcess, workspaceId: string): Promise<void> {
  const { data } = await server.mustAdmin("GET", "/v1/admin/alert_channels?kinds=webhook");
  await server.mustAdmin("POST", "/v1/admin/alerts", {
    name: "Spend",
    scope: { type: "workspace", workspace_id: workspaceId },
    condition: { kind: "spend_limit", thresholds: [{ amount_usd: 0.000001 }] },
    channel_ids: [textField((data as unknown[])[0], "id")],
  });
  // A fold beside the creation leaves the alert to the sweep of every minute.
  await eventually(90_000, "the message was tried", async () => {
    const [row] = await server.sql<{ error: string }>(
      "SELECT last_error AS error FROM alert_delivery WHERE alert_firing_id IS NOT NULL AND attempts > 0",
    );
    return row?.error ? row : null;
  });
}

/** Calls every reading operation of the Admin API with existing ids. */
async function readEverything(
  server: ServerProcess,
  ids: {
    workspaceId: string;
    apiKeyId: string;
    memberId: string;
    inviteId: string;
    cookie: string;
  },
  secrets: Map<string, string>,
): Promise<Answer[]> {
  const list = async (path: string): Promise<string> => {
    const { data } = await server.mustAdmin("GET", path);
    return textField((data as unknown[])[0], "id");
  };
  const values: Record<string, string> = {
    workspace_id: ids.workspaceId,
    api_key_id: ids.apiKeyId,
    admin_key_id: await list("/v1/admin/admin_keys"),
    upstream_id: await list("/v1/admin/upstreams"),
    directory_id: await list("/v1/admin/directories"),
    spend_limit_id: await list("/v1/admin/spend_limits"),
    rate_limit_id: await list("/v1/admin/rate_limits"),
    member_id: ids.memberId,
    user_id: ids.memberId,
    invite_id: ids.inviteId,
    // Mail of the accepted invite. The pending one may be read.
    mail_id: await list("/v1/admin/mail?statuses=withdrawn"),
    audit_event_id: await list("/v1/admin/audit_events"),
    request_id: await list("/v1/admin/requests"),
    alert_channel_id: await list("/v1/admin/alert_channels?kinds=webhook"),
    telemetry_receiver_id: await list("/v1/admin/telemetry_receivers"),
    alert_id: await list("/v1/admin/alerts"),
    alert_firing_id: await list("/v1/admin/alert_firings"),
    message_batch_id: await list("/v1/admin/message_batches"),
  };
  const group = await server.mustAdmin("POST", "/v1/admin/groups", { name: "Search" });
  values["group_id"] = textField(group, "id");
  values["rbac_group_id"] = values["group_id"];
  values["rbac_role_id"] = await list("/v1/organizations/rbac_roles");
  const asked = await server.mustAdmin("POST", "/v1/admin/spend_limit_increase_requests", {
    scope: { type: "organization" },
    amount_usd: 2_000,
    reason: "More is needed.",
  });
  values["spend_limit_increase_request_id"] = textField(asked, "id");
  await server.mustAdmin("POST", `/v1/admin/workspaces/${ids.workspaceId}/members`, {
    member_id: ids.memberId,
    workspace_role: "workspace_admin",
  });
  const laptop = await signInLaptop(server, ids);
  secrets.set("device code", laptop.deviceCode);
  secrets.set("access token", laptop.accessToken);
  secrets.set("refresh token", laptop.refreshToken);
  const sessionId = await sendInSession(server.url, laptop.accessToken);
  values["agent_session_id"] = await eventually(30_000, "the session in the log", async () => {
    const { data } = await server.mustAdmin("GET", "/v1/admin/agent_sessions");
    return (data as unknown[]).length > 0 ? sessionId : null;
  });
  await server.mustAdmin("POST", "/v1/admin/managed_settings", {
    policies: [{ name: "Everyone", group_ids: [], settings: { cleanupPeriodDays: 30 } }],
  });
  values["managed_settings_version_id"] = await list("/v1/admin/managed_settings/versions");
  values["month"] = new Date().toISOString().slice(0, "YYYY-MM".length);
  values["user_code"] = (await startSignIn(server)).user_code;
  const review = await server.mustAdmin("POST", "/v1/admin/access_reviews", {
    name: "Everything",
    scope: { paths: ["workspace_role"], workspace_ids: [ids.workspaceId] },
    reviewer_ids: [ids.memberId],
    due_at: new Date(Date.now() + 86_400_000).toISOString(),
  });
  values["access_review_id"] = textField(review, "id");
  const answers: Answer[] = [];
  for (const route of adminRoutes) {
    if (route.method !== "GET") continue;
    const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
    const { query, isDenied } = samples[route.operationId];
    const asked = typeof query === "function" ? query({ ...unknownIds, ...values }) : query;
    const url = asked === undefined ? path : `${path}?${asked}`;
    const action = isDenied?.({ actorType: "admin_key" }) ? "self:read" : route.action;
    const answer = await readAs(server, action, url, ids.cookie);
    expect({ path, status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
    answers.push(answer);
  }
  return answers;
}

/** Sends a message as Claude Code does. Returns the id of its agent session. */
async function sendInSession(url: string, accessToken: string): Promise<string> {
  const id = "6f9d8e0c-7a1b-4c3d-9e2f-0a1b2c3d4e5f";
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${accessToken}`,
      "content-type": "application/json",
      "x-claude-code-session-id": id,
    },
    body: JSON.stringify({
      model: "claude-haiku-4-5-20251001",
      max_tokens: 64,
      messages: [{ role: "user", content: "Hello" }],
    }),
  });
  expect(response.status).toBe(200);
  return id;
}

/** Reads with a caller that may: a member for its own data, the operator for owners' data, else an admin key. */
async function readAs(
  server: ServerProcess,
  action: Action,
  path: string,
  cookie: string,
): Promise<Answer> {
  if (action === "owners:recover") return server.operator("GET", path);
  if (!isSelfAction(action)) return server.admin("GET", path);
  const headers = { cookie, "x-bursar-console": "1" };
  return fetch(server.url + path, { headers }).then(toAnswer);
}

function post(url: string, key: string, body: string): Promise<Answer> {
  return fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": key, "content-type": "application/json" },
    body,
  }).then(toAnswer);
}
