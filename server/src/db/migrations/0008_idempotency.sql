-- Changes that were asked for with an Idempotency-Key (or again, by an official SDK): one row for each transaction of the
-- request, written in it, so that the change and its row commit together. Rows live for ten minutes.
CREATE TABLE claimed_change (
  -- HMAC of caller, operation and key.
  claim bytea NOT NULL,
  -- Of the transactions of one request, counted from 0.
  step integer NOT NULL,
  -- HMAC of what was asked: another body under the same key is a mistake.
  fingerprint bytea NOT NULL,
  -- What the transaction gave, and the answer as it was sent (on step 0). Sealed: a secret can stand in them.
  result_sealed bytea NOT NULL,
  answer_sealed bytea,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (claim, step)
);
CREATE INDEX claimed_change_by_time ON claimed_change (created_at);
