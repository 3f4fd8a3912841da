import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import { rollupTableNames } from "#src/recording/rollup-tables.ts";
import { insertUsageEvents } from "#src/recording/usage.sql.ts";
import { upsertSpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { test as base } from "#test/harness/database-test.ts";
import { appendBatchOnly, settleRecords } from "#test/harness/folds.ts";
import { beginRecord, endRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import { checkLedger } from "./check-ledger.ts";

// Balances that the flush wrote and a test then changes.

const ORGANIZATION = "00000000-0000-4000-8000-000000000001";
const DAY_MS = 86_400_000;
/** Scopes whose balances are kept. */
const LIMITED = [
  ["organization", ORGANIZATION],
  ["workspace", "wksp_1"],
  ["api_key", "apikey_1"],
  ["api_key", "apikey_2"],
] as const;

const test = base.extend(
  "check",
  ({ db }) =>
    () =>
      checkLedger(db.database, ORGANIZATION),
);

test.beforeAll(async ({ db }) => {
  await db.database.insertInto("organization").values({ id: ORGANIZATION, name: "A" }).execute();
  await db.database
    .insertInto("node")
    .values({ id: "node_1", journal_id: "j", version: "0" })
    .execute();
  for (const [scopeType, scopeId] of LIMITED) {
    for (const period of ["daily", "weekly", "monthly"] as const) {
      await upsertSpendLimit(db.database, {
        ...{
          id: `spl_${scopeId}_${period}`,
          organizationId: ORGANIZATION,
          scopeType,
          scopeId,
          period,
        },
        ...{ amountNanoUsd: 1_000_000_000n, enforcement: "alert_only" },
      });
    }
  }
  const createdAt = new Date(SOME_TIME_MS - DAY_MS);
  await sql`UPDATE spend_limit SET created_at = ${createdAt}`.execute(db.database);
});
test.beforeEach(async ({ db }) => {
  const tables = ["usage_record", "balance", "lease", "spend_adjustment", ...rollupTableNames];
  for (const table of tables) await sql`DELETE FROM ${sql.table(table)}`.execute(db.database);
  // Two weeks, two months and two keys. One request exceeds its hold, and one has an unknown outcome.
  const at = (days: number) => ({ startedAtMs: SOME_TIME_MS + days * DAY_MS });
  const batch = [
    endRecord(beginRecord(at(0)), 100n),
    endRecord(beginRecord({ ...at(0), apiKeyId: "apikey_2" }), 20n),
    endRecord(beginRecord({ ...at(7), holdNanoUsd: 30n }), 50n, { holdNanoUsd: 30n }),
    endRecord(beginRecord({ ...at(0), holdNanoUsd: 7n }), 0n, { outcome: "interrupted" }),
  ];
  await db.database.transaction().execute(async (tx) => {
    await insertUsageEvents(tx, { nodeId: "node_1", records: batch });
    await settleRecords(tx, "node_1", batch, { atMs: SOME_TIME_MS });
  });
});

test("reads all rows of the flush and finds no difference", async ({ db, check }) => {
  const balances = await db.database.selectFrom("balance").select("scope_id").execute();
  expect(await check()).toEqual({
    balances: balances.length,
    requests: 4,
    differences: [],
    differenceCount: 0,
  });
});

test("finds no difference in an organization without spend", async ({ db }) => {
  const emptyOrganization = "00000000-0000-4000-8000-000000000002";
  expect(await checkLedger(db.database, emptyOrganization)).toEqual({
    balances: 0,
    requests: 0,
    differences: [],
    differenceCount: 0,
  });
});

const MONTH = {
  scopeType: "workspace",
  scopeId: "wksp_1",
  period: "monthly",
  periodStart: "2026-11-01",
} as const;
/** The difference is that of a balance, not of a lease. */
const BALANCE = { nodeId: null };
const ofMonth = sql`scope_type = 'workspace' AND period = 'monthly' AND period_start = '2026-11-01'`;

test("skips scopes without a limit", async ({ db, check }) => {
  const before = await check();
  const ofOther = { workspaceId: "wksp_2", apiKeyId: "apikey_3", startedAtMs: SOME_TIME_MS };
  const record = endRecord(beginRecord(ofOther), 9n);
  await db.database.transaction().execute(async (tx) => {
    await insertUsageEvents(tx, { nodeId: "node_1", records: [record] });
    await settleRecords(tx, "node_1", [record], { atMs: SOME_TIME_MS });
  });
  expect(await check()).toEqual({ ...before, requests: before.requests + 1 });
});

describe("reports a difference", () => {
  test.for([
    ["spent", "settled_nano_usd", 120n, 121n],
    ["held", "leased_nano_usd", 0n, 1n],
    ["unresolved", "unresolved_nano_usd", 7n, 8n],
  ] as const)(
    "with a changed %s amount of a balance",
    async ([amount, column, expectedNanoUsd, actualNanoUsd], { db, check }) => {
      await sql`UPDATE balance SET ${sql.ref(column)} = ${sql.ref(column)} + 1 WHERE ${ofMonth}`.execute(
        db.database,
      );
      expect((await check()).differences).toEqual([
        { ...MONTH, ...BALANCE, amount, actualNanoUsd, expectedNanoUsd },
      ]);
    },
  );

  test("with a changed overrun", async ({ db, check }) => {
    await sql`UPDATE balance SET overrun_nano_usd = 0 WHERE scope_type = 'workspace' AND period = 'monthly'
      AND period_start = '2026-12-01'`.execute(db.database);
    expect((await check()).differences).toEqual([
      {
        ...MONTH,
        ...BALANCE,
        periodStart: "2026-12-01",
        amount: "beyond_holds",
        actualNanoUsd: 0n,
        expectedNanoUsd: 20n,
      },
    ]);
  });

  test("with a deleted balance", async ({ db, check }) => {
    await sql`DELETE FROM balance WHERE ${ofMonth}`.execute(db.database);
    expect((await check()).differences).toEqual([
      { ...MONTH, ...BALANCE, amount: "spent", actualNanoUsd: 0n, expectedNanoUsd: 120n },
      { ...MONTH, ...BALANCE, amount: "unresolved", actualNanoUsd: 0n, expectedNanoUsd: 7n },
    ]);
  });

  test("with an added balance of a period and scope without spend", async ({ db, check }) => {
    const key = { ...MONTH, scopeId: "wksp_invented", periodStart: "2020-01-01" };
    await db.database
      .insertInto("balance")
      .values({
        scope_type: key.scopeType,
        scope_id: key.scopeId,
        period: key.period,
        period_start: key.periodStart,
        organization_id: ORGANIZATION,
        settled_nano_usd: 5n,
      })
      .execute();
    expect((await check()).differences).toEqual([
      { ...key, ...BALANCE, amount: "spent", actualNanoUsd: 5n, expectedNanoUsd: 0n },
    ]);
  });

  test.for([
    ["changed", sql`UPDATE usage_record SET cost_nano_usd = 99 WHERE cost_nano_usd = 100`, 119n],
    ["deleted", sql`DELETE FROM usage_record WHERE cost_nano_usd = 100`, 20n],
  ] as const)(
    "with a %s request in all nine balances",
    async ([_, statement, expectedNanoUsd], { db, check }) => {
      await statement.execute(db.database);
      const { differences, differenceCount } = await check();
      expect(differenceCount).toBe(9);
      expect(new Set(differences.map(({ amount }) => amount))).toEqual(new Set(["spent"]));
      expect(differences).toContainEqual({
        ...MONTH,
        ...BALANCE,
        amount: "spent",
        actualNanoUsd: 120n,
        expectedNanoUsd,
      });
    },
  );

  test("with an added adjustment in all nine balances", async ({ db, check }) => {
    await db.database
      .insertInto("spend_adjustment")
      .values({
        id: "adj_1",
        organization_id: ORGANIZATION,
        workspace_id: "wksp_1",
        api_key_id: "apikey_1",
        request_id: "req_1",
        started_at: new Date(SOME_TIME_MS),
        cost_nano_usd: 1n,
        reason: "",
      })
      .execute();
    expect((await check()).differenceCount).toBe(9);
  });

  test("with a changed lease and unresolved row, also without a balance", async ({ db, check }) => {
    await sql`UPDATE lease SET amount_nano_usd = 6 WHERE ${ofMonth}`.execute(db.database);
    await db.database
      .insertInto("lease")
      .values({
        node_id: "node_1",
        request_id: "",
        scope_type: "workspace",
        scope_id: "wksp_1",
        period: "monthly",
        period_start: "2027-01-01",
        organization_id: ORGANIZATION,
        amount_nano_usd: 3n,
        unresolved_since: null,
      })
      .execute();
    expect((await check()).differences).toEqual([
      { ...MONTH, ...BALANCE, amount: "unresolved", actualNanoUsd: 7n, expectedNanoUsd: 6n },
      {
        ...MONTH,
        ...BALANCE,
        periodStart: "2027-01-01",
        amount: "held",
        actualNanoUsd: 0n,
        expectedNanoUsd: 3n,
      },
    ]);
  });

  test("with the count of all and the first hundred", async ({ db, check }) => {
    await sql`INSERT INTO balance (scope_type, scope_id, period, period_start, organization_id, settled_nano_usd)
      SELECT 'api_key', 'apikey_' || n, 'daily', '2026-11-24', ${ORGANIZATION}::uuid, 1
      FROM generate_series(1000, 1149) AS n`.execute(db.database);
    const report = await check();
    expect([report.differences.length, report.differenceCount]).toEqual([100, 150]);
  });
});

describe("a lease of a node", () => {
  const LEASE_OF_MONTH = {
    scope_type: "workspace",
    scope_id: "wksp_1",
    period: "monthly",
    period_start: "2026-11-01",
  } as const;

  /** A lease on the monthly balance of the workspace, which has settled 120. */
  async function lease(
    { database }: { database: Database },
    nodeId: string,
    of: { granted: bigint; drawn: bigint },
  ): Promise<void> {
    const key = { node_id: nodeId, ...LEASE_OF_MONTH };
    const row = { ...key, request_id: "", organization_id: ORGANIZATION, amount_nano_usd: 0n };
    await database
      .insertInto("lease")
      .values({ ...row, unresolved_since: null, granted_nano_usd: of.granted })
      .execute();
    await database
      .insertInto("lease_draw")
      .values({ ...key, drawn_nano_usd: of.drawn })
      .execute();
  }

  const setContact = ({ database }: { database: Database }, seen: string, expires: string | null) =>
    sql`
      WITH seen AS (UPDATE node SET seen_at = now() + ${seen}::interval WHERE id = 'node_1')
      INSERT INTO lease_node (node_id, seen_at, expires_at)
      VALUES ('node_1', now() + ${seen}::interval, now() + ${expires}::interval)`.execute(database);

  const limitStrictly = ({ database }: { database: Database }) =>
    sql`UPDATE spend_limit SET enforcement = 'strict' WHERE scope_id = 'wksp_1'`.execute(database);

  test.beforeEach(async ({ db }) => {
    await sql`DELETE FROM lease_draw`.execute(db.database);
    await sql`DELETE FROM lease_node`.execute(db.database);
    await sql`UPDATE spend_limit SET enforcement = 'alert_only'`.execute(db.database);
  });

  test("is added to its balance", async ({ db, check }) => {
    await setContact(db, "0 s", "1 hour");
    await limitStrictly(db);
    await lease(db, "node_1", { granted: 50n, drawn: 30n });
    expect((await check()).differences).toEqual([]);
  });

  test("that granted less than its live node spent is reported with its node", async ({
    db,
    check,
  }) => {
    await setContact(db, "0 s", "1 hour");
    await limitStrictly(db);
    await lease(db, "node_1", { granted: 50n, drawn: 60n });
    expect((await check()).differences).toEqual([
      { ...MONTH, nodeId: "node_1", amount: "granted", actualNanoUsd: 50n, expectedNanoUsd: 60n },
    ]);
    // Requests of the balance exceeded their holds by 10.
    const balance = sql`UPDATE balance SET overrun_nano_usd = 10 WHERE ${ofMonth}`;
    await balance.execute(db.database);
    expect((await check()).differences.filter(({ amount }) => amount === "granted")).toEqual([]);
  });

  test.for([
    ["has left", "node_1"],
    ["is unknown", "node_2"],
  ] as const)(
    "whose node %s is reported until all its requests are counted",
    async ([, nodeId], { db, check }) => {
      await setContact(db, "-2 minutes", null);
      await lease(db, nodeId, { granted: 50n, drawn: 30n });
      const abandoned = { ...MONTH, nodeId, amount: "abandoned" } as const;
      expect((await check()).differences).toEqual([
        { ...abandoned, actualNanoUsd: 20n, expectedNanoUsd: 0n },
      ]);
      await appendBatchOnly(db.database, nodeId);
      expect((await check()).differences).toEqual([]);
      await sql`DELETE FROM usage_batch`.execute(db.database);
    },
  );

  test("whose node starts is not reported", async ({ db, check }) => {
    await setContact(db, "0 s", null);
    await lease(db, "node_1", { granted: 50n, drawn: 30n });
    expect((await check()).differences).toEqual([]);
  });
});

test("finds no difference while requests are settled", async ({ db, check }) => {
  let isOver = false;
  const settle = async (worker: number) => {
    for (let i = 0; i < 20; i++) {
      const record = endRecord(
        beginRecord({ apiKeyId: `apikey_${worker}`, startedAtMs: SOME_TIME_MS - i * DAY_MS }),
        BigInt(i + 1),
      );
      await db.database.transaction().execute(async (tx) => {
        await insertUsageEvents(tx, { nodeId: "node_1", records: [record] });
        await settleRecords(tx, "node_1", [record], { atMs: SOME_TIME_MS });
      });
    }
  };
  const traffic = Promise.all([settle(10), settle(11), settle(12)]).finally(() => {
    isOver = true;
  });
  const counts: number[] = [];
  while (!isOver) {
    const report = await check();
    expect(report.differences).toEqual([]);
    counts.push(report.requests);
  }
  await traffic;
  expect((await check()).requests).toBe(64);
  expect(counts.length).toBeGreaterThan(0);
});
