-- Objects that an upstream keeps for a workspace. All workspaces share the account of an upstream, so each object that a
-- workspace creates has a row here, and only that workspace can name it. The first workspace with an id keeps it.

-- upstream_id is the id of a stored upstream, 'environment' or 'simulator'. description is the object as the upstream
-- described it last. A null means that it has no
-- description yet. A row remains after its upstream is deleted, so that no other workspace gets the object.
CREATE TABLE upstream_object (
  organization_id uuid NOT NULL REFERENCES organization (id),
  workspace_id text NOT NULL,
  upstream_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('file', 'skill', 'container', 'thread', 'message_batch')),
  id text NOT NULL CHECK (length(id) BETWEEN 1 AND 128),
  api_key_id text NOT NULL,
  created_at timestamptz NOT NULL,
  -- End of the object at the upstream. Null: none.
  expires_at timestamptz,
  description jsonb,
  PRIMARY KEY (upstream_id, kind, id)
);
CREATE INDEX upstream_object_by_workspace ON upstream_object (workspace_id, kind, created_at, id);
CREATE INDEX upstream_object_by_id ON upstream_object (workspace_id, kind, id);
CREATE INDEX upstream_object_by_expiry ON upstream_object (expires_at) WHERE expires_at IS NOT NULL;
