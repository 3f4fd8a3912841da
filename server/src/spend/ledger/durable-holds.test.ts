import { sql } from "kysely";
import { describe, expect } from "vitest";
import { inTransaction } from "#src/db/transaction.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { appendBatch } from "#src/recording/record-usage.ts";
import { checkLedger } from "#src/spend/check/check-ledger.ts";
import { test as base } from "#test/harness/database-test.ts";
import { foldSpend } from "#test/harness/folds.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import { BATCHES_NODE } from "./batches-node.ts";
import {
  type DurableHold,
  listChainKeys,
  placeDurableHold,
  releaseDurableHold,
} from "./durable-holds.sql.ts";
import { encodeLineCharges } from "./hold-charges.ts";
import { countLimits } from "./lease-draws.sql.ts";
import { upsertSpendLimit } from "./limits.sql.ts";

// Holds of message batches on real balances.

const ORGANIZATION = "00000000-0000-4000-8000-000000000001";
let made = 0;

/** A scope of its own, with the helpers of one test. */
const test = base.extend("batch", async ({ db }) => {
  const { database } = db;
  made += 1;
  const scope = {
    organizationId: ORGANIZATION,
    workspaceId: `wksp_${made}`,
    apiKeyId: `apikey_${made}`,
  };
  await sql`INSERT INTO organization (id, name)
    VALUES (${ORGANIZATION}, 'A') ON CONFLICT DO NOTHING`.execute(database);
  const holdId = `req_batch_${made}`;
  const of = { holdId, scope, startedAtMs: SOME_TIME_MS };
  return {
    scope,
    holdId,
    setLimit: async (amountNanoUsd: bigint) => {
      await upsertSpendLimit(database, {
        id: `spl_${scope.workspaceId}`,
        organizationId: ORGANIZATION,
        scopeType: "workspace",
        scopeId: scope.workspaceId,
        period: "monthly",
        amountNanoUsd,
        enforcement: "strict",
      });
    },
    count: () => countLimits(database, { atMs: null, lockFold, fold: () => foldSpend(database) }),
    hold: (amountNanoUsd: bigint, id = holdId, more: Pick<DurableHold, "amountOf"> = {}) =>
      inTransaction(database, (tx) =>
        placeDurableHold(tx, { ...of, holdId: id, amountNanoUsd, ...more }),
      ),
    release: () => inTransaction(database, (tx) => releaseDurableHold(tx, of)),
    /** Appends lines with these costs, of which each had a hold of 10. */
    append: async (costs: readonly bigint[], toSeq: number) => {
      const records = costs.map((cost) =>
        endRecord(beginRecord({ ...scope, holdNanoUsd: 10n }), cost, { holdNanoUsd: 10n }),
      );
      const nanoUsd = 10n * BigInt(costs.length);
      const releases = listChainKeys(scope, SOME_TIME_MS).map((key) => ({
        ...key,
        holdId,
        nanoUsd,
      }));
      await inTransaction(database, (tx) =>
        appendBatch(
          tx,
          {
            nodeId: BATCHES_NODE,
            journalId: holdId,
            toSeq,
            encodeHoldCharges: (batch) => encodeLineCharges(batch, releases),
          },
          records,
        ),
      );
    },
    fold: () => foldSpend(database),
    read: async () => {
      const { rows } = await sql<{ settled: bigint; leased: bigint; unresolved: bigint }>`
        SELECT settled_nano_usd AS settled, leased_nano_usd AS leased, unresolved_nano_usd AS unresolved
        FROM balance_sum WHERE scope_id = ${scope.workspaceId} AND period = 'monthly'`.execute(
        database,
      );
      return rows[0];
    },
    check: async () => (await checkLedger(database, ORGANIZATION)).differences,
  };
});

test("holds the amount in every balance of the chain until it is released", async ({
  db,
  batch,
}) => {
  expect(await batch.hold(100n)).toBeNull();
  const { rows } = await sql`SELECT scope_type, period, leased_nano_usd FROM balance_sum
    WHERE scope_id IN (${batch.scope.apiKeyId}, ${batch.scope.workspaceId})`.execute(db.database);
  expect(rows).toHaveLength(6);
  expect(new Set(rows)).toEqual(
    new Set(
      ["api_key", "workspace"].flatMap((scope_type) =>
        ["daily", "weekly", "monthly"].map((period) => ({
          scope_type,
          period,
          leased_nano_usd: 100n,
        })),
      ),
    ),
  );
  expect(await batch.check()).toEqual([]);
  await batch.release();
  expect(await batch.read()).toEqual({ settled: 0n, leased: 0n, unresolved: 0n });
  expect(await batch.check()).toEqual([]);
});

test("lowers the hold in the transaction that settles the cost, and not before", async ({
  batch,
}) => {
  await batch.setLimit(1_000n);
  await batch.count();
  expect(await batch.hold(50n)).toBeNull();
  await batch.append([3n, 4n], 1);
  expect(await batch.read()).toEqual({ settled: 0n, leased: 50n, unresolved: 0n });
  await batch.fold();
  expect(await batch.read()).toEqual({ settled: 7n, leased: 30n, unresolved: 0n });
  await batch.append([10n, 0n, 1n], 2);
  await batch.fold();
  expect(await batch.read()).toEqual({ settled: 18n, leased: 0n, unresolved: 0n });
  expect(await batch.check()).toEqual([]);
});

test("counts under a limit that is set after the hold", async ({ batch }) => {
  expect(await batch.hold(80n)).toBeNull();
  await batch.setLimit(100n);
  expect(await batch.hold(10n, "req_early")).toMatchObject({ reason: "uncounted" });
  await batch.count();
  expect(await batch.hold(30n, "req_late")).toMatchObject({ reason: "held" });
  expect(await batch.hold(20n, "req_later")).toBeNull();
  expect(await batch.read()).toEqual({ settled: 0n, leased: 100n, unresolved: 0n });
});

test("holds another amount in a balance whose limit has chosen one, and checks the limit by it", async ({
  batch,
}) => {
  await batch.setLimit(100n);
  await batch.count();
  const amountOf: DurableHold["amountOf"] = ({ scopeType, period }) =>
    scopeType === "workspace" && period === "monthly" ? 40n : 500n;
  expect(await batch.hold(500n)).toMatchObject({ reason: "too_large" });
  expect(await batch.hold(500n, "req_one", { amountOf })).toBeNull();
  expect(await batch.hold(500n, "req_two", { amountOf })).toBeNull();
  expect(await batch.hold(500n, "req_three", { amountOf })).toMatchObject({
    reason: "held",
    amountNanoUsd: 40n,
  });
  expect(await batch.read()).toEqual({ settled: 0n, leased: 80n, unresolved: 0n });
  expect(await batch.check()).toEqual([]);
});

describe("is refused", () => {
  test("as too large for the rest of a limit, with its numbers", async ({ batch }) => {
    await batch.setLimit(100n);
    await batch.count();
    expect(await batch.hold(101n)).toMatchObject({
      reason: "too_large",
      amountNanoUsd: 101n,
      limit: { scopeType: "workspace", amountNanoUsd: 100n },
      figures: { settledNanoUsd: 0n, leasedNanoUsd: 0n },
    });
    expect(await batch.read()).toEqual({ settled: 0n, leased: 0n, unresolved: 0n });
  });

  test("as spent after the limit is reached", async ({ batch }) => {
    await batch.setLimit(10n);
    await batch.count();
    expect(await batch.hold(10n)).toBeNull();
    await batch.append([10n], 1);
    await batch.fold();
    expect(await batch.hold(1n, "req_more")).toMatchObject({ reason: "spent" });
  });
});

test("never exceeds a limit when many batches are held at once", async ({ batch }) => {
  await batch.setLimit(100n);
  await batch.count();
  const results = await Promise.all(
    Array.from({ length: 8 }, (_, at) => batch.hold(30n, `req_race_${at}`)),
  );
  expect(results.filter((refusal) => refusal === null)).toHaveLength(3);
  expect(await batch.read()).toEqual({ settled: 0n, leased: 90n, unresolved: 0n });
  expect(await batch.check()).toEqual([]);
});
