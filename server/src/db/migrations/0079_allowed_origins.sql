-- Origins whose pages in browsers can use a key. Null: none. Earlier versions do not read the column, and refuse a key with
-- one, because its MAC covers it.

ALTER TABLE api_key ADD COLUMN allowed_origins text[] CHECK (cardinality(allowed_origins) > 0);
-- Each node reads the origins of all keys after a change of keys.
CREATE INDEX api_key_allowed_origins ON api_key (id) WHERE allowed_origins IS NOT NULL;
DROP TRIGGER api_key_update ON api_key;
CREATE TRIGGER api_key_update AFTER UPDATE ON api_key FOR EACH ROW
  WHEN ((OLD.id, OLD.organization_id, OLD.workspace_id, OLD.permission, OLD.status, OLD.purpose, OLD.owner_member_id,
      OLD.expires_at, OLD.allowed_models, OLD.allowed_addresses, OLD.user_directory_id, OLD.requires_user,
      OLD.allowed_origins)
    IS DISTINCT FROM (NEW.id, NEW.organization_id, NEW.workspace_id, NEW.permission, NEW.status, NEW.purpose,
      NEW.owner_member_id, NEW.expires_at, NEW.allowed_models, NEW.allowed_addresses, NEW.user_directory_id, NEW.requires_user,
      NEW.allowed_origins))
  EXECUTE FUNCTION record_row_change();
