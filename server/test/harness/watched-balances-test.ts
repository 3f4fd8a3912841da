import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect } from "vitest";
import type { OwnScopeType, PeriodName, ScopeType } from "#src/db/tables.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { periodNames, periodOf } from "#src/domain/spend-period.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { type FoldParticipant, foldAll } from "#src/recording/fold.ts";
import { appendBatch } from "#src/recording/record-usage.ts";
import { rollupTableNames } from "#src/recording/rollup-tables.ts";
import { listRollupDifferences } from "#src/recording/verify.sql.ts";
import { listBalanceDifferences } from "#src/spend/check/verify.sql.ts";
import { readSpend, type SpendPlace } from "#src/spend/ledger/balances.sql.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { makeSpendFold } from "#src/spend/ledger/ledger.ts";
import {
  deleteSpendLimit,
  type Enforcement,
  upsertSpendLimit,
} from "#src/spend/ledger/limits.sql.ts";
import { test as base } from "./database-test.ts";
import { insertPlace } from "./place-rows.ts";
import { beginRecord, endRecord } from "./request-records.ts";

// Balances of scopes that a limit or an alert watches, in a company of its own.

export const HOUR_MS = 3_600_000;
export const NO_FOLD = () => Promise.resolve();

/** Sets the hour before which rollups are closed. */
export const setProgress = (at: number | "infinity") =>
  sql`UPDATE rollup_progress SET hour_at = ${at === "infinity" ? at : new Date(at)}, organization_id = DEFAULT,
    workspace_id = DEFAULT, api_key_id = DEFAULT`;
export const startOf = (period: PeriodName, atMs: number) => periodOf(period, atMs).start;

/** Tables that are empty when a test begins. */
const EMPTIED = ["usage_batch", "usage_record", "balance", "alert", ...rollupTableNames];

export const test = base.extend("company", async ({ db }) => {
  const { database } = db;
  const { organizationId, workspaceId, apiKeyId, suffix } = await insertPlace(database);
  const ids = { organization: organizationId, workspace: workspaceId, api_key: apiKeyId };
  const { now } = (await sql<{ now: Date }>`SELECT now() AS now`.execute(database)).rows[0] ?? {};
  const nowMs = now?.getTime() ?? 0;
  const hourMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
  for (const table of EMPTIED) await sql`DELETE FROM ${sql.table(table)}`.execute(database);
  await setProgress(hourMs).execute(database);
  const spendFold = makeSpendFold();
  return {
    ids,
    nowMs,
    hourMs,
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
