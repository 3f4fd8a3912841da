import { type RawBuilder, sql } from "kysely";
import type { Incident } from "#src/alerts/channels/open-incidents.sql.ts";
import type { Tx } from "#src/db/pool.ts";
import { ownerState } from "#src/key-lookup/owner-state.sql.ts";

// Open incidents in PagerDuty, and the current state of their causes. The only write records the end of an incident.

/**
 * Lists deliveries of working channels whose incident is over: all firings of its message are. `limit`: maximum
 * number of rows.
 */
export async function listEndedIncidents(
  tx: Tx,
  { now, limit }: { now: Date; limit: number },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT delivery.id
    FROM alert_channel AS channel
      JOIN alert_delivery AS delivery ON delivery.alert_channel_id = channel.id AND delivery.status = 'sent'
        AND delivery.resolved_at IS NULL AND delivery.alert_firing_id IS NOT NULL
    WHERE channel.kind = 'pagerduty' AND channel.is_enabled AND channel.paused_at IS NULL
      AND channel.archived_at IS NULL AND NOT EXISTS (
        SELECT FROM (
            SELECT delivery.alert_firing_id AS id
            UNION ALL
            SELECT alert_firing_id FROM alert_delivery_firing WHERE alert_delivery_id = delivery.id
          ) AS listed
          JOIN alert_firing AS firing ON firing.id = listed.id OR firing.told_with_id = listed.id
          JOIN alert ON alert.id = firing.alert_id
        WHERE NOT ${isOver(now)})
    ORDER BY delivery.created_at LIMIT ${limit}`.execute(tx);
  return rows.map(({ id }) => id);
}

/** Records the end of incidents. Returns those that were still open. */
export async function markResolved(
  tx: Tx,
  deliveryIds: readonly string[],
  now: Date,
): Promise<Incident[]> {
  const { rows } = await sql<Incident>`
    UPDATE alert_delivery SET resolved_at = ${now}
    WHERE id = ANY(${[...deliveryIds]}::text[]) AND status = 'sent' AND resolved_at IS NULL
    RETURNING alert_firing_id AS "firingId", alert_channel_id AS "channelId"`.execute(tx);
  return rows;
}

/** True if the cause of a `firing` has ended, or if its `alert` is off or deleted. */
export function isOver(now: Date): RawBuilder<boolean> {
  const isEnded = sql`(firing.facts ->> 'period_ends_at')::timestamptz <= ${now}`;
  return sql<boolean>`(alert.deleted_at IS NOT NULL OR NOT alert.is_enabled OR coalesce(CASE firing.kind
    WHEN 'spend_limit' THEN ${isEnded} OR ${isBelowThreshold}
    WHEN 'limit_overrun' THEN ${isEnded} OR ${isWithinLimit}
    WHEN 'forecast' THEN ${isEnded} OR ${hasLimitChanged}
    -- The hour after the period, in which the alert may still fire.
    WHEN 'unusual_spend' THEN (firing.facts ->> 'period_ends_at')::timestamptz <= ${now}::timestamptz - interval '1 hour'
    WHEN 'upstream_errors' THEN ${isEpisodeOver(now)}
    WHEN 'refused_requests' THEN ${isEpisodeOver(now)}
    WHEN 'key_expiring' THEN ${hasKeyChanged(sql`api_key.expires_at = (firing.facts ->> 'expires_at')::timestamptz
        AND api_key.expires_at > ${now}::timestamptz
          - CASE firing.threshold WHEN '0 days' THEN interval '24 hours' ELSE interval '0' END`)}
    WHEN 'key_unused' THEN ${hasKeyChanged(sql`NOT EXISTS (SELECT FROM api_key_secret AS secret
        WHERE secret.api_key_id = api_key.id AND secret.last_used_at > firing.fired_at)
        AND (api_key.expires_at IS NULL OR api_key.expires_at > ${now})`)}
    WHEN 'key_new_address' THEN ${hasKeyChanged(sql`true`)}
    WHEN 'database_failover' THEN firing.fired_at <= ${now}::timestamptz - interval '1 hour'
    WHEN 'bound_exceeded' THEN NOT EXISTS (SELECT FROM exceeded_bound AS bound
        WHERE bound.organization_id = firing.organization_id AND bound.kind = firing.facts #>> '{exceeded_bound,kind}'
          AND bound.name = firing.facts #>> '{exceeded_bound,name}')
    END, false))`;
}

const limitOfFiring = sql`SELECT FROM spend_limit WHERE spend_limit.scope_type = firing.scope_type
  AND spend_limit.scope_id = firing.scope_id AND spend_limit.period = firing.facts ->> 'period'`;

const limitOfFiringNanoUsd = sql`((firing.facts ->> 'limit_usd')::numeric * 1000000000)`;

/** Null for an amount. */
const percentOfFiring = sql`substring(firing.threshold FROM '^([0-9]+)%$')::numeric`;

/** The limit was removed, or has another amount. */
const hasLimitChanged = sql`NOT EXISTS (${limitOfFiring} AND spend_limit.amount_nano_usd = ${limitOfFiringNanoUsd})`;

/**
 * The percentage is no longer reached: the limit was removed, or raised far enough. A firing from a refusal of a strict
 * limit, with less settled, is over when the limit changes. The firing of an amount is over with its period.
 */
const isBelowThreshold = sql`(${percentOfFiring} IS NOT NULL AND NOT EXISTS (${limitOfFiring}
  AND (spend_limit.amount_nano_usd = ${limitOfFiringNanoUsd} OR EXISTS (
    SELECT FROM balance WHERE balance.scope_type = firing.scope_type AND balance.scope_id = firing.scope_id
      AND balance.period = firing.facts ->> 'period'
      AND balance.period_start = ((firing.facts ->> 'period_starts_at')::timestamptz AT TIME ZONE 'UTC')::date
      AND balance.settled_nano_usd::numeric * 100
        >= ${percentOfFiring} * spend_limit.amount_nano_usd))))`;

/** The limit was removed, or raised to at least the spend. */
const isWithinLimit = sql`NOT EXISTS (${limitOfFiring} AND EXISTS (
  SELECT FROM balance WHERE balance.scope_type = firing.scope_type AND balance.scope_id = firing.scope_id
    AND balance.period = firing.facts ->> 'period'
    AND balance.period_start = ((firing.facts ->> 'period_starts_at')::timestamptz AT TIME ZONE 'UTC')::date
    AND balance.settled_nano_usd > spend_limit.amount_nano_usd))`;

/** The condition was false for a whole window, or a later episode has begun. */
function isEpisodeOver(now: Date) {
  return sql`NOT EXISTS (SELECT FROM alert_episode AS known
    WHERE known.alert_id = firing.alert_id AND known.scope_type = firing.scope_type AND known.scope_id = firing.scope_id
      AND known.began_at = firing.episode::timestamptz
      AND known.last_seen_at >= ${now}::timestamptz - (alert.condition ->> 'minutes')::integer * interval '1 minute')`;
}

/** The key no longer works, or the cause of the firing has changed. `isUnchanged`: condition that the cause remains. */
function hasKeyChanged(isUnchanged: RawBuilder<unknown>) {
  return sql`NOT EXISTS (SELECT FROM api_key JOIN workspace ON workspace.id = api_key.workspace_id
      LEFT JOIN member ON member.id = api_key.owner_member_id
    WHERE api_key.id = firing.scope_id AND api_key.status = 'active' AND workspace.archived_at IS NULL
      AND coalesce(${ownerState}, 'active') = 'active' AND ${isUnchanged})`;
}
