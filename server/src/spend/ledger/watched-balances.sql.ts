import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { RECORDED_SPEND } from "#src/recording/recorded-spend.sql.ts";
import { canBeComplete, keepsAllBalances, ownScopes } from "./balances.sql.ts";
import { type LeaseClock, nowOf } from "./lease-clock.sql.ts";
import type { BalanceKey } from "./spend-key.ts";

// Balances of scopes that are watched: by a limit, or by an alert about an amount. The fold keeps them. The statements here
// create them for a new limit, and delete those of scopes that nothing watches any more.

/** Enabled alerts about amounts, with one row for each period of their thresholds. */
export const watchingAlerts = sql`
  SELECT DISTINCT organization_id, scope_type, scope_id, includes_below, threshold ->> 'period' AS period
  FROM alert CROSS JOIN LATERAL jsonb_array_elements(condition -> 'thresholds') AS threshold
  WHERE kind = 'spend_limit' AND is_enabled AND deleted_at IS NULL AND threshold ? 'amount_usd'`;

/**
 * SQL of whether a row of `watchingAlerts` is about a scope, whatever the period. The scope has a workspace_id. An alert of
 * the organization watches the amounts of its workspaces and keys too, and not those of members, groups and tags.
 */
export function isWatchedBy(alert: string, scope: string): RawBuilder<boolean> {
  const ref = (table: string, column: string) => sql.ref(`${table}.${column}`);
  return sql<boolean>`(${ref(alert, "organization_id")} = ${ref(scope, "organization_id")} AND (
    (${ref(alert, "scope_type")} = ${ref(scope, "scope_type")} AND ${ref(alert, "scope_id")} = ${ref(scope, "scope_id")})
    OR (${ref(alert, "includes_below")} AND ${ref(scope, "scope_type")} IN ${ownScopes}
      AND (${ref(alert, "scope_type")} = 'organization'
      OR (${ref(alert, "scope_type")} = 'workspace' AND ${ref(alert, "scope_id")} = ${ref(scope, "workspace_id")})))))`;
}

/** Clocks of nodes and of the database differ by less. */
const CLOCKS = sql`interval '1 hour'`;

/** Periods of a limit `l` that run by some node's clock. */
function runningPeriods(now: RawBuilder<Date>) {
  return sql`(SELECT DISTINCT date_trunc(CASE l.period WHEN 'daily' THEN 'day' WHEN 'weekly' THEN 'week' ELSE 'month' END,
      at AT TIME ZONE 'UTC')::date AS period_start
    FROM (VALUES (${now} - ${CLOCKS}), (${now}), (${now} + ${CLOCKS})) AS clock (at)) AS running`;
}

/** Workspace of the scope of `l`. Null: organization. */
const workspaceOf = sql`CASE l.scope_type WHEN 'workspace' THEN l.scope_id
  WHEN 'api_key' THEN (SELECT workspace_id FROM api_key WHERE id = l.scope_id) END`;

/** Sets incomplete and missing balances of the selected places to their recorded spend. */
async function setToRecorded(
  tx: Database | Tx,
  places: RawBuilder<unknown>,
  isComplete: RawBuilder<boolean>,
): Promise<void> {
  await sql`
    WITH wanted AS MATERIALIZED (
      SELECT DISTINCT place.* FROM (${places}) AS place
      LEFT JOIN balance USING (scope_type, scope_id, period, period_start)
      WHERE balance.is_complete IS NOT TRUE AND (place.scope_type <> 'api_key' OR place.workspace_id IS NOT NULL)
    ), recorded AS MATERIALIZED (SELECT wanted.*, ${RECORDED_SPEND} AS nano_usd FROM wanted)
    INSERT INTO balance AS b
      (scope_type, scope_id, period, period_start, organization_id, settled_nano_usd, is_complete)
    SELECT scope_type, scope_id, period, period_start, organization_id, nano_usd,
      ${isComplete} AND ${canBeComplete(sql`scope_type`)} FROM recorded
    WHERE nano_usd > 0 OR EXISTS (SELECT FROM balance WHERE balance.scope_type = recorded.scope_type
      AND balance.scope_id = recorded.scope_id AND balance.period = recorded.period
      AND balance.period_start = recorded.period_start)
    ORDER BY concat_ws(E'\n', scope_type, scope_id, period, period_start) COLLATE "C"
    ON CONFLICT (scope_type, scope_id, period, period_start)
    DO UPDATE SET settled_nano_usd = excluded.settled_nano_usd, is_complete = excluded.is_complete
    WHERE NOT b.is_complete`.execute(tx);
}

const limitPlaces = sql`SELECT l.organization_id, ${workspaceOf} AS workspace_id, l.scope_type, l.scope_id, l.period,
  running.period_start`;

/** Places of these limits in the running periods. OFFSET 0: the periods are computed for these limits only. */
function placesOfLimits(ids: readonly string[], now: RawBuilder<Date>) {
  return sql`${limitPlaces} FROM (SELECT * FROM spend_limit WHERE id = ANY(${ids}::text[]) OFFSET 0) AS l
    CROSS JOIN LATERAL ${runningPeriods(now)}`;
}

/**
 * Creates the balances of limits for the running periods, for the first decisions and screens. A concurrent fold may be
 * missing, so they are incomplete until the next fold of the scope, or until `completeLimits`.
 */
export function createLimitBalances(
  tx: Database | Tx,
  limits: readonly { id: string }[],
): Promise<void> {
  const ids = limits.map(({ id }) => id);
  return setToRecorded(tx, placesOfLimits(ids, nowOf({ atMs: null })), keepsAllBalances());
}

/** Older balances are not completed: no decision reads them, and their days may be deleted. */
const COMPLETED_DAYS = 40;

/** SQL of the incomplete balances of limits. A fold that ran when their limit was set may be missing. */
export function incompleteBalances(clock: LeaseClock): RawBuilder<unknown> {
  return sql`
    SELECT l.organization_id, ${workspaceOf} AS workspace_id, l.scope_type, l.scope_id, l.period, b.period_start
    FROM balance AS b JOIN spend_limit AS l USING (scope_type, scope_id, period)
    WHERE NOT b.is_complete AND b.period_start > (${nowOf(clock)} - ${COMPLETED_DAYS} * interval '24 hours')::date
      AND (l.scope_type <> 'api_key' OR ${workspaceOf} IS NOT NULL) AND ${canBeComplete(sql`l.scope_type`)}`;
}

/**
 * Completes the balances of these limits for the running periods, and up to `limit` incomplete ones of other limits. Returns
 * the number of the latter. The transaction has the fold's lock, so each folded request is counted once.
 */
export async function completeLimits(
  tx: Tx,
  of: { ids: readonly string[]; limit: number; clock: LeaseClock },
): Promise<number> {
  const { rows } = await sql<PlaceRow>`
    SELECT scope_type AS "scopeType", scope_id AS "scopeId", period, period_start AS "periodStart",
      organization_id AS "organizationId", workspace_id AS "workspaceId"
    FROM (${incompleteBalances(of.clock)} LIMIT ${of.limit}) AS place`.execute(tx);
  await setToRecorded(
    tx,
    sql`${placesOfLimits(of.ids, nowOf(of.clock))} UNION ALL SELECT * FROM ${unnestPlaces(rows)}`,
    sql`true`,
  );
  return rows.length;
}

type PlaceRow = BalanceKey & { organizationId: string; workspaceId: string | null };

function unnestPlaces(places: readonly PlaceRow[]): RawBuilder<unknown> {
  return sql`unnest(${places.map(({ organizationId }) => organizationId)}::uuid[],
      ${places.map(({ workspaceId }) => workspaceId)}::text[], ${places.map(({ scopeType }) => scopeType)}::text[],
      ${places.map(({ scopeId }) => scopeId)}::text[], ${places.map(({ period }) => period)}::text[],
      ${places.map(({ periodStart }) => periodStart)}::date[])
      AS place (organization_id, workspace_id, scope_type, scope_id, period, period_start)`;
}

/** Completes the balances of the watched scopes among these. The transaction has the fold's lock. */
export function completeWatched(
  tx: Tx,
  places: readonly (BalanceKey & { organizationId: string; workspaceId: string | null })[],
): Promise<void> {
  return setToRecorded(
    tx,
    sql`SELECT place.* FROM ${unnestPlaces(places)}
      WHERE EXISTS (SELECT FROM spend_limit AS l WHERE l.scope_type = place.scope_type AND l.scope_id = place.scope_id
          AND l.period = place.period)
        OR EXISTS (SELECT FROM (${watchingAlerts}) AS watching WHERE ${isWatchedBy("watching", "place")}
          AND watching.period = place.period)`,
    sql`true`,
  );
}

/** SQL of whether nothing needs the balance `b`: no limit or count, no alert about an amount, no lease, only spend. */
const isUnwatched = sql<boolean>`(b.leased_nano_usd = 0 AND b.unresolved_nano_usd = 0 AND b.overrun_nano_usd = 0
  AND b.limit_overrun_nano_usd = 0
  AND NOT EXISTS (SELECT FROM spend_limit AS l WHERE l.scope_type = b.scope_type AND l.scope_id = b.scope_id
    AND l.period = b.period)
  AND NOT EXISTS (SELECT FROM counted_limit AS c WHERE c.scope_type = b.scope_type AND c.scope_id = b.scope_id
    AND c.period = b.period)
  AND NOT EXISTS (SELECT FROM lease WHERE lease.scope_type = b.scope_type AND lease.scope_id = b.scope_id
    AND lease.period = b.period AND lease.period_start = b.period_start)
  AND NOT EXISTS (
    SELECT FROM (${watchingAlerts}) AS watching, (SELECT b.*, CASE b.scope_type WHEN 'workspace' THEN b.scope_id
      WHEN 'api_key' THEN (SELECT workspace_id FROM api_key WHERE id = b.scope_id) END AS workspace_id) AS scope
    WHERE watching.period = b.period AND ${isWatchedBy("watching", "scope")}))`;

/** Place in the order of the primary key. */
type BalancePosition = { [Field in keyof BalanceKey]: string };

export const BEFORE_ALL_BALANCES: BalancePosition = {
  scopeType: "",
  scopeId: "",
  period: "",
  periodStart: "-infinity",
};

const position = sql`(b.scope_type, b.scope_id, b.period, b.period_start)`;

function rowOf({ scopeType, scopeId, period, periodStart }: BalancePosition) {
  return sql`(${scopeType}::text, ${scopeId}::text, ${period}::text, ${periodStart}::date)`;
}

/** True while folds keep every balance, because of nodes of version 0.1. */
export async function areAllBalancesKept(db: Database | Tx): Promise<boolean> {
  const { rows } = await sql<{ isKept: boolean }>`SELECT ${keepsAllBalances()} AS "isKept"`.execute(
    db,
  );
  return rows[0]?.isKept !== false;
}

/** Looks at the next balances. `last`: the position of the last one. Null: there are no more. */
export async function findUnwatched(
  db: Database,
  { after, limit }: { after: BalancePosition; limit: number },
): Promise<{ last: BalancePosition; hasUnwatched: boolean } | null> {
  const { rows } = await sql<BalancePosition & { hasUnwatched: boolean }>`
    SELECT scope_type AS "scopeType", scope_id AS "scopeId", period, period_start AS "periodStart",
      bool_or(${isUnwatched}) OVER () AS "hasUnwatched"
    FROM (SELECT * FROM balance AS b WHERE ${position} > ${rowOf(after)}
      ORDER BY scope_type, scope_id, period, period_start LIMIT ${limit}) AS b
    ORDER BY scope_type DESC, scope_id DESC, period DESC, period_start DESC LIMIT 1`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  const { hasUnwatched, ...last } = row;
  return { last, hasUnwatched };
}

/**
 * Deletes the unwatched balances after a position up to another one. Rows that another transaction has locked stay until
 * the next run. Returns their number. The transaction has the fold's lock, because a fold adds to a balance that exists.
 */
export async function deleteUnwatched(
  tx: Tx,
  { after, last }: { after: BalancePosition; last: BalancePosition },
): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM balance WHERE ctid = ANY(ARRAY(
      SELECT b.ctid FROM balance AS b WHERE ${position} > ${rowOf(after)} AND ${position} <= ${rowOf(last)} AND ${isUnwatched} AND NOT ${keepsAllBalances()}
      FOR UPDATE OF b SKIP LOCKED))`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}
