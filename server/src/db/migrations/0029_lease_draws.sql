-- A lease has two numbers that only grow: the budget that messages of its node were granted, and the spend of ended
-- requests that folds drew from it. `lease.amount_nano_usd` stays what is left of it.

-- Limits whose draws folds count. A limit that returns after its row was deleted gets another id.
CREATE TABLE counted_limit (
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (scope_type, scope_id, period)
);
INSERT INTO counted_limit (scope_type, scope_id, period)
SELECT scope_type, scope_id, period FROM spend_limit WHERE enforcement = 'strict'
UNION SELECT scope_type, scope_id, period FROM lease WHERE request_id = '';

-- Written by folds, and under the fold's lock.
CREATE TABLE lease_draw (
  node_id text NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  period_start date NOT NULL,
  drawn_nano_usd bigint NOT NULL CHECK (drawn_nano_usd >= 0),
  PRIMARY KEY (node_id, scope_type, scope_id, period, period_start)
) WITH (fillfactor = 80);
