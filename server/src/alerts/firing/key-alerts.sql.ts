import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { ownerState } from "#src/key-lookup/owner-state.sql.ts";

// Alerts about keys with the keys that they watch, without firings that exist. An alert watches all keys of its scope, also
// without `includes_below`. Keys that no longer work, and playground keys, are excluded.

/** A key that meets the condition of an alert. */
export interface KeyFinding {
  alertId: string;
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
  /** Days in the condition: before the expiry, or without use. */
  days: number;
}

/** If several numbers of days of an alert are reached, only the lowest is returned. `limit`: maximum number of rows. */
export async function listExpiringKeys(
  tx: Tx,
  of: { now: Date; limit: number },
): Promise<(KeyFinding & { expiresAt: Date })[]> {
  const { rows } = await sql<KeyFinding & { expiresAt: Date }>`
    SELECT * FROM (
      SELECT DISTINCT ON (alert.id, api_key.id) ${columns}, api_key.expires_at AS "expiresAt",
        threshold.days::integer AS days
      FROM ${watchedKeys("key_expiring")}
        CROSS JOIN LATERAL jsonb_array_elements_text(alert.condition -> 'days') AS threshold (days)
      WHERE ${isWorking} AND threshold.days::integer * interval '24 hours' >= api_key.expires_at - ${of.now}::timestamptz
        -- Zero days: on the day after the expiry.
        AND (api_key.expires_at > ${of.now} OR (threshold.days = '0' AND api_key.expires_at > ${of.now}::timestamptz - interval '24 hours'))
      ORDER BY alert.id, api_key.id, threshold.days::integer
    ) AS found
    WHERE NOT ${hasFired(isoOf(sql`found."expiresAt"`), daysText)}
    ORDER BY "alertId", "apiKeyId" LIMIT ${of.limit}`.execute(tx);
  return rows;
}

/** Days count from the last use of any secret of the key, or from the key's creation. */
export async function listUnusedKeys(
  tx: Tx,
  of: { now: Date; limit: number },
): Promise<(KeyFinding & { since: Date; lastUsedAt: Date | null })[]> {
  const { rows } = await sql<KeyFinding & { since: Date; lastUsedAt: Date | null }>`
    SELECT * FROM (
      SELECT ${columns}, coalesce(used.at, api_key.created_at) AS since, used.at AS "lastUsedAt",
        (alert.condition ->> 'days')::integer AS days
      FROM ${watchedKeys("key_unused")}
        CROSS JOIN LATERAL (
          SELECT max(last_used_at) AS at FROM api_key_secret WHERE api_key_id = api_key.id) AS used
      WHERE ${isWorking} AND (api_key.expires_at IS NULL OR api_key.expires_at > ${of.now})
        AND coalesce(used.at, api_key.created_at)
          <= ${of.now}::timestamptz - (alert.condition ->> 'days')::integer * interval '24 hours'
    ) AS found
    WHERE NOT ${hasFired(isoOf(sql`found.since`), daysText)}
    ORDER BY "alertId", "apiKeyId" LIMIT ${of.limit}`.execute(tx);
  return rows;
}

/** Older networks do not fire, for example after all nodes were stopped for a long time. */
const MAX_NETWORK_AGE = sql`interval '24 hours'`;

/**
 * Networks from which a key was first used in the last 24 hours, and after the alert was created. The first network of a key
 * does not fire.
 */
export async function listNewNetworks(
  tx: Tx,
  of: { now: Date; limit: number },
): Promise<(Omit<KeyFinding, "days"> & { network: string; firstSeenAt: Date })[]> {
  const { rows } = await sql<Omit<KeyFinding, "days"> & { network: string; firstSeenAt: Date }>`
    SELECT * FROM (
      SELECT ${columns}, known.network, known.first_seen_at AS "firstSeenAt"
      FROM ${watchedKeys("key_new_address")}
        JOIN api_key_network AS known ON known.api_key_id = api_key.id
          AND known.first_seen_at > ${of.now}::timestamptz - ${MAX_NETWORK_AGE} AND known.first_seen_at > alert.created_at
      WHERE ${isWorking} AND EXISTS (
        SELECT FROM api_key_network AS before WHERE before.api_key_id = known.api_key_id
          AND (before.first_seen_at, before.network) < (known.first_seen_at, known.network))
    ) AS found
    WHERE NOT ${hasFired(isoOf(sql`found."firstSeenAt"`), sql`found.network`)}
    ORDER BY "alertId", "apiKeyId", "firstSeenAt", network LIMIT ${of.limit}`.execute(tx);
  return rows;
}

/** Keeps the `keep` most recently seen networks of each key, and none of archived keys. */
export async function deleteOldNetworks(db: Database, keep: number): Promise<void> {
  await sql`
    DELETE FROM api_key_network USING (
      SELECT known.api_key_id, known.network FROM api_key_network AS known
        JOIN api_key ON api_key.id = known.api_key_id AND api_key.status = 'archived'
      UNION ALL
      SELECT api_key_id, network FROM (
        SELECT api_key_id, network,
          row_number() OVER (PARTITION BY api_key_id ORDER BY last_seen_at DESC, first_seen_at DESC, network) AS place
        FROM api_key_network) AS numbered
      WHERE place > ${keep}
    ) AS old
    WHERE api_key_network.api_key_id = old.api_key_id AND api_key_network.network = old.network`.execute(
    db,
  );
}

const columns = sql`alert.id AS "alertId", api_key.organization_id AS "organizationId",
  api_key.workspace_id AS "workspaceId", api_key.id AS "apiKeyId"`;

function watchedKeys(kind: string): RawBuilder<unknown> {
  return sql`alert
    JOIN api_key ON api_key.organization_id = alert.organization_id AND CASE alert.scope_type
      WHEN 'organization' THEN true WHEN 'workspace' THEN api_key.workspace_id = alert.scope_id
      ELSE api_key.id = alert.scope_id END
      AND alert.kind = ${kind} AND alert.is_enabled AND alert.deleted_at IS NULL
    JOIN workspace ON workspace.id = api_key.workspace_id AND workspace.archived_at IS NULL
    LEFT JOIN member ON member.id = api_key.owner_member_id`;
}

const isWorking = sql`api_key.status = 'active' AND api_key.purpose = 'calls'
  AND coalesce(${ownerState}, 'active') = 'active'`;

/** The format of `Date.toISOString`, which episodes use. */
function isoOf(time: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** The format of `formatPlural` in evaluate-keys.ts, which thresholds use. */
const daysText = sql<string>`found.days || CASE found.days WHEN 1 THEN ' day' ELSE ' days' END`;

function hasFired(episode: RawBuilder<string>, threshold: RawBuilder<unknown>) {
  return sql`EXISTS (SELECT FROM alert_firing WHERE alert_id = found."alertId" AND scope_type = 'api_key'
    AND scope_id = found."apiKeyId" AND episode = ${episode} AND threshold = ${threshold})`;
}
