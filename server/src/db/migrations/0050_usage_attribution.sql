-- Groups and tags of each request, as of its start: sorted ids, separated by commas. Empty: none, and for requests that nodes
-- of version 0.1 record.

-- `attribution_id` is a hash of both lists. 0: no group and no tag.
ALTER TABLE usage_labels ADD COLUMN group_ids text NOT NULL DEFAULT '', ADD COLUMN tag_ids text NOT NULL DEFAULT '',
  ADD COLUMN attribution_id bigint NOT NULL DEFAULT 0;

-- Each combination of groups and tags that was ever used. Reports join it, because it has few rows.
CREATE TABLE usage_attribution (
  id bigint PRIMARY KEY,
  organization_id uuid NOT NULL,
  group_ids text NOT NULL,
  tag_ids text NOT NULL
);
CREATE INDEX usage_attribution_by_organization ON usage_attribution (organization_id);

-- Requests with a group or a tag, with all labels. Nodes of version 0.1 add to the other rollups by their primary keys, so
-- those tables cannot get a label. Requests without both are in the other rollups only.
CREATE TABLE usage_attributed_hour (
  bucket_at timestamptz NOT NULL,
  organization_id uuid NOT NULL,
  attribution_id bigint NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
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
  partly_unbilled_requests bigint NOT NULL,
  PRIMARY KEY (organization_id, bucket_at, attribution_id, workspace_id, api_key_id, model, member_id, service_tier,
    context_window, inference_geo, speed, client, status)
);
CREATE TABLE usage_attributed_day (LIKE usage_attributed_hour INCLUDING ALL);
CREATE TABLE usage_attributed_month (LIKE usage_attributed_hour INCLUDING ALL);
ALTER TABLE usage_attributed_hour SET (fillfactor = 80);

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
    labels.group_ids, labels.tag_ids, labels.attribution_id
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
    event.prices, event.upstream_request_id, event.first_byte_ms, event.hold_nano_usd, NULL, false, '', '', 0
  FROM usage_event event;
