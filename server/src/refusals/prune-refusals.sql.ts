import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { REFUSAL_MINUTES_MS } from "./refusal-range.rule.ts";

const DAY_MS = 86_400_000;
/** Age up to which single refusals are stored, milliseconds. */
const RECENT_MS = 30 * DAY_MS;

const beforeMs = (ageMs: number) => sql`now() - ${ageMs} * interval '1 ms'`;

/** Age of deleted rows. Reports no longer read the minutes for a day, and hours are kept as long as those of usage. */
const retentions = {
  refusal_minute: sql`bucket_at < ${beforeMs(REFUSAL_MINUTES_MS + DAY_MS)}`,
  refusal_hour: sql`bucket_at < (SELECT hours_before FROM retention_mark)`,
  refusal_recent: sql`refused_at < ${beforeMs(RECENT_MS)}`,
};
export type RefusalTable = keyof typeof retentions;
export const refusalTables = Object.keys(retentions) as RefusalTable[];

/** Deletes at most `limit` old rows of the table. Rows that another node deletes are skipped. Returns their number. */
export async function deleteOldRefusals(
  db: Database,
  table: RefusalTable,
  limit: number,
): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM ${sql.table(table)} WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM ${sql.table(table)} WHERE ${retentions[table]} LIMIT ${limit} FOR UPDATE SKIP LOCKED))`.execute(
    db,
  );
  return Number(numAffectedRows ?? 0n);
}
