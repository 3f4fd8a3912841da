import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { HELD_AT_THREE_PROCESSES, runCrashRounds } from "#test/harness/crash-rounds.ts";
import { test } from "#test/harness/database-test.ts";
import { postgresPid } from "#test/harness/embedded-database.ts";
import { eventually } from "#test/harness/eventually.ts";
import {
  type ServerProcess,
  sendMessage,
  startAndKill,
  startServer,
  stopAllServers,
} from "#test/harness/server-process.ts";
import { TEST_SECRET } from "#test/harness/test-secret.ts";

// BURSAR_JOURNAL=postgres: nodes whose disk is lost with them.

afterAll(stopAllServers);

const BACK_MS = 60_000;
/** Life of a start that is killed. A start takes about a second. */
const KILLED_START_MS = 700;
const isInDatabase = true;
const inDatabase = { BURSAR_JOURNAL: "postgres" };

async function writersOf(server: ServerProcess): Promise<string[]> {
  const rows = await server.sql<{ node_id: string }>("SELECT node_id FROM journal_writer");
  return rows.map((row) => row.node_id);
}

test("writes no journal to the disk, a clean stop leaves no rows, and the next start is a new writer", {
  timeout: 120_000,
}, async ({ db }) => {
  const server = await startServer({
    env: {
      ...inDatabase,
      DATABASE_URL: db.connectionString,
      BURSAR_SECRET: TEST_SECRET,
    },
  });
  const { key } = await server.workspaceWithKey();
  expect((await sendMessage(server.url, key)).status).toBe(200);
  expect(existsSync(join(server.dataDir, "journal"))).toBe(false);
  const [before] = await writersOf(server);
  await server.stop();
  expect(await writersOf(server)).toEqual([]);
  expect(await server.sql("SELECT FROM journal_record")).toEqual([]);
  expect(await server.sql("SELECT outcome FROM recorded_request")).toEqual([
    { outcome: "answered" },
  ]);
  const again = await server.restart();
  const after = await writersOf(again);
  expect(after).toHaveLength(1);
  expect(after).not.toContain(before);
  await again.stop();
});

test("kill -9 under load and a start under the same node id, also with another kind of journal, leave one record of each request", {
  timeout: 300_000,
}, async () => {
  // A finished journal stays on disk for a restore, so the last start reads it again.
  const kinds = ["postgres", "disk", "postgres"];
  const rounds = await runCrashRounds({
    rounds: kinds.length,
    seed: 20_261_128,
    isInDatabase,
    env: { ...inDatabase, BURSAR_NODE_ID: "gateway-1" },
    recover: async (server, round) => {
      const env = { ...server.env, BURSAR_JOURNAL: kinds[round - 1] ?? "" };
      // The first start is killed once before.
      if (round === 1) await startAndKill({ dataDir: server.dataDir, env }, KILLED_START_MS);
      const again = await server.restart({ env, args: [] });
      // A start that was killed after its journal and before its node was written reports another journal.
      if (round > 1) expect(again.output()).not.toContain("has another journal for this node");
      expect((await fetch(`${again.url}/readyz`)).status).toBe(200);
      return again;
    },
  });
  for (const { answered, interrupted } of rounds) {
    expect(answered).toBeGreaterThan(0);
    expect(interrupted).toBeGreaterThan(0);
  }
});

test("after kill -9 under load a new node adopts the other one's journal", {
  timeout: 300_000,
}, async () => {
  let last: ServerProcess | undefined;
  let held: object[] = [];
  const rounds = await runCrashRounds({
    rounds: 2,
    seed: 20_261_129,
    isInDatabase,
    env: { ...inDatabase, BURSAR_LEASE_TTL: "2s" },
    beforeCrash: async (server) => {
      if (last === undefined) {
        await server.mustAdmin("POST", "/v1/admin/spend_limits", {
          scope: { type: "organization" },
          period: "monthly",
          limit_usd: 1_000,
          enforcement: "strict",
        });
      }
      await eventually(BACK_MS, "leased budget", async () =>
        (await server.sql("SELECT FROM lease")).length > 0 ? true : null,
      );
    },
    onRecorded: async (server) => {
      await eventually(BACK_MS, "only the live node's journal", async () =>
        (await writersOf(server)).length === 1 ? true : null,
      );
      // Only the possible cost of the dead node's interrupted requests remains.
      held = await server.sql(`
        SELECT l.node_id, l.request_id, l.amount_nano_usd::text FROM lease_left l
        WHERE l.amount_nano_usd > 0 AND NOT EXISTS (SELECT FROM journal_writer w WHERE w.node_id = l.node_id)
          AND NOT EXISTS (SELECT FROM recorded_request e WHERE e.request_id = l.request_id AND e.outcome = 'interrupted')`);
    },
    recover: async (server) => {
      last = await server.restart({ args: [] });
      return last;
    },
  });
  for (const { interrupted } of rounds) expect(interrupted).toBeGreaterThan(0);
  expect(last?.output()).toContain("this process finishes its journal");
  expect(held).toEqual([]);
});

test("a killed process of three returns as a new node, and the others finish its journal", {
  timeout: 300_000,
}, async () => {
  const rounds = await runCrashRounds({
    rounds: 1,
    seed: 20_261_130,
    isInDatabase,
    env: { ...inDatabase, BURSAR_LEASE_TTL: "4s" },
    args: () => ["--processes", "3"],
    heldAtCrash: HELD_AT_THREE_PROCESSES,
    loadAfterCrashMs: 500,
    crash: async (server) => {
      const [, pid] = /"process":2,"pid":(\d+)/.exec(server.output()) ?? [];
      process.kill(Number(pid), "SIGKILL");
    },
    recover: async (server) => {
      await eventually(BACK_MS, "exactly three live nodes", async () =>
        server.output().includes("this process finishes its journal") &&
        (await writersOf(server)).length === 3
          ? true
          : null,
      );
      return server;
    },
  });
  expect(rounds[0]?.interrupted).toBeGreaterThan(0);
});

test("when PostgreSQL is killed under load, requests are refused while it is away, and each has its record afterwards", {
  timeout: 300_000,
}, async () => {
  const rounds = await runCrashRounds({
    rounds: 1,
    seed: 20_261_131,
    isInDatabase,
    env: inDatabase,
    loadAfterCrashMs: 500,
    crash: async (server) => {
      const pid = postgresPid(server.dataDir);
      expect(pid).not.toBeNull();
      process.kill(pid ?? 0, "SIGKILL");
    },
    recover: async (server) => {
      await eventually(BACK_MS, "the gateway to be ready", async () => {
        const { status } = await fetch(`${server.url}/readyz`);
        return status === 200 && postgresPid(server.dataDir) !== null ? true : null;
      });
      return server;
    },
  });
  expect(rounds).toHaveLength(1);
});
