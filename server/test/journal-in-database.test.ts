import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCrashRounds } from "#test/harness/crash-rounds.ts";
import {
  eventually,
  postgresPid,
  type ServerProcess,
  sendMessage,
  startServer,
  stopAllServers,
} from "#test/harness/server-process.ts";

// BURSAR_JOURNAL=postgres: nodes whose disk does not survive them.

afterAll(stopAllServers);

const BACK_MS = 30_000;
/** The end of a request waits for a commit or two: measured up to 177 ms each on a machine that is busy with other tests. */
const surelyWrittenMs = 600;
const inDatabase = { BURSAR_JOURNAL: "postgres" };

async function writersOf(server: ServerProcess): Promise<string[]> {
  const rows = await server.sql<{ node_id: string }>("SELECT node_id FROM journal_writer");
  return rows.map((row) => row.node_id);
}

test("nothing of the journal is on the disk, and a clean stop leaves nothing in the database", {
  timeout: 60_000,
}, async () => {
  const server = await startServer({ env: inDatabase });
  const { key } = await server.workspaceWithKey();
  expect((await sendMessage(server.url, key)).status).toBe(200);
  expect(existsSync(join(server.dataDir, "journal"))).toBe(false);
  const [before] = await writersOf(server);
  await server.stop();
  const again = await server.restart();
  const after = await writersOf(again);
  expect(after).toHaveLength(1);
  expect(after).not.toContain(before);
  expect(await again.sql("SELECT outcome FROM usage_event")).toEqual([{ outcome: "answered" }]);
  await again.stop();
});

test("what a journal on disk still holds is flushed after a change to the database", {
  timeout: 120_000,
}, async () => {
  const rounds = await runCrashRounds({
    rounds: 1,
    seed: 20_261_127,
    recover: (server) => server.restart({ env: { ...server.env, ...inDatabase }, args: [] }),
  });
  expect(rounds[0]?.interrupted).toBeGreaterThan(0);
});

test("kill -9 under load, and a start under the same node id: one record of each request", {
  timeout: 150_000,
}, async () => {
  const rounds = await runCrashRounds({
    rounds: 3,
    seed: 20_261_128,
    surelyWrittenMs,
    env: { ...inDatabase, BURSAR_NODE_ID: "gateway-1" },
  });
  for (const { answered, interrupted } of rounds) {
    expect(answered).toBeGreaterThan(0);
    expect(interrupted).toBeGreaterThan(0);
  }
});

test("kill -9 under load, and a start as a new node: the other one's journal is adopted", {
  timeout: 150_000,
}, async () => {
  let last: ServerProcess | undefined;
  const rounds = await runCrashRounds({
    rounds: 2,
    seed: 20_261_129,
    surelyWrittenMs,
    env: { ...inDatabase, BURSAR_LEASE_TTL: "2s" },
    recover: async (server) => {
      last = await server.restart({ args: [] });
      return last;
    },
  });
  for (const { interrupted } of rounds) expect(interrupted).toBeGreaterThan(0);
  expect(last?.output()).toContain("its journal is finished here");
});

test("kill -9 of one of three processes: it comes back as a new node, and the others finish its journal", {
  timeout: 150_000,
}, async () => {
  const rounds = await runCrashRounds({
    rounds: 1,
    seed: 20_261_130,
    surelyWrittenMs,
    env: { ...inDatabase, BURSAR_LEASE_TTL: "4s" },
    args: () => ["--processes", "3"],
    loadAfterCrashMs: 500,
    crash: async (server) => {
      const [, pid] = /"process":2,"pid":(\d+)/.exec(server.output()) ?? [];
      process.kill(Number(pid), "SIGKILL");
    },
    recover: async (server) => {
      await eventually(BACK_MS, "three living nodes and no other", async () =>
        server.output().includes("its journal is finished here") &&
        (await writersOf(server)).length === 3
          ? true
          : null,
      );
      return server;
    },
  });
  expect(rounds[0]?.interrupted).toBeGreaterThan(0);
});

test("PostgreSQL killed under load: requests are refused while it is away, and each has its record afterwards", {
  timeout: 150_000,
}, async () => {
  const rounds = await runCrashRounds({
    rounds: 2,
    seed: 20_261_131,
    surelyWrittenMs,
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
  expect(rounds).toHaveLength(2);
});
