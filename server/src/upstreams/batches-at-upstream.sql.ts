import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

// Message batches need their upstream until their cost is recorded. The row of an upstream is locked by its deletion, and by
// each batch that is sent there, so one of both comes first.

interface UpstreamName {
  organizationId: string;
  upstreamId: string;
}

/** Keeps a stored upstream from being deleted until the transaction ends. False: it is deleted. */
export async function keepUpstream(
  tx: Tx,
  { organizationId, upstreamId }: UpstreamName,
): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM upstream WHERE id = ${upstreamId} AND organization_id = ${organizationId}::uuid
    FOR KEY SHARE`.execute(tx);
  return rows.length > 0;
}

/** Counts the batches that an upstream has, or may have, and whose cost is not recorded. */
export async function countUnrecordedBatches(
  tx: Tx,
  { organizationId, upstreamId }: UpstreamName,
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM message_batch
    WHERE upstream_id = ${upstreamId} AND organization_id = ${organizationId}::uuid
      AND state IN ('sent', 'running')`.execute(tx);
  return rows[0]?.count ?? 0;
}
