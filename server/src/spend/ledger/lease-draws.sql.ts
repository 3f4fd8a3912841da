import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { type LeaseClock, nowOf } from "./lease-clock.sql.ts";
import type { LeaseKey } from "./lease-rules.ts";
import { periodEndOf } from "./overruns.sql.ts";
import type { BalanceKey } from "./spend-key.ts";
import { completeLimits, incompleteBalances } from "./watched-balances.sql.ts";

// Draws of nodes on limited balances. Folds count them for each limit in `counted_limit`, whether the node has a lease or
// not. So the number of a node is exact from the moment at which the counting starts.

/** Spend of one node's requests on one balance. */
export interface CountedDraw {
  nodeId: string;
  key: LeaseKey;
  /** Cost and unresolved holds, integer nano-USD. */
  nanoUsd: bigint;
}

/** Adds draws inside a fold. Skips balances whose limit is not counted. Each node and balance occurs once. */
export async function addDraws(tx: Tx, draws: readonly CountedDraw[]): Promise<void> {
  const added = draws.filter(({ nanoUsd }) => nanoUsd > 0n);
  if (added.length === 0) return;
  await sql`
    INSERT INTO lease_draw AS d (node_id, scope_type, scope_id, period, period_start, drawn_nano_usd)
    SELECT node_id, scope_type, scope_id, period, period_start, nano_usd
    FROM unnest(${added.map(({ nodeId }) => nodeId)}::text[], ${added.map(({ key }) => key.scopeType)}::text[],
      ${added.map(({ key }) => key.scopeId)}::text[], ${added.map(({ key }) => key.period)}::text[],
      ${added.map(({ key }) => key.periodStart)}::date[], ${added.map(({ nanoUsd }) => nanoUsd)}::bigint[])
      AS one (node_id, scope_type, scope_id, period, period_start, nano_usd)
    JOIN counted_limit USING (scope_type, scope_id, period)
    ON CONFLICT (node_id, scope_type, scope_id, period, period_start)
    DO UPDATE SET drawn_nano_usd = d.drawn_nano_usd + excluded.drawn_nano_usd`.execute(tx);
}

/**
 * Keeps the counts of these limits until the end of the transaction. Needed before a lease is created: `countLimits`
 * deletes a count without leases. Waits while it does.
 */
export async function lockCounts(tx: Tx, keys: readonly BalanceKey[]): Promise<void> {
  if (keys.length === 0) return;
  await sql`
    SELECT FROM counted_limit WHERE (scope_type, scope_id, period) IN (SELECT * FROM unnest(
      ${keys.map(({ scopeType }) => scopeType)}::text[], ${keys.map(({ scopeId }) => scopeId)}::text[],
      ${keys.map(({ period }) => period)}::text[]))
    ORDER BY scope_type, scope_id, period FOR KEY SHARE`.execute(tx);
}

/** A strict limit `l` whose draws no fold counts. */
const isUncounted = sql<boolean>`(l.enforcement = 'strict' AND l.scope_type <> 'group_member' AND NOT EXISTS (SELECT FROM counted_limit AS c
  WHERE c.scope_type = l.scope_type AND c.scope_id = l.scope_id AND c.period = l.period))`;

/** True while `countLimits` has work: a strict limit has no count, or the balance of a limit may lack a fold. */
export async function hasUncountedSpend(db: Database | Tx): Promise<boolean> {
  const { rows } = await sql<{ has: boolean }>`
    SELECT EXISTS (SELECT FROM spend_limit AS l WHERE ${isUncounted})
      OR EXISTS (${incompleteBalances({ atMs: null })}) AS has`.execute(db);
  return rows[0]?.has === true;
}

/** A count `c` whose strict limit no longer exists, and that no lease needs. */
const isUnused = sql<boolean>`(NOT EXISTS (SELECT FROM spend_limit l WHERE l.enforcement = 'strict'
    AND l.scope_type = c.scope_type AND l.scope_id = c.scope_id AND l.period = c.period)
  AND NOT EXISTS (SELECT FROM lease WHERE request_id = '' AND lease.scope_type = c.scope_type
    AND lease.scope_id = c.scope_id AND lease.period = c.period))`;

async function hasUnusedCounts(db: Database): Promise<boolean> {
  const { rows } = await sql`SELECT FROM counted_limit AS c WHERE ${isUnused} LIMIT 1`.execute(db);
  return rows.length > 0;
}

/** As `countLimits`, without its transactions if there is nothing to do. */
export async function countLimitsIfNeeded(
  database: Database,
  options: CountOptions,
): Promise<void> {
  if ((await hasUncountedSpend(database)) || (await hasUnusedCounts(database)))
    await countLimits(database, options);
}

export interface CountOptions extends LeaseClock {
  /** Acquires the fold's lock until the end of the transaction. */
  lockFold: (tx: Tx) => Promise<void>;
  /** Counts all appended batches. Rejects with the database's error. */
  fold: () => Promise<void>;
}

/** Limits in one transaction, about 40 ms. Meanwhile no fold runs. */
export const LIMITS_PER_COUNT = 200;

/**
 * Counts the draws on new strict limits from now on, and completes the balances of limits, some at a time with folds in
 * between. Ends the count of limits that no longer exist and have no lease, and deletes their draws. The fold's lock makes
 * all of it exact: no fold is between its count and its folded position.
 */
export async function countLimits(database: Database, options: CountOptions): Promise<void> {
  while (await inTransaction(database, (tx) => countNextLimits(tx, options))) await options.fold();
  await inTransaction(database, async (tx) => {
    await options.lockFold(tx);
    await deleteUnusedCounts(tx);
  });
}

/** Returns whether more limits may remain. */
async function countNextLimits(tx: Tx, options: CountOptions): Promise<boolean> {
  await options.lockFold(tx);
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM spend_limit AS l WHERE ${isUncounted} LIMIT ${LIMITS_PER_COUNT}`.execute(tx);
  const ids = rows.map(({ id }) => id);
  const completed = await completeLimits(tx, { ids, limit: LIMITS_PER_COUNT, clock: options });
  await sql`
    INSERT INTO counted_limit (scope_type, scope_id, period)
    SELECT scope_type, scope_id, period FROM spend_limit
    WHERE id = ANY(${ids}::text[]) AND enforcement = 'strict'
    ON CONFLICT (scope_type, scope_id, period) DO NOTHING`.execute(tx);
  return ids.length === LIMITS_PER_COUNT || completed === LIMITS_PER_COUNT;
}

async function deleteUnusedCounts(tx: Tx): Promise<void> {
  await sql`
    WITH unused AS (
      SELECT c.id FROM counted_limit c WHERE ${isUnused}
      FOR UPDATE OF c SKIP LOCKED
    ), gone AS (
      DELETE FROM counted_limit c USING unused WHERE c.id = unused.id
      RETURNING c.scope_type, c.scope_id, c.period
    )
    DELETE FROM lease_draw d USING gone WHERE d.scope_type = gone.scope_type AND d.scope_id = gone.scope_id
      AND d.period = gone.period`.execute(tx);
}

/** A node names an ended period in its messages for some seconds, until all its spend is counted. */
const KEPT_AFTER_PERIOD = sql`interval '2 days'`;

/** Deletes draws of ended periods. Reads all draws. */
export function deleteOldDraws(
  database: Database,
  options: Omit<CountOptions, "fold">,
): Promise<void> {
  return inTransaction(database, async (tx) => {
    await options.lockFold(tx);
    await sql`
      DELETE FROM lease_draw AS draw
      WHERE ${periodEndOf("draw")} + ${KEPT_AFTER_PERIOD} < ${nowOf(options)} AND NOT EXISTS (
        SELECT FROM lease WHERE request_id = '' AND lease.node_id = draw.node_id
          AND lease.scope_type = draw.scope_type AND lease.scope_id = draw.scope_id
          AND lease.period = draw.period AND lease.period_start = draw.period_start)`.execute(tx);
  });
}
