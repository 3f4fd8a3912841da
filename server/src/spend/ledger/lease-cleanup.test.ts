import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { inTransaction } from "#src/db/transaction.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { test } from "#test/harness/database-test.ts";
import { appendSums, makeTestFolds } from "#test/harness/folds.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { cleanUpLeases } from "./lease-cleanup.ts";
import { upsertSpendLimit } from "./limits.sql.ts";

const BUDGET = 620n;
const PERIOD_START = "2020-01-01";

test("counts appended spend of a silent node before its budget is released", async ({ db }) => {
  const { database } = db;
  const scope = { organizationId: randomUUID(), workspaceId: "wksp_1", apiKeyId: "apikey_1" };
  await database
    .insertInto("organization")
    .values({ id: scope.organizationId, name: "Acme" })
    .execute();
  const limited = {
    scopeType: "workspace",
    scopeId: scope.workspaceId,
    period: "monthly",
  } as const;
  await upsertSpendLimit(database, {
    ...limited,
    id: "spl_1",
    organizationId: scope.organizationId,
    amountNanoUsd: 1_000n,
    enforcement: "strict",
  });
  const cleanUp = () =>
    cleanUpLeases({
      database,
      logger: makeLogger("silent"),
      graceMs: 0,
      unresolvedReleaseMs: 0,
      isLong: false,
      fold: () => makeTestFolds(database).fold(),
      lockFold,
    });
  // Counts the limit.
  await cleanUp();

  const node = { id: "node_silent", journal_id: "journal", version: "0" };
  await database.insertInto("node").values(node).execute();
  const key = {
    scope_type: limited.scopeType,
    scope_id: limited.scopeId,
    period: limited.period,
    period_start: PERIOD_START,
    organization_id: scope.organizationId,
  };
  await database
    .insertInto("balance")
    .values({ ...key, unresolved_nano_usd: BUDGET })
    .execute();
  await database
    .insertInto("lease")
    .values({
      ...key,
      node_id: node.id,
      request_id: "",
      amount_nano_usd: BUDGET,
      unresolved_since: new Date(0),
    })
    .execute();
  const begun = beginRecord({ ...scope, startedAtMs: Date.UTC(2020, 0, 15) });
  const place = { nodeId: node.id, journalId: node.journal_id, toSeq: 1 };
  await inTransaction(database, (tx) => appendSums(tx, place, [endRecord(begun, BUDGET)]));

  await cleanUp();
  const balance = await database
    .selectFrom("balance")
    .select(["settled_nano_usd as settled", "unresolved_nano_usd as unresolved"])
    .where("scope_id", "=", limited.scopeId)
    .where("period", "=", limited.period)
    .where("period_start", "=", PERIOD_START)
    .executeTakeFirstOrThrow();
  expect(balance).toEqual({ settled: BUDGET, unresolved: 0n });
});

test("ends the count of a limit that no longer exists", async ({ db }) => {
  const { database } = db;
  const limit = { scope_type: "workspace", scope_id: "wksp_gone", period: "monthly" } as const;
  await database.insertInto("counted_limit").values(limit).execute();
  await cleanUpLeases({
    ...{
      database,
      logger: makeLogger("silent"),
      graceMs: 0,
      unresolvedReleaseMs: 0,
      isLong: false,
    },
    fold: () => Promise.resolve(),
    lockFold,
  });
  const counted = await database.selectFrom("counted_limit").select("scope_id").execute();
  expect(counted.map(({ scope_id }) => scope_id)).not.toContain(limit.scope_id);
});

test("does not fold while no amount is unresolved", async ({ db }) => {
  let folds = 0;
  await cleanUpLeases({
    ...{
      database: db.database,
      logger: makeLogger("silent"),
      graceMs: 0,
      unresolvedReleaseMs: 0,
      isLong: false,
    },
    fold: async () => void folds++,
    lockFold,
  });
  expect(folds).toBe(0);
});
