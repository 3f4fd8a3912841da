import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { OwnScopeType, PeriodName, ScopeType } from "#src/db/tables.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { periodNames, periodOf } from "#src/domain/spend-period.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { closeHoursBefore } from "#src/recording/close-hours.ts";
import { type FoldParticipant, foldAll } from "#src/recording/fold.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { appendBatch } from "#src/recording/record-usage.ts";
import { rollupTableNames } from "#src/recording/rollup-tables.ts";
import { listRollupDifferences } from "#src/recording/verify.sql.ts";
import { listBalanceDifferences } from "#src/spend/check/verify.sql.ts";
import type { TestDatabase } from "#test/harness/database.ts";
import { test as base } from "#test/harness/database-test.ts";
import { insertPlace } from "#test/harness/place-rows.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { lockBalances, readSpend, type SpendPlace } from "./balances.sql.ts";
import { encodeHoldCharges } from "./hold-charges.ts";
import { countLimits, LIMITS_PER_COUNT } from "./lease-draws.sql.ts";
import type { LeaseKey } from "./lease-rules.ts";
import { makeSpendFold } from "./ledger.ts";
import { deleteSpendLimit, type Enforcement, upsertSpendLimit } from "./limits.sql.ts";
import { deleteUnwatchedBalances } from "./prune-balances.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NO_FOLD = () => Promise.resolve();
const NO_PAUSE = { pause: () => Promise.resolve() };

const test = base.extend("company", async ({ db }) => {
  const { database } = db;
  const { organizationId, workspaceId, apiKeyId, suffix } = await insertPlace(database);
  const ids = { organization: organizationId, workspace: workspaceId, api_key: apiKeyId };
  const { now } = (await sql<{ now: Date }>`SELECT now() AS now`.execute(database)).rows[0] ?? {};
  const nowMs = now?.getTime() ?? 0;
  const spendFold = makeSpendFold();
  return {
    ids,
    nowMs,
    hourMs: Math.floor(nowMs / HOUR_MS) * HOUR_MS,
    settled: () => spendFold.settled(),
    append: (nanoUsd: bigint, startedAtMs = nowMs, overrides: Partial<EndRecord> = {}) =>
      inTransaction(database, (tx) => {
        const begin = beginRecord({
          ...{ organizationId, workspaceId, apiKeyId, startedAtMs },
          requestId: `req_${randomUUID()}`,
        });
        const record = endRecord(begin, nanoUsd, overrides);
        const place = { nodeId: "node_1", encodeHoldCharges, journalId: "journal", toSeq: 0 };
        return appendBatch(tx, place, [record]);
      }),
    fold: (later: FoldParticipant[] = []) =>
      foldAll({
        database,
        participants: [spendFold, ...later],
        logger: makeLogger("silent"),
      }),
    /** Sets the monthly limit of a member, group or tag. */
    limitPerson: (scopeType: ScopeType, scopeId: string) =>
      upsertSpendLimit(database, {
        ...{ id: `spl_${scopeId}`, organizationId, scopeType, scopeId },
        ...{ period: "monthly", amountNanoUsd: 1_000n, enforcement: "strict" },
      }),
    setLimit: (scopeType: OwnScopeType, period: PeriodName, enforcement: Enforcement = "soft") =>
      upsertSpendLimit(database, {
        ...{ id: `spl_${scopeType}_${period}_${suffix}`, organizationId, scopeType, period },
        ...{ scopeId: ids[scopeType], amountNanoUsd: 1_000n, enforcement },
      }),
    removeLimit: (scopeType: OwnScopeType, period: PeriodName) =>
      deleteSpendLimit(database, { organizationId, id: `spl_${scopeType}_${period}_${suffix}` }),
    /** Stored balances, "scope period start": [settled, is complete]. */
    balances: async () => {
      const rows = database.selectFrom("balance").selectAll().orderBy("scope_type");
      const own = await rows.where("organization_id", "=", organizationId).execute();
      return Object.fromEntries(
        own.map((row) => [
          `${row.scope_type} ${row.period} ${row.period_start}`,
          [row.settled_nano_usd, row.is_complete],
        ]),
      );
    },
    /** Settled spend of all nine scopes and periods. */
    spend: async (atMs = nowMs) => {
      const places = Object.entries(ids).flatMap(([scopeType, scopeId]) =>
        periodNames.map(
          (period): SpendPlace => ({
            ...{ organizationId, scopeType: scopeType as OwnScopeType, scopeId, period },
            ...{ periodStart: periodOf(period, atMs).start },
            workspaceId: scopeType === "organization" ? null : workspaceId,
          }),
        ),
      );
      const rows = [...(await readSpend(database, places)).values()];
      return rows.map(({ settledNanoUsd }) => settledNanoUsd);
    },
    verify: async () => {
      expect(await listRollupDifferences(database)).toEqual([]);
      expect(await listBalanceDifferences(database)).toEqual([]);
    },
  };
});

const setProgress = (at: number | "infinity") =>
  sql`UPDATE rollup_progress SET hour_at = ${at === "infinity" ? at : new Date(at)}, organization_id = DEFAULT,
    workspace_id = DEFAULT, api_key_id = DEFAULT`;
const nine = (nanoUsd: bigint) => Array.from({ length: 9 }, () => nanoUsd);
const startOf = (period: PeriodName, atMs: number) => periodOf(period, atMs).start;

test.beforeEach(async ({ db, company }) => {
  const tables = ["usage_batch", "usage_record", "balance", "alert", ...rollupTableNames];
  for (const table of tables) await sql`DELETE FROM ${sql.table(table)}`.execute(db.database);
  await setProgress(company.hourMs).execute(db.database);
});

test("a scope without a limit has no balance, and its spend is read from its usage", async ({
  company,
}) => {
  await company.append(5n);
  await company.append(7n);
  await company.fold();
  expect(await company.balances()).toEqual({});
  expect(await company.spend()).toEqual(nine(12n));
  await company.verify();
});

describe("a new limit finds the spend of its period", () => {
  test.for([
    ["in closed hours", 2],
    ["in an open hour", 0],
    ["in a closed and an open hour", 1],
  ] as const)("%s", async ([, closedHours], { db, company }) => {
    const startMs = company.hourMs - 2 * HOUR_MS;
    await setProgress(startMs).execute(db.database);
    await company.append(5n, startMs);
    await company.append(7n, startMs + HOUR_MS);
    await company.fold();
    await closeHoursBefore(db.database, startMs + closedHours * HOUR_MS);
    for (const scopeType of ["organization", "workspace", "api_key"] as const) {
      await company.setLimit(scopeType, "monthly");
    }
    const { nowMs } = company;
    const month = startOf("monthly", nowMs);
    const amountIn = (start: string) =>
      (startOf("monthly", startMs) === start ? 5n : 0n) +
      (startOf("monthly", startMs + HOUR_MS) === start ? 7n : 0n);
    const balancesIn = (start: string, added: bigint, isComplete: boolean) => {
      const scopes = ["api_key", "organization", "workspace"];
      const balance = [amountIn(start) + added, isComplete];
      return Object.fromEntries(scopes.map((scope) => [`${scope} monthly ${start}`, balance]));
    };
    // Clocks differ by less than an hour. So the earlier month counts too for an hour. Early in a month it has no usage yet.
    const found = [startOf("monthly", nowMs - HOUR_MS), month].filter((at) => amountIn(at) > 0n);
    const expected = found.map((at) => balancesIn(at, 0n, false));
    expect(await company.balances()).toEqual(Object.assign({}, ...expected));
    await company.append(1n, nowMs);
    await company.fold();
    const complete = balancesIn(month, 1n, true);
    expect(await company.balances()).toEqual(Object.assign({}, ...expected, complete));
    await company.verify();
  });

  test("without the batches that wait for a fold, which adds them once", async ({ company }) => {
    await company.append(5n);
    await company.fold();
    await company.append(7n);
    await company.setLimit("workspace", "daily");
    const key = `workspace daily ${startOf("daily", company.nowMs)}`;
    expect(await company.balances()).toEqual({ [key]: [5n, false] });
    await company.fold();
    expect(await company.balances()).toEqual({ [key]: [12n, true] });
    await company.verify();
  });

  test.for([
    ["by the next fold", "soft", "fold"],
    ["before its first lease, if it is strict", "strict", "count"],
    ["before the next request, if it is soft", "soft", "count"],
  ] as const)(
    "also the part that a concurrent fold counts: %s",
    async ([, enforcement, by], { db, company }) => {
      await company.append(5n);
      await company.fold();
      await company.append(7n);
      // The limit is created in another transaction, before the fold commits.
      const create = async () => {
        await company.setLimit("api_key", "daily", enforcement);
      };
      await company.fold([{ fold: create }]);
      const key = `api_key daily ${startOf("daily", company.nowMs)}`;
      expect(await company.balances()).toEqual({ [key]: [5n, false] });
      if (by === "fold") {
        await company.append(1n);
        await company.fold();
        expect(await company.balances()).toEqual({ [key]: [13n, true] });
      } else {
        await countLimits(db.database, { lockFold, fold: NO_FOLD, atMs: null });
        expect(await company.balances()).toEqual({ [key]: [12n, true] });
      }
      await company.verify();
    },
  );

  test("and a message of a node cannot hide it with an empty balance", async ({ db, company }) => {
    await company.append(5n);
    await company.fold();
    const place: LeaseKey = {
      organizationId: company.ids.organization,
      scopeType: "workspace",
      scopeId: company.ids.workspace,
      period: "daily",
      periodStart: startOf("daily", company.nowMs),
    };
    await inTransaction(db.database, (tx) => lockBalances(tx, [place]));
    const key = `workspace daily ${place.periodStart}`;
    expect(await company.balances()).toEqual({ [key]: [0n, false] });
    expect(await company.spend()).toEqual(nine(5n));
    await company.setLimit("workspace", "daily", "strict");
    expect(await company.balances()).toEqual({ [key]: [5n, false] });
    await countLimits(db.database, { lockFold, fold: NO_FOLD, atMs: null });
    expect(await company.balances()).toEqual({ [key]: [5n, true] });
  });
});

describe("a member, group or tag", () => {
  /** Owner, groups and tags of a request of the company. */
  function makePeople({ ids }: { ids: { api_key: string } }) {
    const of = (name: string) => `${name}_${ids.api_key}`;
    const people = {
      memberId: of("user_1"),
      groupIds: [of("group_1"), of("group_2")],
      tagIds: [of("tag_1")],
    };
    const scopes: (readonly [ScopeType, string])[] = [
      ["member", people.memberId],
      ...people.groupIds.map((id) => ["group", id] as const),
      ["tag", people.tagIds[0] ?? ""],
    ];
    const all = (value: readonly [bigint, boolean]) =>
      Object.fromEntries(scopes.map(([, id]) => [id, value]));
    return { of, people, scopes, all };
  }

  /** Stored balances of the month of a moment by the id of the scope: [settled, is complete]. */
  async function listBalances({ database }: TestDatabase, ids: readonly string[], atMs: number) {
    const rows = database
      .selectFrom("balance")
      .selectAll()
      .where("scope_id", "in", ids)
      .where("period_start", "=", startOf("monthly", atMs));
    return Object.fromEntries(
      (await rows.execute()).map((row) => [row.scope_id, [row.settled_nano_usd, row.is_complete]]),
    );
  }

  test.for([
    ["in a closed hour", 1],
    ["in an open hour", 0],
  ] as const)(
    "finds the spend of its period %s, and each request counts in all of its scopes",
    async ([, closedHours], { db, company }) => {
      const { of, people, scopes, all } = makePeople(company);
      const ids = scopes.map(([, id]) => id);
      const startMs = company.hourMs - HOUR_MS;
      await setProgress(startMs).execute(db.database);
      await company.append(5n, startMs, people);
      await company.append(3n, startMs, { memberId: of("user_2"), groupIds: [of("group_3")] });
      await company.append(2n);
      await company.fold();
      await closeHoursBefore(db.database, startMs + closedHours * HOUR_MS);
      for (const [scopeType, id] of scopes) await company.limitPerson(scopeType, id);
      expect(await listBalances(db, ids, startMs)).toEqual(all([5n, false]));
      await countLimits(db.database, { lockFold, fold: NO_FOLD, atMs: null });
      expect(await listBalances(db, ids, startMs)).toEqual(all([5n, true]));
      // The chain of a key changes with the groups of its owner.
      await company.append(7n, company.nowMs, { ...people, groupIds: [of("group_2")] });
      await company.fold();
      const [group = ""] = people.groupIds;
      const isSameMonth = startOf("monthly", startMs) === startOf("monthly", company.nowMs);
      expect(await listBalances(db, ids, company.nowMs)).toEqual({
        ...all([isSameMonth ? 12n : 7n, true]),
        [group]: isSameMonth ? [5n, true] : undefined,
      });
      await company.verify();
    },
  );

  test("is summed by each fold while nodes of version 0.1 may live, and exact afterwards", async ({
    db,
    company,
  }) => {
    const { people, scopes, all } = makePeople(company);
    const ids = scopes.map(([, id]) => id);
    const startMs = company.hourMs - HOUR_MS;
    await setProgress("infinity").execute(db.database);
    await company.append(5n, startMs, people);
    await company.fold();
    for (const [scopeType, id] of scopes) await company.limitPerson(scopeType, id);
    await countLimits(db.database, { lockFold, fold: NO_FOLD, atMs: null });
    expect(await listBalances(db, ids, startMs)).toEqual(all([5n, false]));
    await company.append(7n, startMs, people);
    await company.fold();
    expect(await listBalances(db, ids, startMs)).toEqual(all([12n, false]));
    // Closing begins with the running hour, after the last node of version 0.1.
    await setProgress(company.hourMs).execute(db.database);
    await countLimits(db.database, { lockFold, fold: NO_FOLD, atMs: null });
    expect(await listBalances(db, ids, startMs)).toEqual(all([12n, true]));
  });
});

test("many new limits are counted some at a time, with exact folds in between", async ({
  db,
  company,
}) => {
  const { organization, workspace, api_key: key } = company.ids;
  const limits = 2 * LIMITS_PER_COUNT + 1;
  await sql`
    WITH key AS (
      INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id)
      SELECT ${key} || '_' || n, ${organization}::uuid, ${workspace}, 'key', 'write', 'member', 'user_1'
      FROM generate_series(1, ${limits}::int) AS n RETURNING id
    )
    INSERT INTO spend_limit (id, organization_id, scope_type, scope_id, period, amount_nano_usd, enforcement, version, revision)
    SELECT 'spl_' || id, ${organization}::uuid, 'api_key', id, 'daily', 1000, 'strict', 1, 1 FROM key`.execute(
    db.database,
  );
  const spent = [1, LIMITS_PER_COUNT, limits].map((n) => `${key}_${n}`);
  const useAll = async (nanoUsd: bigint) => {
    for (const apiKeyId of spent) await company.append(nanoUsd, company.nowMs, { apiKeyId });
  };
  const countCounted = async () => {
    const { rows } = await sql<{ count: bigint }>`SELECT count(*) FROM counted_limit
      WHERE scope_id LIKE ${`${key}_%`}`.execute(db.database);
    return Number(rows[0]?.count);
  };
  await useAll(5n);
  await company.fold();
  const counted: number[] = [];
  await countLimits(db.database, {
    ...{ lockFold, atMs: null },
    fold: async () => {
      counted.push(await countCounted());
      await useAll(7n);
      await company.fold();
    },
  });
  expect([...counted, await countCounted()]).toEqual([
    LIMITS_PER_COUNT,
    2 * LIMITS_PER_COUNT,
    limits,
  ]);
  await useAll(1n);
  await company.fold();
  const { rows } =
    await sql`SELECT scope_id AS id, settled_nano_usd AS settled, is_complete AS "isComplete"
    FROM balance WHERE scope_id LIKE ${`${key}_%`} ORDER BY scope_id`.execute(db.database);
  expect(rows).toEqual(spent.toSorted().map((id) => ({ id, settled: 20n, isComplete: true })));
  await company.verify();
});

test("a late request of an earlier period gets the whole balance of that period", async ({
  company,
}) => {
  // Clocks of nodes can be an hour behind, so yesterday may still run.
  const earlierMs = company.nowMs - 2 * DAY_MS;
  await company.append(5n, earlierMs);
  await company.fold();
  await company.setLimit("workspace", "daily");
  expect(await company.balances()).toEqual({});
  await company.append(7n, earlierMs);
  await company.append(1n);
  await company.fold();
  expect(await company.balances()).toEqual({
    [`workspace daily ${startOf("daily", earlierMs)}`]: [12n, true],
    [`workspace daily ${startOf("daily", company.nowMs)}`]: [1n, true],
  });
  await company.verify();
});

test("a limit that is removed and set again finds all spend, with and without a clean-up between", async ({
  db,
  company,
}) => {
  await company.append(5n);
  await company.fold();
  const key = `workspace daily ${startOf("daily", company.nowMs)}`;
  for (const [round, cleansUp] of [false, true].entries()) {
    await company.setLimit("workspace", "daily");
    await company.append(7n);
    await company.fold();
    await company.removeLimit("workspace", "daily");
    if (cleansUp) await deleteUnwatchedBalances(db.database, NO_PAUSE);
    await company.append(1n);
    await company.fold();
    const spent = 5n + 8n * BigInt(round + 1);
    expect(await company.balances()).toEqual(cleansUp ? {} : { [key]: [spent, true] });
    expect(await company.spend()).toEqual(nine(spent));
  }
  await company.setLimit("workspace", "daily");
  expect(await company.balances()).toEqual({ [key]: [21n, false] });
  await company.verify();
});

test("a removed limit keeps its balances complete while folds count its draws", async ({
  db,
  company,
}) => {
  const count = () => countLimits(db.database, { lockFold, fold: NO_FOLD, atMs: null });
  await company.setLimit("workspace", "daily", "strict");
  await count();
  await company.removeLimit("workspace", "daily");
  await company.append(5n);
  await company.fold();
  const stored = { [`workspace daily ${startOf("daily", company.nowMs)}`]: [5n, true] };
  expect(await deleteUnwatchedBalances(db.database, NO_PAUSE)).toBe(0);
  expect(await company.balances()).toEqual(stored);
  await count();
  expect(await deleteUnwatchedBalances(db.database, NO_PAUSE)).toBe(1);
  expect(await company.balances()).toEqual({});
});

describe("an alert about an amount", () => {
  const addAlert = (company: { ids: Record<OwnScopeType, string> }, includesBelow: boolean) => sql`
    INSERT INTO alert (id, organization_id, name, kind, scope_type, scope_id, includes_below, condition, created_at, updated_at)
    VALUES (${`alert_${randomUUID()}`}, ${company.ids.organization}::uuid, 'a', 'spend_limit', 'workspace',
      ${company.ids.workspace}, ${includesBelow}, '{"kind":"spend_limit","thresholds":[{"percent":50},{"amount_usd":"1","period":"weekly"}]}',
      now(), now())`;

  test.for([
    ["its scope only", false, ["workspace"]],
    ["its scope and those below", true, ["api_key", "workspace"]],
  ] as const)("watches %s, in its period", async ([, includesBelow, scopes], { db, company }) => {
    await company.append(5n);
    await company.fold();
    await addAlert(company, includesBelow).execute(db.database);
    await company.append(7n);
    await company.fold();
    const start = startOf("weekly", company.nowMs);
    expect(await company.balances()).toEqual(
      Object.fromEntries(scopes.map((scope) => [`${scope} weekly ${start}`, [12n, true]])),
    );
    expect(company.settled()).toMatchObject(
      scopes.map(() => ({ workspaceId: company.ids.workspace, addedNanoUsd: 7n, hasLimit: false })),
    );
    expect(await deleteUnwatchedBalances(db.database, NO_PAUSE)).toBe(0);
    await sql`UPDATE alert SET is_enabled = false`.execute(db.database);
    expect(await deleteUnwatchedBalances(db.database, NO_PAUSE)).toBe(scopes.length);
    await company.verify();
  });
});

test("an unresolved hold needs balances without spend, which a limit completes", async ({
  db,
  company,
}) => {
  await company.append(5n);
  await company.append(0n, company.nowMs, { outcome: "interrupted", holdNanoUsd: 9n });
  await company.fold();
  expect(Object.values(await company.balances())).toEqual(nine(0n).map((none) => [none, false]));
  expect(await deleteUnwatchedBalances(db.database, NO_PAUSE)).toBe(0);
  await company.setLimit("workspace", "daily");
  await company.append(1n);
  await company.fold();
  expect(await company.spend()).toEqual(nine(6n));
  const complete = Object.entries(await company.balances()).filter(([, [, isWhole]]) => isWhole);
  expect(complete).toEqual([[`workspace daily ${startOf("daily", company.nowMs)}`, [6n, true]]]);
  await company.verify();
});

describe("beside nodes of version 0.1", () => {
  test("folds keep all balances, and later those that exist until they are deleted", async ({
    db,
    company,
  }) => {
    const beforeMs = company.hourMs - 1;
    await setProgress("infinity").execute(db.database);
    await company.append(5n, beforeMs);
    await company.fold();
    expect(Object.values(await company.balances())).toEqual(nine(5n).map((sum) => [sum, true]));
    expect(await deleteUnwatchedBalances(db.database, NO_PAUSE)).toBe(0);
    // No older node is left. The first open hour begins later.
    await setProgress(company.hourMs + HOUR_MS).execute(db.database);
    await company.append(6n, beforeMs);
    await company.fold();
    await setProgress(company.hourMs).execute(db.database);
    await company.setLimit("workspace", "monthly");
    await company.append(1n, beforeMs);
    await company.append(100n, beforeMs - 40 * DAY_MS);
    await company.fold();
    const [month] = Object.entries(await company.balances()).filter(([, [sum]]) => sum === 100n);
    expect(month).toEqual([
      `workspace monthly ${startOf("monthly", beforeMs - 40 * DAY_MS)}`,
      [100n, true],
    ]);
    expect(Object.values(await company.balances())).toHaveLength(10);
    expect(await deleteUnwatchedBalances(db.database, NO_PAUSE)).toBe(8);
    expect(await company.spend(beforeMs)).toEqual(nine(12n));
  });
});
