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
-- `known`: the highest value that the process knows, which this database may lack.
CREATE FUNCTION raise_incarnation(expected_id uuid, known bigint, new_id uuid, why text, about jsonb)
RETURNS SETOF incarnation LANGUAGE plpgsql AS $$
DECLARE
  latest incarnation;
  base bigint;
BEGIN
  LOCK TABLE incarnation IN EXCLUSIVE MODE;
  SELECT * INTO latest FROM incarnation ORDER BY value DESC LIMIT 1;
  IF latest.id = expected_id THEN
    INSERT INTO incarnation (value, id, system_identifier, timeline, reason, details)
    SELECT greatest(latest.value, known) + 1, new_id, server.system_identifier, server.timeline, why, about
    FROM read_server_identity() AS server
    RETURNING * INTO latest;
    base := latest.value << 32;

    -- Each process is fenced and reports its leases again. A lease renewed in the missing seconds can last for a TTL from
    -- now. A node sends its messages for a quarter of the TTL longer.
    UPDATE lease_node SET expires_at = NULL, awaited_until = CASE
      WHEN expires_at + (expires_at - seen_at) / 4 > now() THEN now() + (expires_at - seen_at) * 1.25 END;
    UPDATE node SET epoch = greatest(epoch + 1, base);
    UPDATE lease SET unresolved_since = now() WHERE granted_nano_usd IS NOT NULL AND unresolved_since IS NULL;

    -- Nodes compare these numbers with the last ones they have seen.
    UPDATE limits_version SET value = greatest(value + 1, base);
    UPDATE rate_limits_version SET value = greatest(value + 1, base);
    UPDATE change_counter SET value = greatest(value + 1, base);
  END IF;
  RETURN NEXT latest;
END $$;
