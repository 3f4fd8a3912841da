-- What people see of a limit's changes, and costs that no request has: they came to be known later.

-- revision: limits_version at the last change of any kind; a limit that is made anew never has an old one's number.
-- version_at: when `version` moved, so since when the limit is taken up by nodes.
ALTER TABLE spend_limit
  ADD COLUMN revision bigint NOT NULL DEFAULT 0,
  ADD COLUMN version_at timestamptz NOT NULL DEFAULT now();

-- Append-only. Counts in the balances of its chain and of the periods of started_at like the cost of a request that
-- started then: settled = sum of usage_event + sum of spend_adjustment.
CREATE TABLE spend_adjustment (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  -- Of the request whose cost it is.
  request_id text NOT NULL,
  started_at timestamptz NOT NULL,
  cost_nano_usd bigint NOT NULL,
  reason text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX spend_adjustment_by_time ON spend_adjustment (organization_id, started_at);
