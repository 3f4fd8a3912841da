import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

/** Facts about a channel from other tables. */
export interface ChannelFacts {
  id: string;
  /** Number of its alerts. */
  alerts: number;
  /** Latest expiry of an old secret that is still valid. */
  oldSecretExpiresAt: Date | null;
  lastDelivery: { status: "queued" | "sent" | "failed" | "dropped"; at: Date } | null;
}

/** Finds the facts about channels, by channel id. */
export async function findChannelFacts(
  db: Database | Tx,
  ids: readonly string[],
): Promise<Map<string, ChannelFacts>> {
  const { rows } = await sql<{
    id: string;
    alerts: number;
    old_secret_expires_at: Date | null;
    status: "queued" | "sent" | "failed" | "dropped" | null;
    at: Date | null;
  }>`
    SELECT channel.id,
      (SELECT count(*)::integer FROM alert_to_channel AS given
        JOIN alert ON alert.id = given.alert_id AND alert.deleted_at IS NULL
        WHERE given.alert_channel_id = channel.id) AS alerts,
      (SELECT max(secret.expires_at) FROM alert_channel_secret AS secret
        WHERE secret.alert_channel_id = channel.id AND secret.expires_at > now()) AS old_secret_expires_at,
      last.status, last.at
    FROM alert_channel AS channel
    LEFT JOIN LATERAL (
      SELECT delivery.status, coalesce(delivery.last_attempt_at, delivery.created_at) AS at
      FROM alert_delivery AS delivery WHERE delivery.alert_channel_id = channel.id
      ORDER BY delivery.created_at DESC, delivery.id DESC LIMIT 1) AS last ON true
    WHERE channel.id = ANY(${[...ids]}::text[])`.execute(db);
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        alerts: row.alerts,
        oldSecretExpiresAt: row.old_secret_expires_at,
        lastDelivery: row.status && row.at ? { status: row.status, at: row.at } : null,
      },
    ]),
  );
}
