import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { OwnScopeType } from "#src/db/tables.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { closeHoursBefore } from "#src/recording/close-hours.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import {
  HOUR_MS,
  NO_FOLD,
  setProgress,
  startOf,
  test,
} from "#test/harness/watched-balances-test.ts";
import { lockBalances } from "./balances.sql.ts";
import { countLimits, LIMITS_PER_COUNT } from "./lease-draws.sql.ts";
import type { LeaseKey } from "./lease-rules.ts";
import { deleteUnwatchedBalances } from "./prune-balances.ts";

const DAY_MS = 24 * HOUR_MS;
const NO_PAUSE = { pause: () => Promise.resolve() };

const nine = (nanoUsd: bigint) => Array.from({ length: 9 }, () => nanoUsd);

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
