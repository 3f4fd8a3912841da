import { copyFile, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, expect } from "vitest";
import { runBursar, spawnBursar } from "#test/harness/command-line.ts";
import { createTestDatabase } from "#test/harness/database.ts";
import { eventually } from "#test/harness/eventually.ts";
import {
  type ServerProcess,
  sendMessage,
  serverEnvironment,
  startAndFail,
  startServer,
  stopAllServers,
  textField,
} from "#test/harness/server-process.ts";
import { postOauth, signInLaptop } from "#test/harness/sign-in-laptop.ts";
import { test } from "#test/harness/upstream-test.ts";

// `./bursar secret rotate` with real servers: in a data folder, and with a shared PostgreSQL.

const CREDENTIAL = "sk-ant-api03-the-credential-of-this-installation-01";
const OLD = "Jx2pQ8vL5nR7tY1wK4mZ9cF3hB6dG0sA";
const NEW = "uE7yT2rW9qP4oI6aS1dF8gH3jK5lZ0xC";
const ROTATED_MS = 60_000;
const ALLOWED = { BURSAR_ALLOW_PRIVATE_UPSTREAMS: "127.0.0.1" };

afterAll(stopAllServers);

interface Company {
  server: ServerProcess;
  key: string;
  evidence: string;
  /** Cookies of the owner's session. */
  session: string;
  /** Refresh token of the owner's laptop. */
  refreshToken: string;
}

/** Fills every table with sealed values that a server without members' browsers can write. */
async function fillCompany(server: ServerProcess, upstreamUrl: string): Promise<Company> {
  const { session, memberId } = await createOwner(server);
  await server.mustOperator("POST", "/v1/admin/upstreams", {
    name: "Claude",
    base_url: upstreamUrl,
    credential: CREDENTIAL,
  });
  await server.mustOperator("POST", "/v1/admin/alert_channels", {
    name: "Pager",
    target: { kind: "webhook", url: "https://example.com/hook" },
  });
  const { workspaceId, key } = await server.workspaceWithKey();
  // Its secret waits for the owner, who gets a message about it.
  const made = await server.mustAdmin("POST", "/v1/admin/api_keys", {
    name: "Olga's key",
    workspace_id: workspaceId,
    owner_member_id: memberId,
  });
  expect(made["key"]).toBeNull();
  const review = await server.mustAdmin("POST", "/v1/admin/access_reviews", {
    name: "Keys",
    scope: { paths: ["workspace_key"], workspace_ids: [workspaceId] },
    reviewer_ids: [memberId],
    due_at: new Date(Date.now() + 86_400_000).toISOString(),
    if_no_answer: "keep",
  });
  const path = `/v1/admin/access_reviews/${review["id"]}`;
  await server.mustAdmin("POST", `${path}/close`);
  await eventually(ROTATED_MS, "the review to be closed", async () =>
    (await server.mustAdmin("GET", path))["status"] === "closed" ? true : null,
  );
  const { text } = await server.admin("GET", `${path}/evidence`);
  const { refreshToken } = await signInLaptop(server, { cookie: session, workspaceId });
  return { server, key, evidence: text, session, refreshToken };
}

const fromConsole = (server: ServerProcess) => ({
  origin: server.url,
  "x-bursar-console": "1",
  "content-type": "application/json",
});

/** Creates the owner, who is signed in. */
async function createOwner(server: ServerProcess): Promise<{ session: string; memberId: string }> {
  const link = /\/setup#token=(\S+)/.exec(server.output());
  const made = await fetch(`${server.url}/v1/admin/setup`, {
    method: "POST",
    headers: fromConsole(server),
    body: JSON.stringify({
      token: link?.[1],
      name: "Olga Owner",
      email: "olga@example.com",
      password: "olga counts 41 silver telescopes",
      organization_name: "Company",
    }),
  });
  expect(made.status).toBe(200);
  const session = made.headers.getSetCookie().map((line) => line.split(";", 1)[0]);
  const [member] = await server.sql<{ id: string }>("SELECT id FROM member");
  return { session: session.join("; "), memberId: member?.id ?? "" };
}

/** Starts the stopped server again, with the admin key that it had. */
async function restart(company: Company, env: Record<string, string> = {}): Promise<void> {
  const { dataDir, env: own, adminKey } = company.server;
  company.server = await startServer({
    ...{ args: [], dataDir, adminKey: await adminKey() },
    env: { ...own, ...env },
  });
}

/** Everything that depends on the secret works. */
async function expectWorking(
  { server, key, evidence, session, refreshToken }: Company,
  received: { headers: Record<string, unknown> }[],
): Promise<void> {
  received.length = 0;
  expect((await sendMessage(server.url, key)).status).toBe(200);
  expect(received[0]?.headers["x-api-key"]).toBe(CREDENTIAL);
  const refresh = { grant_type: "refresh_token", refresh_token: refreshToken };
  const { json: tokens } = await postOauth(server, "token", refresh);
  expect((await sendMessage(server.url, textField(tokens, "access_token"))).status).toBe(200);
  await server.mustAdmin("POST", "/v1/admin/workspaces", { name: `W ${Date.now()}` });
  const verified = await server.admin(
    "POST",
    "/v1/admin/access_reviews/verify",
    JSON.parse(evidence) as object,
  );
  expect(verified.json).toMatchObject({ is_genuine: true });
  const headers = { ...fromConsole(server), cookie: session };
  expect((await fetch(`${server.url}/v1/admin/session`, { headers })).status).toBe(200);
  const env = serverEnvironment(server.dataDir, server.env);
  const log = await runBursar(["audit", "verify"], { env });
  expect(log).toMatchObject({ code: 0, stderr: "" });
}

const rotate = async (server: ServerProcess, env: Record<string, string> = {}) => {
  const ran = await spawnBursar(["--json", "secret", "rotate"], {
    env: serverEnvironment(server.dataDir, { ...server.env, ...env }),
  });
  return { ...ran, result: ran.code === 0 ? (JSON.parse(ran.stdout) as Rotated) : null };
};

interface Rotated {
  was_rotated: boolean;
  sealed_values: number;
  unreadable_values: number;
  signed_rows: number;
  old_secret_file: string | null;
}

test("a rotation in a data folder keeps everything usable, also after a crash at any step", async ({
  upstream,
}) => {
  const company = await fillCompany(await startServer({ args: [], env: ALLOWED }), upstream.origin);
  const { dataDir } = company.server;
  const secretFile = join(dataDir, "secret");
  const first = await readFile(secretFile, "utf8");
  const running = await rotate(company.server);
  expect(running.code).toBe(1);
  expect(running.stderr).toContain("is using the data folder");

  await company.server.stop();
  const { result } = await rotate(company.server);
  // Credential, channel's target and secret, two messages, waiting secret, evidence key and key of tokens.
  expect(result).toMatchObject({ was_rotated: false, sealed_values: 8, unreadable_values: 0 });
  const second = await readFile(secretFile, "utf8");
  expect(second).not.toBe(first);
  const oldFile = result?.old_secret_file ?? "";
  expect(await readFile(oldFile, "utf8")).toBe(first);
  expect([(await stat(secretFile)).mode & 0o777, (await stat(oldFile)).mode & 0o777]).toEqual([
    0o600, 0o600,
  ]);
  await restart(company);
  await expectWorking(company, upstream.received);
  const { data } = (await company.server.mustAdmin(
    "GET",
    "/v1/admin/audit_events?event=secret.rotated",
  )) as { data: { after: object }[] };
  expect(data.map(({ after }) => after)).toEqual([
    { sealed_values: 8, signed_rows: result?.signed_rows },
  ]);

  // The state of a crash between the commit and the rename: the next start finishes it.
  await company.server.stop();
  await rename(secretFile, join(dataDir, "secret.next"));
  await copyFile(oldFile, secretFile);
  await restart(company);
  expect(await readFile(secretFile, "utf8")).toBe(second);
  await expectWorking(company, upstream.received);

  // The same, finished by the command.
  await company.server.stop();
  await rename(secretFile, join(dataDir, "secret.next"));
  await copyFile(oldFile, secretFile);
  expect((await rotate(company.server)).result).toMatchObject({ was_rotated: true });
  expect(await readFile(secretFile, "utf8")).toBe(second);

  // The state of a crash before the commit: the current secret stays.
  await writeFile(join(dataDir, "secret.next"), NEW);
  await restart(company);
  expect(await readFile(secretFile, "utf8")).toBe(second);
  await expectWorking(company, upstream.received);

  // Another rotation opens everything that the first one sealed.
  await company.server.stop();
  expect((await rotate(company.server)).result).toMatchObject({ unreadable_values: 0 });
  expect(await readdir(dataDir)).not.toContain("secret.next");
  await restart(company);
  await expectWorking(company, upstream.received);
  await company.server.stop();
}, 300_000);

test("a rotation of a shared database needs stopped nodes, and an interrupted one changes nothing", async ({
  upstream,
}) => {
  const database = await createTestDatabase();
  const env = { ...ALLOWED, DATABASE_URL: database.connectionString, BURSAR_SECRET: OLD };
  const node = await startServer({ args: [], env: { ...env, BURSAR_NODE_ID: "gateway-1" } });
  const company = await fillCompany(node, upstream.origin);
  const other = await startServer({ args: [], env: { ...env, BURSAR_NODE_ID: "gateway-2" } });
  await node.stop();
  const none = await rotate(node);
  expect(none.stderr).toContain("set it as BURSAR_NEW_SECRET");
  const connected = await rotate(node, { BURSAR_NEW_SECRET: NEW });
  expect(connected.code).toBe(1);
  expect(connected.stderr).toContain("A Bursar is connected to this database");
  expect(connected.stderr).toContain("gateway-2");
  await other.stop();

  // The rotation waits for this lock until its connection ends.
  const blocker = new pg.Client({ connectionString: database.connectionString });
  await blocker.connect();
  await blocker.query("BEGIN");
  await blocker.query("SELECT FROM waiting_secret FOR UPDATE");
  const waiting = spawnBursar(["secret", "rotate"], {
    env: serverEnvironment(node.dataDir, { ...node.env, BURSAR_NEW_SECRET: NEW }),
  });
  const pid = await eventually(ROTATED_MS, "the rotation to wait for the lock", async () => {
    const { rows } = await blocker.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    await blocker.query("SELECT pg_stat_clear_snapshot()");
    return rows[0]?.pid ?? null;
  });
  await blocker.query("SELECT pg_terminate_backend($1)", [pid]);
  expect((await waiting).code).not.toBe(0);
  await blocker.query("ROLLBACK");
  await blocker.end();
  await restart(company);
  await expectWorking(company, upstream.received);
  await company.server.stop();

  expect((await rotate(node, { BURSAR_NEW_SECRET: NEW })).result).toMatchObject({
    was_rotated: false,
    unreadable_values: 0,
    old_secret_file: null,
  });
  expect((await rotate(node, { BURSAR_NEW_SECRET: NEW })).result).toMatchObject({
    was_rotated: true,
  });
  const weak = await rotate(node, { BURSAR_SECRET: NEW, BURSAR_NEW_SECRET: "a".repeat(32) });
  expect(weak.stderr).toContain("BURSAR_NEW_SECRET has only 1 different characters");
  const refused = await startAndFail({ args: [], env });
  expect(refused.code).toBe(1);
  expect(refused.output).toContain("After `./bursar secret rotate`, every node needs");
  await restart(company, { BURSAR_SECRET: NEW });
  await expectWorking(company, upstream.received);
  await company.server.stop();
  await database.drop();
}, 300_000);
