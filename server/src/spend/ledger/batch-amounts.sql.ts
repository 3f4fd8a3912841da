import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { BATCHES_NODE } from "./batches-node.ts";

/** Amounts of a message batch that limits count beside its cost, nano-USD. */
export interface BatchAmounts {
  heldNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
}

/**
 * Finds the amounts of message batches. A batch without any is left out. The rows of one hold have the same amount in each
 * balance, unless a limit holds less. An unresolved request is the batch itself or one of its lines, whose id begins with it.
 */
export async function findBatchAmounts(
  db: Database | Tx,
  { organizationId, ids }: { organizationId: string; ids: readonly string[] },
): Promise<Map<string, BatchAmounts>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<BatchAmounts & { id: string }>`
    WITH hold AS (
      SELECT request_id, unresolved_since IS NOT NULL AS is_unresolved, max(amount_nano_usd) AS nano_usd
      FROM lease
      WHERE node_id = ${BATCHES_NODE} AND organization_id = ${organizationId}::uuid
        AND (unresolved_since IS NOT NULL OR request_id = ANY(${ids.map((id) => `batch:${id}`)}::text[]))
      GROUP BY 1, 2
    )
    SELECT batch.id, coalesce(sum(nano_usd) FILTER (WHERE NOT is_unresolved), 0)::bigint AS "heldNanoUsd",
      coalesce(sum(nano_usd) FILTER (WHERE is_unresolved), 0)::bigint AS "unresolvedNanoUsd"
    FROM unnest(${[...ids]}::text[]) AS batch (id)
    JOIN hold ON CASE WHEN is_unresolved THEN starts_with(request_id, batch.id)
      ELSE request_id = 'batch:' || batch.id END
    GROUP BY 1`.execute(db);
  return new Map(rows.map(({ id, ...amounts }) => [id, amounts]));
}

/**
 * Message batches of an organization that limits count beside their cost, by id: held ones, and those with unresolved requests.
 * The query reads rows of batches alone, once for a statement.
 */
export function selectCountedBatches(organizationId: string): RawBuilder<{ id: string }> {
  return sql`SELECT substring(request_id FROM 'req_[0-9A-Za-z]+') AS id FROM lease
    WHERE node_id = ${BATCHES_NODE} AND organization_id = ${organizationId}::uuid`;
}
