-- Groups of members. A group gives its members roles in workspaces, and can restrict the models of their personal keys. Its
-- rows are signed like roles. Nodes of version 0.1 ignore groups: their members have the direct roles only.

CREATE TABLE member_group (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  name text NOT NULL,
  -- `scim`: a directory provides the group and its members.
  source text NOT NULL DEFAULT 'direct' CHECK (source IN ('direct', 'scim')),
  directory_id text,
  -- Id of the group in its directory.
  external_id text,
  -- Null: no restriction.
  allowed_models text[] CHECK (cardinality(allowed_models) > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  mac bytea
);
CREATE INDEX member_group_by_organization ON member_group (organization_id, created_at, id);
CREATE UNIQUE INDEX member_group_external_id ON member_group (directory_id, external_id);

CREATE TABLE group_member (
  group_id text NOT NULL REFERENCES member_group (id),
  member_id text NOT NULL REFERENCES member (id),
  -- A change by one source keeps memberships of the others.
  source text NOT NULL DEFAULT 'direct' CHECK (source IN ('direct', 'claims', 'scim')),
  created_at timestamptz NOT NULL DEFAULT now(),
  mac bytea,
  PRIMARY KEY (group_id, member_id)
);
CREATE INDEX group_member_by_member ON group_member (member_id);

CREATE TABLE group_workspace (
  group_id text NOT NULL REFERENCES member_group (id),
  workspace_id text NOT NULL REFERENCES workspace (id),
  role text NOT NULL CHECK (role IN
    ('workspace_admin', 'workspace_developer', 'workspace_restricted_developer', 'workspace_user')),
  mac bytea,
  PRIMARY KEY (group_id, workspace_id)
);
CREATE INDEX group_workspace_by_workspace ON group_workspace (workspace_id);

-- Roles in workspaces that a member has directly or through a group. The organization role can add one.
CREATE VIEW given_workspace_role AS
SELECT workspace_id, member_id, role, NULL::text AS group_id FROM workspace_member
UNION ALL
SELECT given.workspace_id, held.member_id, given.role, given.group_id
FROM group_member AS held JOIN group_workspace AS given ON given.group_id = held.group_id;

-- Groups that the invited person joins.
CREATE TABLE invite_group (
  invite_id text NOT NULL REFERENCES invite (id),
  group_id text NOT NULL REFERENCES member_group (id),
  PRIMARY KEY (invite_id, group_id)
);
CREATE INDEX invite_group_by_group ON invite_group (group_id);

-- A change of a group affects the personal keys of its members. Nodes of version 0.1 ignore the kind.
ALTER TABLE change_scope DROP CONSTRAINT change_scope_kind_check,
  ADD CONSTRAINT change_scope_kind_check CHECK (kind IN ('no_key', 'api_key', 'workspace', 'member', 'group'));

CREATE TRIGGER member_group_insert AFTER INSERT ON member_group FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER member_group_update AFTER UPDATE ON member_group FOR EACH ROW
  WHEN ((OLD.id, OLD.organization_id, OLD.source, OLD.directory_id, OLD.external_id, OLD.allowed_models)
    IS DISTINCT FROM (NEW.id, NEW.organization_id, NEW.source, NEW.directory_id, NEW.external_id, NEW.allowed_models))
  EXECUTE FUNCTION record_row_change();

CREATE TRIGGER group_member_insert AFTER INSERT ON group_member FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER group_member_update AFTER UPDATE ON group_member FOR EACH ROW
  WHEN ((OLD.group_id, OLD.member_id, OLD.source) IS DISTINCT FROM (NEW.group_id, NEW.member_id, NEW.source))
  EXECUTE FUNCTION record_row_change();

CREATE TRIGGER group_workspace_insert AFTER INSERT ON group_workspace FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER group_workspace_update AFTER UPDATE ON group_workspace FOR EACH ROW
  WHEN ((OLD.group_id, OLD.workspace_id, OLD.role) IS DISTINCT FROM (NEW.group_id, NEW.workspace_id, NEW.role))
  EXECUTE FUNCTION record_row_change();
