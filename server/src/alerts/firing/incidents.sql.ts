import { type RawBuilder, sql } from "kysely";
import type { Incident } from "#src/alerts/channels/deliveries.sql.ts";
import type { Tx } from "#src/db/pool.ts";
import { ownerState } from "#src/key-lookup/owner-state.sql.ts";

// Incidents that are open at PagerDuty beside what has become of what fired. Reads alone, but for noting that one is ended.

/**
 * Deliveries that opened incidents which are over, of channels that work. A digest is over when all that it tells of is.
 * `limit`: rows, at most.
 */
export async function listOver(
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
        SELECT FROM alert_firing AS firing JOIN alert ON alert.id = firing.alert_id
        WHERE (firing.id = delivery.alert_firing_id OR firing.told_with_id = delivery.alert_firing_id)
          AND NOT ${isOver(now)})
    ORDER BY delivery.created_at LIMIT ${limit}`.execute(tx);
  return rows.map(({ id }) => id);
}

/** Gives those that nobody else has ended meanwhile. */
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

/** True for a `firing` of an `alert` whose cause has ended. An alert that is off or deleted counts as ended. */
export function isOver(now: Date): RawBuilder<boolean> {
  const isEnded = sql`(firing.facts ->> 'period_ends_at')::timestamptz <= ${now}`;
  return sql<boolean>`(alert.deleted_at IS NOT NULL OR NOT alert.is_enabled OR coalesce(CASE firing.kind
    WHEN 'spend_limit' THEN ${isEnded} OR ${isLimitOut}
    WHEN 'limit_overrun' THEN ${isEnded} OR ${isLimitKept}
    WHEN 'forecast' THEN ${isEnded} OR ${isLimitAnother}
    -- As long as it may still fire.
    WHEN 'unusual_spend' THEN (firing.facts ->> 'period_ends_at')::timestamptz <= ${now}::timestamptz - interval '1 hour'
    WHEN 'upstream_errors' THEN ${isEpisodeOver(now)}
    WHEN 'refused_requests' THEN ${isEpisodeOver(now)}
    WHEN 'key_expiring' THEN ${isKeyAnother(sql`api_key.expires_at = (firing.facts ->> 'expires_at')::timestamptz
        AND api_key.expires_at > ${now}::timestamptz
          - CASE firing.threshold WHEN '0 days' THEN interval '24 hours' ELSE interval '0' END`)}
    WHEN 'key_unused' THEN ${isKeyAnother(sql`NOT EXISTS (SELECT FROM api_key_secret AS secret
        WHERE secret.api_key_id = api_key.id AND secret.last_used_at > firing.fired_at)
        AND (api_key.expires_at IS NULL OR api_key.expires_at > ${now})`)}
    WHEN 'key_new_address' THEN ${isKeyAnother(sql`true`)}
    END, false))`;
}

const limitOfFiring = sql`SELECT FROM spend_limit WHERE spend_limit.scope_type = firing.scope_type
  AND spend_limit.scope_id = firing.scope_id AND spend_limit.period = firing.facts ->> 'period'`;

const nanoOfFact = sql`((firing.facts ->> 'limit_usd')::numeric * 1000000000)`;

/** Null where it is an amount. */
const percentOfFiring = sql`substring(firing.threshold FROM '^([0-9]+)%$')::numeric`;

/** It was removed, or is another amount by now. */
const isLimitAnother = sql`NOT EXISTS (${limitOfFiring} AND spend_limit.amount_nano_usd = ${nanoOfFact})`;

/**
 * The percentage of a limit is not reached any more: the limit was removed, or raised far enough. One that fired because a
 * strict limit refused, with less settled, is over once the limit is another one. An amount is over with its period.
 */
const isLimitOut = sql`(${percentOfFiring} IS NOT NULL AND NOT EXISTS (${limitOfFiring}
  AND (spend_limit.amount_nano_usd = ${nanoOfFact} OR EXISTS (
    SELECT FROM balance WHERE balance.scope_type = firing.scope_type AND balance.scope_id = firing.scope_id
      AND balance.period = firing.facts ->> 'period'
      AND balance.period_start = ((firing.facts ->> 'period_starts_at')::timestamptz AT TIME ZONE 'UTC')::date
      AND balance.settled_nano_usd::numeric * 100
        >= ${percentOfFiring} * spend_limit.amount_nano_usd))))`;

/** The limit was removed, or raised so far that spend does not exceed it any more. */
const isLimitKept = sql`NOT EXISTS (${limitOfFiring} AND EXISTS (
  SELECT FROM balance WHERE balance.scope_type = firing.scope_type AND balance.scope_id = firing.scope_id
    AND balance.period = firing.facts ->> 'period'
    AND balance.period_start = ((firing.facts ->> 'period_starts_at')::timestamptz AT TIME ZONE 'UTC')::date
    AND balance.settled_nano_usd > spend_limit.amount_nano_usd))`;

/** It has been untrue for a whole window, or another episode has begun since. */
function isEpisodeOver(now: Date) {
  return sql`NOT EXISTS (SELECT FROM alert_episode AS known
    WHERE known.alert_id = firing.alert_id AND known.scope_type = firing.scope_type AND known.scope_id = firing.scope_id
      AND known.began_at = firing.episode::timestamptz
      AND known.last_seen_at >= ${now}::timestamptz - (alert.condition ->> 'minutes')::integer * interval '1 minute')`;
}

/** The key does not work any more, or what fired is not true of it: `isStill` says what must be. */
function isKeyAnother(isStill: RawBuilder<unknown>) {
  return sql`NOT EXISTS (SELECT FROM api_key JOIN workspace ON workspace.id = api_key.workspace_id
      LEFT JOIN member ON member.id = api_key.owner_member_id
    WHERE api_key.id = firing.scope_id AND api_key.status = 'active' AND workspace.archived_at IS NULL
      AND coalesce(${ownerState}, 'active') = 'active' AND ${isStill})`;
}
