-- The life of a workspace key: whose it is, from where and for which models it works, its secrets and their last use.

-- owner_member_id: a person's own key, which works while the person is active and in the workspace; null: the
-- workspace's. allowed_models, allowed_addresses: null is all of them, and an empty list never stands there.
ALTER TABLE api_key
  ADD COLUMN owner_member_id text REFERENCES member (id),
  ADD COLUMN allowed_models text[] CHECK (cardinality(allowed_models) > 0),
  ADD COLUMN allowed_addresses text[] CHECK (cardinality(allowed_addresses) > 0),
  ADD COLUMN archived_at timestamptz;
CREATE INDEX api_key_by_owner ON api_key (owner_member_id) WHERE owner_member_id IS NOT NULL;

-- A key has one current secret (valid_until null) and, after a rotation, for a while the one before. Secrets that have
-- stopped keep their row, so that a refusal can say that they were rotated. The last use is written by the nodes, at
-- most a minute late; fillfactor leaves room for that beside the row.
CREATE TABLE api_key_secret (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  api_key_id text NOT NULL REFERENCES api_key (id),
  hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
  hint text NOT NULL,
  created_at timestamptz NOT NULL,
  valid_until timestamptz,
  last_used_at timestamptz,
  last_used_address text,
  last_used_model text
) WITH (fillfactor = 80);
CREATE INDEX api_key_secret_by_key ON api_key_secret (api_key_id);
CREATE UNIQUE INDEX api_key_secret_current ON api_key_secret (api_key_id) WHERE valid_until IS NULL;

INSERT INTO api_key_secret (api_key_id, hash, hint, created_at)
  SELECT id, secret_hash, partial_key_hint, created_at FROM api_key ORDER BY created_at, id;
UPDATE api_key SET archived_at = now() WHERE status = 'archived';
ALTER TABLE api_key DROP COLUMN secret_hash, DROP COLUMN partial_key_hint;

-- What an organization demands of all of its keys. No row: nothing.
CREATE TABLE security_settings (
  organization_id uuid PRIMARY KEY REFERENCES organization (id),
  max_key_lifetime_days integer CHECK (max_key_lifetime_days BETWEEN 1 AND 3650)
);

-- What the values of change_counter were about, so that a node forgets no more keys than it must. A value without its
-- row here was about anything: everything is forgotten. Old rows are removed as new ones come.
CREATE TABLE change_scope (
  value bigint PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('no_key', 'api_key', 'workspace', 'member')),
  id text NOT NULL
);
