import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { isAfter, type OpenHours } from "#src/recording/open-hours.sql.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import type { VisibleUsage } from "#src/usage/visible-usage.ts";

export interface TrendQuery {
  organizationId: string;
  visible: VisibleUsage;
  apiKeyIds: readonly string[];
  /** Start of the first day. */
  start: Date;
  days: number;
}

export interface KeyDay {
  apiKeyId: string;
  /** Number of the day, from 0. */
  day: number;
  costNanoUsd: bigint;
}

/**
 * Cost of each key and day, without days of no cost. The primary key of the rollup finds each day of each key: 500 keys
 * take as many look-ups as they have days.
 */
export async function listKeyDays(
  db: Database | Tx,
  { organizationId, visible, apiKeyIds, start, days }: TrendQuery,
  openHours: OpenHours | null,
): Promise<KeyDay[]> {
  const isVisible = isVisibleUsage(visible) ?? sql`true`;
  const day = sql`floor(extract(epoch FROM bucket_at - ${start}::timestamptz) / 86400)::integer`;
  const open =
    openHours &&
    sql`UNION ALL
    SELECT wanted.api_key_id, ${day} AS day, cost_nano_usd
    FROM wanted JOIN usage_hour USING (workspace_id, api_key_id)
    WHERE organization_id = ${organizationId}::uuid AND bucket_at >= ${start} AND ${isAfter(openHours.after)}`;
  const { rows } = await sql<KeyDay>`
    WITH wanted AS MATERIALIZED (
      SELECT workspace_id, api_key_id FROM (SELECT workspace_id, id AS api_key_id FROM api_key
        WHERE organization_id = ${organizationId}::uuid AND id = ANY(${[...apiKeyIds]}::text[])) AS named
      WHERE ${isVisible}
    )
    SELECT api_key_id AS "apiKeyId", day, sum(cost_nano_usd)::bigint AS "costNanoUsd" FROM (
      SELECT wanted.api_key_id, each.number AS day, stored.cost_nano_usd
      FROM wanted CROSS JOIN generate_series(0, ${days - 1}::integer) AS each (number)
      JOIN usage_key_day AS stored ON stored.organization_id = ${organizationId}::uuid
        AND stored.bucket_at = ${start}::timestamptz + each.number * interval '24 hours'
        AND stored.workspace_id = wanted.workspace_id AND stored.api_key_id = wanted.api_key_id
      ${open ?? sql``}
    ) AS part
    GROUP BY 1, 2`.execute(db);
  return rows;
}

/** Ids of the keys whose usage the caller can see. */
export async function listVisibleKeys(
  db: Database | Tx,
  { organizationId, visible, apiKeyIds }: TrendQuery,
): Promise<string[]> {
  const { rows } = await sql<{ api_key_id: string }>`
    SELECT api_key_id FROM (SELECT workspace_id, id AS api_key_id FROM api_key
      WHERE organization_id = ${organizationId}::uuid AND id = ANY(${[...apiKeyIds]}::text[])) AS named
    WHERE ${isVisibleUsage(visible) ?? sql`true`}`.execute(db);
  return rows.map(({ api_key_id }) => api_key_id);
}
