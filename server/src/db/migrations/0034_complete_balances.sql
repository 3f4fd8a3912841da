-- Only scopes that a limit or an alert watches have balances. The fold completes the balance of a scope that becomes
-- watched from its recorded usage.

-- True: settled_nano_usd has all counted spend of the scope and period. Nodes of version 0.1 keep every balance complete.
ALTER TABLE balance ADD COLUMN is_complete boolean NOT NULL DEFAULT true;

CREATE INDEX balance_incomplete ON balance (scope_type, scope_id) WHERE NOT is_complete;

-- The view of 0032, with the new column.
CREATE OR REPLACE VIEW balance_sum AS
SELECT b.scope_type, b.scope_id, b.period, b.period_start, b.organization_id, b.settled_nano_usd,
  b.leased_nano_usd + held.leased AS leased_nano_usd, b.unresolved_nano_usd + held.unresolved AS unresolved_nano_usd,
  b.overrun_nano_usd, b.limit_overrun_nano_usd, b.is_complete
FROM balance AS b CROSS JOIN LATERAL (
  SELECT coalesce(sum(amount) FILTER (WHERE unresolved_since IS NULL), 0)::bigint AS leased,
    coalesce(sum(amount) FILTER (WHERE unresolved_since IS NOT NULL), 0)::bigint AS unresolved
  FROM (
    SELECT lease.unresolved_since,
      greatest(lease.granted_nano_usd - coalesce(draw.drawn_nano_usd, 0), 0) AS amount
    FROM lease LEFT JOIN lease_draw AS draw USING (node_id, scope_type, scope_id, period, period_start)
    WHERE lease.request_id = '' AND lease.granted_nano_usd IS NOT NULL AND lease.scope_type = b.scope_type
      AND lease.scope_id = b.scope_id AND lease.period = b.period AND lease.period_start = b.period_start
  ) AS of_node
) AS held;
