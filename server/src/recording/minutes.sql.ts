import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";

// Minutes of the organization are summed up for some days only: there are as many rows in a week of them as in months
// of hours, and older ones can be counted from the events.

const DAY_MS = 86_400_000;

/** Minutes that began so long ago or later are all in usage_organization_minute. */
export const MINUTES_MS = 7 * DAY_MS;

/** They are kept for a day more, for a report that is being read while it turns old. Says how many rows went. */
export async function deleteOldMinutes(db: Database): Promise<bigint> {
  const { numAffectedRows } = await sql`
    DELETE FROM usage_organization_minute
    WHERE bucket_at < now() - ${MINUTES_MS + DAY_MS} * interval '1 ms'`.execute(db);
  return numAffectedRows ?? 0n;
}
