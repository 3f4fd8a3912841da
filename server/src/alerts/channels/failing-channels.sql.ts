import { type SqlBool, sql } from "kysely";
import type { Database } from "#src/db/pool.ts";

/** Failures in a row after which a channel counts as failing. The first retries take half a minute. */
const FAILING_AFTER = 3;

/** True for a channel that is on, and is paused or has failed several times in a row. */
export const isFailing = sql<SqlBool>`(alert_channel.is_enabled AND (alert_channel.paused_at IS NOT NULL
  OR alert_channel.failures_in_a_row >= ${sql.lit(FAILING_AFTER)}))`;

export async function countFailingChannels(db: Database, organizationId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM alert_channel
    WHERE organization_id = ${organizationId}::uuid AND archived_at IS NULL AND ${isFailing}`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}
