-- Secrets of personal keys that wait for their owner: sealed, shown to the owner once, and deleted then or when they expire.
CREATE TABLE waiting_secret (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  -- A key has one. Another rotation replaces it.
  api_key_id text NOT NULL UNIQUE REFERENCES api_key (id) ON DELETE CASCADE,
  member_id text NOT NULL REFERENCES member (id),
  secret_sealed bytea NOT NULL,
  reason text NOT NULL CHECK (reason IN ('created', 'rotated')),
  created_by_type text NOT NULL,
  created_by_id text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX waiting_secret_member ON waiting_secret (member_id);
