-- SCIM 2.0: tokens of directories, and the users that directories provide. Groups of a directory are rows of `member_group`.
-- Nodes of version 0.1 do not serve SCIM.

CREATE TABLE scim_token (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  directory_id text NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
  secret_hash bytea NOT NULL UNIQUE,
  partial_token_hint text NOT NULL,
  created_by_type text NOT NULL,
  created_by_id text NOT NULL,
  created_at timestamptz NOT NULL,
  -- End after a rotation. Null: none.
  valid_until timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  mac bytea
);
CREATE INDEX scim_token_by_directory ON scim_token (directory_id, created_at, id);

CREATE TRIGGER scim_token_insert AFTER INSERT ON scim_token FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER scim_token_update AFTER UPDATE ON scim_token FOR EACH ROW
  WHEN ((OLD.id, OLD.organization_id, OLD.directory_id, OLD.secret_hash, OLD.valid_until, OLD.revoked_at)
    IS DISTINCT FROM (NEW.id, NEW.organization_id, NEW.directory_id, NEW.secret_hash, NEW.valid_until, NEW.revoked_at))
  EXECUTE FUNCTION record_row_change();

CREATE TABLE scim_user (
  directory_id text NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
  member_id text NOT NULL REFERENCES member (id),
  user_name text NOT NULL,
  -- Id of the person in the directory.
  external_id text,
  -- Names and addresses as the directory sends them.
  attributes jsonb NOT NULL,
  -- The directory created the member. Otherwise it adopted a member with the same address.
  is_creator boolean NOT NULL,
  -- The directory deactivated the member, and only then it can reactivate the member.
  is_suspended boolean NOT NULL,
  -- The directory deleted the user. The row remains, so that the same user can return.
  deleted_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (directory_id, member_id)
);
CREATE UNIQUE INDEX scim_user_name ON scim_user (directory_id, lower(user_name)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX scim_user_external_id ON scim_user (directory_id, external_id) WHERE deleted_at IS NULL;
CREATE INDEX scim_user_of_member ON scim_user (member_id);
