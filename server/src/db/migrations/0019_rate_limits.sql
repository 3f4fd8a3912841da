-- Requests and tokens per minute.

-- One limit for each scope and group of models ('all', 'token_count', or one of domain/model-groups.ts).
-- revision: rate_limits_version at the last change; a limit that is made anew never has an old one's number.
CREATE TABLE rate_limit (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  scope_type text NOT NULL CHECK (scope_type IN ('organization', 'workspace', 'api_key')),
  scope_id text NOT NULL,
  model_group text NOT NULL,
  requests_per_minute integer CHECK (requests_per_minute > 0),
  input_tokens_per_minute integer CHECK (input_tokens_per_minute > 0),
  output_tokens_per_minute integer CHECK (output_tokens_per_minute > 0),
  revision bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (scope_type, scope_id, model_group),
  CHECK (num_nonnulls(requests_per_minute, input_tokens_per_minute, output_tokens_per_minute) > 0)
);
CREATE INDEX rate_limit_by_organization ON rate_limit (organization_id, created_at);

CREATE TABLE rate_limits_version (
  is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
  value bigint NOT NULL DEFAULT 0
);
INSERT INTO rate_limits_version DEFAULT VALUES;

-- What is left of a limit at refilled_at; it refills all the time. Made when it is first asked for. Not worth a write to the
-- log: after a crash of PostgreSQL every bucket is full. No foreign key: a change of buckets must not lock limits.
CREATE UNLOGGED TABLE rate_bucket (
  rate_limit_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('requests', 'input_tokens', 'output_tokens')),
  level double precision NOT NULL,
  refilled_at timestamptz NOT NULL,
  PRIMARY KEY (rate_limit_id, kind)
) WITH (fillfactor = 50);
