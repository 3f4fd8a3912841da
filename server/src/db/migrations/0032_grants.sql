-- Grants of budget lock no row that a fold or a flush writes. A lease stores the number that messages of its node set, and
-- folds store the draws. What is left of a lease is computed from both.

-- Budget that messages of the node set. Null: a row as version 0.1 writes it, where amount_nano_usd is what is left, and
-- is part of balance.leased_nano_usd or unresolved_nano_usd. Otherwise amount_nano_usd is 0, and no balance has a part.
ALTER TABLE lease ADD COLUMN granted_nano_usd bigint
  CHECK (granted_nano_usd IS NULL OR (request_id = '' AND amount_nano_usd = 0));
CREATE INDEX lease_of_nodes ON lease (scope_type, scope_id, period, period_start) WHERE request_id = '';

-- Last message of a node about its leases, and the time until which it may use them. Null: the node is not live.
-- Nodes of version 0.1 have it in their row of `node`.
CREATE TABLE lease_node (
  node_id text PRIMARY KEY,
  epoch bigint NOT NULL DEFAULT 0,
  op bigint NOT NULL DEFAULT 0,
  expires_at timestamptz,
  limits_version bigint NOT NULL DEFAULT -1,
  seen_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Contact of nodes, from flushes and messages of all versions.
CREATE VIEW node_contact AS
SELECT node.id, greatest(node.seen_at, lease_node.seen_at) AS seen_at,
  greatest(node.lease_expires_at, lease_node.expires_at) AS lease_expires_at,
  greatest(node.limits_version, lease_node.limits_version) AS limits_version
FROM node LEFT JOIN lease_node ON lease_node.node_id = node.id;

-- Rows of `lease` with what is left of each.
CREATE VIEW lease_left AS
SELECT lease.node_id, lease.request_id, lease.scope_type, lease.scope_id, lease.period, lease.period_start,
  lease.organization_id, lease.unresolved_since,
  CASE WHEN lease.granted_nano_usd IS NULL THEN lease.amount_nano_usd
    ELSE greatest(lease.granted_nano_usd - coalesce(draw.drawn_nano_usd, 0), 0) END AS amount_nano_usd
FROM lease LEFT JOIN lease_draw AS draw ON lease.granted_nano_usd IS NOT NULL AND draw.node_id = lease.node_id
  AND draw.scope_type = lease.scope_type AND draw.scope_id = lease.scope_id AND draw.period = lease.period
  AND draw.period_start = lease.period_start;

-- Rows of `balance` with the leases of all nodes. The lease of a reclaimed node counts as unresolved.
CREATE VIEW balance_sum AS
SELECT b.scope_type, b.scope_id, b.period, b.period_start, b.organization_id, b.settled_nano_usd,
  b.leased_nano_usd + held.leased AS leased_nano_usd, b.unresolved_nano_usd + held.unresolved AS unresolved_nano_usd,
  b.overrun_nano_usd, b.limit_overrun_nano_usd
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

-- Writes the result of one message of a node, if nothing that it was decided on has changed. Otherwise it writes nothing:
--   fenced    the epoch of the message is over
--   late      a later message arrived first
--   behind    the node does not count as live, and does not know the newest limits
--   changed   a count of draws has changed, or a lease that grows by a grant no longer fits its limit
-- Each array has one entry for each changed lease. granted null: the lease ends. kept: returned budget that becomes
-- unresolved, null for none. follows: version of the limits that the node now follows, null for no change. at: time of
-- the database's clock, null for now.
CREATE FUNCTION write_leases(
  of_node text, of_epoch bigint, of_op bigint, knows bigint, follows bigint, is_leaving boolean, at timestamptz, ttl_ms float8,
  scope_types text[], scope_ids text[], periods text[], period_starts date[], organization_ids uuid[],
  granted bigint[], count_ids bigint[], is_guarded boolean[], kept bigint[]
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  last lease_node;
  written_at timestamptz := coalesce(at, clock_timestamp());
BEGIN
  SELECT * INTO last FROM lease_node WHERE node_id = of_node FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO lease_node (node_id) VALUES (of_node) ON CONFLICT DO NOTHING;
    SELECT * INTO last FROM lease_node WHERE node_id = of_node FOR UPDATE;
  END IF;
  IF (SELECT epoch FROM node WHERE id = of_node) IS DISTINCT FROM of_epoch THEN
    RETURN 'fenced';
  ELSIF (last.epoch, last.op) >= (of_epoch, of_op) THEN
    RETURN 'late';
  END IF;
  -- A node that becomes live waits for changes of limits under way, and they for it. So it misses none.
  IF last.expires_at IS NULL THEN
    IF knows < (SELECT value FROM limits_version FOR SHARE) THEN
      RETURN 'behind';
    END IF;
  END IF;

  -- Grants on one limit run one after the other. A count of draws is not deleted before its new lease is committed.
  PERFORM FROM counted_limit WHERE (scope_type, scope_id, period) IN (
    SELECT type, scope, name FROM unnest(scope_types, scope_ids, periods, is_guarded) AS k (type, scope, name, guarded)
    WHERE guarded) ORDER BY scope_type, scope_id, period FOR NO KEY UPDATE;
  PERFORM FROM counted_limit WHERE (scope_type, scope_id, period) IN (
    SELECT type, scope, name FROM unnest(scope_types, scope_ids, periods, granted) AS k (type, scope, name, number)
    WHERE number IS NOT NULL) ORDER BY scope_type, scope_id, period FOR KEY SHARE;
  IF EXISTS (
    SELECT FROM unnest(scope_types, scope_ids, periods, granted, count_ids)
      AS k (scope_type, scope_id, period, number, count_id)
    LEFT JOIN counted_limit AS counted USING (scope_type, scope_id, period)
    WHERE k.number IS NOT NULL AND counted.id IS DISTINCT FROM k.count_id
  ) THEN
    RETURN 'changed';
  END IF;
  -- The guard: settled + leased + unresolved <= limit, with the leases of this message. The sums of a balance without a row
  -- are unknown.
  IF EXISTS (
    SELECT FROM unnest(scope_types, scope_ids, periods, period_starts, granted, is_guarded)
      AS k (scope_type, scope_id, period, period_start, number, guarded)
    JOIN spend_limit USING (scope_type, scope_id, period)
    LEFT JOIN balance_sum AS sum USING (scope_type, scope_id, period, period_start)
    LEFT JOIN lease_left AS own ON own.node_id = of_node AND own.request_id = '' AND own.scope_type = k.scope_type
      AND own.scope_id = k.scope_id AND own.period = k.period AND own.period_start = k.period_start
    LEFT JOIN lease_draw AS draw ON draw.node_id = of_node AND draw.scope_type = k.scope_type
      AND draw.scope_id = k.scope_id AND draw.period = k.period AND draw.period_start = k.period_start
    WHERE k.guarded AND spend_limit.enforcement = 'strict' AND (sum.settled_nano_usd IS NULL OR spend_limit.amount_nano_usd
      < sum.settled_nano_usd + sum.leased_nano_usd + sum.unresolved_nano_usd - coalesce(own.amount_nano_usd, 0)
        + greatest(k.number - coalesce(draw.drawn_nano_usd, 0), 0))
  ) THEN
    RETURN 'changed';
  END IF;

  INSERT INTO lease (node_id, request_id, scope_type, scope_id, period, period_start, organization_id, amount_nano_usd,
    granted_nano_usd)
  SELECT of_node, '', type, scope, name, start, organization, 0, number
  FROM unnest(scope_types, scope_ids, periods, period_starts, organization_ids, granted)
    AS k (type, scope, name, start, organization, number)
  WHERE number IS NOT NULL
  ON CONFLICT (node_id, request_id, scope_type, scope_id, period, period_start)
  DO UPDATE SET granted_nano_usd = excluded.granted_nano_usd, unresolved_since = NULL;
  IF array_position(granted, NULL) IS NOT NULL THEN
    PERFORM set_config('bursar.may_release_budget', 'on', true);
    DELETE FROM lease USING unnest(scope_types, scope_ids, periods, period_starts, granted)
      AS k (type, scope, name, start, number)
    WHERE number IS NULL AND lease.node_id = of_node AND lease.request_id = '' AND lease.scope_type = type
      AND lease.scope_id = scope AND lease.period = name AND lease.period_start = start;
  END IF;
  IF EXISTS (SELECT FROM unnest(kept) AS amount WHERE amount IS NOT NULL) THEN
    PERFORM keep_budget(of_node, 'epoch:' || of_epoch, written_at, scope_types, scope_ids, periods, period_starts,
      organization_ids, kept);
  END IF;
  UPDATE lease_node SET epoch = of_epoch, op = of_op, seen_at = now(),
    expires_at = CASE WHEN is_leaving THEN NULL ELSE written_at + ttl_ms * interval '1 millisecond' END,
    limits_version = coalesce(follows, limits_version)
  WHERE node_id = of_node;
  RETURN 'done';
END
$$;

-- Turns returned budget of a node with a journal gap into unresolved amounts.
CREATE FUNCTION keep_budget(
  of_node text, row_id text, since timestamptz, scope_types text[], scope_ids text[], periods text[], period_starts date[],
  organization_ids uuid[], kept bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- In the order in which every transaction locks balances.
  PERFORM FROM balance WHERE (scope_type, scope_id, period, period_start) IN (
    SELECT type, scope, name, start FROM unnest(scope_types, scope_ids, periods, period_starts, kept)
      AS k (type, scope, name, start, amount) WHERE amount IS NOT NULL)
  ORDER BY concat_ws(E'\n', scope_type, scope_id, period, period_start) COLLATE "C" FOR UPDATE;
  UPDATE balance AS b SET unresolved_nano_usd = b.unresolved_nano_usd + k.amount
  FROM unnest(scope_types, scope_ids, periods, period_starts, kept) AS k (type, scope, name, start, amount)
  WHERE k.amount IS NOT NULL AND b.scope_type = k.type AND b.scope_id = k.scope AND b.period = k.name
    AND b.period_start = k.start;
  -- A node may have to report again what its journal has lost.
  INSERT INTO lease AS l (node_id, request_id, scope_type, scope_id, period, period_start, organization_id,
    amount_nano_usd, unresolved_since)
  SELECT of_node, row_id, type, scope, name, start, organization, amount, since
  FROM unnest(scope_types, scope_ids, periods, period_starts, organization_ids, kept)
    AS k (type, scope, name, start, organization, amount)
  WHERE amount IS NOT NULL
  ON CONFLICT (node_id, request_id, scope_type, scope_id, period, period_start)
  DO UPDATE SET amount_nano_usd = l.amount_nano_usd + excluded.amount_nano_usd,
    unresolved_since = excluded.unresolved_since;
END
$$;

-- Rows with granted_nano_usd are the budget of a node too.
DROP TRIGGER lease_keep_budget ON lease;
CREATE TRIGGER lease_keep_budget BEFORE DELETE ON lease FOR EACH ROW
  WHEN (OLD.unresolved_since IS NOT NULL AND (OLD.amount_nano_usd > 0 OR OLD.granted_nano_usd IS NOT NULL)
    AND (OLD.request_id = '' OR OLD.request_id LIKE 'epoch:%'))
  EXECUTE FUNCTION lease_keep_budget();
