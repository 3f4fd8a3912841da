import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

// Partitions of usage_record, one for each month. All bounds are UTC, and names have only numbers. Nodes of version 0.1
// create the months of usage_event.

export interface PartitionMonth {
  /** `usage_record_YYYY_MM` */
  name: string;
  /** First instant of the month and of the next one. */
  from: string;
  to: string;
}

/** Lists the current and the next month, by the database's clock, if they have no partition yet. */
export async function listMissingMonths(db: Database | Tx): Promise<PartitionMonth[]> {
  const { rows } = await sql<{ name: string; from: string; to: string }>`
    SELECT 'usage_record_' || to_char(month, 'YYYY_MM') AS name,
      to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00' AS "from",
      to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00' AS "to"
    FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month' AS month
      FROM generate_series(0, 1) AS n) AS months
    -- This reads the catalogue. A lookup by name caches its result, also for a table that does not exist.
    WHERE NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'usage_record'::regclass
        AND c.relname = 'usage_record_' || to_char(month, 'YYYY_MM'))
    ORDER BY month`.execute(db);
  return rows;
}

/** Acquires a lock until the end of the transaction. Nodes that start together create partitions one after the other. */
export async function lockPartitions(tx: Tx): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtext('bursar usage_event partitions'))`.execute(tx);
}

/** Limits the wait for locks in this transaction. A flush would wait behind the waiting statement. */
export async function limitLockWait(tx: Tx, ms: number): Promise<void> {
  await sql`SELECT set_config('lock_timeout', ${`${ms}ms`}, true)`.execute(tx);
}

/** Creates a table like usage_record that is not part of it yet. */
export async function createDetachedMonth(tx: Tx, month: PartitionMonth): Promise<void> {
  await sql`CREATE TABLE ${sql.table(month.name)} (LIKE usage_record INCLUDING ALL)`.execute(tx);
}

/**
 * Blocks inserts before they choose a partition. An insert that has chosen the default partition would fail, because the
 * event belongs to the new one. Reports can read in the meantime.
 */
export async function lockInserts(tx: Tx): Promise<void> {
  await sql`LOCK TABLE ONLY usage_record IN SHARE ROW EXCLUSIVE MODE`.execute(tx);
}

/** Moves events of the month out of the default partition. PostgreSQL refuses to attach a month whose events are there. */
export async function moveFromDefault(tx: Tx, month: PartitionMonth): Promise<void> {
  await sql`WITH moved AS (
      DELETE FROM usage_record_default
      WHERE started_at >= ${month.from}::timestamptz AND started_at < ${month.to}::timestamptz
      RETURNING *)
    INSERT INTO ${sql.table(month.name)} SELECT * FROM moved`.execute(tx);
}

export async function attachMonth(tx: Tx, month: PartitionMonth): Promise<void> {
  await sql`ALTER TABLE usage_record ATTACH PARTITION ${sql.table(month.name)}
    FOR VALUES FROM (${sql.lit(month.from)}) TO (${sql.lit(month.to)})`.execute(tx);
}
