import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { REFUSAL_MINUTES_MS } from "./refusal-range.rule.ts";

const DAY_MS = 86_400_000;
/** Age up to which single refusals are stored, milliseconds. */
const RECENT_MS = 30 * DAY_MS;

/**
 * Deletes old refusals: minutes one day after the last report can read them, hours with the hours of usage, and single
 * refusals after 30 days. Returns the number of rows.
 */
export async function deleteOldRefusals(db: Database): Promise<number> {
  const results = [
    await sql`DELETE FROM refusal_minute
      WHERE bucket_at < now() - ${REFUSAL_MINUTES_MS + DAY_MS} * interval '1 ms'`.execute(db),
    await sql`DELETE FROM refusal_hour
      WHERE bucket_at < (SELECT hours_before FROM retention_mark)`.execute(db),
    await sql`DELETE FROM refusal_recent
      WHERE refused_at < now() - ${RECENT_MS} * interval '1 ms'`.execute(db),
  ];
  return results.reduce((sum, { numAffectedRows }) => sum + Number(numAffectedRows ?? 0n), 0);
}
