import type { AlertCondition } from "@bursar/contract/admin/alerts.ts";
import type { CountedScope } from "@bursar/contract/scope.ts";
import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import { inSnapshot } from "#src/db/transaction.ts";
import { HOUR_MS } from "#src/domain/hourly-spend.ts";
import { findOpenHours, selectRollup } from "#src/recording/open-hours.sql.ts";

// Alerts about the pace of spend, with the hourly spend of the scopes that they watch. Reads only.

export interface WatchedScope {
  organizationId: string;
  scopeType: CountedScope["type"];
  scopeId: string;
  /** Null for the organization. */
  workspaceId: string | null;
}

export interface WatchedUsage extends WatchedScope {
  alertId: string;
  condition: Extract<AlertCondition, { kind: "forecast" | "unusual_spend" }>;
  /** Spend since `sinceMs`. */
  spentNanoUsd: bigint;
}

type Kind = WatchedUsage["condition"]["kind"];
export type WatchedUsageOf<K extends Kind> = WatchedUsage & { condition: { kind: K } };

export function isOfKind<K extends Kind>(row: WatchedUsage, kind: K): row is WatchedUsageOf<K> {
  return row.condition.kind === kind;
}

export function firingScopeOf(row: WatchedUsage) {
  const { organizationId, alertId, scopeType, scopeId, workspaceId } = row;
  return { organizationId, alertId, scopeType, scopeId, workspaceId };
}

interface SpendSince {
  /** Scopes without spend since then are skipped, except for unusual spend. */
  activeMs: number;
  sinceMs: number;
}

/**
 * Lists scopes with recent spend for each alert of these kinds that watches them. Rows of one scope are in a row. An
 * organization's keys come first, then its workspaces, then the organization. Members, groups and tags with a limit have
 * forecasts only.
 */
export async function listWatchedUsage(
  database: Database,
  { activeMs, sinceMs }: SpendSince,
): Promise<WatchedUsage[]> {
  const { rows } = await sql<WatchedUsage>`
    WITH watching AS MATERIALIZED (
      SELECT id, organization_id, kind, scope_type, scope_id, includes_below, condition FROM alert
      WHERE kind IN ('forecast', 'unusual_spend') AND is_enabled AND deleted_at IS NULL
    ), spent AS MATERIALIZED (
      SELECT organization_id, workspace_id, api_key_id, member_id, sum(cost_nano_usd) AS since,
        sum(cost_nano_usd) FILTER (WHERE bucket_at >= ${new Date(activeMs)}) AS recent
      FROM usage_hour
      WHERE organization_id IN (SELECT organization_id FROM watching) AND bucket_at >= ${new Date(sinceMs)}
      GROUP BY organization_id, workspace_id, api_key_id, member_id
    ), attributed AS MATERIALIZED (
      SELECT usage.organization_id, part.scope_type, part.scope_id, sum(cost_nano_usd) AS since,
        sum(cost_nano_usd) FILTER (WHERE bucket_at >= ${new Date(activeMs)}) AS recent
      FROM usage_attributed_hour AS usage JOIN usage_attribution AS attribution ON attribution.id = usage.attribution_id
        CROSS JOIN LATERAL (SELECT 'group' AS scope_type, unnest(string_to_array(group_ids, ',')) AS scope_id
          UNION ALL SELECT 'tag', unnest(string_to_array(tag_ids, ','))) AS part
      WHERE usage.organization_id IN (SELECT organization_id FROM watching) AND bucket_at >= ${new Date(sinceMs)}
      GROUP BY usage.organization_id, part.scope_type, part.scope_id
    ), scope AS (
      SELECT organization_id, 3 AS place, 'organization' AS scope_type, organization_id::text AS scope_id,
        NULL::text AS workspace_id, sum(since) AS since, sum(recent) > 0 AS is_active
      FROM spent GROUP BY organization_id
      UNION ALL
      SELECT organization_id, 2, 'workspace', workspace_id, workspace_id, sum(since), sum(recent) > 0
      FROM spent GROUP BY organization_id, workspace_id
      UNION ALL
      SELECT organization_id, 1, 'api_key', api_key_id, workspace_id, sum(since), sum(recent) > 0
      FROM spent GROUP BY organization_id, workspace_id, api_key_id
      UNION ALL
      SELECT organization_id, 0, 'member', member_id, NULL, sum(since), sum(recent) > 0
      FROM spent WHERE member_id <> '' GROUP BY organization_id, member_id
      UNION ALL
      SELECT organization_id, 0, scope_type, scope_id, NULL, since, recent > 0 FROM attributed
    )
    SELECT alert.id AS "alertId", alert.condition, scope.organization_id AS "organizationId",
      scope.scope_type AS "scopeType", scope.scope_id AS "scopeId", scope.workspace_id AS "workspaceId",
      scope.since::bigint AS "spentNanoUsd"
    FROM scope
    JOIN watching AS alert ON alert.organization_id = scope.organization_id AND (
      (alert.scope_type = scope.scope_type AND alert.scope_id = scope.scope_id)
      OR (alert.includes_below AND (alert.scope_type = 'organization'
        OR (alert.scope_type = 'workspace' AND scope.scope_type = 'api_key' AND alert.scope_id = scope.workspace_id))))
    WHERE (scope.is_active OR alert.kind = 'unusual_spend') AND (scope.place > 0 OR (alert.kind = 'forecast'
      AND EXISTS (SELECT FROM spend_limit WHERE spend_limit.scope_type = scope.scope_type
        AND spend_limit.scope_id = scope.scope_id)))
    ORDER BY scope.organization_id, scope.place, scope.scope_type, scope.scope_id, alert.id`.execute(
    database,
  );
  return rows;
}

interface Range {
  startMs: number;
  endMs: number;
}

interface HourOfScope {
  scopeId: string;
  atMs: number;
  nanoUsd: bigint;
}

/** Smallest rollup per hour of each scope. Null: a table that is always complete. */
const hourTables = {
  organization: "usage_organization_hour",
  workspace: "usage_workspace_hour",
  member: "usage_member_hour",
  api_key: null,
  group: null,
  tag: null,
} as const;

const hasAttribution = (ids: "group_ids" | "tag_ids") => sql`AND attribution_id = ANY(ARRAY(
  SELECT id FROM usage_attribution AS attribution WHERE attribution.organization_id = usage.organization_id
    AND scope.scope_id = ANY(string_to_array(attribution.${sql.ref(ids)}, ','))))`;

const isOfScope = {
  organization: sql``,
  workspace: sql`AND workspace_id = scope.workspace_id`,
  member: sql`AND member_id = scope.scope_id`,
  api_key: sql`AND workspace_id = scope.workspace_id AND api_key_id = scope.scope_id`,
  group: hasAttribution("group_ids"),
  tag: hasAttribution("tag_ids"),
} as const;

/**
 * Lists hours of the range with their spend, if any. Each hour of a scope is one search of the index, because the hours of a key
 * are few among all rows of usage_hour. The hours of a scope arrive as one text. The scopes must have one organization and one
 * type.
 */
export async function listHours(
  database: Database,
  scopes: readonly WatchedScope[],
  { startMs, endMs }: Range,
): Promise<HourOfScope[]> {
  const [first] = scopes;
  if (first === undefined) return [];
  const { organizationId, scopeType } = first;
  const hours = sql`ARRAY(SELECT generate_series(${new Date(startMs)}::timestamptz,
    ${new Date(endMs)}::timestamptz - interval '1 hour', '1 hour'))`;
  const hour = sql`(extract(epoch FROM bucket_at) / 3600)::integer`;
  const rows = await inSnapshot(database, async (tx) => {
    const found = await sql<{ place: number; hours: string }>`
    SELECT scope.place::integer AS place, spent.hours
    FROM unnest(${scopes.map(({ scopeId }) => scopeId)}::text[],
      ${scopes.map(({ workspaceId }) => workspaceId)}::text[]) WITH ORDINALITY AS scope (scope_id, workspace_id, place)
    CROSS JOIN LATERAL (
      SELECT string_agg(${hour} || ' ' || cost_nano_usd, ',') AS hours
      FROM ${await findHourRows(tx, organizationId, { scopeType, endMs })} AS usage
      WHERE organization_id = ${organizationId} AND bucket_at = ANY(${hours}) AND cost_nano_usd > 0 ${isOfScope[scopeType]}
    ) AS spent
    WHERE spent.hours IS NOT NULL`.execute(tx);
    return found.rows;
  });
  return rows.flatMap(({ place, hours: text }) => {
    const scopeId = scopes[place - 1]?.scopeId;
    return scopeId === undefined ? [] : readHours(scopeId, text);
  });
}

/** Rows of the hours of a type of scope. Open hours after the range are left out. */
async function findHourRows(
  tx: Tx,
  organizationId: string,
  { scopeType, endMs }: { scopeType: WatchedScope["scopeType"]; endMs: number },
): Promise<RawBuilder<unknown>> {
  const table = hourTables[scopeType];
  if (table !== null) {
    const openHours = await findOpenHours(tx, organizationId);
    const isInRange = openHours !== null && openHours.startMs < endMs;
    return selectRollup(table, organizationId, isInRange ? openHours : null);
  }
  const isAttributed = scopeType === "group" || scopeType === "tag";
  return sql.table(isAttributed ? "usage_attributed_hour" : "usage_hour");
}

/** Reads the hours of a scope. An open hour can have several amounts. */
function readHours(scopeId: string, text: string): HourOfScope[] {
  const hours = new Map<number, bigint>();
  for (const each of text.split(",")) {
    const [hour = "", amount = ""] = each.split(" ");
    hours.set(Number(hour), (hours.get(Number(hour)) ?? 0n) + BigInt(amount));
  }
  return [...hours]
    .sort(([one], [other]) => one - other)
    .map(([hour, nanoUsd]) => ({ scopeId, atMs: hour * HOUR_MS, nanoUsd }));
}

export interface RunningLimit {
  scopeId: string;
  id: string;
  period: PeriodName;
  limitNanoUsd: bigint;
  enforcement: "strict" | "soft" | "alert_only";
  settledNanoUsd: bigint;
}

/** Lists the limits of these scopes with the spend of their running periods. */
export async function listRunningLimits(
  database: Database,
  { scopeType, scopeIds }: { scopeType: CountedScope["type"]; scopeIds: readonly string[] },
  running: readonly { period: PeriodName; periodStart: string }[],
): Promise<RunningLimit[]> {
  const { rows } = await sql<RunningLimit>`
    SELECT spend_limit.scope_id AS "scopeId", spend_limit.id, spend_limit.period,
      spend_limit.amount_nano_usd AS "limitNanoUsd", spend_limit.enforcement,
      balance.settled_nano_usd AS "settledNanoUsd"
    FROM unnest(${running.map(({ period }) => period)}::text[],
      ${running.map(({ periodStart }) => periodStart)}::date[]) AS running (period, period_start)
    JOIN spend_limit ON spend_limit.scope_type = ${scopeType} AND spend_limit.scope_id = ANY(${[...scopeIds]}::text[])
      AND spend_limit.period = running.period
    JOIN balance ON balance.scope_type = spend_limit.scope_type AND balance.scope_id = spend_limit.scope_id
      AND balance.period = running.period AND balance.period_start = running.period_start
    ORDER BY spend_limit.scope_id, spend_limit.id`.execute(database);
  return rows;
}
