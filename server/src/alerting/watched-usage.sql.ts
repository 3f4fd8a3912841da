import type { AlertCondition } from "@bursar/contract/admin/alerts.ts";
import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";

// Alerts about the pace of spend beside the scopes that they watch and what these spent by the hour. Reads alone, of the
// sums that metering keeps.

export interface WatchedScope {
  organizationId: string;
  scopeType: ScopeType;
  scopeId: string;
  /** Null: it is the organization. */
  workspaceId: string | null;
}

export interface WatchedUsage extends WatchedScope {
  alertId: string;
  condition: Extract<AlertCondition, { kind: "forecast" | "unusual_spend" }>;
  /** Since `sinceMs`. */
  spentNanoUsd: bigint;
}

interface Since {
  /** Only what spent something since then is looked at. */
  activeMs: number;
  sinceMs: number;
}

/** Each scope with recent spend under each alert of these kinds that watches it; those of one scope in a row. */
export async function listWatchedUsage(
  database: Database,
  { activeMs, sinceMs }: Since,
): Promise<WatchedUsage[]> {
  const { rows } = await sql<WatchedUsage>`
    WITH watching AS MATERIALIZED (
      SELECT id, organization_id, scope_type, scope_id, includes_below, condition FROM alert
      WHERE kind IN ('forecast', 'unusual_spend') AND is_enabled AND deleted_at IS NULL
    ), spent AS MATERIALIZED (
      SELECT organization_id, workspace_id, api_key_id, sum(cost_nano_usd) AS since,
        sum(cost_nano_usd) FILTER (WHERE bucket_at >= ${new Date(activeMs)}) AS recent
      FROM usage_hour
      WHERE organization_id IN (SELECT organization_id FROM watching) AND bucket_at >= ${new Date(sinceMs)}
      GROUP BY organization_id, workspace_id, api_key_id
    ), scope AS (
      SELECT organization_id, 'organization' AS scope_type, organization_id::text AS scope_id,
        NULL::text AS workspace_id, sum(since) AS since FROM spent GROUP BY organization_id HAVING sum(recent) > 0
      UNION ALL
      SELECT organization_id, 'workspace', workspace_id, workspace_id, sum(since)
        FROM spent GROUP BY organization_id, workspace_id HAVING sum(recent) > 0
      UNION ALL
      SELECT organization_id, 'api_key', api_key_id, workspace_id, since FROM spent WHERE recent > 0
    )
    SELECT alert.id AS "alertId", alert.condition, scope.organization_id AS "organizationId",
      scope.scope_type AS "scopeType", scope.scope_id AS "scopeId", scope.workspace_id AS "workspaceId",
      scope.since::bigint AS "spentNanoUsd"
    FROM scope
    JOIN watching AS alert ON alert.organization_id = scope.organization_id AND (
      (alert.scope_type = scope.scope_type AND alert.scope_id = scope.scope_id)
      OR (alert.includes_below AND (alert.scope_type = 'organization'
        OR (alert.scope_type = 'workspace' AND scope.scope_type = 'api_key' AND alert.scope_id = scope.workspace_id))))
    ORDER BY scope.organization_id, scope.scope_type, scope.scope_id, alert.id`.execute(database);
  return rows;
}

interface Range {
  startMs: number;
  endMs: number;
}

/**
 * What each hour of the range cost that cost something. Each hour is a look at an index, whatever else the organization
 * has: those of a key are few among all rows of usage_hour.
 */
export async function listHours(
  database: Database,
  scope: WatchedScope,
  { startMs, endMs }: Range,
): Promise<{ atMs: number; nanoUsd: bigint }[]> {
  const { organizationId, scopeType, scopeId, workspaceId } = scope;
  const table = { organization: "organization_hour", workspace: "workspace_hour", api_key: "hour" };
  const inWorkspace = workspaceId === null ? sql`` : sql`AND workspace_id = ${workspaceId}`;
  const ofKey = scopeType === "api_key" ? sql`AND api_key_id = ${scopeId}` : sql``;
  const { rows } = await sql<{ at: Date; nanoUsd: bigint }>`
    SELECT hour.at, spent.nano_usd AS "nanoUsd"
    FROM generate_series(${new Date(startMs)}::timestamptz, ${new Date(endMs)}::timestamptz, '1 hour') AS hour (at)
    CROSS JOIN LATERAL (
      SELECT sum(cost_nano_usd)::bigint AS nano_usd FROM ${sql.table(`usage_${table[scopeType]}`)}
      WHERE organization_id = ${organizationId} AND bucket_at = hour.at ${inWorkspace} ${ofKey}
    ) AS spent
    WHERE spent.nano_usd > 0 AND hour.at < ${new Date(endMs)}
    ORDER BY hour.at`.execute(database);
  return rows.map(({ at, nanoUsd }) => ({ atMs: at.getTime(), nanoUsd }));
}

export interface RunningLimit {
  id: string;
  period: PeriodName;
  limitNanoUsd: bigint;
  enforcement: "strict" | "soft" | "alert_only";
  settledNanoUsd: bigint;
}

/** The limits of a scope, each with what its running period has spent. */
export async function listRunningLimits(
  database: Database,
  { scopeType, scopeId }: WatchedScope,
  running: readonly { period: PeriodName; periodStart: string }[],
): Promise<RunningLimit[]> {
  const { rows } = await sql<RunningLimit>`
    SELECT spend_limit.id, spend_limit.period, spend_limit.amount_nano_usd AS "limitNanoUsd",
      spend_limit.enforcement, balance.settled_nano_usd AS "settledNanoUsd"
    FROM unnest(${running.map(({ period }) => period)}::text[],
      ${running.map(({ periodStart }) => periodStart)}::date[]) AS running (period, period_start)
    JOIN spend_limit ON spend_limit.scope_type = ${scopeType} AND spend_limit.scope_id = ${scopeId}
      AND spend_limit.period = running.period
    JOIN balance ON balance.scope_type = spend_limit.scope_type AND balance.scope_id = spend_limit.scope_id
      AND balance.period = running.period AND balance.period_start = running.period_start
    ORDER BY spend_limit.id`.execute(database);
  return rows;
}
