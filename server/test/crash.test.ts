import { afterAll, expect, test } from "vitest";
import { runCrashRounds } from "#test/harness/crash-rounds.ts";
import { stopAllServers } from "#test/harness/server-process.ts";

afterAll(stopAllServers);

const ROUNDS = 3;

test("after kill -9 under load and a restart, each request that reached the upstream has exactly one record", {
  timeout: 300_000,
}, async () => {
  const rounds = await runCrashRounds({ rounds: ROUNDS, seed: 20_261_124 });
  expect(rounds).toHaveLength(ROUNDS);
  for (const { answered, interrupted } of rounds) {
    expect(answered).toBeGreaterThan(0);
    expect(interrupted).toBeGreaterThan(0);
  }
});
