-- Strict limits hold streams in steps, or each request whole. Older versions hold whole, and keep the stored rule.
ALTER TABLE spend_limit ADD COLUMN hold text NOT NULL DEFAULT 'whole' CHECK (hold IN ('steps', 'whole'));
ALTER TABLE spend_limit_value ADD COLUMN hold text NOT NULL DEFAULT 'whole' CHECK (hold IN ('steps', 'whole'));
ALTER TABLE member_default_limit ADD COLUMN hold text NOT NULL DEFAULT 'whole' CHECK (hold IN ('steps', 'whole'));

-- Spend that settled beyond a strict limit, by balance and minute. The balance has the sum of its period. Overruns of
-- earlier versions are in that sum only.
CREATE TABLE limit_overrun (
  organization_id uuid NOT NULL REFERENCES organization (id),
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  period_start date NOT NULL,
  minute_at timestamptz NOT NULL,
  overrun_nano_usd bigint NOT NULL CHECK (overrun_nano_usd > 0),
  limit_nano_usd bigint NOT NULL,
  settled_nano_usd bigint NOT NULL,
  -- Requests that cost more than their holds. The newest ones are listed, and all are counted.
  request_ids text[] NOT NULL DEFAULT '{}',
  beyond_nano_usd bigint[] NOT NULL DEFAULT '{}',
  beyond_requests bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (scope_type, scope_id, period, period_start, minute_at)
);
