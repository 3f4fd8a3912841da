import { sql } from "kysely";
import type { WatchedScope } from "#src/alerts/firing/watched-usage.sql.ts";
import type { Database } from "#src/db/pool.ts";
import { scopeName } from "#src/db/scope-name.ts";
import { inSnapshot } from "#src/db/transaction.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { findOpenHours, selectRollup } from "#src/recording/open-hours.sql.ts";
import type { ReplayedLimit } from "./replay-alert.ts";

export interface NamedScope extends WatchedScope {
  scopeName: string;
}

interface ScopeQuery {
  scope: WatchedScope;
  includesBelow: boolean;
  sinceMs: number;
  /** True: only child scopes with a spend limit. */
  needsLimit: boolean;
  /** True: also members, groups and tags with a limit. */
  hasPeople: boolean;
  limit: number;
}

/**
 * Returns the scope with its name, and its child scopes with the highest spend since the start of the month of `sinceMs`.
 * Months have a thirtieth of the rows of days. `total`: number of all of them.
 */
export async function listReplayedScopes(
  database: Database,
  { scope, includesBelow, sinceMs, needsLimit, hasPeople, limit }: ScopeQuery,
): Promise<{ scopes: NamedScope[]; total: number }> {
  const { organizationId, scopeType, scopeId, workspaceId } = scope;
  const hasLimit = sql`EXISTS (SELECT FROM spend_limit WHERE spend_limit.scope_type = child.scope_type
    AND spend_limit.scope_id = child.scope_id)`;
  const isChild =
    scopeType === "organization"
      ? sql`(child.scope_type IN ('workspace', 'api_key') OR (${hasPeople}::boolean AND ${hasLimit}))`
      : sql`(child.scope_type = 'api_key' AND child.workspace_id = ${scopeId})`;
  const rows = await inSnapshot(database, async (tx) => {
    const months = selectRollup(
      "usage_key_month",
      organizationId,
      await findOpenHours(tx, organizationId),
    );
    const found = await sql<NamedScope & { total: number }>`
    WITH spent AS MATERIALIZED (
      SELECT workspace_id, api_key_id, member_id, sum(cost_nano_usd) AS cost FROM ${months} AS usage
      WHERE bucket_at >= ${new Date(periodOf("monthly", sinceMs).startMs)} AND ${includesBelow}::boolean GROUP BY workspace_id, api_key_id, member_id
    ), child AS (
      SELECT 'workspace' AS scope_type, workspace_id AS scope_id, workspace_id, sum(cost) AS cost
      FROM spent GROUP BY workspace_id
      UNION ALL
      SELECT 'api_key', api_key_id, workspace_id, sum(cost) FROM spent GROUP BY workspace_id, api_key_id
      UNION ALL
      SELECT 'member', member_id, NULL, sum(cost) FROM spent WHERE member_id <> '' GROUP BY member_id
      UNION ALL
      SELECT scope_type, scope_id, NULL, 0 FROM spend_limit
      WHERE organization_id = ${organizationId}::uuid AND scope_type IN ('group', 'tag') AND ${includesBelow}::boolean
      GROUP BY scope_type, scope_id
    ), watched AS (
      SELECT ${organizationId}::uuid AS organization_id, ${scopeType}::text AS scope_type, ${scopeId}::text AS scope_id,
        ${workspaceId}::text AS workspace_id, NULL::numeric AS cost
      UNION ALL
      SELECT ${organizationId}::uuid, child.* FROM child
      WHERE ${includesBelow}::boolean AND ${isChild} AND (NOT ${needsLimit}::boolean OR ${hasLimit})
    )
    SELECT watched.organization_id AS "organizationId", watched.scope_type AS "scopeType", watched.scope_id AS "scopeId",
      watched.workspace_id AS "workspaceId", coalesce(${scopeName("watched")}, '') AS "scopeName",
      (count(*) OVER ())::integer AS total
    FROM watched ORDER BY watched.cost DESC NULLS FIRST, watched.scope_type, watched.scope_id LIMIT ${limit}`.execute(
      tx,
    );
    return found.rows;
  });
  return { scopes: rows.map(({ total: _, ...each }) => each), total: rows[0]?.total ?? 0 };
}

/** Lists today's limits of these scopes, by scope type and id. */
export async function listLimitsOfScopes(
  database: Database,
  scopes: readonly WatchedScope[],
): Promise<(ReplayedLimit & Pick<WatchedScope, "scopeType" | "scopeId">)[]> {
  const { rows } = await sql<ReplayedLimit & Pick<WatchedScope, "scopeType" | "scopeId">>`
    SELECT spend_limit.scope_type AS "scopeType", spend_limit.scope_id AS "scopeId", spend_limit.id, spend_limit.period,
      spend_limit.amount_nano_usd AS "limitNanoUsd", spend_limit.enforcement
    FROM unnest(${scopes.map(({ scopeType }) => scopeType)}::text[], ${scopes.map(({ scopeId }) => scopeId)}::text[])
      AS wanted (scope_type, scope_id)
    JOIN spend_limit ON spend_limit.scope_type = wanted.scope_type AND spend_limit.scope_id = wanted.scope_id`.execute(
    database,
  );
  return rows;
}
