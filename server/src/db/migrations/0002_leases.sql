-- Strict limits: what nodes have taken from balances, what is unresolved, and which changes of limits they keep.

-- lease_op: the node's last message that was obeyed. lease_expires_at: until then it may hold without asking; null: it
-- has no lease and does not count among the living. limits_version: it keeps all changes of limits up to this one.
ALTER TABLE node
  ADD COLUMN lease_op bigint NOT NULL DEFAULT 0,
  ADD COLUMN lease_expires_at timestamptz,
  ADD COLUMN limits_version bigint NOT NULL DEFAULT -1;

-- Raised in the statement of every change of a limit and locked until it commits: who has read value N has every
-- change up to N.
CREATE TABLE limits_version (
  is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
  value bigint NOT NULL DEFAULT 0
);
INSERT INTO limits_version DEFAULT VALUES;

-- Of the change since which the limit refuses what it did not refuse before. A raise does not move it.
ALTER TABLE spend_limit ADD COLUMN version bigint NOT NULL DEFAULT 0;

-- What a node has of a balance (request_id ''), or what is unresolved of one request (its id) or of a lost piece of
-- journal ('epoch:<n>'). Where unresolved_since is set, the amount counts in balance.unresolved_nano_usd, else in
-- balance.leased_nano_usd. Written under the lock of the node's row, then of the balance's.
CREATE TABLE lease (
  node_id text NOT NULL,
  request_id text NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  period_start date NOT NULL,
  organization_id uuid NOT NULL REFERENCES organization (id),
  amount_nano_usd bigint NOT NULL CHECK (amount_nano_usd >= 0),
  unresolved_since timestamptz,
  PRIMARY KEY (node_id, request_id, scope_type, scope_id, period, period_start)
);
CREATE INDEX lease_unresolved ON lease (unresolved_since) WHERE unresolved_since IS NOT NULL;
CREATE INDEX lease_by_balance ON lease (scope_type, scope_id, period, period_start);
