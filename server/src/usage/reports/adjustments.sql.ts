import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import type { ReportFilter } from "./report-tables.ts";

/**
 * Returns the adjustments for requests that started in the range, nano-USD. Adjustments have a workspace and a key, and no
 * other label. Any other filter returns 0.
 */
export async function sumAdjustments(
  tx: Tx,
  filter: ReportFilter & { startMs: number; endMs: number },
): Promise<bigint> {
  const { organizationId, visible, values } = filter;
  const { workspace_id: workspaceIds, api_key_id: apiKeyIds, ...others } = values;
  if (Object.keys(others).length > 0 || filter.attribution) return 0n;
  const conditions = [
    sql`organization_id = ${organizationId}`,
    sql`started_at >= ${new Date(filter.startMs)}`,
    sql`started_at < ${new Date(filter.endMs)}`,
  ];
  const isVisible = isVisibleUsage(visible);
  if (isVisible !== null) conditions.push(isVisible);
  if (workspaceIds) conditions.push(sql`workspace_id = ANY(${[...workspaceIds]}::text[])`);
  if (apiKeyIds) conditions.push(sql`api_key_id = ANY(${[...apiKeyIds]}::text[])`);
  const { rows } = await sql<{ nanoUsd: bigint }>`
    SELECT coalesce(sum(cost_nano_usd), 0)::bigint AS "nanoUsd"
    FROM spend_adjustment WHERE ${sql.join(conditions, sql` AND `)}`.execute(tx);
  return rows[0]?.nanoUsd ?? 0n;
}
