import { type RawBuilder, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { RECORDED_SPEND } from "#src/recording/recorded-spend.sql.ts";
import {
  type Balance,
  canBeComplete,
  keepsAllBalances,
  ownScopes,
  scopesOf,
} from "./balances.sql.ts";
import type { LeaseKey } from "./lease-rules.ts";
import { isWatchedBy, watchingAlerts } from "./watched-balances.sql.ts";

// Cost of appended batches, added to balances by the fold. The rows of a batch (usage_batch) have the cost for each minute
// and key, and every balance counts whole days.

/** Overrun of one balance. Integer nano-USD. */
export interface OverrunCharge extends LeaseKey {
  overrunNanoUsd: bigint;
}

/** A balance after a fold. */
export interface ChargedBalance extends Balance {
  /** Workspace of the scope. Null: organization. */
  workspaceId: string | null;
  /** Cost that the fold added. Part of the settled amount. */
  addedNanoUsd: bigint;
  hasLimit: boolean;
}

/** Cost for each node, chain and day of the batches. */
function selectCharges(ids: RawBuilder<unknown>) {
  return sql`
    SELECT batch.node_id, labels.organization_id, labels.workspace_id, labels.api_key_id, labels.member_id,
      labels.group_ids, labels.tag_ids, (one.bucket_at AT TIME ZONE 'UTC')::date AS day, sum_bigint(one.cost_nano_usd) AS nano_usd
    FROM usage_batch AS batch
    CROSS JOIN LATERAL unnest(batch.bucket_at, batch.labels_id, batch.cost_nano_usd)
      AS one (bucket_at, labels_id, cost_nano_usd)
    JOIN usage_labels AS labels ON labels.id = one.labels_id
    WHERE batch.id = ANY(${ids})
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 HAVING sum_bigint(one.cost_nano_usd) > 0`;
}

const periods = sql`(VALUES ('daily', 'day'), ('weekly', 'week'), ('monthly', 'month')) AS period (name, unit)`;

/** Scopes and periods that count a row of `charge`. */
const scopesAndPeriods = sql`CROSS JOIN LATERAL ${scopesOf("charge")} AS scope (type, id) CROSS JOIN ${periods}`;

/** Order of `balanceKeyText`, in which every transaction locks balances. */
const inKeyOrder = sql`ORDER BY concat_ws(E'\n', scope_type, scope_id, period, period_start) COLLATE "C"`;

/** Cost of the rows of `charge` by scope and day. Only scopes that may have a balance: most have none, and cost one look. */
const spentByScope = sql`
  SELECT * FROM (
    SELECT 'api_key' AS scope_type, api_key_id AS scope_id, workspace_id, organization_id, day,
      sum_bigint(nano_usd) AS nano_usd
    FROM charge GROUP BY 2, 3, 4, 5
    UNION ALL
    SELECT 'workspace', workspace_id, workspace_id, organization_id, day, sum_bigint(nano_usd)
    FROM charge GROUP BY 2, 3, 4, 5
    UNION ALL
    SELECT 'organization', organization_id::text, NULL, organization_id, day, sum_bigint(nano_usd)
    FROM charge GROUP BY 2, 4, 5
    UNION ALL
    SELECT 'member', member_id, NULL, organization_id, day, sum_bigint(nano_usd)
    FROM charge WHERE member_id <> '' GROUP BY 2, 4, 5
    UNION ALL
    SELECT 'group', id, NULL, organization_id, day, sum_bigint(nano_usd)
    FROM charge CROSS JOIN LATERAL unnest(string_to_array(group_ids, ',')) AS id WHERE group_ids <> '' GROUP BY 2, 4, 5
    UNION ALL
    SELECT 'tag', id, NULL, organization_id, day, sum_bigint(nano_usd)
    FROM charge CROSS JOIN LATERAL unnest(string_to_array(tag_ids, ',')) AS id WHERE tag_ids <> '' GROUP BY 2, 4, 5
  ) AS scope
  WHERE ${keepsAllBalances()} AND scope.scope_type IN ${ownScopes}
    OR EXISTS (SELECT FROM balance WHERE balance.scope_type = scope.scope_type AND balance.scope_id = scope.scope_id)
    OR EXISTS (SELECT FROM spend_limit WHERE spend_limit.scope_type = scope.scope_type
      AND spend_limit.scope_id = scope.scope_id)
    OR EXISTS (SELECT FROM counted_limit WHERE counted_limit.scope_type = scope.scope_type
      AND counted_limit.scope_id = scope.scope_id)
    OR EXISTS (SELECT FROM watching WHERE ${isWatchedBy("watching", "scope")})`;

function selectHoldRows(holds: readonly OverrunCharge[]) {
  return sql`
    SELECT scope_type, scope_id, period, period_start, organization_id, overrun
    FROM unnest(${holds.map(({ scopeType }) => scopeType)}::text[], ${holds.map(({ scopeId }) => scopeId)}::text[],
      ${holds.map(({ period }) => period)}::text[], ${holds.map((each) => each.periodStart)}::date[],
      ${holds.map(({ organizationId }) => organizationId)}::uuid[],
      ${holds.map((each) => each.overrunNanoUsd)}::bigint[])
      AS hold (scope_type, scope_id, period, period_start, organization_id, overrun)`;
}

/**
 * Adds the cost of the batches to the balances of their scopes. The rollups have it already. A watched
 * scope without a complete balance gets one with all its counted spend. So does a scope of a removed limit while folds count
 * its draws, because the limit may return and grant at once. Other scopes get a balance for overruns and unresolved holds
 * only. Returns the balances of watched scopes.
 */
export async function addBatchCharges(
  tx: Tx,
  ids: readonly bigint[],
  holds: readonly OverrunCharge[],
): Promise<ChargedBalance[]> {
  const { rows } = await sql<ChargedBalance>`
    WITH charge AS MATERIALIZED (${selectCharges(sql`${ids}::bigint[]`)}),
    watching AS MATERIALIZED (${watchingAlerts}),
    spent AS MATERIALIZED (${spentByScope}),
    summed AS MATERIALIZED (
      SELECT scope_type, scope_id, period, period_start, organization_id,
        coalesce(max(workspace_id), (SELECT api_key.workspace_id FROM api_key
          WHERE scope_type = 'api_key' AND api_key.id = scope_id)) AS workspace_id,
        sum_bigint(nano_usd) AS nano_usd, sum_bigint(overrun) AS overrun, bool_or(has_hold) AS has_hold
      FROM (
        SELECT scope_type, scope_id, period.name AS period, date_trunc(period.unit, day::timestamp)::date AS period_start,
          organization_id, workspace_id, nano_usd, 0 AS overrun, false AS has_hold
        FROM spent CROSS JOIN ${periods}
        UNION ALL
        SELECT scope_type, scope_id, period, period_start, organization_id, NULL, 0, overrun, true
        FROM (${selectHoldRows(holds)}) AS hold
      ) AS each GROUP BY 1, 2, 3, 4, 5
    ), wanted AS MATERIALIZED (
      SELECT summed.*, stored.is_complete, l.id IS NOT NULL AS has_limit,
        l.id IS NOT NULL OR EXISTS (SELECT FROM watching WHERE ${isWatchedBy("watching", "summed")}
          AND watching.period = summed.period) AS is_watched,
        keeps_all OR counted.id IS NOT NULL AS is_kept, keeps_all
      FROM summed CROSS JOIN LATERAL (
        SELECT ${keepsAllBalances()} AND summed.scope_type IN ${ownScopes} AS keeps_all) AS kept
      LEFT JOIN balance AS stored USING (scope_type, scope_id, period, period_start)
      LEFT JOIN spend_limit AS l USING (scope_type, scope_id, period)
      LEFT JOIN counted_limit AS counted USING (scope_type, scope_id, period)
    ), added AS (
      INSERT INTO balance AS b
        (scope_type, scope_id, period, period_start, organization_id, settled_nano_usd, overrun_nano_usd, is_complete)
      SELECT scope_type, scope_id, period, period_start, organization_id,
        CASE WHEN is_complete OR (keeps_all AND is_complete IS NULL) THEN nano_usd
          WHEN is_watched OR is_kept THEN ${RECORDED_SPEND} ELSE 0 END,
        overrun, is_complete IS TRUE OR ((is_watched OR is_kept) AND ${canBeComplete(sql`scope_type`)})
      FROM wanted WHERE is_complete OR is_watched OR is_kept OR has_hold ${inKeyOrder}
      ON CONFLICT (scope_type, scope_id, period, period_start) DO UPDATE SET
        settled_nano_usd = CASE WHEN b.is_complete THEN b.settled_nano_usd + excluded.settled_nano_usd
          WHEN excluded.is_complete OR excluded.settled_nano_usd > 0 THEN excluded.settled_nano_usd
          ELSE b.settled_nano_usd END,
        overrun_nano_usd = b.overrun_nano_usd + excluded.overrun_nano_usd,
        is_complete = b.is_complete OR excluded.is_complete
      RETURNING *
    )
    SELECT added.scope_type AS "scopeType", added.scope_id AS "scopeId", added.period,
      added.period_start AS "periodStart", added.organization_id AS "organizationId",
      added.settled_nano_usd AS "settledNanoUsd", added.leased_nano_usd AS "leasedNanoUsd",
      added.unresolved_nano_usd AS "unresolvedNanoUsd", added.overrun_nano_usd AS "overrunNanoUsd",
      added.limit_overrun_nano_usd AS "limitOverrunNanoUsd", wanted.workspace_id AS "workspaceId",
      wanted.nano_usd AS "addedNanoUsd", wanted.has_limit AS "hasLimit"
    FROM added JOIN wanted USING (scope_type, scope_id, period, period_start) WHERE wanted.is_watched`.execute(
    tx,
  );
  return rows;
}

/** Cost that no fold has added to its balance yet. */
export interface QueuedCharge extends LeaseKey {
  /** Integer nano-USD. */
  nanoUsd: bigint;
}

/** Lists the cost of all batches in the queue, for each balance of the organization. */
export async function listQueuedCharges(tx: Tx, organizationId: string): Promise<QueuedCharge[]> {
  const all = sql`ARRAY(SELECT id FROM usage_batch)`;
  const { rows } = await sql<QueuedCharge>`
    WITH charge AS MATERIALIZED (${selectCharges(all)})
    SELECT scope.type AS "scopeType", scope.id AS "scopeId", period.name AS period,
      date_trunc(period.unit, charge.day::timestamp)::date AS "periodStart",
      charge.organization_id AS "organizationId", sum_bigint(charge.nano_usd) AS "nanoUsd"
    FROM charge ${scopesAndPeriods}
    WHERE charge.organization_id = ${organizationId}::uuid GROUP BY 1, 2, 3, 4, 5`.execute(tx);
  return rows;
}

/** Lists what the batches in the queue will record as overruns and unresolved holds, as their nodes wrote it. */
export async function listQueuedHolds(tx: Tx): Promise<unknown[]> {
  const { rows } = await sql<{ holdCharges: unknown }>`
    SELECT hold_charges AS "holdCharges" FROM usage_batch WHERE hold_charges <> '[]'`.execute(tx);
  return rows.map(({ holdCharges }) => holdCharges);
}

/** Cost of one node's batches on one balance. */
export interface CostDraw extends LeaseKey {
  nodeId: string;
  /** Integer nano-USD. */
  addedNanoUsd: bigint;
}

/** Lists the cost of the batches on balances whose limit folds count. */
export async function listDraws(tx: Tx, ids: readonly bigint[]): Promise<CostDraw[]> {
  const { rows } = await sql<CostDraw>`
    WITH charge AS MATERIALIZED (${selectCharges(sql`${ids}::bigint[]`)}
      AND EXISTS (SELECT FROM counted_limit))
    SELECT charge.node_id AS "nodeId", scope.type AS "scopeType", scope.id AS "scopeId", period.name AS period,
      date_trunc(period.unit, charge.day::timestamp)::date AS "periodStart",
      charge.organization_id AS "organizationId", sum_bigint(charge.nano_usd) AS "addedNanoUsd"
    FROM charge ${scopesAndPeriods}
    JOIN counted_limit ON counted_limit.scope_type = scope.type AND counted_limit.scope_id = scope.id
      AND counted_limit.period = period.name
    GROUP BY 1, 2, 3, 4, 5, 6`.execute(tx);
  return rows;
}
