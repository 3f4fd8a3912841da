-- The audit log is signed with a key that is not in the database, refuses every change of what stands in it, and can be
-- read by what people look for.

-- The end of a chain: `mac` signs (seq, hash, keyed_from, retention_days). Events from `keyed_from` on are chained with the
-- key; those before it (of databases that are older than the key) with a plain hash. NULL until the first start after this.
ALTER TABLE audit_head
  ADD COLUMN keyed_from bigint,
  ADD COLUMN retention_days integer CHECK (retention_days >= 30),
  ADD COLUMN mac bytea;

-- What the actor was called at the time.
ALTER TABLE audit_event
  ADD COLUMN actor_name text,
  ADD COLUMN actor_email text;

-- Where a chain begins whose older events are gone: `mac` signs that event `seq`, with this hash, was the last of them.
CREATE TABLE audit_checkpoint (
  organization_id uuid NOT NULL REFERENCES organization (id),
  seq bigint NOT NULL,
  hash bytea NOT NULL,
  events bigint NOT NULL,
  created_at timestamptz NOT NULL,
  mac bytea NOT NULL,
  PRIMARY KEY (organization_id, seq)
);

-- Lists run newest first, each filter by an index of its own.
CREATE INDEX audit_event_by_time ON audit_event (organization_id, created_at, seq);
CREATE INDEX audit_event_by_event ON audit_event (organization_id, event text_pattern_ops, created_at, seq);
CREATE INDEX audit_event_by_actor_type ON audit_event (organization_id, actor_type, created_at, seq);
CREATE INDEX audit_event_by_actor ON audit_event (organization_id, actor_id, created_at, seq);
CREATE INDEX audit_event_by_subject_type ON audit_event (organization_id, subject_type, created_at, seq);
CREATE INDEX audit_event_by_subject ON audit_event (organization_id, subject_id, created_at, seq);
CREATE INDEX audit_event_by_workspace ON audit_event (organization_id, workspace_id, created_at, seq)
  WHERE workspace_id IS NOT NULL;
CREATE INDEX audit_event_by_address ON audit_event (organization_id, ip_address, created_at, seq)
  WHERE ip_address IS NOT NULL;
CREATE INDEX audit_event_by_request ON audit_event (organization_id, request_id);

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

-- What a checkpoint stands for may go. A checkpoint that Bursar has not signed is found by `bursar audit verify`.
CREATE FUNCTION audit_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM audit_checkpoint c WHERE c.organization_id = OLD.organization_id AND c.seq >= OLD.seq) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit_event is append-only: DELETE is refused' USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION audit_refuse_rollback() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.organization_id = OLD.organization_id AND NEW.seq >= OLD.seq THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'audit_head never goes back: UPDATE is refused' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER audit_event_delete BEFORE DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION audit_refuse_delete();
CREATE TRIGGER audit_event_update BEFORE UPDATE ON audit_event FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_event_truncate BEFORE TRUNCATE ON audit_event EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_checkpoint_change BEFORE UPDATE OR DELETE ON audit_checkpoint
  FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_checkpoint_truncate BEFORE TRUNCATE ON audit_checkpoint EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_head_update BEFORE UPDATE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse_rollback();
CREATE TRIGGER audit_head_delete BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_head_truncate BEFORE TRUNCATE ON audit_head EXECUTE FUNCTION audit_refuse_change();

-- Deletes up to `batch` of the oldest events that a checkpoint stands for; gives how many. It runs with its owner's
-- rights, so that the role of the server needs no DELETE (docs/guides/audit-log.md).
DO $do$
BEGIN
  EXECUTE format($create$
CREATE FUNCTION audit_prune(organization uuid, batch integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp AS $$
DECLARE
  deleted bigint;
BEGIN
  DELETE FROM audit_event e
  WHERE e.organization_id = organization AND e.seq IN (
    SELECT o.seq FROM audit_event o
    WHERE o.organization_id = organization
      AND o.seq <= (SELECT max(c.seq) FROM audit_checkpoint c WHERE c.organization_id = organization)
    ORDER BY o.seq LIMIT batch);
  GET DIAGNOSTICS deleted = ROW_COUNT;
  RETURN deleted;
END $$ $create$, current_schema());
END $do$;
REVOKE ALL ON FUNCTION audit_prune(uuid, integer) FROM PUBLIC;
