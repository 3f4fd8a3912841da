import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { lockBalances } from "./balances.sql.ts";
import { type BalanceChange, changeBalances } from "./lease-changes.sql.ts";
import { type LeaseClock, nowOf } from "./lease-clock.sql.ts";
import { leftOfRow, lockNode } from "./lease-rows.sql.ts";
import type { LeaseKey } from "./lease-rules.ts";
import { periodEndOf } from "./overruns.sql.ts";
import { balanceKeyText } from "./spend-key.ts";

// Deletes unresolved rows. Rows of a request are released by time. Rows of a node or a journal are released after their
// period, or by an administrator.

export interface ReleasedLease extends LeaseKey {
  nodeId: string;
  requestId: string;
  amountNanoUsd: bigint;
  /** The amount is part of the unresolved sum that the balance stores. */
  isStored: boolean;
}

/** Budget of a node or of a lost journal. All other unresolved rows are holds of single requests. */
export const isBudget = sql<boolean>`(request_id = '' OR request_id LIKE 'epoch:%')`;

/**
 * Releases holds of requests with an unknown outcome that have been unresolved for `afterMs`. They then count as not
 * spent. Budget of nodes and journals is released `afterMs` after the end of its period, when no clock can grant it again.
 * Until then the node may return and settle its spend.
 */
export async function releaseUnresolved(
  database: Database,
  options: LeaseClock & { afterMs: number },
): Promise<ReleasedLease[]> {
  const isPast = (at: RawBuilder<unknown>) =>
    sql<boolean>`${at} + ${options.afterMs} * interval '1 millisecond' <= ${nowOf(options)}`;
  const isOld = sql`${isPast(sql`unresolved_since`)} AND (NOT ${isBudget} OR ${isPast(periodEndOf("lease"))})`;
  // A fenced lease has no rest after folds have counted the spend of its node.
  const isSpent = sql`granted_nano_usd IS NOT NULL AND unresolved_since IS NOT NULL AND ${leftOfRow} = 0`;
  const isDue = sql<boolean>`(${isOld} OR ${isSpent})`;
  const nodes = await sql<{ id: string }>`
    SELECT DISTINCT node_id AS id FROM lease WHERE ${isDue} ORDER BY node_id`.execute(database);
  const released: ReleasedLease[] = [];
  for (const { id } of nodes.rows) {
    released.push(
      ...(await inTransaction(database, async (tx) => {
        await lockNode(tx, id);
        return deleteUnresolved(tx, id, isDue);
      })),
    );
  }
  return released;
}

/**
 * Releases the budget of a fenced node and of its lost journals in one organization. The caller has locked the node's
 * row. Spend that the node settles later still counts. If it exceeds the limit, it is an overrun.
 */
export function releaseNodeBudget(
  tx: Tx,
  of: { nodeId: string; organizationId: string },
): Promise<ReleasedLease[]> {
  const isOwn = sql<boolean>`unresolved_since IS NOT NULL
    AND (amount_nano_usd > 0 OR granted_nano_usd IS NOT NULL)
    AND organization_id = ${of.organizationId}::uuid AND ${isBudget}`;
  return deleteUnresolved(tx, of.nodeId, isOwn);
}

async function deleteUnresolved(
  tx: Tx,
  nodeId: string,
  where: RawBuilder<boolean>,
): Promise<ReleasedLease[]> {
  await allowBudgetRelease(tx);
  const { rows: gone } = await sql<ReleasedLease>`
    DELETE FROM lease WHERE node_id = ${nodeId} AND ${where}
    RETURNING node_id AS "nodeId", request_id AS "requestId", scope_type AS "scopeType", scope_id AS "scopeId",
      period, period_start AS "periodStart", organization_id AS "organizationId", ${leftOfRow} AS "amountNanoUsd",
      granted_nano_usd IS NULL AS "isStored"`.execute(tx);
  await subtractUnresolved(tx, gone);
  return gone.filter(({ isStored, amountNanoUsd }) => isStored || amountNanoUsd > 0n);
}

/** Allows the transaction to delete budget of nodes and journals. Without this setting a trigger keeps these rows. */
export async function allowBudgetRelease(tx: Tx): Promise<void> {
  await sql`SELECT set_config('bursar.may_release_budget', 'on', true)`.execute(tx);
}

/** Locks the balances of the stored amounts and of `others`, in one order. */
export async function subtractUnresolved(
  tx: Tx,
  gone: readonly ReleasedLease[],
  others: readonly LeaseKey[] = [],
): Promise<void> {
  const stored = gone.filter(({ isStored }) => isStored);
  await lockBalances(tx, [...stored, ...others]);
  const sums = new Map<string, BalanceChange>();
  for (const key of stored) {
    const text = balanceKeyText(key);
    const sum = sums.get(text) ?? { key, leasedNanoUsd: 0n, unresolvedNanoUsd: 0n };
    sum.unresolvedNanoUsd -= key.amountNanoUsd;
    sums.set(text, sum);
  }
  await changeBalances(tx, [...sums.values()]);
}
