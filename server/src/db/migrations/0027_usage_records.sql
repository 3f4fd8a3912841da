-- Compact records of requests, and how far sums by time were deleted. A record refers to its labels, its prices and its node, and has NULL for each amount of
-- zero. The labels of usage_event took most of a row and of its indexes. Nodes of version 0.1 still write usage_event, so
-- the view recorded_request has both.

-- One row per distinct combination of labels. The id is a hash of the labels, so nodes agree on it without a query.
CREATE TABLE usage_labels (
  id bigint PRIMARY KEY,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL
);
CREATE INDEX usage_labels_by_workspace ON usage_labels (organization_id, workspace_id);
CREATE INDEX usage_labels_by_key ON usage_labels (organization_id, api_key_id);

CREATE TABLE usage_prices (
  id bigint PRIMARY KEY,
  prices jsonb NOT NULL
);

CREATE TABLE usage_node (
  id bigint PRIMARY KEY,
  node_id text NOT NULL
);

-- Columns in order of their alignment: no row has padding between them.
CREATE TABLE usage_record (
  started_at timestamptz NOT NULL,
  labels_id bigint NOT NULL,
  prices_id bigint NOT NULL,
  usage_node_id bigint NOT NULL,
  hold_nano_usd bigint,
  input_tokens bigint,
  cache_write_5m_tokens bigint,
  cache_write_1h_tokens bigint,
  cache_read_tokens bigint,
  output_tokens bigint,
  web_searches bigint,
  input_cost_nano_usd bigint,
  cache_write_5m_cost_nano_usd bigint,
  cache_write_1h_cost_nano_usd bigint,
  cache_read_cost_nano_usd bigint,
  output_cost_nano_usd bigint,
  web_search_cost_nano_usd bigint,
  cost_nano_usd bigint,
  -- Milliseconds from the start.
  duration_ms integer NOT NULL,
  first_byte_ms integer,
  http_status smallint,
  -- 0 answered, 1 aborted, 2 refused, 3 unreached, 4 interrupted.
  outcome_code smallint NOT NULL CHECK (outcome_code BETWEEN 0 AND 4),
  is_stream boolean NOT NULL,
  is_estimated boolean NOT NULL,
  is_unpriced boolean NOT NULL,
  request_id text NOT NULL,
  upstream_request_id text,
  -- NULL where the client requested the model of the labels.
  requested_model text
) PARTITION BY RANGE (started_at);
CREATE TABLE usage_record_default PARTITION OF usage_record DEFAULT;

-- Refuses a request that is already recorded. A hash of the id takes 24 bytes a request less than the id.
CREATE UNIQUE INDEX usage_record_once ON usage_record (started_at, hashtextextended(request_id, 0));
CREATE INDEX usage_record_by_labels ON usage_record (labels_id, started_at);
CREATE INDEX usage_record_failed ON usage_record (started_at) WHERE outcome_code >= 2;

-- Conditions on request_hash and outcome_code use the indexes of usage_record.
CREATE VIEW recorded_request AS
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
    prices.prices, record.upstream_request_id, record.first_byte_ms, record.hold_nano_usd
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
    event.prices, event.upstream_request_id, event.first_byte_ms, event.hold_nano_usd
  FROM usage_event event;

-- Sums and balances of times before these marks were deleted, or are about to be. A mark only moves forward.
CREATE TABLE retention_mark (
  is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
  -- Start of a day, UTC. NULL: nothing was deleted.
  hours_before timestamptz,
  -- Start of a month, UTC. For days and weeks.
  days_before timestamptz,
  -- First day of a month.
  balances_before date
);
INSERT INTO retention_mark DEFAULT VALUES;
