-- Amounts that limits have chosen for requests without a bound, as of the hold of a batch. Null: none has.
ALTER TABLE message_batch ADD COLUMN open_ended_holds jsonb;
-- End of the time in which a batch waits for budget. Nodes return unused budget of its limits meanwhile.
ALTER TABLE message_batch ADD COLUMN waits_until timestamptz;
ALTER TABLE message_batch_line ADD COLUMN is_open_ended boolean NOT NULL DEFAULT false;

CREATE INDEX message_batch_waiting ON message_batch (waits_until) WHERE waits_until IS NOT NULL;
-- Batches that have not ended, which each process looks for.
CREATE INDEX message_batch_unfinished ON message_batch (state) WHERE state IN ('preparing', 'held', 'sent');
