import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";

/** Deletes objects of all organizations that expired long ago. Rows that another node deletes are skipped. */
export async function deleteExpired(
  db: Database,
  { keptDays, limit }: { keptDays: number; limit: number },
): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM upstream_object WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM upstream_object WHERE expires_at < now() - make_interval(days => ${keptDays})
      LIMIT ${limit} FOR UPDATE SKIP LOCKED))`.execute(db);
  return Number(numAffectedRows ?? 0);
}
