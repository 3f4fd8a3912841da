import { type RawBuilder, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { Balance } from "./balances.sql.ts";
import type { LeaseKey } from "./lease-rules.ts";

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

/** Cost for each node, key and day of the batches. */
function selectCharges(ids: RawBuilder<unknown>) {
  return sql`
    SELECT batch.node_id, labels.organization_id, labels.workspace_id, labels.api_key_id,
      (one.bucket_at AT TIME ZONE 'UTC')::date AS day, sum_bigint(one.cost_nano_usd) AS nano_usd
    FROM usage_batch AS batch
    CROSS JOIN LATERAL unnest(batch.bucket_at, batch.labels_id, batch.cost_nano_usd)
      AS one (bucket_at, labels_id, cost_nano_usd)
    JOIN usage_labels AS labels ON labels.id = one.labels_id
    WHERE batch.id = ANY(${ids})
    GROUP BY 1, 2, 3, 4, 5 HAVING sum_bigint(one.cost_nano_usd) > 0`;
}

/** Scopes and periods that count a row of `charge`. */
const scopesAndPeriods = sql`
  CROSS JOIN LATERAL (VALUES ('api_key', charge.api_key_id, charge.workspace_id),
    ('workspace', charge.workspace_id, charge.workspace_id),
    ('organization', charge.organization_id::text, NULL)) AS scope (type, id, workspace_id)
  CROSS JOIN (VALUES ('daily', 'day'), ('weekly', 'week'), ('monthly', 'month')) AS period (name, unit)`;

/** Order of `balanceKeyText`, in which every transaction locks balances. */
const inKeyOrder = sql`ORDER BY concat_ws(E'\n', scope_type, scope_id, period, period_start) COLLATE "C"`;

/**
 * Adds the cost of the batches to the balances of key, workspace and organization. Returns those that a limit or an alert
 * watches: with a limit, or of an organization with an alert about an amount.
 */
export async function addBatchCharges(
  tx: Tx,
  ids: readonly bigint[],
  overruns: readonly OverrunCharge[],
): Promise<ChargedBalance[]> {
  const { rows } = await sql<ChargedBalance>`
    WITH charge AS MATERIALIZED (${selectCharges(sql`${ids}::bigint[]`)}),
    summed AS MATERIALIZED (
      SELECT scope_type, scope_id, period, period_start, organization_id, max(workspace_id) AS workspace_id,
        sum(nano_usd)::bigint AS nano_usd, sum(overrun)::bigint AS overrun
      FROM (
        SELECT scope.type AS scope_type, scope.id AS scope_id, period.name AS period,
          date_trunc(period.unit, charge.day::timestamp)::date AS period_start, charge.organization_id,
          scope.workspace_id, charge.nano_usd, 0 AS overrun
        FROM charge ${scopesAndPeriods}
        UNION ALL
        SELECT scope_type, scope_id, period, period_start, organization_id, NULL, 0, overrun
        FROM unnest(${overruns.map(({ scopeType }) => scopeType)}::text[], ${overruns.map(({ scopeId }) => scopeId)}::text[],
          ${overruns.map(({ period }) => period)}::text[], ${overruns.map((each) => each.periodStart)}::date[],
          ${overruns.map(({ organizationId }) => organizationId)}::uuid[],
          ${overruns.map((each) => each.overrunNanoUsd)}::bigint[])
          AS beyond (scope_type, scope_id, period, period_start, organization_id, overrun)
      ) AS each GROUP BY 1, 2, 3, 4, 5
    ), added AS (
      INSERT INTO balance AS b
        (scope_type, scope_id, period, period_start, organization_id, settled_nano_usd, overrun_nano_usd)
      SELECT scope_type, scope_id, period, period_start, organization_id, nano_usd, overrun FROM summed ${inKeyOrder}
      ON CONFLICT (scope_type, scope_id, period, period_start)
      DO UPDATE SET settled_nano_usd = b.settled_nano_usd + excluded.settled_nano_usd,
        overrun_nano_usd = b.overrun_nano_usd + excluded.overrun_nano_usd
      RETURNING *
    ), alerting AS MATERIALIZED (
      SELECT DISTINCT organization_id FROM alert
      WHERE kind = 'spend_limit' AND is_enabled AND deleted_at IS NULL
        AND condition @? '$.thresholds[*].amount_usd'
    )
    SELECT added.scope_type AS "scopeType", added.scope_id AS "scopeId", added.period,
      added.period_start AS "periodStart", added.organization_id AS "organizationId",
      added.settled_nano_usd AS "settledNanoUsd", added.leased_nano_usd AS "leasedNanoUsd",
      added.unresolved_nano_usd AS "unresolvedNanoUsd", added.overrun_nano_usd AS "overrunNanoUsd",
      added.limit_overrun_nano_usd AS "limitOverrunNanoUsd", summed.workspace_id AS "workspaceId",
      summed.nano_usd AS "addedNanoUsd", spend_limit.id IS NOT NULL AS "hasLimit"
    FROM added
    JOIN summed USING (scope_type, scope_id, period, period_start)
    LEFT JOIN spend_limit USING (scope_type, scope_id, period)
    WHERE spend_limit.id IS NOT NULL OR added.organization_id IN (SELECT organization_id FROM alerting)`.execute(
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
      charge.organization_id AS "organizationId", sum(charge.nano_usd)::bigint AS "nanoUsd"
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
      charge.organization_id AS "organizationId", sum(charge.nano_usd)::bigint AS "addedNanoUsd"
    FROM charge ${scopesAndPeriods}
    JOIN counted_limit ON counted_limit.scope_type = scope.type AND counted_limit.scope_id = scope.id
      AND counted_limit.period = period.name
    GROUP BY 1, 2, 3, 4, 5, 6`.execute(tx);
  return rows;
}
