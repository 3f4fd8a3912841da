import { afterAll, expect, test } from "vitest";
import { runCrashRounds } from "#test/harness/crash-rounds.ts";
import { stopAllServers } from "#test/harness/server-process.ts";

afterAll(stopAllServers);

const ROUNDS = 3;

test("after kill -9 under load and a restart, also with the journal in the database, each request that reached the upstream has exactly one record", {
  timeout: 300_000,
}, async () => {
  const rounds = await runCrashRounds({
    rounds: ROUNDS,
    seed: 20_261_124,
    // The last start is a new node with its journal in the database. That node flushes the journal on disk.
    recover: async (server, round) =>
      round < ROUNDS
        ? null
        : await server.restart({ env: { ...server.env, BURSAR_JOURNAL: "postgres" }, args: [] }),
  });
  expect(rounds).toHaveLength(ROUNDS);
  for (const { answered, interrupted } of rounds) {
    expect(answered).toBeGreaterThan(0);
    expect(interrupted).toBeGreaterThan(0);
  }
});
