-- Alerts: rules, each firing once, channels that carry messages about firings, and requests for a higher limit.

CREATE TABLE alert_channel (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('email', 'slack', 'pagerduty', 'webhook')),
  -- Whom an e-mail goes to; null for the other kinds.
  recipients jsonb,
  -- Address or integration key, sealed with the installation's secret and bound to the row; null for e-mail.
  target_sealed bytea,
  -- What people may see of it: the origin of an address, the last characters of a key.
  target_hint text,
  is_enabled boolean NOT NULL DEFAULT true,
  -- Paused by the server after failures in a row, until somebody resumes it.
  paused_at timestamptz,
  pause_reason text,
  failures_in_a_row integer NOT NULL DEFAULT 0,
  -- The first of these failures.
  failing_since timestamptz,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  archived_at timestamptz,
  CHECK ((kind = 'email') = (recipients IS NOT NULL)),
  CHECK ((kind = 'email') = (target_sealed IS NULL))
);
CREATE INDEX alert_channel_by_organization ON alert_channel (organization_id, created_at, id);

-- Signing secrets of a webhook. Two for a while during a rotation: a message carries a signature of each.
CREATE TABLE alert_channel_secret (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  alert_channel_id text NOT NULL REFERENCES alert_channel (id),
  secret_sealed bytea NOT NULL,
  created_at timestamptz NOT NULL,
  -- Null: the newest one.
  expires_at timestamptz
);
CREATE INDEX alert_channel_secret_by_channel ON alert_channel_secret (alert_channel_id);

CREATE TABLE alert (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('spend_limit', 'forecast', 'unusual_spend', 'key_expiring', 'key_unused',
    'key_new_address', 'refused_requests', 'upstream_errors')),
  scope_type text NOT NULL CHECK (scope_type IN ('organization', 'workspace', 'api_key')),
  scope_id text NOT NULL,
  -- Also what lies inside the scope: the workspaces and keys of an organization, the keys of a workspace.
  includes_below boolean NOT NULL,
  -- What it waits for; its fields depend on the kind and stand in the contract.
  condition jsonb NOT NULL,
  -- Also tells the person whose key it is.
  notifies_owner boolean NOT NULL DEFAULT false,
  is_enabled boolean NOT NULL DEFAULT true,
  muted_until timestamptz,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  -- A deleted rule stays for the history of its firings.
  deleted_at timestamptz
);
CREATE INDEX alert_by_organization ON alert (organization_id, created_at, id);
CREATE INDEX alert_by_scope ON alert (scope_type, scope_id) WHERE deleted_at IS NULL;

CREATE TABLE alert_to_channel (
  alert_id text NOT NULL REFERENCES alert (id),
  alert_channel_id text NOT NULL REFERENCES alert_channel (id),
  PRIMARY KEY (alert_id, alert_channel_id)
);
CREATE INDEX alert_to_channel_by_channel ON alert_to_channel (alert_channel_id);

-- One alert going off once: for a scope, in an episode (the period of a limit with its last raise; the expiry of a key;
-- the hour of an unusual spend), at a threshold.
CREATE TABLE alert_firing (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  alert_id text NOT NULL REFERENCES alert (id),
  kind text NOT NULL,
  scope_type text NOT NULL CHECK (scope_type IN ('organization', 'workspace', 'api_key')),
  scope_id text NOT NULL,
  -- Of the scope; null where it is the organization.
  workspace_id text,
  episode text NOT NULL,
  threshold text NOT NULL,
  -- What a message says about it; its fields stand in the contract.
  facts jsonb NOT NULL,
  -- Nobody was told, because the rule was muted.
  is_muted boolean NOT NULL,
  fired_at timestamptz NOT NULL,
  acknowledged_at timestamptz,
  acknowledged_by_type text,
  acknowledged_by_id text,
  note text,
  UNIQUE (alert_id, scope_type, scope_id, episode, threshold)
);
CREATE INDEX alert_firing_by_time ON alert_firing (organization_id, fired_at, id);
CREATE INDEX alert_firing_by_alert ON alert_firing (alert_id, fired_at, id);
CREATE INDEX alert_firing_open ON alert_firing (organization_id, fired_at) WHERE acknowledged_at IS NULL;

-- One message about a firing through a channel (or to the owner of a key: without a channel). Its id is the message's.
CREATE TABLE alert_delivery (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  -- Null for a test.
  alert_firing_id text REFERENCES alert_firing (id),
  alert_channel_id text REFERENCES alert_channel (id),
  status text NOT NULL CHECK (status IN ('queued', 'sent', 'failed', 'dropped')),
  attempts integer NOT NULL DEFAULT 0,
  -- Of the last attempt: what came back, or why nothing did.
  last_status integer,
  last_error text,
  last_attempt_at timestamptz,
  created_at timestamptz NOT NULL,
  sent_at timestamptz
);
CREATE UNIQUE INDEX alert_delivery_once ON alert_delivery (alert_firing_id, alert_channel_id) NULLS NOT DISTINCT
  WHERE alert_firing_id IS NOT NULL;
CREATE INDEX alert_delivery_by_channel ON alert_delivery (alert_channel_id, created_at, id);
CREATE INDEX alert_delivery_waiting ON alert_delivery (created_at) WHERE status = 'queued';

-- A request for a higher limit. The limit is named by scope and period: it may have been made anew meanwhile.
CREATE TABLE spend_limit_increase_request (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  requester_type text NOT NULL CHECK (requester_type IN ('member', 'api_key', 'admin_key', 'local_operator')),
  requester_id text NOT NULL,
  scope_type text NOT NULL CHECK (scope_type IN ('organization', 'workspace', 'api_key')),
  scope_id text NOT NULL,
  workspace_id text,
  period text NOT NULL CHECK (period IN ('daily', 'weekly', 'monthly')),
  -- Of the limit when it was asked for, and what it should be.
  limit_nano_usd bigint NOT NULL,
  amount_nano_usd bigint NOT NULL CHECK (amount_nano_usd > 0),
  reason text NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'withdrawn')) DEFAULT 'pending',
  approved_nano_usd bigint,
  answer text,
  resolved_by_type text,
  resolved_by_id text,
  created_at timestamptz NOT NULL,
  resolved_at timestamptz,
  CHECK ((status = 'pending') = (resolved_at IS NULL))
);
CREATE INDEX spend_limit_increase_request_by_time ON spend_limit_increase_request (organization_id, created_at, id);
-- Whoever asks again for the same limit changes what was asked.
CREATE UNIQUE INDEX spend_limit_increase_request_pending
  ON spend_limit_increase_request (requester_type, requester_id, scope_type, scope_id, period) WHERE status = 'pending';

-- A limit that was raised or removed in its period, and what was spent then: thresholds that lay above it wait again.
CREATE TABLE spend_limit_raise (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  period_start date NOT NULL,
  settled_nano_usd bigint NOT NULL,
  -- Null: there was no limit any more.
  amount_nano_usd bigint,
  raised_at timestamptz NOT NULL
);
CREATE INDEX spend_limit_raise_by_balance ON spend_limit_raise (scope_type, scope_id, period, period_start);

-- Whether the organization has got the alerts that each begins with: whoever deletes them does not get them again.
ALTER TABLE organization ADD COLUMN has_first_alerts boolean NOT NULL DEFAULT false;
