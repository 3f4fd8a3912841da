import { sql } from "kysely";
import type { NewFiring } from "#src/alerts/firing/new-firing.rule.ts";
import type { Database, Tx } from "#src/db/pool.ts";

// Firings of a delivery besides its first one.

export async function insertOtherFirings(
  tx: Tx,
  rows: readonly { deliveryId: string; firingId: string }[],
): Promise<void> {
  await sql`INSERT INTO alert_delivery_firing (alert_delivery_id, alert_firing_id)
    SELECT * FROM unnest(${rows.map(({ deliveryId }) => deliveryId)}::text[],
      ${rows.map(({ firingId }) => firingId)}::text[])`.execute(tx);
}

/** Lists the ids of other firings by delivery id. A delivery without other firings is omitted. */
export async function listOtherFirings(
  db: Database | Tx,
  deliveryIds: readonly string[],
): Promise<Map<string, string[]>> {
  if (deliveryIds.length === 0) return new Map();
  const { rows } = await sql<{ deliveryId: string; firingId: string }>`
    SELECT alert_delivery_id AS "deliveryId", alert_firing_id AS "firingId" FROM alert_delivery_firing
    WHERE alert_delivery_id = ANY(${[...deliveryIds]}::text[])`.execute(db);
  const byDelivery = Map.groupBy(rows, ({ deliveryId }) => deliveryId);
  return new Map(
    [...byDelivery].map(([id, others]) => [id, others.map(({ firingId }) => firingId)]),
  );
}

type FiringOfDelivery = Pick<
  NewFiring,
  "kind" | "scopeType" | "scopeId" | "episode" | "threshold"
> & { deliveryId: string };

/** Lists all firings of these deliveries, by delivery id. A test has none. */
export async function listFiringsOfDeliveries(
  db: Database | Tx,
  deliveryIds: readonly string[],
): Promise<Map<string, FiringOfDelivery[]>> {
  if (deliveryIds.length === 0) return new Map();
  const ids = sql`ANY(${[...deliveryIds]}::text[])`;
  const { rows } = await sql<FiringOfDelivery>`
    WITH listed AS (
      SELECT id AS delivery_id, alert_firing_id FROM alert_delivery WHERE id = ${ids}
      UNION ALL SELECT alert_delivery_id, alert_firing_id FROM alert_delivery_firing WHERE alert_delivery_id = ${ids})
    SELECT listed.delivery_id AS "deliveryId", firing.kind, firing.scope_type AS "scopeType",
      firing.scope_id AS "scopeId", firing.episode, firing.threshold
    FROM listed JOIN alert_firing AS firing ON firing.id = listed.alert_firing_id`.execute(db);
  return Map.groupBy(rows, ({ deliveryId }) => deliveryId);
}
