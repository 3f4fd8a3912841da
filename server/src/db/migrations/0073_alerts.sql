-- Minutes in which mail and Slack collect firings of an alert into one message.
ALTER TABLE alert ADD COLUMN collect_minutes integer NOT NULL DEFAULT 0 CHECK (collect_minutes BETWEEN 0 AND 60);

-- Until then, the queued message takes in later firings. Null: it does not.
ALTER TABLE alert_delivery ADD COLUMN collects_until timestamptz;
CREATE INDEX alert_delivery_collecting ON alert_delivery (alert_channel_id)
  WHERE status = 'queued' AND collects_until IS NOT NULL;
