import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { inTransaction } from "#src/db/transaction.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { test as base } from "#test/harness/database-test.ts";
import { settleRecords } from "#test/harness/folds.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import { countLimits, deleteOldDraws, hasUncountedSpend } from "./lease-draws.sql.ts";
import { deleteSpendLimit, upsertSpendLimit } from "./limits.sql.ts";

const DAY_MS = 86_400_000;
const NO_FOLD = () => Promise.resolve();

const test = base.extend("ledger", async ({ db }) => {
  const { database } = db;
  const { workspaceId, apiKeyId } = beginRecord();
  const organizationId = randomUUID();
  await database.insertInto("organization").values({ id: organizationId, name: "Acme" }).execute();
  const id = `spl_${organizationId}`;
  const scope = { organizationId, scopeType: "organization", scopeId: organizationId } as const;
  const nodeId = `node_${organizationId}`;
  return {
    database,
    setLimit: () =>
      upsertSpendLimit(database, {
        ...scope,
        id,
        period: "daily",
        amountNanoUsd: 100n,
        enforcement: "strict",
      }),
    removeLimit: () => deleteSpendLimit(database, { organizationId, id }),
    countLimits: () => countLimits(database, { lockFold, fold: NO_FOLD, atMs: null }),
    deleteOldDraws: (atMs: number) => deleteOldDraws(database, { lockFold, atMs }),
    /** Folds one request of the node. Null: its cost is unknown, and its hold is 9. */
    fold: (costNanoUsd: bigint | null) => {
      const requestId = `req_${randomUUID()}`;
      const begin = beginRecord({
        organizationId,
        workspaceId,
        apiKeyId,
        requestId,
        holdNanoUsd: 9n,
      });
      const record =
        costNanoUsd === null
          ? endRecord(begin, 0n, { outcome: "interrupted" })
          : endRecord(begin, costNanoUsd);
      return inTransaction(database, (tx) => settleRecords(tx, nodeId, [record], { atMs: null }));
    },
    lease: (amountNanoUsd: bigint) =>
      database
        .insertInto("lease")
        .values({
          node_id: nodeId,
          request_id: "",
          scope_type: "organization",
          scope_id: organizationId,
          period: "daily",
          period_start: new Date(SOME_TIME_MS).toISOString().slice(0, 10),
          organization_id: organizationId,
          amount_nano_usd: amountNanoUsd,
          unresolved_since: null,
        })
        .execute(),
    drawn: async () => {
      const rows = database.selectFrom("lease_draw").select("drawn_nano_usd as drawn");
      return (await rows.where("node_id", "=", nodeId).execute()).map(({ drawn }) => drawn);
    },
    countIds: async () => {
      const rows = database.selectFrom("counted_limit").select("id");
      return (await rows.where("scope_id", "=", organizationId).execute()).map((row) => row.id);
    },
  };
});

test("counts draws without a lease, from the moment at which their limit is counted", async ({
  ledger,
}) => {
  await ledger.setLimit();
  await ledger.fold(5n);
  expect([await hasUncountedSpend(ledger.database), await ledger.drawn()]).toEqual([true, []]);
  await ledger.countLimits();
  await ledger.fold(7n);
  await ledger.fold(null);
  expect([await hasUncountedSpend(ledger.database), await ledger.drawn()]).toEqual([false, [16n]]);
});

test("a removed limit is counted while a node has a lease on it, and gets a new id when it returns", async ({
  ledger,
}) => {
  await ledger.setLimit();
  await ledger.countLimits();
  const before = await ledger.countIds();
  await ledger.lease(20n);
  await ledger.removeLimit();
  await ledger.countLimits();
  await ledger.fold(7n);
  expect([await ledger.countIds(), await ledger.drawn()]).toEqual([before, [7n]]);
  await ledger.database.deleteFrom("lease").where("request_id", "=", "").execute();
  await ledger.countLimits();
  expect([await ledger.countIds(), await ledger.drawn()]).toEqual([[], []]);
  await ledger.setLimit();
  await ledger.countLimits();
  expect(await ledger.countIds()).not.toEqual(before);
});

test("draws of an ended period are deleted after two days, except those of a lease", async ({
  ledger,
}) => {
  await ledger.setLimit();
  await ledger.countLimits();
  await ledger.fold(7n);
  await ledger.deleteOldDraws(SOME_TIME_MS + 2 * DAY_MS);
  expect(await ledger.drawn()).toEqual([7n]);
  await ledger.lease(20n);
  await ledger.deleteOldDraws(SOME_TIME_MS + 4 * DAY_MS);
  expect(await ledger.drawn()).toEqual([7n]);
  await ledger.database.deleteFrom("lease").where("request_id", "=", "").execute();
  await ledger.deleteOldDraws(SOME_TIME_MS + 4 * DAY_MS);
  expect(await ledger.drawn()).toEqual([]);
});
