-- What refused_request adds up to by the hour (UTC), for the same two days: a window of a day is a few rows of each key.
CREATE TABLE refused_request_hour (
  organization_id uuid NOT NULL REFERENCES organization (id),
  workspace_id text NOT NULL,
  api_key_id text NOT NULL REFERENCES api_key (id),
  hour_at timestamptz NOT NULL,
  requests integer NOT NULL,
  PRIMARY KEY (api_key_id, hour_at)
);
CREATE INDEX refused_request_hour_by_time ON refused_request_hour (organization_id, hour_at);
INSERT INTO refused_request_hour (organization_id, workspace_id, api_key_id, hour_at, requests)
  SELECT organization_id, workspace_id, api_key_id, date_trunc('hour', minute_at, 'UTC'), sum(requests)
  FROM refused_request GROUP BY 1, 2, 3, 4;
