-- Strict limits in force: what a limit holds for a request that has no bound of its own, and what was spent beyond holds.

-- What the limit holds for an open-ended request in place of its larger worst case; null: all of that.
ALTER TABLE spend_limit
  ADD COLUMN open_ended_hold_nano_usd bigint CHECK (open_ended_hold_nano_usd > 0);

-- Sum over the requests that were held: what each has cost beyond its hold.
ALTER TABLE balance ADD COLUMN overrun_nano_usd bigint NOT NULL DEFAULT 0;

-- What strict limits held for the request; null: none of them did.
ALTER TABLE usage_event ADD COLUMN hold_nano_usd bigint;
