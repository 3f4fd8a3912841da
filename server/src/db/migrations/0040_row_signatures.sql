-- Keys, roles and sessions carry a MAC, with a key that is derived from BURSAR_SECRET and not in the database. Nodes of
-- older versions read and write these tables without it. Once none of them is left, nodes refuse rows without a valid MAC.

ALTER TABLE api_key ADD COLUMN mac bytea;
ALTER TABLE api_key_secret ADD COLUMN mac bytea;
ALTER TABLE admin_key ADD COLUMN mac bytea;
ALTER TABLE member ADD COLUMN mac bytea;
ALTER TABLE workspace_member ADD COLUMN mac bytea;
ALTER TABLE auth_session ADD COLUMN mac bytea;

-- Rows that a transaction wrote, until it signs them before its commit. The columns of each trigger are those of
-- signed-rows/row-content.ts. Rows of other writers stay without a signature, and are deleted later.
CREATE TABLE row_change (
  id bigint GENERATED ALWAYS AS IDENTITY,
  xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
  table_name text NOT NULL,
  -- Null: a new row.
  old_row jsonb,
  new_row jsonb NOT NULL
);
CREATE INDEX row_change_xact ON row_change (xact);

CREATE FUNCTION record_row_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO row_change (table_name, old_row, new_row)
  VALUES (TG_TABLE_NAME, CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(OLD) END, to_jsonb(NEW));
  RETURN NULL;
END
$$;

CREATE TRIGGER api_key_insert AFTER INSERT ON api_key FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER api_key_update AFTER UPDATE ON api_key FOR EACH ROW
  WHEN ((OLD.id, OLD.organization_id, OLD.workspace_id, OLD.permission, OLD.status, OLD.purpose, OLD.owner_member_id,
      OLD.expires_at, OLD.allowed_models, OLD.allowed_addresses)
    IS DISTINCT FROM (NEW.id, NEW.organization_id, NEW.workspace_id, NEW.permission, NEW.status, NEW.purpose,
      NEW.owner_member_id, NEW.expires_at, NEW.allowed_models, NEW.allowed_addresses))
  EXECUTE FUNCTION record_row_change();

CREATE TRIGGER api_key_secret_insert AFTER INSERT ON api_key_secret FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER api_key_secret_update AFTER UPDATE ON api_key_secret FOR EACH ROW
  WHEN ((OLD.id, OLD.api_key_id, OLD.hash, OLD.created_at, OLD.valid_until, OLD.playground_session_id, OLD.auth_session_id)
    IS DISTINCT FROM (NEW.id, NEW.api_key_id, NEW.hash, NEW.created_at, NEW.valid_until, NEW.playground_session_id,
      NEW.auth_session_id))
  EXECUTE FUNCTION record_row_change();

CREATE TRIGGER admin_key_insert AFTER INSERT ON admin_key FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER admin_key_update AFTER UPDATE ON admin_key FOR EACH ROW
  WHEN ((OLD.id, OLD.organization_id, OLD.status, OLD.secret_hash, OLD.expires_at)
    IS DISTINCT FROM (NEW.id, NEW.organization_id, NEW.status, NEW.secret_hash, NEW.expires_at))
  EXECUTE FUNCTION record_row_change();

CREATE TRIGGER member_insert AFTER INSERT ON member FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER member_update AFTER UPDATE ON member FOR EACH ROW
  WHEN ((OLD.id, OLD.organization_id, OLD.role, OLD.status)
    IS DISTINCT FROM (NEW.id, NEW.organization_id, NEW.role, NEW.status))
  EXECUTE FUNCTION record_row_change();

CREATE TRIGGER workspace_member_insert AFTER INSERT ON workspace_member FOR EACH ROW
  EXECUTE FUNCTION record_row_change();
CREATE TRIGGER workspace_member_update AFTER UPDATE ON workspace_member FOR EACH ROW
  WHEN ((OLD.workspace_id, OLD.member_id, OLD.role) IS DISTINCT FROM (NEW.workspace_id, NEW.member_id, NEW.role))
  EXECUTE FUNCTION record_row_change();

CREATE TRIGGER auth_session_insert AFTER INSERT ON auth_session FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER auth_session_update AFTER UPDATE ON auth_session FOR EACH ROW
  WHEN ((OLD.id, OLD.token, OLD.user_id, OLD.started_at, OLD.stepped_up_at)
    IS DISTINCT FROM (NEW.id, NEW.token, NEW.user_id, NEW.started_at, NEW.stepped_up_at))
  EXECUTE FUNCTION record_row_change();

-- The node signs the rows that it writes. Nodes of older versions do not set it.
ALTER TABLE node ADD COLUMN signs_rows boolean NOT NULL DEFAULT false;

-- Once rows need a MAC, the database refuses a node of version 0.1: a paused process could return.
CREATE FUNCTION refuse_unsigned_node() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM installation WHERE key = 'rows_signed_at') THEN
    RAISE EXCEPTION 'A newer version of Bursar uses this database. Stop this process and start the newer version: it continues the journal.';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER node_refuse_unsigned BEFORE UPDATE OF flushed_seq, lease_op ON node
  FOR EACH ROW WHEN (NOT NEW.signs_rows AND NOT NEW.appends) EXECUTE FUNCTION refuse_unsigned_node();
