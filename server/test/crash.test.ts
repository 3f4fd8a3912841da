import { afterAll, expect, test } from "vitest";
import { runCrashRounds } from "#test/harness/crash-rounds.ts";
import { stopAllServers } from "#test/harness/server-process.ts";

afterAll(stopAllServers);

const ROUNDS = 4;

test("after kill -9 under load and a restart, also over node:http and with the journal in the database, each request that reached the upstream has exactly one record", {
  timeout: 300_000,
}, async () => {
  const rounds = await runCrashRounds({
    rounds: ROUNDS,
    seed: 20_261_124,
    // The last round uses node:http and undici. The start after it is a new node with its journal in the database, which
    // flushes the journal on disk.
    recover: async (server, round) => {
      const { env } = server;
      if (round === ROUNDS - 1)
        return await server.restart({ env: { ...env, BURSAR_HTTP: "node" }, args: [] });
      if (round === ROUNDS)
        return await server.restart({ env: { ...env, BURSAR_JOURNAL: "postgres" }, args: [] });
      return null;
    },
  });
  expect(rounds).toHaveLength(ROUNDS);
  for (const { answered, interrupted } of rounds) {
    expect(answered).toBeGreaterThan(0);
    expect(interrupted).toBeGreaterThan(0);
  }
});
