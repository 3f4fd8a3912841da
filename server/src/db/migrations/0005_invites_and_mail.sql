-- Invitations, and messages on their way out.

CREATE TABLE invite (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  email text NOT NULL CHECK (email = lower(email)),
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'billing', 'user', 'claude_code_user')),
  -- SHA-256 of the token in the link.
  token_hash bytea NOT NULL,
  invited_by_type text NOT NULL,
  invited_by_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  member_id text REFERENCES member (id),
  revoked_at timestamptz,
  -- False once it was accepted or revoked, or has expired and another one took its place.
  is_open boolean NOT NULL DEFAULT true,
  CHECK ((accepted_at IS NULL) = (member_id IS NULL)),
  CHECK (NOT is_open OR (accepted_at IS NULL AND revoked_at IS NULL))
);
CREATE UNIQUE INDEX invite_token ON invite (token_hash);
CREATE UNIQUE INDEX invite_open ON invite (organization_id, email) WHERE is_open;
CREATE INDEX invite_by_organization ON invite (organization_id, created_at, id);

CREATE TABLE invite_workspace (
  invite_id text NOT NULL REFERENCES invite (id),
  workspace_id text NOT NULL REFERENCES workspace (id),
  role text NOT NULL CHECK (role IN
    ('workspace_admin', 'workspace_developer', 'workspace_restricted_developer', 'workspace_user')),
  PRIMARY KEY (invite_id, workspace_id)
);

CREATE TABLE mail (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  kind text NOT NULL,
  to_address text NOT NULL,
  subject text NOT NULL,
  -- Text and HTML, sealed: they hold links that let their reader in. Null once nobody needs them any more.
  body_sealed bytea,
  -- What the message is about, such as an invite: it is withdrawn with it.
  about_id text,
  -- Its link gives the rights of an owner: only owners may read it here.
  is_for_owner boolean NOT NULL DEFAULT false,
  status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sent', 'failed', 'withdrawn')),
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  -- Until then the node that is sending it has it to itself.
  claimed_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at timestamptz
);
CREATE INDEX mail_by_organization ON mail (organization_id, created_at, id);
CREATE INDEX mail_queued ON mail (created_at) WHERE status = 'queued';
CREATE INDEX mail_about ON mail (about_id) WHERE about_id IS NOT NULL;
CREATE INDEX mail_by_age ON mail (created_at);
