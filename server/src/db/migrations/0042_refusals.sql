-- Refused requests: counts by key, cause, model and minute, and the last ones of each key. They are no usage, because
-- nothing was sent. Nodes of 0.1 still write refused_request and refused_request_hour, which only the alert reads.

-- Requests without a known key count for the operator's organization, with empty ids. An empty model: the request was
-- refused before its body was read. Rows are kept for eight days.
CREATE TABLE refusal_minute (
  organization_id uuid NOT NULL REFERENCES organization (id),
  bucket_at timestamptz NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  error_code text NOT NULL,
  model text NOT NULL,
  requests bigint NOT NULL CHECK (requests > 0),
  PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, error_code, model),
  CHECK ((workspace_id = '') = (api_key_id = ''))
);
CREATE INDEX refusal_minute_by_time ON refusal_minute (bucket_at);
-- Sums of refusal_minute by the hour, UTC. They are kept as long as usage by hour.
CREATE TABLE refusal_hour (LIKE refusal_minute INCLUDING ALL);
ALTER TABLE refusal_hour ADD FOREIGN KEY (organization_id) REFERENCES organization (id);

-- The last 100 refusals of each key. facts has neither texts of the request nor secrets.
CREATE TABLE refusal_recent (
  organization_id uuid NOT NULL REFERENCES organization (id),
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  refused_at timestamptz NOT NULL,
  request_id text NOT NULL,
  error_code text NOT NULL,
  http_status smallint NOT NULL,
  model text NOT NULL,
  address text,
  facts jsonb NOT NULL,
  PRIMARY KEY (organization_id, api_key_id, refused_at, request_id),
  CHECK ((workspace_id = '') = (api_key_id = ''))
);
CREATE INDEX refusal_recent_by_time ON refusal_recent (organization_id, refused_at, request_id);
