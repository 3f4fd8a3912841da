-- Laptops: sign-ins of Claude Code with signed tokens. docs/decisions/0091-laptops.md has the reasons.

-- A Claude Code key carries the requests of all laptops of a member in a workspace. Nodes of version 0.1 show and accept only
-- keys with the purpose `calls`.
ALTER TABLE api_key DROP CONSTRAINT api_key_purpose_check;
ALTER TABLE api_key ADD CONSTRAINT api_key_purpose_check CHECK (purpose IN ('calls', 'playground', 'claude_code'));
CREATE UNIQUE INDEX api_key_claude_code ON api_key (owner_member_id, workspace_id)
  WHERE purpose = 'claude_code' AND status <> 'archived';

-- The secret of a laptop is a row of api_key_secret whose hash is the hash of no known text. Its `valid_until` is the end of
-- the laptop.
CREATE TABLE laptop (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  secret_id bigint NOT NULL UNIQUE REFERENCES api_key_secret (id),
  member_id text NOT NULL REFERENCES member (id),
  workspace_id text NOT NULL REFERENCES workspace (id),
  name text NOT NULL,
  -- As the client claims. Null: unknown.
  client_version text,
  -- Address of the sign-in. Null: unknown.
  address text,
  created_at timestamptz NOT NULL,
  -- Number of the newest refresh token. The one before works until the newest was presented once.
  generation integer NOT NULL DEFAULT 1 CHECK (generation > 0),
  is_confirmed boolean NOT NULL DEFAULT false,
  -- Time of the newest refresh token.
  rotated_at timestamptz NOT NULL,
  -- Null: not ended, or by time alone.
  end_reason text CHECK (end_reason IN ('ended', 'ended_by_admin', 'signed_out', 'replayed', 'restored'))
);
CREATE INDEX laptop_by_organization ON laptop (organization_id, created_at DESC, id DESC);
CREATE INDEX laptop_by_member ON laptop (member_id);

-- Keys that sign tokens, for the whole installation.
CREATE TABLE access_token_key (
  id text PRIMARY KEY,
  key_sealed bytea NOT NULL,
  created_at timestamptz NOT NULL,
  -- Earliest use. All nodes know the key by then.
  used_from timestamptz NOT NULL
);

-- Requests of clients for a sign-in (RFC 8628).
CREATE TABLE device_authorization (
  id text PRIMARY KEY,
  device_code_hash bytea NOT NULL UNIQUE CHECK (octet_length(device_code_hash) = 32),
  user_code_hash bytea NOT NULL UNIQUE CHECK (octet_length(user_code_hash) = 32),
  client_version text,
  address text,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'denied', 'used')),
  -- Session that opened the user code first. Other sessions are refused.
  session_id text,
  laptop_id text REFERENCES laptop (id) ON DELETE SET NULL,
  -- End of the laptop once its client has the tokens. Null: no end.
  laptop_ends_at timestamptz,
  CHECK (status NOT IN ('approved', 'used') OR session_id IS NOT NULL)
);
CREATE INDEX device_authorization_by_end ON device_authorization (expires_at);
