-- Versions of the settings of Claude Code that an organization serves. The newest one is in force. Settings can run commands
-- on the machines of all members, so the rows are signed. Earlier versions read nothing of this.
CREATE TABLE managed_settings_version (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  -- 1 is the first.
  version integer NOT NULL CHECK (version > 0),
  -- JSON as it was saved, with the order of its names: [{"name": "", "group_ids": [""], "settings": {}}].
  policies text NOT NULL,
  comment text,
  -- Version that this one repeats. Null: it was written.
  restored_version integer CHECK (restored_version > 0),
  created_by_type text NOT NULL,
  created_by_id text NOT NULL,
  created_at timestamptz NOT NULL,
  mac bytea,
  UNIQUE (organization_id, version)
);
CREATE TRIGGER managed_settings_version_insert AFTER INSERT ON managed_settings_version
  FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER managed_settings_version_update AFTER UPDATE ON managed_settings_version FOR EACH ROW
  WHEN ((OLD.id, OLD.organization_id, OLD.version, OLD.policies)
    IS DISTINCT FROM (NEW.id, NEW.organization_id, NEW.version, NEW.policies))
  EXECUTE FUNCTION record_row_change();
