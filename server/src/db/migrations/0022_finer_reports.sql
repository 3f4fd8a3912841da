-- Reports by person, with any label beside it: the rollup per owner gets all labels but the key's, hours and weeks. And
-- reports of the last days by minute.

DROP TABLE usage_member_day;
CREATE TABLE usage_member_day (
  bucket_at timestamptz NOT NULL,
  organization_id uuid NOT NULL,
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
  PRIMARY KEY (organization_id, bucket_at, member_id, model, service_tier, context_window, inference_geo, speed, client,
    status)
);
CREATE TABLE usage_member_hour (LIKE usage_member_day INCLUDING ALL);
CREATE TABLE usage_member_week (LIKE usage_member_day INCLUDING ALL);

DO $$
DECLARE
  labels constant text := 'member_id, model, service_tier, context_window, inference_geo, speed, client, status';
  counts constant text := 'requests, errors, estimated_requests, unpriced_requests, input_tokens, cache_write_5m_tokens,
    cache_write_1h_tokens, cache_read_tokens, output_tokens, web_searches, input_cost_nano_usd,
    cache_write_5m_cost_nano_usd, cache_write_1h_cost_nano_usd, cache_read_cost_nano_usd, output_cost_nano_usd,
    web_search_cost_nano_usd, cost_nano_usd';
  unit text;
BEGIN
  -- In order of time, so that a range lies together; usage_week has the weeks that have been summed up.
  FOREACH unit IN ARRAY ARRAY['hour', 'day', 'week'] LOOP
    EXECUTE format('INSERT INTO %1$I (bucket_at, organization_id, %3$s, %4$s)
      SELECT bucket_at, organization_id, %3$s, %5$s FROM %2$I GROUP BY bucket_at, organization_id, %3$s ORDER BY bucket_at',
      'usage_member_' || unit, 'usage_' || unit, labels, counts, regexp_replace(counts, '(\w+)', 'sum(\1)', 'g'));
  END LOOP;
END $$;

-- Those of the last days; older ones are counted from the events.
CREATE TABLE usage_organization_minute (LIKE usage_organization_hour INCLUDING ALL);
INSERT INTO usage_organization_minute
  SELECT date_trunc('minute', started_at, 'UTC'), organization_id, model, service_tier, context_window, inference_geo,
    speed, client,
    CASE WHEN outcome <> 'refused' THEN outcome WHEN http_status = 429 THEN 'rate_limited'
      WHEN http_status BETWEEN 400 AND 499 THEN 'client_error' ELSE 'server_error' END,
    count(*), count(*) FILTER (WHERE outcome NOT IN ('answered', 'aborted')), count(*) FILTER (WHERE is_estimated),
    count(*) FILTER (WHERE is_unpriced), sum(input_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens),
    sum(cache_read_tokens), sum(output_tokens), sum(web_searches), sum(input_cost_nano_usd),
    sum(cache_write_5m_cost_nano_usd), sum(cache_write_1h_cost_nano_usd), sum(cache_read_cost_nano_usd),
    sum(output_cost_nano_usd), sum(web_search_cost_nano_usd), sum(cost_nano_usd)
  FROM usage_event WHERE started_at >= now() - interval '8 days' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1;

-- Which keys were a person's, in which month: the rollups of keys lie in the order of workspaces and keys. Its columns
-- never change, so that adding to a row leaves it alone.
CREATE INDEX usage_key_month_by_member ON usage_key_month (organization_id, member_id, bucket_at, workspace_id, api_key_id);
