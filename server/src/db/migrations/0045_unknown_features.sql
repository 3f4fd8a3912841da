-- Strict limits hold unknown features of a request, or refuse it. Older versions always hold, and keep the stored rule.
ALTER TABLE spend_limit ADD COLUMN unknown_features text NOT NULL DEFAULT 'hold'
  CHECK (unknown_features IN ('hold', 'refuse'));
ALTER TABLE spend_limit_value ADD COLUMN unknown_features text NOT NULL DEFAULT 'hold'
  CHECK (unknown_features IN ('hold', 'refuse'));

-- Reports count requests with parts that no cost includes. Nodes of version 0.1 record no such parts, and add 0.
ALTER TABLE usage_hour ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_day ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_week ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_month ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_key_day ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_key_week ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_key_month ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_member_hour ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_member_day ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_member_week ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_workspace_hour ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_workspace_day ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_organization_minute ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_organization_hour ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;
ALTER TABLE usage_organization_day ADD COLUMN partly_unbilled_requests bigint NOT NULL DEFAULT 0;

-- Batches that wait for their fold during the upgrade have none.
ALTER TABLE usage_batch ADD COLUMN partly_unbilled_requests bigint[];
UPDATE usage_batch SET partly_unbilled_requests = array_fill(0::bigint, ARRAY[row_count]);
ALTER TABLE usage_batch ALTER COLUMN partly_unbilled_requests SET NOT NULL;

CREATE INDEX usage_record_unbilled ON usage_record (started_at) WHERE has_unbilled_parts;
