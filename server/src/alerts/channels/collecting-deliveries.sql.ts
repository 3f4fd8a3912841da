import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

// Queued messages to people that wait, and take in later firings meanwhile.

export interface CollectingDelivery {
  id: string;
  channelId: string;
  batchId: string | null;
  /** Seconds until it is sent. */
  remainingSeconds: number;
}

/**
 * Finds the messages of these channels that still collect, by channel, and locks them until the transaction ends. A message
 * that is being sent is left out.
 */
export async function lockCollectingDeliveries(
  tx: Tx,
  channelIds: readonly string[],
): Promise<Map<string, CollectingDelivery>> {
  if (channelIds.length === 0) return new Map();
  const { rows } = await sql<CollectingDelivery>`
    SELECT id, alert_channel_id AS "channelId", batch_id AS "batchId",
      extract(epoch FROM collects_until - now())::float8 AS "remainingSeconds"
    FROM alert_delivery
    WHERE alert_channel_id = ANY(${[...channelIds]}::text[]) AND status = 'queued' AND attempts = 0
      AND collects_until > now()
    ORDER BY id FOR UPDATE SKIP LOCKED`.execute(tx);
  return new Map(rows.map((row) => [row.channelId, row]));
}

/** Sets the seconds from now until the message is sent. */
export async function setCollectingTime(
  tx: Tx,
  { id, seconds }: { id: string; seconds: number },
): Promise<void> {
  await sql`UPDATE alert_delivery SET collects_until = now() + make_interval(secs => ${seconds}::float8)
    WHERE id = ${id}`.execute(tx);
}

/** These messages take in no further firings. */
export async function endCollection(tx: Tx, ids: readonly string[]): Promise<void> {
  await sql`UPDATE alert_delivery SET collects_until = NULL
    WHERE id = ANY(${[...ids]}::text[]) AND collects_until IS NOT NULL`.execute(tx);
}
