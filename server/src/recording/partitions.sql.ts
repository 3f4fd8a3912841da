import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

// Months of usage_record. All bounds are UTC, and names are made of numbers only. Nodes of version 0.1 create the months of
// usage_event.

export interface PartitionMonth {
  /** `usage_record_YYYY_MM` */
  name: string;
  /** First instant of the month and of the next one. */
  from: string;
  to: string;
}

/** The current and the next month by the database's clock that have no partition yet. */
export async function listMissingMonths(db: Database | Tx): Promise<PartitionMonth[]> {
  const { rows } = await sql<{ name: string; from: string; to: string }>`
    SELECT 'usage_record_' || to_char(month, 'YYYY_MM') AS name,
      to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00' AS "from",
      to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00' AS "to"
    FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month' AS month
      FROM generate_series(0, 1) AS n) AS months
    -- Read from the catalogue, not by name: a name that was looked up before is cached, also where it did not exist.
    WHERE NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'usage_record'::regclass
        AND c.relname = 'usage_record_' || to_char(month, 'YYYY_MM'))
    ORDER BY month`.execute(db);
  return rows;
}

/** Nodes that start together make partitions one after the other. Held until the transaction ends. */
export async function lockPartitions(tx: Tx): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtext('bursar usage_event partitions'))`.execute(tx);
}

/** A flush waits behind these statements, so they give up rather than hold it up for long. */
export async function limitLockWait(tx: Tx, ms: number): Promise<void> {
  await sql`SELECT set_config('lock_timeout', ${`${ms}ms`}, true)`.execute(tx);
}

/** A table like usage_record, not yet part of it. */
export async function createDetachedMonth(tx: Tx, month: PartitionMonth): Promise<void> {
  await sql`CREATE TABLE ${sql.table(month.name)} (LIKE usage_record INCLUDING ALL)`.execute(tx);
}

/**
 * Inserts wait from here on, and before they have chosen a partition: one that waited at the default partition would
 * then be refused by it, since the event belongs to the new one. Reports go on reading.
 */
export async function lockInserts(tx: Tx): Promise<void> {
  await sql`LOCK TABLE ONLY usage_record IN SHARE ROW EXCLUSIVE MODE`.execute(tx);
}

/** Takes the month's events out of the default partition, where they would forbid a partition of their own. */
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
