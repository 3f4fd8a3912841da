import { sql } from "kysely";
import type { AlertVisibility } from "#src/alerts/rules/alerts.sql.ts";
import type { Database } from "#src/db/pool.ts";
import { isSuperseded, isVisible } from "./firing-history.sql.ts";
import { isOver } from "./incidents.sql.ts";

/** Counts kinds and scopes with an open firing: unacknowledged, not superseded, and with a cause that lasts. */
export async function countOpenGroups(
  db: Database,
  visibility: AlertVisibility,
  now: Date,
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(DISTINCT (firing.kind, firing.scope_type, firing.scope_id))::integer AS count
    FROM alert_firing AS firing JOIN alert ON alert.id = firing.alert_id
    WHERE ${isVisible(visibility)} AND firing.acknowledged_at IS NULL
      AND NOT ${isOver(now)} AND NOT ${isSuperseded}`.execute(db);
  return rows[0]?.count ?? 0;
}
