-- What alerts about requests and addresses are found by.

-- A condition about requests that is, or lately was, true: while it is true again within its window it is the same
-- episode, which fires once.
CREATE TABLE alert_episode (
  alert_id text NOT NULL REFERENCES alert (id),
  scope_type text NOT NULL CHECK (scope_type IN ('organization', 'workspace', 'api_key')),
  scope_id text NOT NULL,
  began_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  PRIMARY KEY (alert_id, scope_type, scope_id)
);

-- The networks (IPv4 /24, IPv6 /48) that a key was used from lately, of each key a bounded number. last_seen_at is written
-- once an hour at most.
CREATE TABLE api_key_network (
  api_key_id text NOT NULL REFERENCES api_key (id),
  network text NOT NULL,
  first_seen_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  PRIMARY KEY (api_key_id, network)
);
CREATE INDEX api_key_network_by_time ON api_key_network (first_seen_at);

-- What is known of older keys: the next network is news.
INSERT INTO api_key_network (api_key_id, network, first_seen_at, last_seen_at)
  SELECT api_key_id, network(set_masklen(address, CASE family(address) WHEN 4 THEN 24 ELSE 48 END))::text,
    min(last_used_at), max(last_used_at)
  FROM (SELECT api_key_id, last_used_at, split_part(last_used_address, '%', 1)::inet AS address
    FROM api_key_secret WHERE last_used_address IS NOT NULL AND last_used_at IS NOT NULL) AS used
  GROUP BY 1, 2;

-- Requests of a key that this server refused itself, by the minute, for two days. They are no usage: nothing was sent.
CREATE TABLE refused_request (
  organization_id uuid NOT NULL REFERENCES organization (id),
  workspace_id text NOT NULL,
  api_key_id text NOT NULL REFERENCES api_key (id),
  minute_at timestamptz NOT NULL,
  requests integer NOT NULL,
  PRIMARY KEY (api_key_id, minute_at)
);
CREATE INDEX refused_request_by_time ON refused_request (organization_id, minute_at);
