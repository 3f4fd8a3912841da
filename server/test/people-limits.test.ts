import { afterAll, expect, test } from "vitest";
import { runPeopleRound } from "./harness/people-round.ts";
import { stopAllServers } from "./harness/server-process.ts";

afterAll(stopAllServers);

const SEED = 20_261_129;

test(`no person and no group exceeds its cap while a node is killed, and reports equal the records (seed ${SEED})`, {
  timeout: 600_000,
}, async () => {
  const options = { people: 12, groups: 4, requestsOfPerson: 30, peopleAtOnce: 6, seed: SEED };
  const result = await runPeopleRound(options);
  expect(result.reached).toBeGreaterThan(0);
  // Caps refused requests, and were used for a good part.
  expect(result.refusals).toHaveProperty(["429 budget_held"]);
  expect(result.highestShareOfGroup).toBeGreaterThan(0.5);
});
