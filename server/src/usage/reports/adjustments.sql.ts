import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { makeAttributionConditions } from "#src/usage/attribution.sql.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import type { ReportFilter } from "./report-tables.ts";

/**
 * Returns the adjustments for requests that started in the range, nano-USD. Adjustments have a workspace, a key, its owner,
 * groups and tags. Any other filter returns 0.
 */
export async function sumAdjustments(
  tx: Tx,
  filter: ReportFilter & { startMs: number; endMs: number },
): Promise<bigint> {
  const { organizationId, visible, values, attribution } = filter;
  const { workspace_id, api_key_id, member_id, ...others } = values;
  if (Object.keys(others).length > 0) return 0n;
  const conditions = [
    sql`organization_id = ${organizationId}`,
    sql`started_at >= ${new Date(filter.startMs)}`,
    sql`started_at < ${new Date(filter.endMs)}`,
  ];
  const isVisible = isVisibleUsage(visible);
  if (isVisible !== null) conditions.push(isVisible);
  for (const [column, ids] of Object.entries({ workspace_id, api_key_id, member_id })) {
    if (ids) conditions.push(sql`${sql.ref(column)} = ANY(${[...ids]}::text[])`);
  }
  conditions.push(...makeAttributionConditions(organizationId, attribution ?? {}));
  const { rows } = await sql<{ nanoUsd: bigint }>`
    SELECT coalesce(sum(cost_nano_usd), 0)::bigint AS "nanoUsd"
    FROM spend_adjustment WHERE ${sql.join(conditions, sql` AND `)}`.execute(tx);
  return rows[0]?.nanoUsd ?? 0n;
}
