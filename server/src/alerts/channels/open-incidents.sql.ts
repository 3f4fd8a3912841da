import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

/** Incident at PagerDuty, with the firing that opened it. */
export interface Incident {
  firingId: string;
  channelId: string;
}

/** Lists unresolved incidents of these firings, or of the firings whose messages include them. */
export async function listOpenIncidents(tx: Tx, firingIds: readonly string[]): Promise<Incident[]> {
  const { rows } = await sql<Incident>`
    WITH reported AS (
      SELECT coalesce(told_with_id, id) AS id FROM alert_firing WHERE id = ANY(${[...firingIds]}::text[])
    ), message AS (
      SELECT delivery.id FROM reported JOIN alert_delivery AS delivery ON delivery.alert_firing_id = reported.id
      UNION
      SELECT alert_delivery_id FROM reported JOIN alert_delivery_firing AS listed ON listed.alert_firing_id = reported.id
    )
    SELECT delivery.alert_firing_id AS "firingId", channel.id AS "channelId"
    FROM message JOIN alert_delivery AS delivery ON delivery.id = message.id
      JOIN alert_channel AS channel ON channel.id = delivery.alert_channel_id AND channel.kind = 'pagerduty'
    WHERE delivery.status = 'sent' AND delivery.resolved_at IS NULL AND delivery.alert_firing_id IS NOT NULL
    ORDER BY channel.id, delivery.alert_firing_id`.execute(tx);
  return rows;
}
