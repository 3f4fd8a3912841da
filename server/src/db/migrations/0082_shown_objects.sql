-- Lists of the whole organization, newest first.
CREATE INDEX upstream_object_by_organization ON upstream_object (organization_id, created_at, id);
CREATE INDEX message_batch_by_organization ON message_batch (organization_id, started_at, id);
