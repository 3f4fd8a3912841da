import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

// Queued messages to people that wait, and take in later firings meanwhile.

export interface CollectingDelivery {
  id: string;
  /** Channel of the message, or owner of the key. */
  collectorId: string;
  batchId: string | null;
  /** Seconds until it is sent. */
  remainingSeconds: number;
}

/**
 * Finds the messages to these channels and key owners that still collect, by receiver, and locks them until the transaction
 * ends. A message that is being sent is left out.
 */
export async function lockCollectingDeliveries(
  tx: Tx,
  collectorIds: readonly string[],
): Promise<Map<string, CollectingDelivery>> {
  if (collectorIds.length === 0) return new Map();
  const { rows } = await sql<CollectingDelivery>`
    SELECT delivery.id, coalesce(delivery.alert_channel_id, api_key.owner_member_id) AS "collectorId",
      delivery.batch_id AS "batchId",
      extract(epoch FROM delivery.collects_until - now())::float8 AS "remainingSeconds"
    FROM alert_delivery AS delivery
      JOIN alert_firing AS firing ON firing.id = delivery.alert_firing_id
      LEFT JOIN api_key ON firing.scope_type = 'api_key' AND api_key.id = firing.scope_id
    WHERE delivery.status = 'queued' AND delivery.attempts = 0 AND delivery.collects_until > now()
      AND coalesce(delivery.alert_channel_id, api_key.owner_member_id) = ANY(${[...collectorIds]}::text[])
    ORDER BY delivery.id FOR UPDATE OF delivery SKIP LOCKED`.execute(tx);
  return new Map(rows.map((row) => [row.collectorId, row]));
}

/** Moves the message to the batch. `seconds`: time from now until it is sent. Null: the time stays. */
export async function updateCollecting(
  tx: Tx,
  { id, batchId, seconds }: { id: string; batchId: string; seconds: number | null },
): Promise<void> {
  await sql`UPDATE alert_delivery SET batch_id = ${batchId},
      collects_until = coalesce(now() + make_interval(secs => ${seconds}::float8), collects_until)
    WHERE id = ${id}`.execute(tx);
}

/** These messages take in no further firings. */
export async function endCollection(tx: Tx, ids: readonly string[]): Promise<void> {
  await sql`UPDATE alert_delivery SET collects_until = NULL
    WHERE id = ANY(${[...ids]}::text[]) AND collects_until IS NOT NULL`.execute(tx);
}
