-- Wakes the listening nodes when a change commits (db/notifications.ts).
CREATE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('bursar_changes', '');
  RETURN NULL;
END
$$;
CREATE TRIGGER change_counter_notify AFTER UPDATE ON change_counter FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

-- Most database connections of the node's process. Null: a version before 0.2, which opens at most 24.
ALTER TABLE node ADD COLUMN max_connections integer;
