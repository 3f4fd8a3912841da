import { errorCodes } from "@bursar/contract/errors.ts";
import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { OwnScopeType } from "#src/db/tables.ts";
import { EVENT_STATUS } from "#src/recording/rollup-tables.ts";

// Alerts about requests with the counts of their windows, and the episodes of their conditions.

/** An alert whose condition is true now, for one scope. */
export interface RequestFinding {
  alertId: string;
  organizationId: string;
  scopeType: OwnScopeType;
  scopeId: string;
  workspaceId: string | null;
  /** Threshold of the condition, independent of the count: an episode fires once. */
  threshold: string;
  minutes: number;
  requests: number;
  /** Null for refused requests. */
  failedRequests: number | null;
  /** Most frequent cause of refused requests. Null: failed requests, or refusals of a node of 0.1. */
  topErrorCode?: string | null;
  topErrorRequests?: number | null;
}

/** Longest duration of a request that the index on its start finds. */
const LONGEST_REQUEST = sql`interval '1 hour'`;
/** Failures of the upstream, not of the client. */
const FAILED = sql`('server_error', 'interrupted', 'unreached')`;
/** Each table of the log has a partial index for one of the conditions. */
const HAS_FAILED_OUTCOME = sql`outcome_code >= 2 AND outcome NOT IN ('answered', 'aborted')`;
const isFailed = sql`${sql.raw(EVENT_STATUS)} IN ${FAILED}`;

/** Longest window, minutes, that is read by request. Longer windows are read as sums of hours. */
const LONG_WINDOW = sql.lit(120);

/**
 * Requests count by their end. In a long window they count by their start, like the sums of hours. Failed requests are
 * counted first with their index. The other requests of a window are read only if enough failed for an alert.
 */
export async function listUpstreamErrors(tx: Tx, now: Date): Promise<RequestFinding[]> {
  const isWithin = sql`recorded_request.organization_id = rule.organization_id
    AND started_at > ${startOf(now)} - ${LONGEST_REQUEST} AND ended_at > ${startOf(now)}`;
  const { rows } = await sql<RequestFinding>`
    WITH rule AS MATERIALIZED (
      SELECT *, (condition ->> 'minutes')::integer AS minutes, (condition ->> 'percent')::integer AS percent,
        (condition ->> 'min_requests')::integer AS min_requests
      FROM alert WHERE kind = 'upstream_errors' AND is_enabled AND deleted_at IS NULL
    ), candidate AS MATERIALIZED (
      SELECT organization_id, minutes FROM rule GROUP BY organization_id, minutes
      HAVING (SELECT count(*) FROM recorded_request
        WHERE ${isWithin} AND ${HAS_FAILED_OUTCOME} AND ${isFailed}) * 100
        >= min(percent::bigint * min_requests)
    ), counted AS (
      SELECT rule.organization_id, rule.minutes, workspace_id, api_key_id, 1 AS requests, (${isFailed})::integer AS failed
      FROM candidate AS rule JOIN recorded_request ON rule.minutes <= ${LONG_WINDOW} AND ${isWithin}
      UNION ALL
      SELECT rule.organization_id, rule.minutes, workspace_id, api_key_id, 1, (${isFailed})::integer
      FROM candidate AS rule JOIN recorded_request ON rule.minutes > ${LONG_WINDOW}
        AND recorded_request.organization_id = rule.organization_id
        AND started_at > ${startOf(now)} AND started_at < ${firstHourOf(now)}
      UNION ALL
      SELECT rule.organization_id, rule.minutes, workspace_id, api_key_id, requests,
        CASE WHEN status IN ${FAILED} THEN requests ELSE 0 END
      FROM candidate AS rule JOIN usage_hour ON rule.minutes > ${LONG_WINDOW}
        AND usage_hour.organization_id = rule.organization_id AND bucket_at >= ${firstHourOf(now)}
    ), by_key AS MATERIALIZED (
      SELECT ${keyColumns}, sum(requests) AS requests, sum(failed) AS failed FROM counted AS rule GROUP BY ${keyColumns}
    ), place AS (
      SELECT ${placeColumns}, sum(requests)::integer AS requests, sum(failed)::integer AS failed
      FROM by_key AS rule GROUP BY ${placeSets}
    )
    SELECT ${findingColumns}, rule.percent || '%' AS threshold, place.failed AS "failedRequests"
    FROM rule JOIN place ON ${isWatched}
    WHERE place.requests >= rule.min_requests AND place.failed::bigint * 100 >= place.requests::bigint * rule.percent
    ORDER BY rule.id, place.scope_type, place.scope_id`.execute(tx);
  return rows;
}

/**
 * Refusals of known keys with a 4xx. Counts whole minutes that began within the window, so never too many requests. Nodes of
 * 0.1 count without a cause, in tables of their own.
 */
export async function listRefusedRequests(tx: Tx, now: Date): Promise<RequestFinding[]> {
  const { rows } = await sql<RequestFinding>`
    WITH rule AS MATERIALIZED (
      SELECT *, (condition ->> 'minutes')::integer AS minutes, (condition ->> 'count')::integer AS min_count
      FROM alert WHERE kind = 'refused_requests' AND is_enabled AND deleted_at IS NULL
    ), watched AS (
      SELECT DISTINCT organization_id, minutes FROM rule
    ), counted AS (
      SELECT rule.organization_id, rule.minutes, workspace_id, api_key_id, error_code, requests
      FROM watched AS rule JOIN refusal_minute ON refusal_minute.organization_id = rule.organization_id
        AND bucket_at > ${startOf(now)} AND bucket_at < ${firstHourOf(now)} AND ${isCountedRefusal}
      UNION ALL
      SELECT rule.organization_id, rule.minutes, workspace_id, api_key_id, error_code, requests
      FROM watched AS rule JOIN refusal_hour ON refusal_hour.organization_id = rule.organization_id
        AND bucket_at >= ${firstHourOf(now)} AND ${isCountedRefusal}
      UNION ALL
      SELECT rule.organization_id, rule.minutes, workspace_id, api_key_id, NULL, requests
      FROM watched AS rule JOIN refused_request ON refused_request.organization_id = rule.organization_id
        AND minute_at > ${startOf(now)} AND minute_at < ${firstHourOf(now)}
      UNION ALL
      SELECT rule.organization_id, rule.minutes, workspace_id, api_key_id, NULL, requests
      FROM watched AS rule JOIN refused_request_hour ON refused_request_hour.organization_id = rule.organization_id
        AND hour_at >= ${firstHourOf(now)}
    ), by_cause AS MATERIALIZED (
      SELECT ${keyColumns}, error_code, sum(requests) AS requests FROM counted AS rule GROUP BY ${keyColumns}, error_code
    ), place_cause AS (
      SELECT ${placeColumns}, error_code, sum(requests)::integer AS requests
      FROM by_cause AS rule GROUP BY error_code, ${placeSets}
    ), place AS (
      SELECT organization_id, minutes, workspace_id, scope_type, scope_id, sum(requests)::integer AS requests,
        (array_agg(error_code ORDER BY requests DESC, error_code) FILTER (WHERE error_code IS NOT NULL))[1] AS top_code,
        max(requests) FILTER (WHERE error_code IS NOT NULL) AS top_requests
      FROM place_cause GROUP BY organization_id, minutes, workspace_id, scope_type, scope_id
    )
    SELECT ${findingColumns}, place.top_code AS "topErrorCode", place.top_requests AS "topErrorRequests", rule.min_count || CASE rule.min_count WHEN 1 THEN ' request' ELSE ' requests' END AS threshold,
      NULL AS "failedRequests"
    FROM rule JOIN place ON ${isWatched}
    WHERE place.requests >= rule.min_count
    ORDER BY rule.id, place.scope_type, place.scope_id`.execute(tx);
  return rows;
}

/** Causes that are no fault of the client. */
const serverErrorCodes = Object.entries(errorCodes).flatMap(([code, { status }]) =>
  status >= 500 ? [code] : [],
);
/** True for rows of refusals that alerts count. */
export const isCountedRefusal = sql`api_key_id <> '' AND error_code <> ALL(${serverErrorCodes}::text[])`;

/** Start of a rule's window, which ends now. */
const startOf = (now: Date) => sql`(${now}::timestamptz - rule.minutes * interval '1 minute')`;
/** Start of the first whole hour of the window. */
const firstHourOf = (now: Date) =>
  sql`(date_trunc('hour', ${startOf(now)}, 'UTC') + interval '1 hour')`;

/** The sums by key come first: then the sort for workspaces and the organization has one row per key. */
const keyColumns = sql`rule.organization_id, rule.minutes, rule.workspace_id, rule.api_key_id`;

/** Columns of rows with a workspace and a key, joined to the `rule` of their window. */
const placeColumns = sql`rule.organization_id, rule.minutes, workspace_id,
  CASE WHEN grouping(workspace_id) = 1 THEN 'organization' WHEN grouping(api_key_id) = 1 THEN 'workspace'
    ELSE 'api_key' END AS scope_type,
  coalesce(api_key_id, workspace_id, rule.organization_id::text) AS scope_id`;

/** Sums for the organization, for each workspace and for each key. */
const placeSets = sql`GROUPING SETS ((rule.organization_id, rule.minutes),
  (rule.organization_id, rule.minutes, workspace_id), (rule.organization_id, rule.minutes, workspace_id, api_key_id))`;

const findingColumns = sql`rule.id AS "alertId", rule.organization_id AS "organizationId",
  place.scope_type AS "scopeType", place.scope_id AS "scopeId", place.workspace_id AS "workspaceId", rule.minutes,
  place.requests`;

const isWatched: RawBuilder<boolean> = sql`place.organization_id = rule.organization_id
  AND place.minutes = rule.minutes AND (
    (place.scope_type = rule.scope_type AND place.scope_id = rule.scope_id)
    OR (rule.includes_below AND (rule.scope_type = 'organization' OR (rule.scope_type = 'workspace'
      AND place.scope_type = 'api_key' AND place.workspace_id = rule.scope_id))))
  -- Playground requests count for the workspace, but their hidden keys have no alerts.
  AND (place.scope_type <> 'api_key'
    OR EXISTS (SELECT FROM api_key WHERE api_key.id = place.scope_id AND api_key.purpose <> 'playground'))`;

/**
 * Records that these conditions are true now. Returns the start of each episode: now, if the condition was false for its
 * whole window. A concurrent node waits, and gets the same result.
 */
export async function saveEpisodes(
  tx: Tx,
  findings: readonly RequestFinding[],
  now: Date,
): Promise<(RequestFinding & { beganAt: Date })[]> {
  const { rows } = await sql<{ place: string; beganAt: Date }>`
    WITH seen AS (
      SELECT * FROM unnest(${findings.map(({ alertId }) => alertId)}::text[],
        ${findings.map(({ scopeType }) => scopeType)}::text[], ${findings.map(({ scopeId }) => scopeId)}::text[])
        WITH ORDINALITY AS seen (alert_id, scope_type, scope_id, place)
    ), saved AS (
      INSERT INTO alert_episode AS known (alert_id, scope_type, scope_id, began_at, last_seen_at)
      SELECT alert_id, scope_type, scope_id, ${now}, ${now} FROM seen ORDER BY alert_id, scope_type, scope_id
      ON CONFLICT (alert_id, scope_type, scope_id) DO UPDATE SET
        began_at = CASE WHEN known.last_seen_at < excluded.last_seen_at - (
            SELECT (condition ->> 'minutes')::integer FROM alert WHERE id = known.alert_id) * interval '1 minute'
          THEN excluded.began_at ELSE known.began_at END,
        last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
      RETURNING alert_id, scope_type, scope_id, began_at
    )
    SELECT seen.place::text, saved.began_at AS "beganAt" FROM seen JOIN saved USING (alert_id, scope_type, scope_id)
  `.execute(tx);
  const beganAt = new Map(rows.map((row) => [row.place, row.beganAt]));
  return findings.flatMap((each, index) => {
    const since = beganAt.get(String(index + 1));
    return since ? [{ ...each, beganAt: since }] : [];
  });
}

/** Deletes counts that nodes of 0.1 wrote. */
export async function deleteOldRefusals(db: Database, before: Date): Promise<void> {
  await sql`DELETE FROM refused_request WHERE minute_at < ${before}`.execute(db);
  await sql`DELETE FROM refused_request_hour WHERE hour_at < ${before}`.execute(db);
}

/** Deletes episodes whose condition was last true before this time. */
export async function deleteOldEpisodes(db: Database, before: Date): Promise<void> {
  await sql`DELETE FROM alert_episode WHERE last_seen_at < ${before}`.execute(db);
}
