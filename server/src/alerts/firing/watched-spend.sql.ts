import type { AlertCondition } from "@bursar/contract/admin/alerts.ts";
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import { RECORDED_SPEND } from "#src/recording/recorded-spend.sql.ts";

// Alerts about spend with the balances, limits and raises that they watch. Reads only: the ledger writes balances.

/** Key of a balance, with the workspace of its scope. */
export interface SpendPlace {
  organizationId: string;
  scopeType: ScopeType;
  scopeId: string;
  workspaceId: string | null;
  period: PeriodName;
  periodStart: string;
}

export interface WatchedRow extends SpendPlace {
  alertId: string;
  alertCreatedAt: Date;
  condition: AlertCondition;
  settledNanoUsd: bigint;
  leasedNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
  limitId: string | null;
  limitNanoUsd: bigint | null;
  limitCreatedAt: Date | null;
  enforcement: "strict" | "soft" | "alert_only" | null;
  /** Amounts as text: JSON numbers would lose digits. */
  raises: { settled: string; amount: string | null }[];
}

/** Lists these balances with their alerts. Under the locks of the balances, the result is complete. */
export function listWatchedRows(tx: Tx, places: readonly SpendPlace[]): Promise<WatchedRow[]> {
  const from = sql`unnest(${places.map(({ organizationId }) => organizationId)}::uuid[],
    ${places.map(({ scopeType }) => scopeType)}::text[], ${places.map(({ scopeId }) => scopeId)}::text[],
    ${places.map(({ workspaceId }) => workspaceId)}::text[], ${places.map(({ period }) => period)}::text[],
    ${places.map(({ periodStart }) => periodStart)}::date[])
    AS place (organization_id, scope_type, scope_id, workspace_id, period, period_start)`;
  return selectRows(tx, { places: from, where: sql`true`, isRecordedRead: sql`false` });
}

/** Filter of balances in the running periods. Empty: all. */
export interface WatchedFilter {
  organizationId?: string;
  alertId?: string;
  scopeType?: ScopeType;
  scopeId?: string;
}

/**
 * Lists balances of these periods that may have crossed a threshold, except those of archived scopes. A scope has no
 * balance before its first fold under a new alert, so the recorded usage is summed for alerts that changed after
 * `changedAfter`. A fold that runs beside the change leaves out the balance, and the change does not see its usage.
 */
export function listPossiblyCrossed(
  tx: Tx,
  periods: readonly { period: PeriodName; periodStart: string }[],
  { changedAfter, ...filter }: WatchedFilter & { changedAfter: Date },
): Promise<WatchedRow[]> {
  const from = sql`(
      SELECT id AS organization_id, 'organization' AS scope_type, id::text AS scope_id, NULL::text AS workspace_id
        FROM organization
      UNION ALL
      SELECT organization_id, 'workspace', id, id FROM workspace WHERE archived_at IS NULL
      UNION ALL
      SELECT organization_id, 'api_key', id, workspace_id FROM api_key WHERE status <> 'archived'
      UNION ALL
      SELECT DISTINCT organization_id, scope_type, scope_id, NULL FROM spend_limit
        WHERE scope_type IN ('member', 'group', 'tag')
      UNION
      SELECT organization_id, scope_type, scope_id, NULL FROM alert
        WHERE scope_type IN ('member', 'group', 'tag') AND deleted_at IS NULL
    ) AS scope
    CROSS JOIN unnest(${periods.map(({ period }) => period)}::text[],
      ${periods.map(({ periodStart }) => periodStart)}::date[]) AS running (period, period_start)
    CROSS JOIN LATERAL (SELECT scope.*, running.*) AS place`;
  const is = (column: string, value: string | undefined) =>
    value === undefined ? sql`` : sql` AND ${sql.ref(column)} = ${value}`;
  const narrowed = sql`true${is("place.organization_id", filter.organizationId)}${is("alert.id", filter.alertId)}${is(
    "place.scope_type",
    filter.scopeType,
  )}${is("place.scope_id", filter.scopeId)}`;
  const isPossiblyCrossed = sql`spend.settled_nano_usd > 0 AND EXISTS (
    SELECT FROM jsonb_array_elements(alert.condition -> 'thresholds') AS threshold
    WHERE spend.settled_nano_usd::numeric * 100 >= (threshold ->> 'percent')::numeric * spend_limit.amount_nano_usd
      OR spend.settled_nano_usd >= (threshold ->> 'amount_usd')::numeric * 1000000000)`;
  return selectRows(tx, {
    places: from,
    where: sql`${narrowed} AND ${isPossiblyCrossed}`,
    isRecordedRead: sql`alert.updated_at > ${changedAfter} AND ${hasAmountInPeriod}`,
  });
}

const hasAmountInPeriod = sql`EXISTS (
  SELECT FROM jsonb_array_elements(alert.condition -> 'thresholds') AS threshold
  WHERE threshold ? 'amount_usd' AND threshold ->> 'period' = place.period)`;

/** `isRecordedRead`: without a complete balance, the recorded usage is summed. Otherwise such a place has no spend. */
async function selectRows(
  tx: Tx,
  of: {
    places: RawBuilder<unknown>;
    where: RawBuilder<unknown>;
    isRecordedRead: RawBuilder<unknown>;
  },
): Promise<WatchedRow[]> {
  const { rows } = await sql<WatchedRow>`
    SELECT alert.id AS "alertId", alert.created_at AS "alertCreatedAt", alert.condition,
      place.organization_id AS "organizationId", place.scope_type AS "scopeType", place.scope_id AS "scopeId",
      place.workspace_id AS "workspaceId", place.period, place.period_start AS "periodStart",
      spend.settled_nano_usd AS "settledNanoUsd", coalesce(balance.leased_nano_usd, 0) AS "leasedNanoUsd",
      coalesce(balance.unresolved_nano_usd, 0) AS "unresolvedNanoUsd",
      spend_limit.id AS "limitId", spend_limit.amount_nano_usd AS "limitNanoUsd",
      spend_limit.created_at AS "limitCreatedAt", spend_limit.enforcement,
      coalesce((SELECT jsonb_agg(jsonb_build_object('settled', settled_nano_usd::text, 'amount', amount_nano_usd::text))
        FROM spend_limit_raise AS raise
        WHERE raise.scope_type = place.scope_type AND raise.scope_id = place.scope_id AND raise.period = place.period
          AND raise.period_start = place.period_start), '[]') AS raises
    FROM ${of.places}
    JOIN alert ON alert.organization_id = place.organization_id AND alert.kind = 'spend_limit' AND alert.is_enabled
      AND alert.deleted_at IS NULL AND (
        (alert.scope_type = place.scope_type AND alert.scope_id = place.scope_id)
        OR (alert.includes_below AND (alert.scope_type = 'organization'
          OR (alert.scope_type = 'workspace' AND place.scope_type = 'api_key' AND alert.scope_id = place.workspace_id))))
    LEFT JOIN balance_sum AS balance ON balance.scope_type = place.scope_type AND balance.scope_id = place.scope_id
      AND balance.period = place.period AND balance.period_start = place.period_start
    CROSS JOIN LATERAL (SELECT place.*) AS wanted
    CROSS JOIN LATERAL (
      SELECT CASE WHEN balance.is_complete IS NOT TRUE AND ${of.isRecordedRead} THEN ${RECORDED_SPEND}
        ELSE coalesce(balance.settled_nano_usd, 0) END AS settled_nano_usd) AS spend
    LEFT JOIN spend_limit ON spend_limit.scope_type = place.scope_type AND spend_limit.scope_id = place.scope_id
      AND spend_limit.period = place.period
    WHERE ${of.where}
    ORDER BY alert.id, place.scope_type, place.scope_id, place.period`.execute(tx);
  return rows;
}

/** Deletes raises of periods that started before this date. */
export async function deleteOldRaises(tx: Tx, before: string): Promise<void> {
  await sql`DELETE FROM spend_limit_raise WHERE period_start < ${before}`.execute(tx);
}
