import { createHash } from "node:crypto";
import { afterAll, expect } from "vitest";
import { migrate } from "#src/db/migrate.ts";
import { type Migration, readMigrations } from "#src/db/migration-files.ts";
import { test as base } from "#test/harness/database-test.ts";
import { postgresPid } from "#test/harness/embedded-database.ts";
import { eventually } from "#test/harness/eventually.ts";
import { withinSeconds } from "#test/harness/node-clock.ts";
import {
  type ServerProcess,
  sendMessage,
  startAndFail,
  startServer,
  stopAllServers,
} from "#test/harness/server-process.ts";
import { TEST_SECRET } from "#test/harness/test-secret.ts";

// Two processes, each with its own data folder, on one PostgreSQL.

const test = base.extend("database", { scope: "file" }, ({ db }) => db);

const BOUND_MS = 30_000;
const LONG_MS = 120_000;

let first: ServerProcess;
let second: ServerProcess;
let env: Record<string, string>;

test.beforeAll(async ({ database }) => {
  env = { DATABASE_URL: database.connectionString, BURSAR_SECRET: TEST_SECRET };
  first = await startServer({ env });
  second = await startServer({ env });
}, 90_000);
afterAll(async () => {
  await stopAllServers();
});

test("a change through one node applies on the other within a second, and their usage adds up", async () => {
  expect([first, second].map(({ dataDir }) => postgresPid(dataDir))).toEqual([null, null]);
  const made = await first.workspaceWithKey();
  expect((await sendMessage(second.url, made.key)).status).toBe(200);
  expect((await sendMessage(first.url, made.key)).status).toBe(200);
  await eventually(20_000, "the requests of both nodes", async () =>
    (await countRequests(made.workspaceId)) === 2 ? true : null,
  );
  const nodes = await first.sql<{ node_id: string }>(
    "SELECT DISTINCT node_id FROM recorded_request",
  );
  expect(nodes).toHaveLength(2);

  await first.mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: made.workspaceId,
    monthly_limit_usd: 0.000001,
  });
  const limited = await eventually(20_000, "the other node to apply the limit", async () => {
    const answer = await sendMessage(second.url, made.key);
    return answer.status === 200 ? null : answer;
  });
  expect(limited.text).toContain("You have reached your specified workspace API usage limits.");

  await first.mustAdmin("POST", `/v1/admin/api_keys/${made.apiKeyId}`, { status: "inactive" });
  const refused = await withinSeconds(
    1,
    [first, second],
    "the other node to refuse the key",
    async () => {
      const answer = await sendMessage(second.url, made.key);
      return answer.status === 401 ? answer : null;
    },
  );
  expect(refused.text).toContain("disabled");
});

test("a node with another secret or without a secret is refused", async ({ database }) => {
  const other = await startAndFail({ env: { ...env, BURSAR_SECRET: TEST_SECRET.toUpperCase() } });
  expect(other.code).toBe(1);
  expect(other.output).toContain("BURSAR_SECRET");
  const none = await startAndFail({ env: { DATABASE_URL: database.connectionString } });
  expect(none.code).toBe(1);
  expect(none.output).toContain("BURSAR_SECRET");
});

test("running nodes answer every request while another node adds columns to all tables", {
  timeout: LONG_MS,
}, async ({ database }) => {
  const { connectionString } = database;
  const { key, workspaceId } = await first.workspaceWithKey();
  const refused: string[] = [];
  let sent = 0;
  let isMigrated = false;
  const load = async (node: ServerProcess) => {
    do {
      const body = { workspace_id: workspaceId, name: `Key ${sent}` };
      const answers = [
        await sendMessage(node.url, key),
        await node.admin("POST", "/v1/admin/api_keys", body),
      ];
      sent += 1;
      refused.push(...answers.filter(({ status }) => status !== 200).map(({ text }) => text));
    } while (!isMigrated);
  };
  const migrations = await listExpansions(first);
  const migrating = migrate({ connectionString, migrations }).finally(() => {
    isMigrated = true;
  });
  await Promise.all([migrating, load(first), load(second)]);
  await Promise.all([load(first), load(second)]);
  expect(refused).toEqual([]);
  // Background work retries, so a failure of a prepared statement is only in the log.
  const lines = [first, second].flatMap((node) => node.output().split("\n"));
  expect(lines.filter((line) => line.includes("cached plan must not"))).toEqual([]);
  await eventually(BOUND_MS, "all requests to be counted", async () =>
    (await countRequests(workspaceId)) === sent ? true : null,
  );
});

/** Number of requests of the last five minutes in the reports. */
async function countRequests(workspaceId: string): Promise<number> {
  const query = new URLSearchParams({
    starting_at: new Date(Date.now() - 300_000).toISOString(),
    workspace_id: workspaceId,
    bucket: "1h",
  });
  const { totals } = await first.mustAdmin("GET", `/v1/admin/usage?${query}`);
  return (totals as { requests: number }).requests;
}

/**
 * The migrations of this program, one for each table that adds a column, and one that replaces all functions. The plans of all
 * statements end.
 */
async function listExpansions({ sql }: ServerProcess): Promise<Migration[]> {
  const tables = await sql<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY name`,
  );
  const functions = await sql<{ text: string }>(
    `SELECT pg_get_functiondef(oid) AS text FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
       AND prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('sql', 'plpgsql'))`,
  );
  const migrations = await readMigrations();
  const texts = [
    ...tables.map(({ name }) => `ALTER TABLE ${name} ADD COLUMN expanded text`),
    functions.map(({ text }) => `${text};`).join("\n"),
  ];
  const added = texts.map((text, at) => ({
    ...{ number: migrations.length + at + 1, name: "expand", sql: text },
    sha256: createHash("sha256").update(text).digest("hex"),
  }));
  return [...migrations, ...added];
}

test("each node stops cleanly", async () => {
  await first.stop();
  await second.stop();
});
