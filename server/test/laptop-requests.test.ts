import { afterAll, expect } from "vitest";
import { parseUsd } from "#src/domain/money.ts";
import { makeRowSigner } from "#src/signed-rows/row-signer.ts";
import type { TestDatabase } from "./harness/database.ts";
import { test } from "./harness/database-test.ts";
import { eventually } from "./harness/eventually.ts";
import { type Exchange, messageJson } from "./harness/fake-upstream.ts";
import { openTokens, signInLaptop } from "./harness/laptops.ts";
import { insertMember } from "./harness/members.ts";
import {
  type Answer,
  type ServerProcess,
  startServer,
  stopAllServers,
  textField,
  toAnswer,
} from "./harness/server-process.ts";
import { postOauth } from "./harness/sign-in-laptop.ts";
import { TEST_SECRET } from "./harness/test-secret.ts";

// Requests of laptops through a whole server: token counts, a chosen cost centre, and the labels of Claude Code.

const MODEL = "claude-haiku-4-5-20251001";
const BOUND_MS = 60_000;

let server: ServerProcess;
let laptop: Laptop;

interface Laptop {
  memberId: string;
  apiKeyId: string;
  accessToken: string;
  refreshToken: string;
}

test.beforeAll(async ({ upstream, db }) => {
  upstream.script = answer;
  server = await startServer({
    env: {
      ANTHROPIC_API_KEY: "upstream-key",
      ANTHROPIC_UPSTREAM_URL: upstream.origin,
      // The next start under this id reads the journal at once, of either kind.
      BURSAR_NODE_ID: "gateway-1",
      BURSAR_SECRET: TEST_SECRET,
      DATABASE_URL: db.connectionString,
    },
  });
  laptop = await signIn(db);
}, 90_000);
afterAll(stopAllServers, 60_000);

let answered = 0;
/** Each message has another number of input tokens, so that no two costs are the same. */
function answer(exchange: Exchange): void {
  const { url } = exchange.received;
  if (url.startsWith("/v1/messages/count_tokens")) {
    exchange.json({ input_tokens: 7 });
    return;
  }
  answered += 1;
  exchange.json(messageJson({ model: MODEL, usage: { input_tokens: 1_000 + answered } }));
}

async function signIn({ database }: TestDatabase): Promise<Laptop> {
  const rows = makeRowSigner({ secret: TEST_SECRET });
  const accessTokens = await openTokens({ database }, TEST_SECRET);
  const deps = { database, rows, accessTokens, nowMs: Date.now };
  const { workspaceId } = await server.workspaceWithKey();
  const organization = await server.mustAdmin("GET", "/v1/organizations/me");
  const organizationId = textField(organization, "id");
  const workspaces = { [workspaceId]: "workspace_user" as const };
  const { id: memberId } = await insertMember(deps, organizationId, { workspaces });
  return { memberId, ...(await signInLaptop(deps, { organizationId, workspaceId, memberId })) };
}

function post(path: string, fields: object, headers: Record<string, string> = {}): Promise<Answer> {
  const body = { model: MODEL, messages: [{ role: "user", content: "Hi" }], ...fields };
  return fetch(`${server.url}/v1/messages${path}?beta=true`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${laptop.accessToken}`,
      "content-type": "application/json",
      "user-agent": "claude-cli/2.1.332 (external, cli)",
      ...headers,
    },
    body: JSON.stringify(body),
  }).then(toAnswer);
}

const send = (fields: object = {}, headers: Record<string, string> = {}) =>
  post("", { max_tokens: 10, ...fields }, headers);

/** Waits until the request gets this status. The node reads a new limit within a quarter of a second. */
const waitFor = (status: number, request: () => Promise<Answer>) =>
  eventually(BOUND_MS, `the status ${status}`, async () => {
    const response = await request();
    return response.status === status ? response : null;
  });

async function countRecords(): Promise<number> {
  const [row] = await server.sql<{ count: string }>(
    "SELECT count(*)::text FROM recorded_request WHERE api_key_id = $1",
    [laptop.apiKeyId],
  );
  return Number(row?.count);
}

test("34 token counts at once are answered beyond a person's request limit, neither counted nor billed", async ({
  upstream,
}) => {
  const { id } = await server.mustAdmin("POST", "/v1/admin/rate_limits", {
    scope: { type: "member", member_id: laptop.memberId },
    requests_per_minute: 1,
  });
  const refused = await waitFor(429, send);
  const messages = upstream.received.length;
  const counts = await Promise.all(Array.from({ length: 34 }, () => post("/count_tokens", {})));
  expect(counts.map(({ status, json }) => [status, json])).toEqual(
    counts.map(() => [200, { input_tokens: 7 }]),
  );
  const again = await send();
  expect(again.status).toBe(429);
  const waits = [again, refused].map(({ headers }) => Number(headers.get("retry-after")));
  expect(waits[0]).toBeLessThanOrEqual(waits[1] ?? 0);
  expect(upstream.received.length).toBe(messages + 34);
  await eventually(BOUND_MS, "records of the messages", async () =>
    (await countRecords()) >= messages ? true : null,
  );
  expect(await countRecords()).toBe(messages);
  await server.mustAdmin("DELETE", `/v1/admin/rate_limits/${String(id)}`);
  await waitFor(200, send);
});

test("the limit of a chosen cost centre refuses the person's requests for it, and no others", async ({
  upstream,
}) => {
  const TAG = "cost_center";
  const group = await server.mustOperator("POST", "/v1/admin/groups", { name: "Research" });
  await server.mustOperator("POST", `/v1/admin/groups/${textField(group, "id")}/members`, {
    member_id: laptop.memberId,
  });
  await server.mustOperator("POST", "/v1/admin/groups", { name: "Sales" });
  await server.mustOperator("POST", "/v1/admin/organization", { billing_group_tag: TAG });
  const form = { grant_type: "refresh_token", refresh_token: laptop.refreshToken };
  const { json } = await postOauth(server, "token", form);
  laptop = { ...laptop, accessToken: textField(json, "access_token") };
  const { data } = await server.mustAdmin("GET", `/v1/admin/tags?name=${TAG}`);
  const ids = Object.fromEntries(
    (data as { id: string; value: string }[]).map(({ id, value }) => [value, id]),
  );
  for (const value of ["Research", "Sales"]) {
    await server.mustOperator("POST", "/v1/admin/spend_limits", {
      scope: { type: "tag", tag_id: ids[value] },
      ...{ period: "monthly", limit_usd: 0, enforcement: "soft" },
    });
  }
  upstream.received.splice(0);
  const tagged = (value: unknown) => () => send({ tags: { [TAG]: value } });
  const refused = await waitFor(429, tagged("Research"));
  expect(refused.json).toMatchObject({
    error: {
      type: "billing_error",
      message: expect.stringMatching(/^The monthly spend limit of cost_center.*Research/),
    },
  });
  expect(refused.headers.get("x-should-retry")).toBe("false");
  expect(refused.headers.get("anthropic-ratelimit-unified-overage-scope")).toBe("group_pool");
  // The limit of a group without the person does not apply to the person, and neither do texts that name no group.
  const others = await Promise.all([
    send(),
    ...["Sales", "Nothing", ["Research"], null].map((value) => tagged(value)()),
    send({ tags: "Research" }),
  ]);
  expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));
  for (const { body } of upstream.received)
    expect(JSON.parse(body.toString())).not.toHaveProperty("tags");
  await server.mustOperator("POST", "/v1/admin/organization", { billing_group_tag: null });
});

/** Labels that a client sends, and how often. */
type LabelCounts = Record<string, number>;

const SESSIONS = ["session-1", "session-2", "session-3"];
const AGENTS = [
  { "x-claude-code-request-class": "main" },
  { "x-claude-code-request-class": "subagent", "x-claude-code-agent-id": "agent-1" },
  {
    "x-claude-code-request-class": "subagent",
    "x-claude-code-agent-id": "agent-2",
    "x-claude-code-parent-agent-id": "agent-1",
  },
];

/** Labels of the nth request. Requests of one client differ in session, prompt and agent. */
const labelsOf = (index: number): Record<string, string> => ({
  "x-claude-code-session-id": SESSIONS[index % 3] ?? "",
  "x-claude-code-prompt-id": `prompt-${Math.floor(index / 9) % 2}`,
  ...AGENTS[Math.floor(index / 3) % 3],
});

/** Other values are left out. */
const LABEL = /^[!-~]{1,64}$/;
const LABEL_HEADERS = ["session-id", "prompt-id", "agent-id", "parent-agent-id", "request-class"];

/** Labels of every request that was sent, also of those that a killed server did not pass on. */
const sent: string[] = [];

const sendLabelled = (headers: Record<string, string>) => {
  sent.push(labelsIn(headers));
  return send({}, headers);
};

function labelsIn(headers: Readonly<Record<string, unknown>>): string {
  return LABEL_HEADERS.map((name) => String(headers[`x-claude-code-${name}`] ?? ""))
    .map((label) => (LABEL.test(label) ? label : ""))
    .join(" ");
}

/** Sends labelled requests from several clients, until the server is gone. */
async function sendUntilGone(clients: number): Promise<void> {
  let index = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (;;) {
        index += 1;
        const { status } = await sendLabelled(labelsOf(index)).catch(() => ({ status: null }));
        if (status === null) return;
        expect(status).toBe(200);
      }
    }),
  );
}

test("the cost of sessions, prompts and agents is that of their requests, over kill -9 with either journal", {
  timeout: 240_000,
}, async ({ upstream }) => {
  const before = upstream.received.length;
  for (const journal of ["postgres", "disk"]) {
    const from = upstream.received.length;
    const load = sendUntilGone(6);
    await eventually(BOUND_MS, "requests of each kind", async () =>
      upstream.received.length >= from + 60 ? true : null,
    );
    await server.kill();
    await load;
    server = await server.restart({ env: { ...server.env, BURSAR_JOURNAL: journal }, args: [] });
  }
  await sendInvalidLabels();
  const all = upstream.received.slice(before).map(({ headers }) => labelsIn(headers));
  const reached = countEach(all.filter((labels) => labels.startsWith("session-")));
  const findMissing = async () => {
    const recorded = await readLabels();
    return Object.entries(reached).filter(([labels, count]) => (recorded[labels] ?? 0) < count);
  };
  await expect.poll(findMissing, { timeout: BOUND_MS, interval: 200 }).toEqual([]);
  // A request that began when the server was killed has a record too, and none has two.
  const bounds = countEach(sent);
  const doubled = Object.entries(await readLabels()).filter(
    ([labels, count]) => count > (bounds[labels] ?? 0),
  );
  expect(doubled).toEqual([]);
});

/** Sends labels that are too long. A whole label is left out, and a request without a session has none. */
async function sendInvalidLabels(): Promise<void> {
  const long = "x".repeat(65);
  const session = { "x-claude-code-session-id": "session-1" };
  const headers = [
    { ...session, "x-claude-code-agent-id": "y".repeat(8_000), "x-claude-code-prompt-id": "ü" },
    { ...session, "x-claude-code-session-id": long, "x-claude-code-agent-id": "agent-3" },
  ];
  for (const each of headers) expect((await sendLabelled(each)).status).toBe(200);
}

function countEach(texts: readonly string[]): LabelCounts {
  const counts: LabelCounts = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}

interface Request {
  id: string;
  cost_usd: string;
  claimed: Record<string, string | null> | null;
}
type Measured = { requests: number; cost_usd: string };
type Session = Measured & {
  is_claimed: boolean;
  classes: Measured[];
  prompts: (Measured & { agents: Measured[] })[];
};

/** Reads all sessions, and checks that each sum is that of the request log. */
async function readLabels(): Promise<LabelCounts> {
  const all: Request[] = [];
  for (const id of SESSIONS) {
    const requests = await readRequests(id);
    const { status, json } = await server.admin("GET", `/v1/admin/agent_sessions/${id}`);
    if (status === 404) continue;
    const session = json as Session;
    // Requests that ended between both calls are in one of them.
    if (session.requests !== requests.length) continue;
    const cost = sumCosts(requests);
    expect(session).toMatchObject({ is_claimed: true, requests: requests.length });
    expect(parseUsd(session.cost_usd)).toBe(cost);
    expect(sumCosts(session.prompts)).toBe(cost);
    expect(sumCosts(session.prompts.flatMap(({ agents }) => agents))).toBe(cost);
    expect(sumCosts(session.classes)).toBe(cost);
    all.push(...requests);
  }
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  const labels = all.map(({ claimed }) =>
    ["agent_session_id", "prompt_id", "agent_id", "parent_agent_id", "request_class"]
      .map((name) => claimed?.[name] ?? "")
      .join(" "),
  );
  return countEach(labels);
}

async function readRequests(sessionId: string): Promise<Request[]> {
  const requests: Request[] = [];
  let page = "";
  do {
    const path = `/v1/admin/requests?agent_session_id=${sessionId}&limit=100${page}`;
    const { data, next_page } = await server.mustAdmin("GET", path);
    requests.push(...(data as Request[]));
    page = next_page === null ? "" : `&page=${String(next_page)}`;
  } while (page !== "");
  return requests;
}

const sumCosts = (items: readonly { cost_usd: string }[]): bigint =>
  items.reduce((sum, { cost_usd }) => sum + parseUsd(cost_usd), 0n);
