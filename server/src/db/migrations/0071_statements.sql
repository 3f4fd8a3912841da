-- Monthly statements. A closed month has one row here, and its lines are never written again. Retention of usage deletes none
-- of them.
CREATE TABLE statement (
  organization_id uuid NOT NULL REFERENCES organization (id),
  month date NOT NULL CHECK (extract(day FROM month) = 1),
  closed_at timestamptz NOT NULL,
  line_count integer NOT NULL,
  list_cost_nano_usd bigint NOT NULL,
  adjustments_nano_usd bigint NOT NULL,
  earlier_nano_usd bigint NOT NULL,
  discount_nano_usd bigint NOT NULL,
  requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  partly_unbilled_requests bigint NOT NULL,
  simulated_requests bigint NOT NULL,
  simulated_cost_nano_usd bigint NOT NULL,
  sha256 bytea NOT NULL,
  PRIMARY KEY (organization_id, month)
);

-- Usage by the labels that decide its price and its place, or one adjustment. `for_month` is the month in which the requests
-- started: the statement's, or an earlier one whose statement was closed.
CREATE TABLE statement_line (
  organization_id uuid NOT NULL,
  month date NOT NULL,
  place integer NOT NULL,
  kind text NOT NULL CHECK (kind IN ('usage', 'simulated', 'adjustment')),
  for_month date NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  group_ids text NOT NULL,
  tag_ids text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  adjustment_id text NOT NULL,
  requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  partly_unbilled_requests bigint NOT NULL,
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
  discount_nano_usd bigint NOT NULL,
  PRIMARY KEY (organization_id, month, place),
  FOREIGN KEY (organization_id, month) REFERENCES statement (organization_id, month)
);
-- Each adjustment is in one statement.
CREATE UNIQUE INDEX statement_line_adjustment ON statement_line (organization_id, adjustment_id) WHERE adjustment_id <> '';

-- Requests and cost of a statement by the month in which they started. Their sums show what arrived after a month was closed.
CREATE TABLE statement_usage (
  organization_id uuid NOT NULL,
  month date NOT NULL,
  for_month date NOT NULL,
  requests bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  PRIMARY KEY (organization_id, month, for_month),
  FOREIGN KEY (organization_id, month) REFERENCES statement (organization_id, month)
);

-- Names as of the closing.
CREATE TABLE statement_name (
  organization_id uuid NOT NULL,
  month date NOT NULL,
  kind text NOT NULL CHECK (kind IN ('workspace', 'api_key', 'member', 'group')),
  id text NOT NULL,
  name text NOT NULL,
  detail text NOT NULL DEFAULT '',
  PRIMARY KEY (organization_id, month, kind, id),
  FOREIGN KEY (organization_id, month) REFERENCES statement (organization_id, month)
);

-- Discounts of a contract. Statements alone apply them. '' is every model, other texts begin the names of models.
CREATE TABLE contract_term (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  from_month date NOT NULL CHECK (extract(day FROM from_month) = 1),
  model_family text NOT NULL,
  discount_ppm bigint NOT NULL CHECK (discount_ppm BETWEEN -9000000 AND 1000000),
  created_at timestamptz NOT NULL,
  CONSTRAINT contract_term_once UNIQUE (organization_id, model_family, from_month)
);

-- Name of the tag whose values are cost centres. Null: the organization has not chosen one.
ALTER TABLE organization ADD COLUMN cost_center_tag text;
