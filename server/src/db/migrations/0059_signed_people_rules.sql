-- Rules of a workspace for personal keys, and lists of models of groups. Both decide who may do what, so their rows are signed
-- like roles. Nodes of version 0.1 read neither.

-- A workspace without a row lets no member without the right create a key.
CREATE TABLE personal_key_rules (
  workspace_id text PRIMARY KEY REFERENCES workspace (id),
  personal_keys text NOT NULL CHECK (personal_keys IN ('off', 'members', 'everyone')),
  -- Models that new personal keys can use. Null: all.
  personal_key_models text[] CHECK (cardinality(personal_key_models) > 0),
  -- Longest lifetime of new personal keys, days. Null: that of the organization.
  personal_key_lifetime_days integer CHECK (personal_key_lifetime_days > 0),
  -- Highest number of working personal keys of each member. Null: no maximum.
  personal_keys_per_member integer CHECK (personal_keys_per_member > 0),
  mac bytea
);
CREATE TRIGGER personal_key_rules_insert AFTER INSERT ON personal_key_rules
  FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER personal_key_rules_update AFTER UPDATE ON personal_key_rules FOR EACH ROW
  WHEN ((OLD.workspace_id, OLD.personal_keys, OLD.personal_key_models, OLD.personal_key_lifetime_days, OLD.personal_keys_per_member)
    IS DISTINCT FROM (NEW.workspace_id, NEW.personal_keys, NEW.personal_key_models, NEW.personal_key_lifetime_days, NEW.personal_keys_per_member))
  EXECUTE FUNCTION record_row_change();

-- Unsigned columns that no released version has read.
ALTER TABLE workspace DROP COLUMN personal_keys, DROP COLUMN personal_key_models, DROP COLUMN personal_key_lifetime_days,
  DROP COLUMN personal_keys_per_member;

-- Lists of models of a group by rank: {"owner": {"allowed_models": [], "set_by_type": "", "set_by_id": "", "set_at": ""}}.
-- `allowed_models` has the list in force. Null: it is a list of the rank `admin`.
ALTER TABLE member_group ADD COLUMN model_lists jsonb;
DROP TRIGGER member_group_update ON member_group;
CREATE TRIGGER member_group_update AFTER UPDATE ON member_group FOR EACH ROW
  WHEN ((OLD.id, OLD.organization_id, OLD.source, OLD.directory_id, OLD.external_id, OLD.allowed_models, OLD.model_lists)
    IS DISTINCT FROM (NEW.id, NEW.organization_id, NEW.source, NEW.directory_id, NEW.external_id, NEW.allowed_models, NEW.model_lists))
  EXECUTE FUNCTION record_row_change();
