-- Models and tools that exceeded a bound of streams held in steps. Until the row is deleted, such requests are held whole.
CREATE TABLE exceeded_bound (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  kind text NOT NULL CHECK (kind IN ('model', 'tool')),
  name text NOT NULL,
  observed bigint NOT NULL,
  allowed bigint NOT NULL,
  request_id text NOT NULL,
  exceeded_at timestamptz NOT NULL,
  UNIQUE (organization_id, kind, name)
);

-- An alert of its own. Organizations that have their first alerts get it once.
ALTER TABLE alert DROP CONSTRAINT alert_kind_check;
ALTER TABLE alert ADD CONSTRAINT alert_kind_check CHECK (kind IN ('spend_limit', 'limit_overrun', 'forecast',
  'unusual_spend', 'key_expiring', 'key_unused', 'key_new_address', 'refused_requests', 'upstream_errors',
  'database_failover', 'bound_exceeded'));
ALTER TABLE organization ADD COLUMN has_bound_alert boolean NOT NULL DEFAULT false;
