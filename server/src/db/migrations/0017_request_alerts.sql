-- What alerts about requests and addresses are found by.

-- A condition about requests that is, or lately was, true: while it is true again within its window it is the same
-- episode, which fires once.
CREATE TABLE alert_episode (
  alert_id text NOT NULL REFERENCES alert (id),
  scope_type text NOT NULL CHECK (scope_type IN ('organization', 'workspace', 'api_key')),
  scope_id text NOT NULL,
  began_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  PRIMARY KEY (alert_id, scope_type, scope_id)
);
