-- Strict limits hold unknown features of a request, or refuse it. Older versions always hold, and keep the stored rule.
ALTER TABLE spend_limit ADD COLUMN unknown_features text NOT NULL DEFAULT 'hold'
  CHECK (unknown_features IN ('hold', 'refuse'));
ALTER TABLE spend_limit_value ADD COLUMN unknown_features text NOT NULL DEFAULT 'hold'
  CHECK (unknown_features IN ('hold', 'refuse'));
