import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import type { BalanceRow } from "#src/spend/ledger/lease-rules.ts";
import type { BalanceKey } from "#src/spend/ledger/spend-key.ts";

// Statements of the ledger check. One statement reads one day of events, so none runs long. Days whose events an
// organization has pruned are read from the rollup per day.

/** Lists days with requests or adjustments in any organization, as ISO dates in UTC, oldest first. */
export async function listSpendDays(tx: Tx): Promise<string[]> {
  const { rows } = await sql<{ day: string }>`
    SELECT day::date AS day FROM (
      SELECT min(ends.first) AS first, max(ends.last) AS last FROM (
        SELECT min(started_at), max(started_at) FROM usage_record
        UNION ALL SELECT min(started_at), max(started_at) FROM usage_event
        UNION ALL SELECT min(started_at), max(started_at) FROM spend_adjustment
        UNION ALL SELECT min(bucket_at), NULL FROM usage_organization_day
      ) AS ends (first, last)
    ) AS bounds,
    generate_series(date_trunc('day', first AT TIME ZONE 'UTC'), last AT TIME ZONE 'UTC', interval '1 day') AS day
    WHERE EXISTS (SELECT FROM usage_record WHERE started_at >= day AT TIME ZONE 'UTC'
        AND started_at < (day + interval '1 day') AT TIME ZONE 'UTC')
      OR EXISTS (SELECT FROM usage_event WHERE started_at >= day AT TIME ZONE 'UTC'
        AND started_at < (day + interval '1 day') AT TIME ZONE 'UTC')
      OR EXISTS (SELECT FROM spend_adjustment WHERE started_at >= day AT TIME ZONE 'UTC'
        AND started_at < (day + interval '1 day') AT TIME ZONE 'UTC')
      OR EXISTS (SELECT FROM usage_organization_day WHERE bucket_at = day AT TIME ZONE 'UTC')
    ORDER BY 1`.execute(tx);
  return rows.map(({ day }) => day);
}

/** Sums of the requests of one chain of scopes that began on one day. */
export interface DaySum {
  workspaceId: string;
  apiKeyId: string;
  /** Null: a key of a workspace. */
  memberId: string | null;
  groupIds: readonly string[];
  tagIds: readonly string[];
  requests: bigint;
  costNanoUsd: bigint;
  /** Cost without credits: adjustments below zero. */
  chargedNanoUsd: bigint;
  /** Cost beyond the largest hold of each request. 0 for pruned events. */
  overrunNanoUsd: bigint;
}

export async function sumDay(
  tx: Tx,
  of: { organizationId: string; day: string },
): Promise<DaySum[]> {
  const isIn = sql`organization_id = ${of.organizationId}::uuid
    AND started_at >= ${of.day}::timestamp AT TIME ZONE 'UTC'
    AND started_at < (${of.day}::timestamp + interval '1 day') AT TIME ZONE 'UTC'`;
  const isPruned = sql`EXISTS (SELECT FROM usage_settings WHERE organization_id = ${of.organizationId}::uuid
    AND log_pruned_before > ${of.day}::timestamp AT TIME ZONE 'UTC')`;
  const isDay = sql`rollup.organization_id = ${of.organizationId}::uuid
    AND rollup.bucket_at = ${of.day}::timestamp AT TIME ZONE 'UTC'`;
  const { rows } = await sql<DaySum>`
    SELECT workspace_id AS "workspaceId", api_key_id AS "apiKeyId", nullif(member_id, '') AS "memberId",
      string_to_array(group_ids, ',') AS "groupIds", string_to_array(tag_ids, ',') AS "tagIds",
      sum(requests)::bigint AS requests,
      sum(cost)::bigint AS "costNanoUsd", sum(charged)::bigint AS "chargedNanoUsd", sum(overrun)::bigint AS "overrunNanoUsd"
    FROM (
      SELECT workspace_id, api_key_id, member_id, group_ids, tag_ids, 1 AS requests, cost_nano_usd AS cost,
        cost_nano_usd AS charged,
        CASE WHEN cost_nano_usd > hold_nano_usd THEN cost_nano_usd - hold_nano_usd ELSE 0 END AS overrun
      FROM recorded_request WHERE ${isIn} AND NOT ${isPruned}
      UNION ALL
      SELECT workspace_id, api_key_id, member_id, '', '', requests, cost_nano_usd, cost_nano_usd, 0
      FROM usage_day AS rollup WHERE ${isDay} AND ${isPruned}
      UNION ALL
      -- Requests with groups or tags are in both rollups.
      SELECT workspace_id, api_key_id, member_id, part.group_ids, part.tag_ids, sign * requests, sign * cost_nano_usd,
        sign * cost_nano_usd, 0
      FROM usage_attributed_day AS rollup JOIN usage_attribution AS own ON own.id = rollup.attribution_id
      CROSS JOIN LATERAL (VALUES (1, own.group_ids, own.tag_ids), (-1, '', '')) AS part (sign, group_ids, tag_ids)
      WHERE ${isDay} AND ${isPruned}
      UNION ALL
      SELECT workspace_id, api_key_id, member_id, group_ids, tag_ids, 0, cost_nano_usd, greatest(cost_nano_usd, 0), 0
      FROM spend_adjustment
      WHERE ${isIn}
    ) AS each GROUP BY 1, 2, each.member_id, each.group_ids, each.tag_ids`.execute(tx);
  return rows;
}

export interface CheckedBalance extends BalanceKey, BalanceRow {
  overrunNanoUsd: bigint;
  /** The settled amount has all spend of the period. */
  isComplete: boolean;
}

/** Lists the balances of one period. */
export async function listBalancesOfPeriod(
  tx: Tx,
  of: { organizationId: string; period: PeriodName; periodStart: string },
): Promise<CheckedBalance[]> {
  const { rows } = await sql<CheckedBalance>`
    SELECT scope_type AS "scopeType", scope_id AS "scopeId", period, period_start AS "periodStart",
      settled_nano_usd AS "settledNanoUsd", leased_nano_usd AS "leasedNanoUsd",
      unresolved_nano_usd AS "unresolvedNanoUsd", overrun_nano_usd AS "overrunNanoUsd", is_complete AS "isComplete"
    FROM balance_sum WHERE organization_id = ${of.organizationId} AND period = ${of.period}
      AND period_start = ${of.periodStart}`.execute(tx);
  return rows;
}

/** Lists the periods for which the organization has a balance. */
export async function listBalancePeriods(
  tx: Tx,
  organizationId: string,
): Promise<{ period: PeriodName; periodStart: string }[]> {
  const { rows } = await sql<{ period: PeriodName; periodStart: string }>`
    SELECT DISTINCT period, period_start AS "periodStart" FROM balance
    WHERE organization_id = ${organizationId}`.execute(tx);
  return rows;
}

export interface LeaseSum extends BalanceKey {
  leasedNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
}

/** Sums the leased and the unresolved amounts of each balance, of all nodes. */
export async function sumLeases(tx: Tx, organizationId: string): Promise<LeaseSum[]> {
  const { rows } = await sql<LeaseSum>`
    SELECT scope_type AS "scopeType", scope_id AS "scopeId", period, period_start AS "periodStart",
      coalesce(sum(amount_nano_usd) FILTER (WHERE unresolved_since IS NULL), 0)::bigint AS "leasedNanoUsd",
      coalesce(sum(amount_nano_usd) FILTER (WHERE unresolved_since IS NOT NULL), 0)::bigint AS "unresolvedNanoUsd"
    FROM lease_left WHERE organization_id = ${organizationId}::uuid GROUP BY 1, 2, 3, 4
    HAVING sum(amount_nano_usd) > 0`.execute(tx);
  return rows;
}

/** Lease of a node. Integer nano-USD. */
export interface WrongLease extends BalanceKey {
  nodeId: string;
  actualNanoUsd: bigint;
  expectedNanoUsd: bigint;
}

/**
 * Lists leases of live nodes that granted less than folds drew. The cost of requests beyond their holds is allowed, because
 * a node reports it after the fact. A removed limit needs no grants.
 */
export async function listOverdrawnLeases(tx: Tx, organizationId: string): Promise<WrongLease[]> {
  const { rows } = await sql<WrongLease>`
    SELECT node_id AS "nodeId", scope_type AS "scopeType", scope_id AS "scopeId", period, period_start AS "periodStart",
      lease.granted_nano_usd AS "actualNanoUsd", draw.drawn_nano_usd - balance.overrun_nano_usd AS "expectedNanoUsd"
    FROM lease
    JOIN lease_draw AS draw USING (node_id, scope_type, scope_id, period, period_start)
    JOIN balance USING (scope_type, scope_id, period, period_start)
    JOIN spend_limit AS l USING (scope_type, scope_id, period)
    JOIN node_contact ON node_contact.id = node_id AND node_contact.lease_expires_at > now()
    WHERE lease.organization_id = ${organizationId}::uuid AND lease.request_id = '' AND lease.unresolved_since IS NULL
      AND l.enforcement = 'strict' AND lease.granted_nano_usd < draw.drawn_nano_usd - balance.overrun_nano_usd
    ORDER BY 1, 2, 3, 4, 5`.execute(tx);
  return rows;
}

/** A node has this time from its start to its first message. */
const STARTING = sql`interval '1 minute'`;

/**
 * Lists leases with budget whose node is unknown, or has left. No node fences it, so the budget stays leased. Requests that
 * no fold has counted still draw from it.
 */
export async function listAbandonedLeases(tx: Tx, organizationId: string): Promise<WrongLease[]> {
  const { rows } = await sql<WrongLease>`
    SELECT node_id AS "nodeId", scope_type AS "scopeType", scope_id AS "scopeId", period, period_start AS "periodStart",
      amount_nano_usd AS "actualNanoUsd", 0::bigint AS "expectedNanoUsd"
    FROM lease_left LEFT JOIN node_contact ON node_contact.id = node_id
    WHERE organization_id = ${organizationId}::uuid AND request_id = '' AND unresolved_since IS NULL
      AND amount_nano_usd > 0 AND lease_expires_at IS NULL
      AND (seen_at IS NULL OR seen_at < now() - ${STARTING})
      AND NOT EXISTS (SELECT FROM usage_batch AS batch WHERE batch.node_id = lease_left.node_id AND set_aside_at IS NULL)
    ORDER BY 1, 2, 3, 4, 5`.execute(tx);
  return rows;
}

/** Returns the date from which on all balances and days are kept. Null: all are. */
export async function findFirstCheckedDate(tx: Tx): Promise<string | null> {
  const { rows } = await sql<{ date: string | null }>`
    SELECT greatest(balances_before, (days_before AT TIME ZONE 'UTC')::date) AS date FROM retention_mark`.execute(
    tx,
  );
  return rows[0]?.date ?? null;
}
