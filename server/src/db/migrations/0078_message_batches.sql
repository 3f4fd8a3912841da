-- Message batches of the Claude API: one row for each batch that this server has accepted, and one for each of its requests
-- until all are metered. A hold of a batch is in `lease` under the node "message_batches", in every balance of its chain.
CREATE TABLE message_batch (
  -- Request id of the request that created the batch.
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text,
  group_ids text[] NOT NULL DEFAULT '{}',
  tag_ids text[] NOT NULL DEFAULT '{}',
  client text NOT NULL,
  upstream_id text NOT NULL,
  is_simulated boolean NOT NULL,
  -- Null until the upstream has answered.
  upstream_batch_id text,
  state text NOT NULL CHECK (state IN ('preparing', 'held', 'sent', 'running', 'metered', 'refused', 'unresolved')),
  -- Node that creates the batch.
  node_id text NOT NULL,
  body_hash text,
  line_count integer NOT NULL DEFAULT 0 CHECK (line_count >= 0),
  hold_nano_usd bigint NOT NULL DEFAULT 0 CHECK (hold_nano_usd >= 0),
  -- Time that decides periods and prices.
  started_at timestamptz NOT NULL,
  sent_at timestamptz,
  metered_lines integer NOT NULL DEFAULT 0,
  cost_nano_usd bigint NOT NULL DEFAULT 0,
  -- Time of the next look at the upstream. Null: none.
  poll_at timestamptz,
  -- Last state that the upstream has reported.
  last_object jsonb,
  expires_at timestamptz,
  ended_at timestamptz,
  CHECK (state NOT IN ('running', 'metered') OR upstream_batch_id IS NOT NULL)
);

CREATE UNIQUE INDEX message_batch_upstream ON message_batch (upstream_id, upstream_batch_id)
  WHERE upstream_batch_id IS NOT NULL;
CREATE INDEX message_batch_due ON message_batch (poll_at) WHERE poll_at IS NOT NULL;
CREATE INDEX message_batch_retry ON message_batch (api_key_id, body_hash) WHERE body_hash IS NOT NULL;
CREATE INDEX message_batch_by_workspace ON message_batch (workspace_id, started_at);

CREATE TABLE message_batch_line (
  batch_id text NOT NULL REFERENCES message_batch (id) ON DELETE CASCADE,
  custom_id text NOT NULL,
  line integer NOT NULL,
  model text NOT NULL,
  hold_nano_usd bigint NOT NULL CHECK (hold_nano_usd >= 0),
  -- Highest cost with its parts, by which impossible usage is found.
  worst_case jsonb NOT NULL,
  has_unbilled_parts boolean NOT NULL,
  is_metered boolean NOT NULL DEFAULT false,
  PRIMARY KEY (batch_id, custom_id)
);
