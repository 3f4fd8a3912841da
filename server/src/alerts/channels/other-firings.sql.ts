import { type RawBuilder, sql } from "kysely";
import type { CausedFiring } from "#src/alerts/firing/same-cause.rule.ts";
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

type FiringOfDelivery = CausedFiring & { deliveryId: string };

/** Lists all firings of these deliveries, by delivery id. A test has none. */
export async function listFiringsOfDeliveries(
  db: Database | Tx,
  deliveryIds: readonly string[],
): Promise<Map<string, FiringOfDelivery[]>> {
  if (deliveryIds.length === 0) return new Map();
  const { rows } = await sql<FiringOfDelivery>`
    SELECT listed.delivery_id AS "deliveryId", firing.kind, firing.scope_type AS "scopeType",
      firing.scope_id AS "scopeId", firing.episode, firing.threshold
    FROM ${listedFirings(deliveryIds)}`.execute(db);
  return Map.groupBy(rows, ({ deliveryId }) => deliveryId);
}

/** Counts the keys of deliveries about unused keys, by delivery id. */
export async function countUnusedKeys(
  db: Database | Tx,
  deliveryIds: readonly string[],
): Promise<Map<string, number>> {
  if (deliveryIds.length === 0) return new Map();
  const { rows } = await sql<{ deliveryId: string; keys: number }>`
    SELECT listed.delivery_id AS "deliveryId", count(DISTINCT told.scope_id)::integer AS keys
    FROM ${listedFirings(deliveryIds)}
      CROSS JOIN LATERAL (SELECT coalesce(firing.told_with_id, firing.id) AS id) AS first
      JOIN alert_firing AS told ON told.id = first.id OR told.told_with_id = first.id
    WHERE firing.kind = 'key_unused' GROUP BY listed.delivery_id`.execute(db);
  return new Map(rows.map(({ deliveryId, keys }) => [deliveryId, keys]));
}

/** The deliveries as `listed`, each with its firings as `firing`. */
function listedFirings(deliveryIds: readonly string[]): RawBuilder<unknown> {
  const ids = sql`ANY(${[...deliveryIds]}::text[])`;
  return sql`(
      SELECT id AS delivery_id, alert_firing_id FROM alert_delivery WHERE id = ${ids}
      UNION ALL SELECT alert_delivery_id, alert_firing_id FROM alert_delivery_firing WHERE alert_delivery_id = ${ids}
    ) AS listed JOIN alert_firing AS firing ON firing.id = listed.alert_firing_id`;
}
