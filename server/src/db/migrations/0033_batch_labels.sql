-- Batches refer to labels by id, as records do. Only the version before this one has batches with texts, and it was never
-- released: its database has to be without batches, as after a stop of its nodes.
ALTER TABLE usage_batch
  DROP COLUMN organization_id, DROP COLUMN workspace_id, DROP COLUMN api_key_id, DROP COLUMN member_id,
  DROP COLUMN model, DROP COLUMN service_tier, DROP COLUMN context_window, DROP COLUMN inference_geo,
  DROP COLUMN speed, DROP COLUMN client,
  ADD COLUMN labels_id bigint[] NOT NULL;

-- Sum of whole numbers. `sum` adds them as numeric, which takes twice the time. A sum beyond bigint is an error.
CREATE AGGREGATE sum_bigint(bigint) (SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, PARALLEL = SAFE);
