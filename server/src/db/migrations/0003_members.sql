-- People of an organization. A person belongs to one; who was removed keeps the row, so that the audit log and usage
-- still know the name, and gets a new one when invited again.

CREATE TABLE member (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  email text NOT NULL CHECK (email = lower(email)),
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'billing', 'user', 'claude_code_user')),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'deactivated', 'removed')),
  created_at timestamptz NOT NULL DEFAULT now(),
  last_active_at timestamptz,
  removed_at timestamptz
);
CREATE UNIQUE INDEX member_email ON member (email) WHERE status <> 'removed';
CREATE INDEX member_by_organization ON member (organization_id, created_at, id);

CREATE TABLE workspace_member (
  workspace_id text NOT NULL REFERENCES workspace (id),
  member_id text NOT NULL REFERENCES member (id),
  role text NOT NULL CHECK (role IN
    ('workspace_admin', 'workspace_developer', 'workspace_restricted_developer', 'workspace_user')),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, member_id)
);
CREATE INDEX workspace_member_by_member ON workspace_member (member_id);
