-- Receivers of the telemetry of laptops. Earlier versions read nothing of this.
CREATE TABLE telemetry_receiver (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  name text NOT NULL,
  -- Origin and path, without a slash at the end.
  url text NOT NULL,
  -- JSON object of names and values. Null: none.
  headers_sealed bytea,
  header_names text[] NOT NULL,
  signals text[] NOT NULL CHECK (signals <@ ARRAY['metrics', 'logs', 'traces'] AND cardinality(signals) > 0),
  is_enabled boolean NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  -- Nodes write these a few times a minute at most. Null: not since the last change of the target.
  last_relayed_at timestamptz,
  last_failed_at timestamptz,
  last_failure text
);
CREATE INDEX telemetry_receiver_of_organization ON telemetry_receiver (organization_id, created_at, id);
