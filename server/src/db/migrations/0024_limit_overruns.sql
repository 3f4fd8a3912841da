-- Spend beyond strict limits, and who may release the budget of a silent node.

-- Spend settled beyond the strict limit in force. Part of settled spend.
ALTER TABLE balance ADD COLUMN limit_overrun_nano_usd bigint NOT NULL DEFAULT 0;
-- Settled spend up to this amount was compared with the limit that had this revision.
ALTER TABLE balance ADD COLUMN limit_compared_nano_usd bigint NOT NULL DEFAULT 0;
ALTER TABLE balance ADD COLUMN limit_revision bigint NOT NULL DEFAULT 0;

-- Nodes of version 0.1 delete every old unresolved row. A row without a single request is the budget of a node whose
-- journal may come back, so it is only deleted by a transaction that says that it may.
CREATE FUNCTION lease_keep_budget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('bursar.may_release_budget', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER lease_keep_budget BEFORE DELETE ON lease FOR EACH ROW
  WHEN (OLD.unresolved_since IS NOT NULL AND OLD.amount_nano_usd > 0
    AND (OLD.request_id = '' OR OLD.request_id LIKE 'epoch:%'))
  EXECUTE FUNCTION lease_keep_budget();
