import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { keepsAllBalances, ownScopes, scopesOf } from "#src/spend/ledger/balances.sql.ts";
import type { BalanceKey } from "#src/spend/ledger/spend-key.ts";

/** A balance whose settled spend is not the sum of its requests and adjustments. Integer nano-USD. */
export interface BalanceDifference extends BalanceKey {
  eventNanoUsd: bigint;
  settledNanoUsd: bigint;
}

const MAX_DIFFERENCES = 100;

/**
 * Compares settled spend with the sum of recorded_request and spend_adjustment, for each complete balance. Limits without a
 * balance are compared too, from the period of their creation on. Days with pruned events are read from usage_day. Returns
 * at most 100 differences. Reads all usage events, so it is for tests and diagnosis only.
 */
export async function listBalanceDifferences(db: Database | Tx): Promise<BalanceDifference[]> {
  const { rows } = await sql<BalanceDifference>`
    WITH pruned AS (
      SELECT organization_id, log_pruned_before AS before FROM usage_settings WHERE log_pruned_before IS NOT NULL
    ), counted AS (
      SELECT organization_id, workspace_id, api_key_id, member_id, group_ids, tag_ids, started_at, cost_nano_usd
      FROM recorded_request AS event
      WHERE NOT EXISTS (SELECT FROM pruned
        WHERE pruned.organization_id = event.organization_id AND started_at < before)
      UNION ALL
      SELECT organization_id, workspace_id, api_key_id, member_id, '', '', bucket_at, cost_nano_usd
      FROM usage_day JOIN pruned USING (organization_id) WHERE bucket_at < before
      UNION ALL
      -- Requests with groups or tags are in both rollups.
      SELECT rollup.organization_id, workspace_id, api_key_id, member_id, part.group_ids, part.tag_ids, bucket_at,
        sign * cost_nano_usd
      FROM usage_attributed_day AS rollup JOIN pruned USING (organization_id)
      JOIN usage_attribution AS own ON own.id = rollup.attribution_id
      CROSS JOIN LATERAL (VALUES (1, own.group_ids, own.tag_ids), (-1, '', '')) AS part (sign, group_ids, tag_ids)
      WHERE bucket_at < before
      UNION ALL
      SELECT organization_id, workspace_id, api_key_id, member_id, group_ids, tag_ids, started_at, cost_nano_usd
      FROM spend_adjustment
    ), summed AS (
      SELECT scope_type, scope_id, p.period,
        date_trunc(p.unit, e.started_at AT TIME ZONE 'UTC')::date AS period_start,
        max(date_trunc(p.unit, e.started_at, 'UTC') + ('1 ' || p.unit)::interval) AS period_end,
        sum(e.cost_nano_usd)::bigint AS nano_usd
      FROM counted e
      CROSS JOIN LATERAL ${scopesOf("e")} AS s (scope_type, scope_id)
      CROSS JOIN (VALUES ('daily', 'day'), ('weekly', 'week'), ('monthly', 'month')) AS p (period, unit)
      GROUP BY 1, 2, 3, 4
    )
    SELECT scope_type AS "scopeType", scope_id AS "scopeId", period, period_start AS "periodStart",
      coalesce(summed.nano_usd, 0) AS "eventNanoUsd",
      coalesce(balance.settled_nano_usd, 0) AS "settledNanoUsd"
    FROM summed FULL JOIN balance USING (scope_type, scope_id, period, period_start)
    WHERE coalesce(summed.nano_usd, 0) <> coalesce(balance.settled_nano_usd, 0)
      AND (balance.is_complete OR (${keepsAllBalances()} AND scope_type IN ${ownScopes}) OR (balance.is_complete IS NULL AND EXISTS (
        SELECT FROM spend_limit AS l WHERE l.scope_type = summed.scope_type AND l.scope_id = summed.scope_id
          AND l.period = summed.period AND summed.period_end > l.created_at)))
      AND period_start >= coalesce((SELECT greatest(balances_before, (days_before AT TIME ZONE 'UTC')::date)
        FROM retention_mark), '-infinity')
    ORDER BY 1, 2, 3, 4
    LIMIT ${MAX_DIFFERENCES}`.execute(db);
  return rows;
}
