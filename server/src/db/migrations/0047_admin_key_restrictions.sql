-- Scopes and addresses of admin keys. Both are part of the signature, so the trigger has them too. Columns without a value do
-- not change a signature.
ALTER TABLE admin_key
  -- Null: all rights of an admin key.
  ADD COLUMN scopes text[] CHECK (cardinality(scopes) > 0),
  -- Addresses and CIDR ranges from which the key works. Null: all.
  ADD COLUMN allowed_addresses text[] CHECK (cardinality(allowed_addresses) > 0);

DROP TRIGGER admin_key_update ON admin_key;
CREATE TRIGGER admin_key_update AFTER UPDATE ON admin_key FOR EACH ROW
  WHEN ((OLD.id, OLD.organization_id, OLD.status, OLD.secret_hash, OLD.expires_at, OLD.scopes, OLD.allowed_addresses)
    IS DISTINCT FROM (NEW.id, NEW.organization_id, NEW.status, NEW.secret_hash, NEW.expires_at, NEW.scopes,
      NEW.allowed_addresses))
  EXECUTE FUNCTION record_row_change();
