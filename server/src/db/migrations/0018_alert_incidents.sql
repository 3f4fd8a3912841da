-- Firings that one message tells of together, and incidents that are opened and ended.

-- The firing whose messages tell of this one as well; null where it has messages of its own.
ALTER TABLE alert_firing ADD COLUMN told_with_id text REFERENCES alert_firing (id);
CREATE INDEX alert_firing_told_with ON alert_firing (told_with_id) WHERE told_with_id IS NOT NULL;

-- Since when the receiver is told that what fired is over: PagerDuty alone, where each firing opens an incident.
ALTER TABLE alert_delivery ADD COLUMN resolved_at timestamptz;
CREATE INDEX alert_delivery_unresolved ON alert_delivery (alert_channel_id) WHERE status = 'sent' AND resolved_at IS NULL;
