import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { createTestDatabase } from "#test/harness/database.ts";
import { test } from "#test/harness/database-test.ts";
import { SOME_TIME_MS } from "#test/harness/request-records.ts";
import { makeTestLeases } from "#test/harness/spend-node.ts";
import { makeLedger } from "./ledger.ts";
import { upsertSpendLimit } from "./limits.sql.ts";
import { PendingSpend } from "./pending-spend.ts";
import { PersonSpend } from "./person-spend.ts";

const databaseNowMs = () => SOME_TIME_MS;
const logger = makeLogger("silent");
const NODE = "node_person";

function newPerson() {
  return {
    organizationId: randomUUID(),
    memberId: `user_${randomUUID()}`,
    apiKeyId: `apikey_${randomUUID()}`,
  };
}
type Person = ReturnType<typeof newPerson>;

async function start(database: Database) {
  const leases = makeTestLeases({ database, nodeId: NODE, databaseNowMs });
  const ledger = makeLedger({ database, nodeId: NODE, leases, databaseNowMs, logger });
  await ledger.refresh();
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const pending = new PendingSpend();
  pending.enter(0);
  const spend = new PersonSpend({
    database,
    nodeId: NODE,
    ledger,
    pending,
    databaseNowMs,
    clock,
  });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { spend, pending, pass };
}

async function setLimit(database: Database, person: Person, scopeType: "member" | "api_key") {
  const organization = { id: person.organizationId, name: person.organizationId };
  await database
    .insertInto("organization")
    .values(organization)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const isMember = scopeType === "member";
  return upsertSpendLimit(database, {
    id: `spl_${randomUUID()}`,
    organizationId: person.organizationId,
    scopeType,
    scopeId: isMember ? person.memberId : person.apiKeyId,
    period: isMember ? "monthly" : "daily",
    amountNanoUsd: 500_000_000_000n,
    enforcement: isMember ? "strict" : "soft",
  });
}

async function settle(database: Database, person: Person, nanoUsd: bigint) {
  const { organizationId: organization_id, memberId, apiKeyId } = person;
  const amount = { organization_id, settled_nano_usd: nanoUsd };
  for (const [scope_type, scope_id, period] of [
    ["member", memberId, "monthly"],
    ["api_key", apiKeyId, "daily"],
  ] as const) {
    const period_start = periodOf(period, SOME_TIME_MS).start;
    await database
      .insertInto("balance")
      .values({ scope_type, scope_id, period, period_start, ...amount })
      .onConflict((conflict) =>
        conflict.columns(["scope_type", "scope_id", "period", "period_start"]).doUpdateSet(amount),
      )
      .execute();
  }
}

test("caps have the settled spend, and the spend of this node that no fold has counted", async ({
  db: { database },
}) => {
  const person = newPerson();
  await setLimit(database, person, "member");
  await setLimit(database, person, "api_key");
  await settle(database, person, 400n);
  const { spend, pending, pass } = await start(database);
  const ended = { ...person, workspaceId: "wksp_1", startedAtMs: SOME_TIME_MS };
  pending.end(ended, { costNanoUsd: 10n, unresolvedNanoUsd: 0n });
  expect(spend.findCaps(person)).toBeNull();
  const caps = [
    { period: "monthly", limitNanoUsd: 500_000_000_000n, spentNanoUsd: 410n },
    { period: "daily", limitNanoUsd: 500_000_000_000n, spentNanoUsd: 410n },
  ].map((cap) => expect.objectContaining(cap));
  expect(await spend.readCaps(person)).toEqual(caps);
  expect(spend.findCaps(person)).toEqual(caps);
  await settle(database, person, 500n);
  expect((await spend.readCaps(person))[0]?.spentNanoUsd).toBe(410n);
  pass(1_001);
  spend.prepare(person);
  expect((await spend.readCaps(person))[0]?.spentNanoUsd).toBe(510n);
});

test("a person without a cap has none, and their spend by period", async ({ db: { database } }) => {
  const person = newPerson();
  const { spend } = await start(database);
  spend.prepare(person);
  expect(spend.findCaps(person)).toEqual([]);
  expect(await spend.readCaps(person)).toEqual([]);
  expect(await spend.readSpend(person)).toEqual({ daily: 0n, weekly: 0n, monthly: 0n });
});

test("without the database figures are shown for two minutes, and reads are a 503", async () => {
  const own = await createTestDatabase();
  const person = newPerson();
  await setLimit(own.database, person, "member");
  const { spend, pass } = await start(own.database);
  const caps = await spend.readCaps(person);
  await own.drop();
  pass(119_999);
  spend.prepare(person);
  expect(spend.findCaps(person)).toEqual(caps);
  const unavailable = { code: "database_unavailable" };
  await expect(spend.readCaps(person)).rejects.toMatchObject(unavailable);
  await expect(spend.readSpend(person)).rejects.toMatchObject(unavailable);
  pass(2);
  expect(spend.findCaps(person)).toBeNull();
});
