import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";

// Sums per minute of the organization are kept for some days only. A week of them has as many rows as months of hours.
// Older minutes can be counted from the events.

const DAY_MS = 86_400_000;

/** Age up to which usage_organization_minute has all minutes, milliseconds. */
export const MINUTES_MS = 7 * DAY_MS;

/** Deletes old minutes, one day after the last report can read them. Returns the number of deleted rows. */
export async function deleteOldMinutes(db: Database): Promise<bigint> {
  const { numAffectedRows } = await sql`
    DELETE FROM usage_organization_minute
    WHERE bucket_at < now() - ${MINUTES_MS + DAY_MS} * interval '1 ms'`.execute(db);
  return numAffectedRows ?? 0n;
}
