-- One message for each receiver and evaluation.

-- The firing of a higher threshold that the same evaluation crossed: its messages stand for this one. Null: none does.
ALTER TABLE alert_firing ADD COLUMN covered_by_id text REFERENCES alert_firing (id);
CREATE INDEX alert_firing_covered_by ON alert_firing (covered_by_id) WHERE covered_by_id IS NOT NULL;

-- Messages of one evaluation share a batch: a person who would get several of them by mail gets one.
ALTER TABLE alert_delivery ADD COLUMN batch_id text;
CREATE INDEX alert_delivery_by_batch ON alert_delivery (batch_id) WHERE batch_id IS NOT NULL;

-- Firings that a message lists besides its first one, which is alert_delivery.alert_firing_id.
CREATE TABLE alert_delivery_firing (
  alert_delivery_id text NOT NULL REFERENCES alert_delivery (id) ON DELETE CASCADE,
  alert_firing_id text NOT NULL REFERENCES alert_firing (id),
  PRIMARY KEY (alert_delivery_id, alert_firing_id)
);
CREATE INDEX alert_delivery_firing_by_firing ON alert_delivery_firing (alert_firing_id);
