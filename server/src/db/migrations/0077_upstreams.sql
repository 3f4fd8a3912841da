-- An organization has several upstreams: other credentials, addresses and providers. Secrets stay bound to the row and its origin.
DROP INDEX upstream_one_shared;
ALTER TABLE upstream
  ADD COLUMN provider text NOT NULL DEFAULT 'anthropic'
    CONSTRAINT upstream_provider CHECK (provider IN ('anthropic', 'bedrock', 'vertex', 'foundry')),
  -- Values that a provider needs, such as a region. No secrets.
  ADD COLUMN settings jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN extra_headers_sealed bytea,
  ADD COLUMN extra_header_names text[] NOT NULL DEFAULT '{}',
  -- Address of the proxy without its user and password.
  ADD COLUMN proxy_url text,
  ADD COLUMN proxy_credential_sealed bytea,
  -- Workspace at the provider, for a credential of several workspaces.
  ADD COLUMN upstream_workspace_id text,
  -- Place in the default order. Null: only workspaces with an order of their own use the upstream.
  ADD COLUMN default_position integer CONSTRAINT upstream_default_position CHECK (default_position >= 0),
  ADD CONSTRAINT upstream_of_organization UNIQUE (organization_id, id);
UPDATE upstream SET default_position = 0;
-- A release before this one inserts no position. Its upstream is in the default order too.
ALTER TABLE upstream ALTER COLUMN default_position SET DEFAULT 0;
CREATE INDEX upstream_by_time ON upstream (organization_id, created_at, id);

-- Order of upstreams that a workspace has instead of the default one.
CREATE TABLE workspace_upstream (
  organization_id uuid NOT NULL REFERENCES organization (id),
  workspace_id text NOT NULL REFERENCES workspace (id),
  position integer NOT NULL CHECK (position >= 0),
  upstream_id text NOT NULL,
  PRIMARY KEY (workspace_id, position),
  CONSTRAINT workspace_upstream_once UNIQUE (workspace_id, upstream_id),
  FOREIGN KEY (organization_id, upstream_id) REFERENCES upstream (organization_id, id)
);
CREATE INDEX workspace_upstream_by_upstream ON workspace_upstream (upstream_id);

-- Circuit breaker of each node, as it last reported it. Facts of an upstream since its last change.
CREATE TABLE upstream_node_health (
  upstream_id text NOT NULL REFERENCES upstream (id) ON DELETE CASCADE,
  node_id text NOT NULL,
  state text NOT NULL CHECK (state IN ('closed', 'open', 'half_open')),
  answers bigint NOT NULL CHECK (answers >= 0),
  failures bigint NOT NULL CHECK (failures >= 0),
  failures_in_row integer NOT NULL CHECK (failures_in_row >= 0),
  last_answer_at timestamptz,
  last_failure_at timestamptz,
  last_failure text,
  reported_at timestamptz NOT NULL,
  PRIMARY KEY (upstream_id, node_id)
);

-- Stored upstream that a request was sent to. After a failover, a space and its reason follow. Null: an upstream of the
-- environment, or the simulator.
ALTER TABLE usage_record ADD COLUMN served_by text;

CREATE OR REPLACE VIEW recorded_request AS
  SELECT record.request_id, hashtextextended(record.request_id, 0) AS request_hash, record.started_at,
    record.started_at + record.duration_ms * interval '1 millisecond' AS ended_at,
    node.node_id, labels.organization_id, labels.workspace_id, labels.api_key_id, labels.member_id,
    (ARRAY['answered', 'aborted', 'refused', 'unreached', 'interrupted'])[record.outcome_code + 1] AS outcome,
    record.outcome_code::integer AS outcome_code,
    record.http_status::integer AS http_status, record.is_stream, record.is_estimated, record.is_unpriced,
    coalesce(record.requested_model, labels.model) AS requested_model, labels.model, labels.service_tier,
    labels.context_window, labels.inference_geo, labels.speed, labels.client,
    coalesce(record.input_tokens, 0) AS input_tokens,
    coalesce(record.cache_write_5m_tokens, 0) AS cache_write_5m_tokens,
    coalesce(record.cache_write_1h_tokens, 0) AS cache_write_1h_tokens,
    coalesce(record.cache_read_tokens, 0) AS cache_read_tokens,
    coalesce(record.output_tokens, 0) AS output_tokens,
    coalesce(record.web_searches, 0) AS web_searches,
    coalesce(record.input_cost_nano_usd, 0) AS input_cost_nano_usd,
    coalesce(record.cache_write_5m_cost_nano_usd, 0) AS cache_write_5m_cost_nano_usd,
    coalesce(record.cache_write_1h_cost_nano_usd, 0) AS cache_write_1h_cost_nano_usd,
    coalesce(record.cache_read_cost_nano_usd, 0) AS cache_read_cost_nano_usd,
    coalesce(record.output_cost_nano_usd, 0) AS output_cost_nano_usd,
    coalesce(record.web_search_cost_nano_usd, 0) AS web_search_cost_nano_usd,
    coalesce(record.cost_nano_usd, 0) AS cost_nano_usd,
    prices.prices, record.upstream_request_id, record.first_byte_ms, record.hold_nano_usd,
    (ARRAY['impossible_usage', 'missing_usage', 'incomplete_usage'])[record.doubt_code] AS doubt,
    coalesce(record.has_unbilled_parts, false) AS has_unbilled_parts,
    labels.group_ids, labels.tag_ids, labels.attribution_id,
    record.agent_session_id, record.prompt_id, record.agent_id, record.parent_agent_id,
    record.request_class, record.cut,
    split_part(record.served_by, ' ', 1) AS upstream_id,
    nullif(split_part(record.served_by, ' ', 2), '') AS failover
  FROM usage_record record
  JOIN usage_labels labels ON labels.id = record.labels_id
  LEFT JOIN usage_prices prices ON prices.id = record.prices_id
  LEFT JOIN usage_node node ON node.id = record.usage_node_id
  UNION ALL
  SELECT event.request_id, hashtextextended(event.request_id, 0), event.started_at, event.ended_at, event.node_id,
    event.organization_id, event.workspace_id, event.api_key_id, event.member_id, event.outcome,
    array_position(ARRAY['answered', 'aborted', 'refused', 'unreached', 'interrupted'], event.outcome) - 1,
    event.http_status, event.is_stream, event.is_estimated,
    event.is_unpriced, event.requested_model, event.model, event.service_tier, event.context_window,
    event.inference_geo, event.speed, event.client, event.input_tokens, event.cache_write_5m_tokens,
    event.cache_write_1h_tokens, event.cache_read_tokens, event.output_tokens, event.web_searches,
    event.input_cost_nano_usd, event.cache_write_5m_cost_nano_usd, event.cache_write_1h_cost_nano_usd,
    event.cache_read_cost_nano_usd, event.output_cost_nano_usd, event.web_search_cost_nano_usd, event.cost_nano_usd,
    event.prices, event.upstream_request_id, event.first_byte_ms, event.hold_nano_usd, NULL, false, '', '', 0,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM usage_event event;
