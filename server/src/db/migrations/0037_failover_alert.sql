-- An alert of its own for failovers of the database. Organizations that have their first alerts get it once.
ALTER TABLE alert DROP CONSTRAINT alert_kind_check;
ALTER TABLE alert ADD CONSTRAINT alert_kind_check CHECK (kind IN ('spend_limit', 'limit_overrun', 'forecast',
  'unusual_spend', 'key_expiring', 'key_unused', 'key_new_address', 'refused_requests', 'upstream_errors',
  'database_failover'));
ALTER TABLE organization ADD COLUMN has_failover_alert boolean NOT NULL DEFAULT false;
