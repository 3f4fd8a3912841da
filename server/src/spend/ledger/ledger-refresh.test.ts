import { randomUUID } from "node:crypto";
import { afterEach, expect, vi } from "vitest";
import type { Database } from "#src/db/pool.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { test as base } from "#test/harness/database-test.ts";
import { SOME_TIME_MS } from "#test/harness/request-records.ts";
import { makeTestLeases } from "#test/harness/spend-node.ts";
import { type Ledger, makeLedger } from "./ledger.ts";
import { upsertSpendLimit } from "./limits.sql.ts";

const EVERY_MS = 1_000;
/** Time in which a wrong refresh would run, milliseconds. */
const PAUSE_MS = 50;

afterEach(() => vi.useRealTimers());

/** A ledger whose statements are counted, on a timer that the test advances. */
const test = base.extend("idle", async ({ db }, { onCleanup }) => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const line = { statements: 0, running: 0, isAway: false };
  const counted = db.database.withPlugin({
    transformQuery: ({ node }) => {
      line.statements += 1;
      if (line.isAway) throw new Error("the database is away");
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const database = watchRunning(counted, line);
  const shared = { nodeId: `node_${randomUUID()}`, databaseNowMs: () => SOME_TIME_MS };
  const leases = makeTestLeases({ ...shared, database: watchRunning(db.database, line) });
  const logger = makeLogger("silent");
  const ledger: Ledger = makeLedger({
    ...shared,
    ...{ database, leases, logger, refreshEveryMs: EVERY_MS },
  });
  await ledger.start();
  onCleanup(() => ledger.stop());
  /** Waits until no statement has run for a pause. */
  const waitUntilQuiet = async () => {
    for (let before = Number.NaN; line.running > 0 || before !== line.statements; ) {
      before = line.statements;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  /** Lets the timer run this many times, and returns the statements that follow. */
  const tick = async (times: number) => {
    await waitUntilQuiet();
    line.statements = 0;
    for (let at = 0; at < times; at++) {
      vi.advanceTimersByTime(EVERY_MS);
      await waitUntilQuiet();
    }
    return line.statements;
  };
  return { ledger, line, tick };
});

/** A database whose statements count as running until their result. Statements of leases belong to a refresh too. */
function watchRunning(database: Database, line: { running: number }): Database {
  return database.withPlugin({
    transformQuery: ({ node }) => {
      line.running += 1;
      return node;
    },
    transformResult: async ({ result }) => {
      line.running -= 1;
      return result;
    },
  });
}

test("without soft limits a ledger reads limits on every tenth run of its timer", async ({
  idle,
}) => {
  expect(await idle.tick(9)).toBe(0);
  expect(await idle.tick(1)).toBe(1);
  expect(await idle.tick(9)).toBe(0);
});

test("repeats a failed refresh on the next run", async ({ idle }) => {
  idle.line.isAway = true;
  await expect(idle.ledger.refresh()).rejects.toThrow("the database is away");
  expect(await idle.tick(1)).toBe(1);
  idle.line.isAway = false;
  expect(await idle.tick(1)).toBe(1);
  expect(await idle.tick(5)).toBe(0);
});

test("with a soft limit each run reads balances", async ({ db, idle }) => {
  const organization = { id: randomUUID(), name: "Acme" };
  await db.database.insertInto("organization").values(organization).execute();
  await upsertSpendLimit(db.database, {
    id: `spl_${randomUUID()}`,
    organizationId: organization.id,
    scopeType: "organization",
    scopeId: organization.id,
    period: "monthly",
    amountNanoUsd: 1n,
    enforcement: "soft",
  });
  await idle.ledger.refresh();
  expect(await idle.tick(1)).toBeGreaterThanOrEqual(2);
  expect(await idle.tick(1)).toBeGreaterThanOrEqual(2);
});
