import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

const DELETE_AT_ONCE = 1_000;

/**
 * Takes one attempt from an allowance of `burst` that refills by one each `everyMs`, in one statement. Returns null on
 * success, otherwise the wait in milliseconds.
 */
export async function chargeAttempt(
  db: Database | Tx,
  of: { key: string; burst: number; everyMs: number; nowMs: number },
): Promise<number | null> {
  const now = new Date(of.nowMs);
  const one = sql`${of.everyMs} * interval '1 millisecond'`;
  const { rows } = await sql<{ key: string }>`
    INSERT INTO auth_attempt AS a (key, full_at) VALUES (${of.key}, ${now}::timestamptz + ${one})
    ON CONFLICT (key) DO UPDATE SET full_at = greatest(a.full_at, ${now}) + ${one}
    WHERE greatest(a.full_at, ${now}) + ${one} <= ${new Date(of.nowMs + of.burst * of.everyMs)}
    RETURNING key`.execute(db);
  if (rows.length > 0) return null;
  const refused = await sql<{ full_at: Date }>`
    SELECT full_at FROM auth_attempt WHERE key = ${of.key}`.execute(db);
  const fullAtMs = refused.rows[0]?.full_at.getTime() ?? of.nowMs;
  return Math.max(0, fullAtMs - (of.burst - 1) * of.everyMs - of.nowMs);
}

export async function refundCharge(
  db: Database | Tx,
  of: { key: string; everyMs: number },
): Promise<void> {
  await sql`
    UPDATE auth_attempt SET full_at = full_at - ${of.everyMs} * interval '1 millisecond'
    WHERE key = ${of.key}`.execute(db);
}

/** Counts a failure. Returns the number since the count began, at most an hour ago. */
export async function countFailure(
  db: Database | Tx,
  of: { key: string; nowMs: number; windowMs: number },
): Promise<{ failures: number; since: Date }> {
  const now = new Date(of.nowMs);
  const oldest = new Date(of.nowMs - of.windowMs);
  const { rows } = await sql<{ failures: number; failing_since: Date }>`
    INSERT INTO auth_attempt AS a (key, full_at, failures, failing_since)
    VALUES (${of.key}, ${new Date(of.nowMs + of.windowMs)}, 1, ${now})
    ON CONFLICT (key) DO UPDATE SET
      failures = CASE WHEN a.failing_since > ${oldest} THEN a.failures + 1 ELSE 1 END,
      failing_since = CASE WHEN a.failing_since > ${oldest} THEN a.failing_since ELSE ${now} END,
      full_at = excluded.full_at
    RETURNING failures, failing_since`.execute(db);
  const [row] = rows;
  if (!row) throw new Error("an upsert returns its row");
  return { failures: row.failures, since: row.failing_since };
}

export async function deleteAttempts(db: Database | Tx, nowMs: number): Promise<void> {
  await sql`
    DELETE FROM auth_attempt WHERE key IN (
      SELECT key FROM auth_attempt WHERE full_at < ${new Date(nowMs)}
      LIMIT ${DELETE_AT_ONCE} FOR UPDATE SKIP LOCKED)`.execute(db);
}
