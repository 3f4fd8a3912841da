-- Hours are closed (0030) once no node of version 0.1 is left, because those write every rollup at once. From then on the
-- database refuses such a node: a paused process could return.

-- The node appends its usage for the fold. Nodes of version 0.1 do not set it.
ALTER TABLE node ADD COLUMN appends boolean NOT NULL DEFAULT false;

CREATE FUNCTION refuse_older_node() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT hour_at < 'infinity' FROM rollup_progress) THEN
    RAISE EXCEPTION 'A newer version of Bursar uses this database. Stop this process and start the newer version: it continues the journal.';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER node_refuse_older BEFORE UPDATE OF flushed_seq, lease_op ON node
  FOR EACH ROW WHEN (NOT NEW.appends) EXECUTE FUNCTION refuse_older_node();

-- A new installation never had a node of version 0.1.
UPDATE rollup_progress SET hour_at = date_trunc('hour', now(), 'UTC')
WHERE NOT EXISTS (SELECT FROM node) AND NOT EXISTS (SELECT FROM usage_hour);
