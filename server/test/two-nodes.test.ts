import { afterAll, expect } from "vitest";
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
  const query = new URLSearchParams({
    starting_at: new Date(Date.now() - 300_000).toISOString(),
    workspace_id: made.workspaceId,
    bucket: "1h",
  });
  await eventually(20_000, "the requests of both nodes", async () => {
    const { totals } = await first.mustAdmin("GET", `/v1/admin/usage?${query}`);
    return (totals as { requests: number }).requests === 2 ? totals : null;
  });
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

test("each node stops cleanly", async () => {
  await first.stop();
  await second.stop();
});
