-- Backups that were made of this installation, and keys that a restore brought back and nobody has confirmed yet.

CREATE TABLE backup (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- The moment whose state it holds.
  made_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  file_name text NOT NULL,
  size_bytes bigint NOT NULL,
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  requests bigint NOT NULL,
  is_encrypted boolean NOT NULL,
  has_secret boolean NOT NULL,
  made_by_type text NOT NULL,
  made_by_id text NOT NULL
);
CREATE INDEX backup_by_time ON backup (made_at);

-- A held key does not work: an API key is inactive as if somebody had disabled it, an admin key has a status of its own
-- for it. The row says that it was a restore, and goes when the key is confirmed, enabled or ended.
CREATE TABLE held_key (
  key_id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('api_key', 'admin_key')),
  organization_id uuid NOT NULL REFERENCES organization (id),
  held_at timestamptz NOT NULL
);
CREATE INDEX held_key_by_organization ON held_key (organization_id);

ALTER TABLE admin_key DROP CONSTRAINT admin_key_status_check;
ALTER TABLE admin_key ADD CONSTRAINT admin_key_status_check CHECK (status IN ('active', 'inactive', 'revoked'));
