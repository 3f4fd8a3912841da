import { afterAll, expect, test } from "vitest";
import { runLimitRounds } from "./harness/limit-rounds.ts";
import { stopAllServers } from "./harness/server-process.ts";

afterAll(stopAllServers);

/** One for each order of the faults. */
const ROUNDS = 2;
const SEED = 20_261_124;

test(`a strict limit is exact to the nano-dollar and each request has one record, with four nodes, one killed, one stopped, and PostgreSQL crashed (seed ${SEED})`, {
  timeout: 900_000,
}, async () => {
  const rounds = await runLimitRounds({ rounds: ROUNDS, seed: SEED });
  expect(rounds).toHaveLength(ROUNDS);
  for (const { answered, answeredBefore, refusals } of rounds) {
    expect(answered).toBeGreaterThanOrEqual(answeredBefore);
    expect(
      Object.keys(refusals).every((status) => ["400", "408", "429", "503", "529"].includes(status)),
    ).toBe(true);
  }
});
