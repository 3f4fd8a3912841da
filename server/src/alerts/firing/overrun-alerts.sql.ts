import { type RawBuilder, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";

// Alerts about spend beyond strict limits, with the balances that exceed them. Reads only: the ledger writes balances.

/** Key of a balance. */
export interface OverrunPlace {
  scopeType: ScopeType;
  scopeId: string;
  period: PeriodName;
  periodStart: string;
}

export interface OverrunRow extends OverrunPlace {
  alertId: string;
  organizationId: string;
  /** Workspace of the scope. Null for the organization. */
  workspaceId: string | null;
  settledNanoUsd: bigint;
  leasedNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
  overrunNanoUsd: bigint;
  limitId: string;
  limitNanoUsd: bigint;
  /** Occurrence of the overrun: its period, and the number of raises in it. */
  episode: string;
  /** Firings of the episode. */
  firings: number;
  /** Overrun of the newest firing, nano-USD. Null: there is none. */
  toldNanoUsd: bigint | null;
  /** The newest firing is at least a day old. */
  isToldLongAgo: boolean;
}

/** Lists overruns of these balances. */
export function listOverruns(tx: Tx, places: readonly OverrunPlace[]): Promise<OverrunRow[]> {
  return selectOverruns(
    tx,
    sql`(b.scope_type, b.scope_id, b.period, b.period_start) IN (SELECT * FROM unnest(
      ${places.map(({ scopeType }) => scopeType)}::text[], ${places.map(({ scopeId }) => scopeId)}::text[],
      ${places.map(({ period }) => period)}::text[], ${places.map((place) => place.periodStart)}::date[]))`,
  );
}

/** Lists overruns of all balances of these periods. */
export function listOverrunsOfPeriods(
  tx: Tx,
  periods: readonly { period: PeriodName; periodStart: string }[],
): Promise<OverrunRow[]> {
  return selectOverruns(
    tx,
    sql`(b.period, b.period_start) IN (SELECT * FROM unnest(${periods.map(({ period }) => period)}::text[],
      ${periods.map(({ periodStart }) => periodStart)}::date[]))`,
  );
}

/** A limit that was removed, or raised above the spend, begins a new episode. */
async function selectOverruns(tx: Tx, where: RawBuilder<unknown>): Promise<OverrunRow[]> {
  const { rows } = await sql<OverrunRow>`
    SELECT alert.id AS "alertId", b.organization_id AS "organizationId", b.scope_type AS "scopeType",
      b.scope_id AS "scopeId", place.workspace_id AS "workspaceId", b.period, b.period_start AS "periodStart",
      b.settled_nano_usd AS "settledNanoUsd", b.leased_nano_usd AS "leasedNanoUsd",
      b.unresolved_nano_usd AS "unresolvedNanoUsd", b.limit_overrun_nano_usd AS "overrunNanoUsd",
      l.id AS "limitId", l.amount_nano_usd AS "limitNanoUsd", known.episode, told.firings,
      told.overrun_nano_usd AS "toldNanoUsd", told.is_long_ago AS "isToldLongAgo"
    FROM spend_limit AS l
    JOIN balance_sum AS b USING (scope_type, scope_id, period)
    LEFT JOIN api_key AS key ON b.scope_type = 'api_key' AND key.id = b.scope_id
    CROSS JOIN LATERAL (
      SELECT CASE b.scope_type WHEN 'workspace' THEN b.scope_id ELSE key.workspace_id END AS workspace_id) AS place
    JOIN alert ON alert.organization_id = b.organization_id AND alert.kind = 'limit_overrun' AND alert.is_enabled
      AND alert.deleted_at IS NULL AND (
        (alert.scope_type = b.scope_type AND alert.scope_id = b.scope_id)
        OR (alert.includes_below AND (alert.scope_type = 'organization'
          OR (alert.scope_type = 'workspace' AND b.scope_type = 'api_key' AND alert.scope_id = place.workspace_id))))
    CROSS JOIN LATERAL (
      SELECT b.period || ' ' || to_char(b.period_start, 'YYYY-MM-DD')
        || CASE count(*) WHEN 0 THEN '' ELSE ' +' || count(*) END AS episode
      FROM spend_limit_raise AS raise
      WHERE raise.scope_type = b.scope_type AND raise.scope_id = b.scope_id AND raise.period = b.period
        AND raise.period_start = b.period_start
        AND (raise.amount_nano_usd IS NULL OR raise.amount_nano_usd > raise.settled_nano_usd)) AS known
    CROSS JOIN LATERAL (
      SELECT count(*)::integer AS firings,
        max((firing.facts ->> 'overrun_usd')::numeric * 1000000000)::bigint AS overrun_nano_usd,
        coalesce(max(firing.fired_at) <= now() - interval '1 day', false) AS is_long_ago
      FROM alert_firing AS firing
      WHERE firing.alert_id = alert.id AND firing.scope_type = b.scope_type AND firing.scope_id = b.scope_id
        AND firing.episode = known.episode) AS told
    WHERE l.enforcement = 'strict' AND b.limit_overrun_nano_usd > 0 AND b.settled_nano_usd > l.amount_nano_usd
      AND ${where}
    ORDER BY alert.id, b.scope_type, b.scope_id, b.period`.execute(tx);
  return rows;
}
