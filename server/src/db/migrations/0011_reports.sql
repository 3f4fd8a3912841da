-- Reports: whose key it was and how the request ended, as labels; rollups for wide ranges; how long the request log is kept.

-- The person whose key it was when the request began; '' for a workspace's own key.
ALTER TABLE usage_event ADD COLUMN member_id text NOT NULL DEFAULT '';
UPDATE usage_event e SET member_id = k.owner_member_id FROM api_key k
  WHERE k.id = e.api_key_id AND k.owner_member_id IS NOT NULL;

-- What the request log is searched by. Requests that ended badly are few, so their index is small.
CREATE INDEX usage_event_by_key ON usage_event (organization_id, api_key_id, started_at);
CREATE INDEX usage_event_failed ON usage_event (organization_id, started_at)
  WHERE outcome NOT IN ('answered', 'aborted');

-- What every rollup counts: the columns are copied from here.
CREATE TABLE usage_counts (
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
  cost_nano_usd bigint NOT NULL
);

-- The rollups per key are made anew with the two labels, and joined by those per week and month, which wide ranges are
-- read from.
DROP TABLE usage_hour, usage_day;
CREATE TABLE usage_hour (
  bucket_at timestamptz NOT NULL,
  organization_id uuid NOT NULL,
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
  LIKE usage_counts,
  PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id, service_tier, context_window,
    inference_geo, speed, client, status)
);
CREATE TABLE usage_day (LIKE usage_hour INCLUDING ALL);
CREATE TABLE usage_week (LIKE usage_hour INCLUDING ALL);
CREATE TABLE usage_month (LIKE usage_hour INCLUDING ALL);

-- Without keys and their owners: what the whole organization used. Few rows, whatever the number of keys.
CREATE TABLE usage_organization_hour (
  bucket_at timestamptz NOT NULL,
  organization_id uuid NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  LIKE usage_counts,
  PRIMARY KEY (organization_id, bucket_at, model, service_tier, context_window, inference_geo, speed, client, status)
);
CREATE TABLE usage_organization_day (LIKE usage_organization_hour INCLUDING ALL);

-- By key, its owner and the model; by owner; by workspace; and by nothing else.
CREATE TABLE usage_key_day (
  bucket_at timestamptz NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  LIKE usage_counts,
  PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id)
);
CREATE TABLE usage_key_week (LIKE usage_key_day INCLUDING ALL);
CREATE TABLE usage_key_month (LIKE usage_key_day INCLUDING ALL);
CREATE TABLE usage_member_day (
  bucket_at timestamptz NOT NULL,
  organization_id uuid NOT NULL,
  member_id text NOT NULL,
  LIKE usage_counts,
  PRIMARY KEY (organization_id, bucket_at, member_id)
);
CREATE TABLE usage_workspace_hour (
  bucket_at timestamptz NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  LIKE usage_counts,
  PRIMARY KEY (organization_id, bucket_at, workspace_id)
);
CREATE TABLE usage_workspace_day (LIKE usage_workspace_hour INCLUDING ALL);
DROP TABLE usage_counts;

INSERT INTO usage_hour
  SELECT date_trunc('hour', started_at, 'UTC'), organization_id, workspace_id, api_key_id, member_id, model, service_tier,
    context_window, inference_geo, speed, client,
    -- How a request ended: domain/request-status.ts has the same rule.
    CASE WHEN outcome <> 'refused' THEN outcome WHEN http_status = 429 THEN 'rate_limited'
      WHEN http_status BETWEEN 400 AND 499 THEN 'client_error' ELSE 'server_error' END,
    count(*),
    count(*) FILTER (WHERE outcome NOT IN ('answered', 'aborted')), count(*) FILTER (WHERE is_estimated),
    count(*) FILTER (WHERE is_unpriced), sum(input_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens),
    sum(cache_read_tokens), sum(output_tokens), sum(web_searches), sum(input_cost_nano_usd),
    sum(cache_write_5m_cost_nano_usd), sum(cache_write_1h_cost_nano_usd), sum(cache_read_cost_nano_usd),
    sum(output_cost_nano_usd), sum(web_search_cost_nano_usd), sum(cost_nano_usd)
  FROM usage_event GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12;

-- The other rollups are sums of that one; their statements differ in the labels only.
DO $$
DECLARE
  counts constant text := 'requests, errors, estimated_requests, unpriced_requests, input_tokens, cache_write_5m_tokens,
    cache_write_1h_tokens, cache_read_tokens, output_tokens, web_searches, input_cost_nano_usd,
    cache_write_5m_cost_nano_usd, cache_write_1h_cost_nano_usd, cache_read_cost_nano_usd, output_cost_nano_usd,
    web_search_cost_nano_usd, cost_nano_usd';
  model_labels constant text := 'model, service_tier, context_window, inference_geo, speed, client, status';
  rollup record;
BEGIN
  FOR rollup IN
    SELECT * FROM (VALUES
      ('usage_day', 'day', 'workspace_id, api_key_id, member_id, ' || model_labels),
      ('usage_month', 'month', 'workspace_id, api_key_id, member_id, ' || model_labels),
      ('usage_key_day', 'day', 'workspace_id, api_key_id, member_id, model'),
      ('usage_key_month', 'month', 'workspace_id, api_key_id, member_id, model'),
      ('usage_member_day', 'day', 'member_id'),
      ('usage_organization_hour', 'hour', model_labels),
      ('usage_organization_day', 'day', model_labels),
      ('usage_workspace_hour', 'hour', 'workspace_id'),
      ('usage_workspace_day', 'day', 'workspace_id')) AS r (name, unit, labels)
  LOOP
    EXECUTE format('INSERT INTO %1$I (bucket_at, organization_id, %2$s, %3$s)
      SELECT date_trunc(%4$L, bucket_at, ''UTC'') AS at, organization_id, %2$s, %5$s FROM usage_hour
      GROUP BY at, organization_id, %2$s',
      rollup.name, rollup.labels, counts, rollup.unit, regexp_replace(counts, '(\w+)', 'sum(\1)', 'g'));
  END LOOP;
END $$;

-- Weeks that began before this are in usage_week and usage_key_week, each summed up some days after its end; those of
-- before this migration follow when the server runs.
CREATE TABLE usage_weeks (
  is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
  summed_before timestamptz NOT NULL
);
INSERT INTO usage_weeks (summed_before)
  SELECT date_trunc('week', least(min(bucket_at), now() - interval '2 days'), 'UTC') FROM usage_day;

-- log_retention_days: null keeps requests for ever. log_pruned_before: what began before it may have been deleted from
-- usage_event; the rollups hold it all the same.
CREATE TABLE usage_settings (
  organization_id uuid PRIMARY KEY REFERENCES organization (id),
  log_retention_days integer CHECK (log_retention_days BETWEEN 7 AND 36500),
  log_pruned_before timestamptz
);
