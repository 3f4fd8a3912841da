// `node server/test/releases/record-release.ts <folder>`: records the database of the checked-out version as its
// server writes it, for tests that upgrade from it. DATABASE_URL names an empty database. pg_dump must be in PATH, in
// the same version as the server: the oldest one that Bursar supports, because a dump loads into newer servers only.
import { execFile } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeSchema } from "#src/db/describe-schema.ts";
import { assert } from "#src/lib/assert.ts";
import { eventually } from "#test/harness/eventually.ts";
import { startReceiver } from "#test/harness/receiver.ts";
import {
  root,
  type ServerProcess,
  sendMessage,
  serverEnvironment,
  startServer,
  stopAllServers,
  textField,
} from "#test/harness/server-process.ts";
import { makePeople, type People, type Person } from "./record-people.ts";
import { type RecordedKey, type Recording, readFigures } from "./recording.ts";

const run = promisify(execFile);
const WAIT_MS = 60_000;
const LEASE_TTL_MS = 3_000;
const REVIEW_MS = 300 * 86_400_000;
const MODEL = "claude-haiku-4-5-20251001";
const MAX_STATEMENT_ROWS = "100";

const [, , folder] = process.argv;
const connectionString = process.env["DATABASE_URL"];
assert(folder !== undefined, "the folder of the release is missing");
assert(connectionString !== undefined, "DATABASE_URL must name an empty database");
const secret = "the secret of a recorded installation";
const env = {
  DATABASE_URL: connectionString,
  BURSAR_SECRET: secret,
  BURSAR_LEASE_TTL: `${LEASE_TTL_MS}ms`,
  BURSAR_ALLOW_PRIVATE_TARGETS: "127.0.0.0/8",
};

try {
  await record(folder);
} finally {
  await stopAllServers();
}

async function record(target: string): Promise<void> {
  const server = await startServer({ env });
  const receiver = await startReceiver();
  const people = await makePeople(server);
  const workspaces = await makeWorkspaces(server, people);
  await makeSettings(server, people, { ...workspaces, receiverOrigin: receiver.origin });
  await sendTraffic(server, workspaces);
  await makeDecisions(server, people, workspaces);
  await killNodes(workspaces.lost);
  await resolveRequest(server);
  await run(process.execPath, ["bursar", "backup", join(server.dataDir, "backup.bursar")], {
    cwd: root,
    env: serverEnvironment(server.dataDir, env),
  });
  await waitUntilIdle(server);
  const recordedAt = new Date().toISOString();
  const figures = await readFigures(server, { recordedAt, ...workspaces });
  const adminKey = await server.adminKey();
  const { interrupted, strict, keys } = workspaces;
  const requests = await interruptRequests(server, interrupted);
  await receiver.close();
  const recordPerson = ({ id, email, password, cookie }: Person) => ({
    ...{ id, email, password, cookie: cookie() },
  });
  await save(target, server.dataDir, {
    ...{ secret, recordedAt, adminKey, keys, strict, figures },
    people: [people.owner, people.developer].map(recordPerson),
    interrupted: { ...interrupted, requests },
  });
}

interface Workspaces extends Pick<Recording, "strict" | "keys"> {
  open: RecordedKey;
  lost: RecordedKey;
  interrupted: RecordedKey;
}

/** Creates a workspace for each kind of spend, with keys. */
async function makeWorkspaces(server: ServerProcess, people: People): Promise<Workspaces> {
  const [open, strict, lost, interrupted, archived] = [
    await server.workspaceWithKey({ name: "Research" }),
    await server.workspaceWithKey({ name: "Strict" }),
    await server.workspaceWithKey({ name: "Lost" }),
    await server.workspaceWithKey({ name: "Interrupted" }),
    await server.workspaceWithKey({ name: "Archived" }),
  ];
  await server.mustAdmin("POST", `/v1/admin/workspaces/${archived.workspaceId}/archive`);
  const { workspaceId } = open;
  const make = async (fields: object) =>
    server.mustAdmin("POST", "/v1/admin/api_keys", { workspace_id: workspaceId, ...fields });
  await server.mustAdmin("POST", `/v1/admin/workspaces/${workspaceId}/members`, {
    ...{ member_id: people.developer.id, workspace_role: "workspace_developer" },
  });
  const personal = await people.developer.must("POST", "/v1/admin/api_keys", {
    ...{ workspace_id: workspaceId, name: "Personal", owner_member_id: people.developer.id },
  });
  const rotated = await make({ name: "Rotated" });
  const after = await server.mustAdmin(
    "POST",
    `/v1/admin/api_keys/${textField(rotated, "id")}/rotate`,
    { grace_period_seconds: 3_600 },
  );
  const revoked = await make({ name: "Revoked" });
  await server.mustAdmin("POST", `/v1/admin/api_keys/${textField(revoked, "id")}`, {
    status: "archived",
  });
  await make({ name: "Expires", expires_at: "2099-01-01T00:00:00Z", permissions: ["read"] });
  const bound = await make({
    ...{ name: "Bound", allowed_models: ["claude-haiku-*"], allowed_addresses: ["127.0.0.0/8"] },
  });
  return {
    ...{ open, lost, interrupted },
    strict: { ...strict, limitUsd: 0.02 },
    keys: {
      working: [
        open.key,
        textField(personal, "key"),
        textField(after, "key"),
        textField(bound, "key"),
      ],
      revoked: textField(revoked, "key"),
      archived: archived.key,
    },
  };
}

/** Sets limits, alerts with a channel, prices and policies. */
async function makeSettings(
  server: ServerProcess,
  people: People,
  { open, strict, lost, interrupted, receiverOrigin }: Workspaces & { receiverOrigin: string },
): Promise<void> {
  const post = (path: string, body: object) => server.mustAdmin("POST", `/v1/admin/${path}`, body);
  const workspace = ({ workspaceId }: RecordedKey) => ({
    ...{ type: "workspace", workspace_id: workspaceId },
  });
  const organization = { type: "organization" };
  const limit = (fields: object) => post("spend_limits", { period: "monthly", ...fields });
  await limit({ scope: organization, limit_usd: 100, enforcement: "soft" });
  await limit({ scope: workspace(strict), limit_usd: strict.limitUsd });
  await limit({ scope: workspace(lost), limit_usd: 5 });
  await limit({ scope: workspace(interrupted), limit_usd: 5 });
  const key = { type: "api_key", api_key_id: open.apiKeyId };
  await limit({ scope: key, limit_usd: 1, period: "daily", enforcement: "alert_only" });
  await post("rate_limits", { scope: workspace(open), requests_per_minute: 10_000 });
  const channel = await post("alert_channels", {
    ...{ name: "Webhook", target: { kind: "webhook", url: `${receiverOrigin}/alerts` } },
  });
  const condition = { kind: "spend_limit", thresholds: [{ percent: 10 }, { amount_usd: 0.01 }] };
  await post("alerts", {
    ...{ name: "Spend", scope: organization, includes_below: true, condition },
    channel_ids: [textField(channel, "id")],
  });
  await post("alerts", { name: "Unused", scope: organization, condition: { kind: "key_unused" } });
  await post("model_prices", { model: "in-house-1", input_usd: 1, output_usd: 2 });
  await post("request_log/settings", { retention_days: 3_650 });
  await post(`workspaces/${open.workspaceId}/rotation_policy`, { rotation_days: 3_650 });
  await people.owner.must("POST", "/v1/admin/security_settings", { max_key_lifetime_days: null });
  await server.mustOperator("POST", "/v1/admin/upstreams", {
    ...{ name: "Stored", base_url: "https://upstream.example.com", credential: "of-the-upstream" },
  });
  await post("admin_keys", { name: "Expires", expires_at: "2099-01-01T00:00:00Z" });
}

/** Sends requests with several outcomes, and then spends the strict limit. */
async function sendTraffic(
  server: ServerProcess,
  { open, strict, keys }: Workspaces,
): Promise<void> {
  const models = [
    ...[MODEL, "claude-sonnet-4-5", "claude-opus-4-5", "simulate-words-40", "in-house-1"],
    ...[
      "simulate-error-500",
      "simulate-overloaded",
      "simulate-cut-3",
      "simulate-fast-in2000-out300",
    ],
  ];
  for (const [index, key] of keys.working.entries()) {
    for (const model of index < 3 ? models : [MODEL]) {
      for (const stream of [false, true]) {
        // The simulator breaks the connection of one model.
        await sendMessage(server.url, key, { model, stream }).catch(() => undefined);
      }
    }
  }
  await sendMessage(server.url, keys.revoked);
  await sendMessage(server.url, open.key, { maxTokens: -1 });
  const isRefused = async () =>
    (await sendMessage(server.url, strict.key, { model: "claude-opus-4-5", maxTokens: 200 }))
      .status !== 200;
  while (!(await isRefused()));
}

/** Decides increase requests and reviews, invites a person, opens the playground. */
async function makeDecisions(
  server: ServerProcess,
  { owner, developer }: People,
  { open, strict, lost }: Workspaces,
): Promise<void> {
  const ask = (workspaceId: string, amountUsd: number) =>
    server.mustAdmin("POST", "/v1/admin/spend_limit_increase_requests", {
      ...{ scope: { type: "workspace", workspace_id: workspaceId }, amount_usd: amountUsd },
      reason: "More work",
    });
  const denied = await ask(strict.workspaceId, 500);
  const path = `/v1/admin/spend_limit_increase_requests/${textField(denied, "id")}`;
  await owner.must("POST", `${path}/deny`, { answer: "Not this month" });
  const approved = await ask(lost.workspaceId, 50);
  const approvedPath = `/v1/admin/spend_limit_increase_requests/${textField(approved, "id")}`;
  await owner.must("POST", `${approvedPath}/approve`, {});
  const dueAt = new Date(Date.now() + REVIEW_MS).toISOString();
  const startReview = (name: string) =>
    owner.must("POST", "/v1/admin/access_reviews", {
      ...{ name, scope: { paths: ["workspace_key"], workspace_ids: [open.workspaceId] } },
      ...{ reviewer_ids: [owner.id], due_at: dueAt },
    });
  await startReview("Open");
  const closed = textField(await startReview("Closed"), "id");
  await owner.must("POST", `/v1/admin/access_reviews/${closed}/decisions`, {
    accept_recommendations: true,
  });
  await owner.must("POST", `/v1/admin/access_reviews/${closed}/close`);
  await owner.must("POST", "/v1/admin/invites", {
    ...{ emails: ["hedy@example.com"], role: "user" },
    workspaces: [{ workspace_id: open.workspaceId, workspace_role: "workspace_user" }],
  });
  await owner.must("POST", "/v1/admin/playground/sessions", { workspace_id: open.workspaceId });
  await developer.must("POST", "/v1/admin/profile", { name: "Grace Hopper" });
}

/**
 * Kills two nodes while each runs a request. One node returns, so the spend of its request is unresolved. The other
 * one stays silent, so its whole budget is.
 */
async function killNodes({ key }: RecordedKey): Promise<void> {
  for (const isRestarted of [true, false]) {
    const node = await startServer({ env });
    await beginRequest(node, key);
    await node.kill();
    if (isRestarted) await (await node.restart()).stop();
  }
}

/** Charges the request. The budget of the silent node stays unresolved. */
async function resolveRequest(server: ServerProcess): Promise<void> {
  const path = "/v1/admin/unresolved_spend";
  const requestId = await eventually(WAIT_MS, "unresolved spend of both nodes", async () => {
    const { data } = await server.mustOperator("GET", path);
    const listed = data as { id: string; request_id: string | null }[];
    return listed.length > 1 ? (listed.find((each) => each.request_id !== null)?.id ?? null) : null;
  });
  await server.mustOperator("POST", `${path}/${requestId}/resolve`, {
    ...{ decision: "charge", amount_usd: 0.01, reason: "The upstream billed it" },
  });
}

/** Starts a stream that the upstream never ends. */
async function beginRequest(node: ServerProcess, key: string): Promise<void> {
  const response = await fetch(`${node.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": key, "content-type": "application/json" },
    body: JSON.stringify({
      ...{ model: "simulate-hang-4", max_tokens: 100, stream: true },
      messages: [{ role: "user", content: "Hello" }],
    }),
  });
  const reader = response.body?.getReader();
  reader?.closed.catch(() => undefined); // the node is killed
  const first = await reader?.read();
  assert(response.status === 200 && first?.done === false, "the stream has started");
}

/** Waits until all messages are sent and all key uses are written. */
async function waitUntilIdle(server: ServerProcess): Promise<void> {
  await eventually(WAIT_MS, "messages and key uses to be written", async () => {
    const [row] = await server.sql<{ waiting: boolean }>(
      `SELECT EXISTS (SELECT FROM alert_delivery WHERE status = 'queued')
        OR EXISTS (SELECT FROM api_key JOIN api_key_secret AS secret ON api_key_id = api_key.id
          WHERE name = 'Bound' AND secret.last_used_at IS NULL) AS waiting`,
    );
    return row?.waiting ? null : true;
  });
}

/**
 * Ends the recording. Kills two nodes, one with its journal in files and one in rows, while each runs a request. So
 * neither node finishes the journal of the other one. Returns the number of requests.
 */
async function interruptRequests(server: ServerProcess, { key }: RecordedKey): Promise<number> {
  const nodes = [await startServer({ env: { ...env, BURSAR_JOURNAL: "postgres" } }), server];
  for (const node of nodes) await beginRequest(node, key);
  await Promise.all(nodes.map((node) => node.kill()));
  return nodes.length;
}

async function save(target: string, dataDir: string, recording: Recording): Promise<void> {
  assert(connectionString !== undefined, "DATABASE_URL is missing");
  await mkdir(target, { recursive: true });
  const args = ["--no-owner", "--no-privileges", "--inserts", "--rows-per-insert"];
  const { stdout } = await run("pg_dump", [...args, MAX_STATEMENT_ROWS, connectionString], {
    maxBuffer: 64 * 1024 * 1024,
  });
  // The remaining statements have no psql commands or comments, so any client can load them.
  const lines = stdout.split("\n").filter((line) => !/^(\\|--|$)/.test(line));
  await writeFile(join(target, "data.sql"), `${lines.join("\n")}\n`);
  await writeFile(join(target, "schema.sql"), await describeSchema(connectionString));
  await writeFile(join(target, "recording.json"), `${JSON.stringify(recording, null, 2)}\n`);
  await cp(dataDir, join(target, "data-folder"), { recursive: true, filter: isKept });
}

/** Whether the path is recorded. Excludes files of a running process, and the backup. */
function isKept(path: string): boolean {
  return !/(\.lock|\.sock|\.bursar|server\.json)$/.test(path);
}
