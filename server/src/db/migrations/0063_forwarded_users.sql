-- Keys of a gateway that names the user of each request. Earlier versions read neither column, and refuse a key with them.

-- Directory whose subjects the requests of the key name. Deleting the directory keeps it, and then no user is known.
ALTER TABLE api_key ADD COLUMN user_directory_id text;
-- True: a request without a known user is refused. Null without a directory.
ALTER TABLE api_key ADD COLUMN requires_user boolean CHECK ((requires_user IS NULL) = (user_directory_id IS NULL));
DROP TRIGGER api_key_update ON api_key;
CREATE TRIGGER api_key_update AFTER UPDATE ON api_key FOR EACH ROW
  WHEN ((OLD.id, OLD.organization_id, OLD.workspace_id, OLD.permission, OLD.status, OLD.purpose, OLD.owner_member_id,
      OLD.expires_at, OLD.allowed_models, OLD.allowed_addresses, OLD.user_directory_id, OLD.requires_user)
    IS DISTINCT FROM (NEW.id, NEW.organization_id, NEW.workspace_id, NEW.permission, NEW.status, NEW.purpose,
      NEW.owner_member_id, NEW.expires_at, NEW.allowed_models, NEW.allowed_addresses, NEW.user_directory_id, NEW.requires_user))
  EXECUTE FUNCTION record_row_change();
