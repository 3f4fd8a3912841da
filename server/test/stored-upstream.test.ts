import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type FakeUpstream, startFakeUpstream } from "#test/harness/fake-upstream.ts";
import {
  type Answer,
  type ServerProcess,
  sendMessage,
  startAndFail,
  startServer,
  stopAllServers,
  textField,
} from "#test/harness/server-process.ts";

// The path of a credential: through the Admin API into the database, sealed. Then out of it in the gateway, and to
// its own origin only.

const UPSTREAMS = "/v1/admin/upstreams";
const CREDENTIAL = "sk-ant-api03-the-credential-of-the-first-place-0001";
const SECOND = "sk-ant-api03-the-credential-of-the-second-place-0002";
const SECRET = "kR7yB1mtN4vQ8xW2cK5pZ9dF3hJ6gL0s";
const CHANGE_MS = 30_000;

/** The upstreams of these tests are on this machine. */
const ALLOWED = { BURSAR_ALLOW_PRIVATE_UPSTREAMS: "127.0.0.1" };

let server: ServerProcess;
let first: FakeUpstream;
let second: FakeUpstream;
let key: string;

beforeAll(async () => {
  // Neither the environment nor --simulator sets an upstream.
  server = await startServer({ args: [], env: { BURSAR_SECRET: SECRET, ...ALLOWED } });
  ({ key } = await server.workspaceWithKey());
}, 90_000);
afterAll(stopAllServers);
beforeEach(async () => {
  first = await startFakeUpstream();
  second = await startFakeUpstream();
});
afterEach(async () => {
  await Promise.all([first.close(), second.close()]);
});

/** Sends messages until the response matches. A change reaches the gateway with its next poll of the database. */
const sendUntil = (what: string, isWanted: (answer: Answer) => boolean) =>
  eventually(CHANGE_MS, what, async () => {
    const answer = await sendMessage(server.url, key);
    return isWanted(answer) ? answer : null;
  });

const whenAsked = (upstream: FakeUpstream) =>
  sendUntil("a message at that upstream", () => upstream.received.length > 0);
const whenRefused = (words: string) =>
  sendUntil(words, ({ status, text }) => status === 503 && text.includes(words));

async function store(fields: object): Promise<string> {
  const { data } = (await server.mustOperator("GET", UPSTREAMS)) as { data: { id: string }[] };
  for (const { id } of data) await server.mustOperator("DELETE", `${UPSTREAMS}/${id}`);
  const made = await server.mustOperator("POST", UPSTREAMS, { name: "Claude", ...fields });
  return textField(made, "id");
}

describe("a stored upstream", () => {
  test("gets its credential, and no credential of the client", async () => {
    await store({ base_url: `${first.origin}/claude`, credential: CREDENTIAL });
    expect((await whenAsked(first)).status).toBe(200);
    const [request] = first.received;
    expect(request?.url).toBe("/claude/v1/messages");
    expect(request?.headers["x-api-key"]).toBe(CREDENTIAL);
    expect(request?.headers.authorization).toBeUndefined();
    expect(JSON.stringify(request?.rawHeaders)).not.toContain(key);
  });

  test("loses its credential with its address, and the new address gets no request", async () => {
    const id = await store({ base_url: first.origin, credential: CREDENTIAL });
    await whenAsked(first);
    const moved = await server.mustOperator("POST", `${UPSTREAMS}/${id}`, {
      base_url: second.origin,
    });
    expect(moved["has_credential"]).toBe(false);
    await whenRefused("no credential");
    expect(second.received).toEqual([]);
    await server.mustOperator("POST", `${UPSTREAMS}/${id}`, { credential: SECOND });
    await whenAsked(second);
    expect(second.received.map(({ headers }) => headers["x-api-key"])).toContain(SECOND);
    expect(JSON.stringify(second.received)).not.toContain(CREDENTIAL);
  });

  test("with a redirect passes the credential to no other origin", async () => {
    await store({ base_url: first.origin, credential: CREDENTIAL });
    first.script = (exchange) =>
      exchange.json("{}", { status: 307, headers: { location: `${second.origin}/v1/messages` } });
    const answer = await whenAsked(first);
    expect(answer.status).toBe(307);
    expect(answer.headers.get("location")).toBeNull();
    expect(second.received).toEqual([]);
  });

  test("with a row that was changed outside the server cannot be decrypted", async () => {
    const id = await store({ base_url: first.origin, credential: CREDENTIAL });
    await whenAsked(first);
    await server.sql("UPDATE upstream SET base_url = $2 WHERE id = $1", [id, second.origin]);
    await server.sql("UPDATE change_counter SET value = value + 1");
    await whenRefused("cannot be decrypted");
    expect(second.received).toEqual([]);
    // Under another id the credential cannot be decrypted either.
    await server.sql("UPDATE upstream SET base_url = $2, id = 'ups_other' WHERE id = $1", [
      id,
      first.origin,
    ]);
    await server.sql("UPDATE change_counter SET value = value + 1");
    const before = first.received.length;
    await whenRefused("cannot be decrypted");
    expect(first.received).toHaveLength(before);
  });

  test("on this machine gets no request without the operator's leave, also after a restart", async () => {
    await store({ base_url: first.origin, credential: CREDENTIAL });
    await whenAsked(first);
    await server.stop();
    server = await server.restart({ args: [], env: { BURSAR_SECRET: SECRET } });
    first.received.length = 0;
    await whenRefused("BURSAR_ALLOW_PRIVATE_UPSTREAMS does not allow");
    const change = { base_url: second.origin, credential: SECOND };
    const { data } = (await server.mustOperator("GET", UPSTREAMS)) as { data: { id: string }[] };
    const answer = await server.operator("POST", `${UPSTREAMS}/${data[0]?.id}`, change);
    expect(answer.status).toBe(400);
    expect([...first.received, ...second.received]).toEqual([]);
    await server.stop();
    server = await server.restart({ args: [], env: { BURSAR_SECRET: SECRET, ...ALLOWED } });
  }, 90_000);

  test("needs the secret of the installation: another BURSAR_SECRET does not start, and the same one opens it", async () => {
    await store({ base_url: first.origin, credential: CREDENTIAL });
    await whenAsked(first);
    await server.stop();
    const { code, output } = await startAndFail({
      dataDir: server.dataDir,
      env: { BURSAR_SECRET: "9dF3hJ6gL0skR7yB1mtN4vQ8xW2cK5pZ" },
      args: [],
    });
    expect(code).toBe(1);
    expect(output).toContain("This node's secret differs from the secret of this database");
    expect(output).not.toMatch(/^\s+at /m);
    server = await server.restart({ args: [] });
    expect(server.output()).toContain(`${first.origin}, from the Admin API`);
    first.received.length = 0;
    expect((await sendMessage(server.url, key)).status).toBe(200);
    expect(first.received[0]?.headers["x-api-key"]).toBe(CREDENTIAL);
    expect(server.output()).not.toContain(CREDENTIAL);
  }, 90_000);
});

describe("two stored upstreams", () => {
  const add = async (fields: object) =>
    textField(await server.mustOperator("POST", UPSTREAMS, { name: "Second", ...fields }), "id");

  test("answer in turn with their own secrets, and the request log names the one that answered", async () => {
    const main = await store({
      base_url: first.origin,
      credential: CREDENTIAL,
      extra_headers: { "x-team": "payments" },
    });
    const reserve = await add({
      base_url: second.origin,
      credential: SECOND,
      upstream_workspace_id: "wrkspc_01",
    });
    first.script = ({ json }) =>
      json({ type: "error", error: { type: "rate_limit_error", message: "no" } }, { status: 429 });
    await sendUntil("a message at the second one", () => second.received.length > 0);
    expect(first.received.at(-1)?.headers).toMatchObject({
      "x-api-key": CREDENTIAL,
      "x-team": "payments",
    });
    expect(second.received.at(-1)?.headers).toMatchObject({
      "x-api-key": SECOND,
      "anthropic-workspace-id": "wrkspc_01",
    });
    expect(second.received.at(-1)?.headers["x-team"]).toBeUndefined();
    const logged = await eventually(CHANGE_MS, "the request in the log", async () => {
      const page = (await server.mustOperator("GET", "/v1/admin/requests?limit=1")) as {
        data: { upstream_id: string | null; failover: string | null }[];
      };
      return page.data[0]?.upstream_id === reserve ? page.data[0] : null;
    });
    expect(logged).toMatchObject({ upstream_id: reserve, failover: "rate_limited" });
    await eventually(CHANGE_MS, "a report of the health", async () => {
      const health = (await server.mustOperator("GET", `${UPSTREAMS}/${main}/health`)) as {
        data: { state: string; answers: number }[];
      };
      return (health.data[0]?.answers ?? 0) > 0 ? health.data : null;
    });
    first.script = ({ json }) => json({ data: [] });
    expect(await server.mustOperator("POST", `${UPSTREAMS}/${main}/test`)).toMatchObject({
      is_working: true,
      http_status: 200,
    });
  });

  test("follow a new order without a restart", async () => {
    const main = await store({ base_url: first.origin, credential: CREDENTIAL });
    const reserve = await add({ base_url: second.origin, credential: SECOND });
    await whenAsked(first);
    expect(second.received).toEqual([]);
    await server.mustOperator("POST", "/v1/admin/upstream_order", {
      upstream_ids: [reserve, main],
    });
    expect((await whenAsked(second)).status).toBe(200);
  });
});
