-- A promoted standby can lack the last seconds. Its counters and epochs would repeat numbers that nodes have already used.
-- Each raise of the incarnation moves all of them above every earlier number.
CREATE TABLE incarnation (
  value bigint PRIMARY KEY CHECK (value >= 0),
  -- Two promoted servers can raise to the same value.
  id uuid NOT NULL,
  -- Null: unknown to the role, or not yet read.
  system_identifier text,
  timeline bigint,
  reason text NOT NULL CHECK (reason IN ('first', 'timeline', 'system', 'rollback')),
  details jsonb NOT NULL DEFAULT '{}',
  raised_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO incarnation (value, id, reason) VALUES (0, gen_random_uuid(), 'first');

-- The node had leases before the raise, and has not reported them since. No node gets a grant before this time.
ALTER TABLE lease_node ADD COLUMN awaited_until timestamptz;

-- Nulls: the role may not read it, or the server has no write-ahead log of its own.
CREATE FUNCTION read_server_identity(OUT system_identifier text, OUT timeline bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
  SELECT c.system_identifier::text INTO system_identifier FROM pg_control_system() AS c;
  IF NOT pg_is_in_recovery() THEN
    timeline := ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint;
  END IF;
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_function
  OR object_not_in_prerequisite_state THEN
  NULL;
END $$;

-- Raises the incarnation unless another process has raised it since `expected_id` was read. Returns the newest one.
-- `known`: the highest value that the process knows, which this database may lack. at: time of the database's clock, null
-- for now.
CREATE FUNCTION raise_incarnation(expected_id uuid, known bigint, new_id uuid, why text, about jsonb,
  at timestamptz DEFAULT NULL)
RETURNS SETOF incarnation LANGUAGE plpgsql AS $$
DECLARE
  latest incarnation;
  last_raised_at timestamptz;
  raised timestamptz := coalesce(at, now());
  base bigint;
BEGIN
  LOCK TABLE incarnation IN EXCLUSIVE MODE;
  SELECT * INTO latest FROM incarnation ORDER BY value DESC LIMIT 1;
  IF latest.id = expected_id THEN
    last_raised_at := latest.raised_at;
    INSERT INTO incarnation (value, id, system_identifier, timeline, reason, details, raised_at)
    SELECT greatest(latest.value, known) + 1, new_id, server.system_identifier, server.timeline, why, about, raised
    FROM read_server_identity() AS server
    RETURNING * INTO latest;
    base := latest.value << 32;

    -- Each process is fenced and reports its leases again. A lease renewed in the missing seconds can last for a TTL from
    -- now. A node sends its messages for a quarter of the TTL longer. A node that is awaited since the raise before may have
    -- reported in the missing seconds.
    INSERT INTO lease_node (node_id, expires_at, seen_at)
    SELECT id, lease_expires_at, seen_at FROM node WHERE lease_expires_at IS NOT NULL
    ON CONFLICT (node_id) DO UPDATE SET
      expires_at = greatest(lease_node.expires_at, excluded.expires_at), seen_at = excluded.seen_at;
    UPDATE lease_node SET expires_at = NULL, awaited_until = CASE
      WHEN expires_at + (expires_at - seen_at) / 4 > raised THEN raised + (expires_at - seen_at) * 1.25
      WHEN awaited_until > raised THEN raised + (awaited_until - last_raised_at) END;
    UPDATE node SET epoch = greatest(epoch + 1, base);
    UPDATE lease SET unresolved_since = raised WHERE granted_nano_usd IS NOT NULL AND unresolved_since IS NULL;

    -- Nodes compare these numbers with the last ones they have seen.
    UPDATE limits_version SET value = greatest(value + 1, base);
    UPDATE rate_limits_version SET value = greatest(value + 1, base);
    UPDATE change_counter SET value = greatest(value + 1, base);
  END IF;
  RETURN NEXT latest;
END $$;

-- As before, and:
--   A complete message that the node follows ends the wait for its report.
--   is_awaiting: the message keeps budget from before the raise without a guard. While a report is awaited, nothing is granted.
--   seen_at has the clock of expires_at, so that their difference is the TTL.
--   A plan that PostgreSQL keeps from a time with few leases scans all of them for each lease of a message. A message that opened
--   1,024 leases after some small ones took 1.2 s, and 0.12 s with plans of its own.
DROP FUNCTION write_leases;
CREATE FUNCTION write_leases(
  of_node text, of_epoch bigint, of_op bigint, knows bigint, follows bigint, is_leaving boolean, at timestamptz, ttl_ms float8,
  scope_types text[], scope_ids text[], periods text[], period_starts date[], organization_ids uuid[],
  granted bigint[], count_ids bigint[], is_guarded boolean[], kept bigint[], is_awaiting boolean DEFAULT false
) RETURNS text LANGUAGE plpgsql SET plan_cache_mode TO force_custom_plan AS $$
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

  IF is_awaiting AND NOT EXISTS (SELECT FROM lease_node WHERE awaited_until > written_at) THEN
    RETURN 'changed';
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
  UPDATE lease_node SET epoch = of_epoch, op = of_op, seen_at = written_at,
    expires_at = CASE WHEN is_leaving THEN NULL ELSE written_at + ttl_ms * interval '1 millisecond' END,
    limits_version = coalesce(follows, limits_version),
    awaited_until = CASE WHEN follows IS NULL THEN awaited_until END
  WHERE node_id = of_node;
  RETURN 'done';
END
$$;

-- As before, and with the wait for the node's report.
CREATE OR REPLACE VIEW node_contact AS
SELECT node.id, greatest(node.seen_at, lease_node.seen_at) AS seen_at,
  greatest(node.lease_expires_at, lease_node.expires_at) AS lease_expires_at,
  greatest(node.limits_version, lease_node.limits_version) AS limits_version,
  lease_node.awaited_until
FROM node LEFT JOIN lease_node ON lease_node.node_id = node.id;
