-- Reason why the first upstream of the order did not get a new object or batch. Null: it did.
ALTER TABLE upstream_object ADD COLUMN failover text;
ALTER TABLE message_batch ADD COLUMN failover text;
