import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { RollupTable } from "./rollup-tables.ts";

// Retention of sums by time. A mark moves before rows are deleted. Readers refuse or skip the time before a mark.

/** Days to keep. Infinity: for ever. */
export interface UsageRetention {
  hourRetentionDays: number;
  /** Weeks are kept as long as days. */
  dayRetentionDays: number;
}

export interface RetentionMarks {
  /** Hours before this time were deleted. Null: none were. */
  hoursBefore: Date | null;
  /** Days and weeks before this time were deleted. */
  daysBefore: Date | null;
  /** Balances of periods that began before this date were deleted. */
  balancesBefore: string | null;
}

export async function findRetentionMarks(db: Database | Tx): Promise<RetentionMarks> {
  const { rows } = await sql<RetentionMarks>`
    SELECT hours_before AS "hoursBefore", days_before AS "daysBefore", balances_before AS "balancesBefore"
    FROM retention_mark`.execute(db);
  const [marks] = rows;
  if (marks === undefined) throw new Error("the marks of the retention have no row");
  return marks;
}

/** SQL of the start of the oldest request that no fold has counted. Null: the folds have counted all. */
export const OLDEST_UNFOLDED = sql<Date | null>`(SELECT min(oldest_at) FROM usage_batch)`;

/**
 * SQL of the time before which every request is counted in all coarser sums. Nothing later is deleted. Each step that sums
 * requests afterwards adds its own limit here.
 */
export const COUNTED_BEFORE = sql<Date>`least((SELECT summed_before FROM usage_weeks),
  (SELECT hour_at FROM rollup_progress), ${OLDEST_UNFOLDED})`;

/** Moves the marks to the end of the retention, by the database's clock. A mark never moves back. */
export async function moveSumMarks(db: Database | Tx, retention: UsageRetention): Promise<void> {
  const endOf = (unit: "day" | "month", days: number) =>
    Number.isFinite(days)
      ? sql`date_trunc(${sql.lit(unit)}, least(now() - ${days} * interval '24 hours', ${COUNTED_BEFORE}), 'UTC')`
      : sql`NULL`;
  await sql`UPDATE retention_mark SET
    hours_before = greatest(hours_before, ${endOf("day", retention.hourRetentionDays)}),
    days_before = greatest(days_before, ${endOf("month", retention.dayRetentionDays)})`.execute(db);
}

/** Deletes at most `limit` rows that ended before the time, the oldest first. Returns their number. */
export async function deleteSums(
  tx: Tx,
  of: { table: RollupTable; organizationId: string; before: Date; limit: number },
): Promise<number> {
  const table = sql.table(of.table);
  const length = sql.raw(of.table.endsWith("week") ? "interval '7 days'" : "interval '0'");
  const { numAffectedRows } = await sql`
    DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM ${table} WHERE organization_id = ${of.organizationId}::uuid
        AND bucket_at < ${of.before} AND bucket_at + ${length} <= ${of.before}
      ORDER BY bucket_at LIMIT ${of.limit} FOR UPDATE SKIP LOCKED))`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

export async function listOrganizationIds(db: Database | Tx): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`SELECT id FROM organization ORDER BY id`.execute(db);
  return rows.map(({ id }) => id);
}
