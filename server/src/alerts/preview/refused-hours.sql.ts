import { sql } from "kysely";
import { isCountedRefusal } from "#src/alerts/firing/request-alerts.sql.ts";
import type { WatchedScope } from "#src/alerts/firing/watched-usage.sql.ts";
import type { Database } from "#src/db/pool.ts";
import { scopeName } from "#src/db/scope-name.ts";
import type { NamedScope } from "./replayed-scopes.sql.ts";

export interface RefusedScopeHour extends NamedScope {
  /** Hours since the epoch. */
  hour: number;
  requests: number;
  /** Number of scopes with enough refusals, also beyond the limit. */
  total: number;
}

/**
 * Lists the refusals of each hour of the scopes with at least `count` in the range, by scope and hour. At most `limit`
 * scopes, those with the most refusals.
 */
export async function listRefusedHours(
  database: Database,
  of: {
    scope: WatchedScope;
    includesBelow: boolean;
    startMs: number;
    endMs: number;
    count: number;
    limit: number;
  },
): Promise<RefusedScopeHour[]> {
  const { organizationId, scopeType, scopeId } = of.scope;
  const isWatched = sql`((place.scope_type = ${scopeType} AND place.scope_id = ${scopeId})
    OR (${of.includesBelow}::boolean AND (${scopeType} = 'organization'
      OR (${scopeType} = 'workspace' AND place.scope_type = 'api_key' AND place.workspace_id = ${scopeId}))))`;
  const { rows } = await sql<RefusedScopeHour>`
    WITH counted AS MATERIALIZED (
      SELECT workspace_id, api_key_id, bucket_at, sum(requests) AS requests FROM refusal_hour
      WHERE organization_id = ${organizationId}::uuid AND bucket_at >= ${new Date(of.startMs)}
        AND bucket_at < ${new Date(of.endMs)} AND ${isCountedRefusal}
      GROUP BY workspace_id, api_key_id, bucket_at
    ), place AS MATERIALIZED (
      SELECT bucket_at, workspace_id,
        CASE WHEN grouping(workspace_id) = 1 THEN 'organization' WHEN grouping(api_key_id) = 1 THEN 'workspace'
          ELSE 'api_key' END AS scope_type,
        coalesce(api_key_id, workspace_id, ${organizationId}::text) AS scope_id, sum(requests) AS requests
      FROM counted
      GROUP BY GROUPING SETS ((bucket_at), (bucket_at, workspace_id), (bucket_at, workspace_id, api_key_id))
    ), busy AS (
      SELECT scope_type, scope_id, sum(requests) AS requests, (count(*) OVER ())::integer AS total
      FROM place WHERE ${isWatched} GROUP BY scope_type, scope_id HAVING sum(requests) >= ${of.count}
      ORDER BY sum(requests) DESC, scope_type, scope_id LIMIT ${of.limit}
    ), named AS (
      SELECT busy.*, ${organizationId}::uuid AS organization_id FROM busy
    )
    SELECT named.organization_id AS "organizationId", named.scope_type AS "scopeType", named.scope_id AS "scopeId",
      place.workspace_id AS "workspaceId", coalesce(${scopeName("named")}, '') AS "scopeName", named.total,
      (extract(epoch FROM place.bucket_at) / 3600)::integer AS hour, place.requests::integer AS requests
    FROM named JOIN place ON place.scope_type = named.scope_type AND place.scope_id = named.scope_id
    ORDER BY named.scope_type, named.scope_id, place.bucket_at`.execute(database);
  return rows;
}
