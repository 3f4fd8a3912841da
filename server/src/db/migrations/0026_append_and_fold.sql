-- Append and fold. A flush inserts its events and one batch, and touches no row of another node. One fold at a time adds
-- the batches to rollups and balances, and deletes them in the same transaction.

-- Appended requests that no fold has counted. The arrays hold one element for each minute and combination of labels.
CREATE TABLE usage_batch (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  node_id text NOT NULL,
  journal_id text NOT NULL,
  -- The batch ends here in the journal.
  to_seq bigint NOT NULL,
  appended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Start of the oldest request. Null: no request.
  oldest_at timestamptz,
  row_count integer NOT NULL,
  -- The database refuses its values, so no fold counts it.
  set_aside_at timestamptz,
  -- Overruns and unresolved holds, by balance.
  hold_charges jsonb NOT NULL,
  bucket_at timestamptz[] NOT NULL,
  organization_id uuid[] NOT NULL,
  workspace_id text[] NOT NULL,
  api_key_id text[] NOT NULL,
  member_id text[] NOT NULL,
  model text[] NOT NULL,
  service_tier text[] NOT NULL,
  context_window text[] NOT NULL,
  inference_geo text[] NOT NULL,
  speed text[] NOT NULL,
  client text[] NOT NULL,
  status text[] NOT NULL,
  requests bigint[] NOT NULL,
  errors bigint[] NOT NULL,
  estimated_requests bigint[] NOT NULL,
  unpriced_requests bigint[] NOT NULL,
  input_tokens bigint[] NOT NULL,
  cache_write_5m_tokens bigint[] NOT NULL,
  cache_write_1h_tokens bigint[] NOT NULL,
  cache_read_tokens bigint[] NOT NULL,
  output_tokens bigint[] NOT NULL,
  web_searches bigint[] NOT NULL,
  input_cost_nano_usd bigint[] NOT NULL,
  cache_write_5m_cost_nano_usd bigint[] NOT NULL,
  cache_write_1h_cost_nano_usd bigint[] NOT NULL,
  cache_read_cost_nano_usd bigint[] NOT NULL,
  output_cost_nano_usd bigint[] NOT NULL,
  web_search_cost_nano_usd bigint[] NOT NULL,
  cost_nano_usd bigint[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 200);

-- The next fold is due then. Its interval follows the load.
CREATE TABLE fold_state (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  due_at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO fold_state DEFAULT VALUES;

-- Balances count the node's requests up to here. Nodes of older versions count theirs at once, and do not move it.
ALTER TABLE node ADD COLUMN folded_seq bigint NOT NULL DEFAULT 0;
UPDATE node SET folded_seq = flushed_seq;
