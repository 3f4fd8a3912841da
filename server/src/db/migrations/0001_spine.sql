-- The spine: organization, workspaces, keys, prices, limits, balances, usage, audit log, nodes.
-- Money is bigint nano-US-dollars everywhere. Times are timestamptz; reports count in UTC.

-- One row per process that has a journal. The flush of a node hangs on (epoch, journal_id, flushed_seq): a sequence
-- number means something in its own journal only.
CREATE TABLE node (
  id text PRIMARY KEY,
  journal_id text NOT NULL,
  epoch bigint NOT NULL DEFAULT 1,
  flushed_seq bigint NOT NULL DEFAULT 0,
  version text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now()
);

-- Facts about this installation that every node must agree on (fingerprint of BURSAR_SECRET).
CREATE TABLE installation (
  key text PRIMARY KEY,
  value text NOT NULL
);

-- Raised in the transaction of every change that a node caches; nodes poll it.
CREATE TABLE change_counter (
  is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
  value bigint NOT NULL DEFAULT 0
);
INSERT INTO change_counter DEFAULT VALUES;

CREATE TABLE organization (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE workspace (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  name text NOT NULL,
  description text,
  display_color text NOT NULL,
  tags jsonb NOT NULL DEFAULT '{}',
  is_default boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz
);
CREATE UNIQUE INDEX workspace_one_default ON workspace (organization_id) WHERE is_default;
CREATE INDEX workspace_by_organization ON workspace (organization_id, created_at, id);
CREATE UNIQUE INDEX workspace_active_name ON workspace (organization_id, lower(name)) WHERE archived_at IS NULL;

-- A workspace's key. The secret is stored as its SHA-256 and as a hint of its first and last letters.
CREATE TABLE api_key (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  workspace_id text NOT NULL REFERENCES workspace (id),
  name text NOT NULL,
  permission text NOT NULL CHECK (permission IN ('read', 'write', 'admin')),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'archived')),
  secret_hash bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
  partial_key_hint text NOT NULL,
  created_by_type text NOT NULL,
  created_by_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz
);
CREATE INDEX api_key_by_organization ON api_key (organization_id, created_at, id);
CREATE INDEX api_key_by_workspace ON api_key (workspace_id, created_at, id);

CREATE TABLE admin_key (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  name text NOT NULL,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'revoked')),
  secret_hash bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
  partial_key_hint text NOT NULL,
  created_by_type text NOT NULL,
  created_by_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX admin_key_by_organization ON admin_key (organization_id, created_at, id);

-- Where Claude is really called. The credential is AES-256-GCM, bound to this row and its origin.
CREATE TABLE upstream (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  name text NOT NULL,
  base_url text NOT NULL,
  credential_sealed bytea,
  credential_hint text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX upstream_one_shared ON upstream (organization_id);

-- Prices an organization has set over the shipped list, in force from a date. Nano-USD per million
-- tokens; web search per request.
CREATE TABLE price_override (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  model text NOT NULL,
  effective_from timestamptz NOT NULL,
  input_nano_usd bigint NOT NULL CHECK (input_nano_usd >= 0),
  cache_write_5m_nano_usd bigint NOT NULL CHECK (cache_write_5m_nano_usd >= 0),
  cache_write_1h_nano_usd bigint NOT NULL CHECK (cache_write_1h_nano_usd >= 0),
  cache_read_nano_usd bigint NOT NULL CHECK (cache_read_nano_usd >= 0),
  output_nano_usd bigint NOT NULL CHECK (output_nano_usd >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (organization_id, model, effective_from)
);

CREATE TABLE spend_limit (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  scope_type text NOT NULL CHECK (scope_type IN ('organization', 'workspace', 'api_key')),
  scope_id text NOT NULL,
  period text NOT NULL CHECK (period IN ('daily', 'weekly', 'monthly')),
  amount_nano_usd bigint NOT NULL CHECK (amount_nano_usd >= 0),
  enforcement text NOT NULL CHECK (enforcement IN ('strict', 'soft', 'alert_only')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (scope_type, scope_id, period)
);

-- Spend per scope and period, kept for every scope whether limited or not. Only ledger/ writes it.
-- The guard settled + leased + unresolved + amount <= limit stands in the grant, never here:
-- settling always succeeds.
CREATE TABLE balance (
  scope_type text NOT NULL CHECK (scope_type IN ('organization', 'workspace', 'api_key')),
  scope_id text NOT NULL,
  period text NOT NULL CHECK (period IN ('daily', 'weekly', 'monthly')),
  period_start date NOT NULL,
  organization_id uuid NOT NULL REFERENCES organization (id),
  settled_nano_usd bigint NOT NULL DEFAULT 0,
  leased_nano_usd bigint NOT NULL DEFAULT 0,
  unresolved_nano_usd bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (scope_type, scope_id, period, period_start)
);

-- One row per request that was dispatched. Append-only, by month of its start.
CREATE TABLE usage_event (
  request_id text NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  node_id text NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('answered', 'refused', 'unreached', 'aborted', 'interrupted')),
  http_status integer,
  is_stream boolean NOT NULL,
  is_estimated boolean NOT NULL,
  is_unpriced boolean NOT NULL,
  requested_model text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  prices jsonb NOT NULL,
  upstream_request_id text,
  first_byte_ms integer,
  PRIMARY KEY (started_at, request_id)
) PARTITION BY RANGE (started_at);
CREATE TABLE usage_event_default PARTITION OF usage_event DEFAULT;
CREATE INDEX usage_event_by_workspace ON usage_event (organization_id, workspace_id, started_at);

-- Rollups that reports read; they add up to usage_event and to balance exactly.
CREATE TABLE usage_hour (
  bucket_at timestamptz NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, service_tier, context_window, inference_geo, speed, client)
);
CREATE TABLE usage_day (LIKE usage_hour INCLUDING ALL);

-- Append-only, one hash chain per organization; audit_head is locked while an event is added.
CREATE TABLE audit_head (
  organization_id uuid PRIMARY KEY REFERENCES organization (id),
  seq bigint NOT NULL DEFAULT 0,
  hash bytea NOT NULL
);
CREATE TABLE audit_event (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  seq bigint NOT NULL,
  event text NOT NULL,
  actor_type text NOT NULL,
  actor_id text NOT NULL,
  subject_type text NOT NULL,
  subject_id text NOT NULL,
  workspace_id text,
  before jsonb,
  after jsonb,
  request_id text NOT NULL,
  ip_address text,
  user_agent text,
  created_at timestamptz NOT NULL,
  previous_hash bytea NOT NULL,
  hash bytea NOT NULL,
  UNIQUE (organization_id, seq)
);
