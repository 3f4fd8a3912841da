import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { ownerState } from "#src/key-lookup/owner-state.sql.ts";

// Alerts about keys beside the keys that they watch, less what has fired. A key belongs to nothing but itself, so an alert
// watches all keys of its scope, whether it includes what is below or not. Keys that do not work any more, and those of
// the playground, are nobody's news.

/** What an alert has to say about a key. */
export interface KeyNews {
  alertId: string;
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
  /** Of the condition: days before the expiry, or without a use. */
  days: number;
}

/** Where several days of one alert are reached at once only the least of them is news. `limit`: rows, at most. */
export async function listExpiringKeys(
  tx: Tx,
  of: { now: Date; limit: number },
): Promise<(KeyNews & { expiresAt: Date })[]> {
  const { rows } = await sql<KeyNews & { expiresAt: Date }>`
    SELECT * FROM (
      SELECT DISTINCT ON (alert.id, api_key.id) ${columns}, api_key.expires_at AS "expiresAt",
        threshold.days::integer AS days
      FROM ${watchedKeys("key_expiring")}
        CROSS JOIN LATERAL jsonb_array_elements_text(alert.condition -> 'days') AS threshold (days)
      WHERE ${isWorking} AND threshold.days::integer * interval '24 hours' >= api_key.expires_at - ${of.now}::timestamptz
        -- No days before: on the day after.
        AND (api_key.expires_at > ${of.now} OR (threshold.days = '0' AND api_key.expires_at > ${of.now}::timestamptz - interval '24 hours'))
      ORDER BY alert.id, api_key.id, threshold.days::integer
    ) AS news
    WHERE NOT ${hasFired(isoOf(sql`news."expiresAt"`), daysText)}
    ORDER BY "alertId", "apiKeyId" LIMIT ${of.limit}`.execute(tx);
  return rows;
}

/** Counted from the last use of any of its secrets; of a key that never was used, from the day it was made. */
export async function listUnusedKeys(
  tx: Tx,
  of: { now: Date; limit: number },
): Promise<(KeyNews & { since: Date; lastUsedAt: Date | null })[]> {
  const { rows } = await sql<KeyNews & { since: Date; lastUsedAt: Date | null }>`
    SELECT * FROM (
      SELECT ${columns}, coalesce(used.at, api_key.created_at) AS since, used.at AS "lastUsedAt",
        (alert.condition ->> 'days')::integer AS days
      FROM ${watchedKeys("key_unused")}
        CROSS JOIN LATERAL (
          SELECT max(last_used_at) AS at FROM api_key_secret WHERE api_key_id = api_key.id) AS used
      WHERE ${isWorking} AND (api_key.expires_at IS NULL OR api_key.expires_at > ${of.now})
        AND coalesce(used.at, api_key.created_at)
          <= ${of.now}::timestamptz - (alert.condition ->> 'days')::integer * interval '24 hours'
    ) AS news
    WHERE NOT ${hasFired(isoOf(sql`news.since`), daysText)}
    ORDER BY "alertId", "apiKeyId" LIMIT ${of.limit}`.execute(tx);
  return rows;
}

/** Longer than any stop of all nodes that still lets an alert be news. */
const NEW_FOR = sql`interval '24 hours'`;

/**
 * Networks that a key was used from for the first time lately, and since the alert was made. The first one of all is no
 * news.
 */
export async function listNewNetworks(
  tx: Tx,
  of: { now: Date; limit: number },
): Promise<(Omit<KeyNews, "days"> & { network: string; firstSeenAt: Date })[]> {
  const { rows } = await sql<Omit<KeyNews, "days"> & { network: string; firstSeenAt: Date }>`
    SELECT * FROM (
      SELECT ${columns}, known.network, known.first_seen_at AS "firstSeenAt"
      FROM ${watchedKeys("key_new_address")}
        JOIN api_key_network AS known ON known.api_key_id = api_key.id
          AND known.first_seen_at > ${of.now}::timestamptz - ${NEW_FOR} AND known.first_seen_at > alert.created_at
      WHERE ${isWorking} AND EXISTS (
        SELECT FROM api_key_network AS before WHERE before.api_key_id = known.api_key_id
          AND (before.first_seen_at, before.network) < (known.first_seen_at, known.network))
    ) AS news
    WHERE NOT ${hasFired(isoOf(sql`news."firstSeenAt"`), sql`news.network`)}
    ORDER BY "alertId", "apiKeyId", "firstSeenAt", network LIMIT ${of.limit}`.execute(tx);
  return rows;
}

/** Of each key those that were seen last stay, `keep` of them; of archived keys none. */
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

/** As `Date.toISOString` writes it, which episodes hold. */
function isoOf(time: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** As `daysText` of evaluate-keys.ts writes it, which thresholds are. */
const daysText = sql<string>`news.days || CASE news.days WHEN 1 THEN ' day' ELSE ' days' END`;

function hasFired(episode: RawBuilder<string>, threshold: RawBuilder<unknown>) {
  return sql`EXISTS (SELECT FROM alert_firing WHERE alert_id = news."alertId" AND scope_type = 'api_key'
    AND scope_id = news."apiKeyId" AND episode = ${episode} AND threshold = ${threshold})`;
}
