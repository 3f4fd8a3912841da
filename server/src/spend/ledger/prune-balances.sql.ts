import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { periodEndOf } from "./overruns.sql.ts";

/** False while another node deletes balances. The lock is held until the transaction ends. */
export async function tryLockBalancePruning(tx: Tx): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    SELECT pg_try_advisory_xact_lock(hashtext('bursar balance pruning')) AS locked`.execute(tx);
  return rows[0]?.locked ?? false;
}

/** Moves the mark to the first month inside the retention, by the database's clock. A mark never moves back. */
export async function moveBalanceMark(db: Database | Tx, retentionDays: number): Promise<void> {
  if (!Number.isFinite(retentionDays)) return;
  await sql`UPDATE retention_mark SET balances_before = greatest(balances_before,
    date_trunc('month', (now() - ${retentionDays} * interval '24 hours') AT TIME ZONE 'UTC')::date)`.execute(
    db,
  );
}

/**
 * Deletes at most `limit` balances whose period ended before the mark. Balances with leased or unresolved amounts stay. Rows
 * that another transaction has locked wait for the next run. Returns the number of deleted balances.
 */
export async function deleteOldBalances(tx: Tx, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM balance WHERE ctid = ANY(ARRAY(
      SELECT b.ctid FROM balance AS b, retention_mark
      WHERE ${periodEndOf("b")} <= balances_before::timestamp AT TIME ZONE 'UTC'
        AND leased_nano_usd = 0 AND unresolved_nano_usd = 0
        AND NOT EXISTS (SELECT FROM lease WHERE lease.scope_type = b.scope_type AND lease.scope_id = b.scope_id
          AND lease.period = b.period AND lease.period_start = b.period_start)
      LIMIT ${limit} FOR UPDATE OF b SKIP LOCKED))`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}
