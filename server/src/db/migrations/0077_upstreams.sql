-- An organization has several upstreams: other credentials, addresses and providers. Secrets stay bound to the row and its origin.
DROP INDEX upstream_one_shared;
ALTER TABLE upstream
  ADD COLUMN provider text NOT NULL DEFAULT 'anthropic'
    CONSTRAINT upstream_provider CHECK (provider IN ('anthropic', 'bedrock', 'vertex', 'foundry')),
  -- Values that a provider needs, such as a region. No secrets.
  ADD COLUMN settings jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN extra_headers_sealed bytea,
  ADD COLUMN extra_header_names text[] NOT NULL DEFAULT '{}',
  -- Address of the proxy without its user and password.
  ADD COLUMN proxy_url text,
  ADD COLUMN proxy_credential_sealed bytea,
  -- Workspace at the provider, for a credential of several workspaces.
  ADD COLUMN upstream_workspace_id text,
  -- Place in the default order. Null: only workspaces with an order of their own use the upstream.
  ADD COLUMN default_position integer CONSTRAINT upstream_default_position CHECK (default_position >= 0),
  ADD CONSTRAINT upstream_of_organization UNIQUE (organization_id, id);
UPDATE upstream SET default_position = 0;
-- A release before this one inserts no position. Its upstream is in the default order too.
ALTER TABLE upstream ALTER COLUMN default_position SET DEFAULT 0;
CREATE INDEX upstream_by_time ON upstream (organization_id, created_at, id);

-- Order of upstreams that a workspace has instead of the default one.
CREATE TABLE workspace_upstream (
  organization_id uuid NOT NULL REFERENCES organization (id),
  workspace_id text NOT NULL REFERENCES workspace (id),
  position integer NOT NULL CHECK (position >= 0),
  upstream_id text NOT NULL,
  PRIMARY KEY (workspace_id, position),
  CONSTRAINT workspace_upstream_once UNIQUE (workspace_id, upstream_id),
  FOREIGN KEY (organization_id, upstream_id) REFERENCES upstream (organization_id, id)
);
CREATE INDEX workspace_upstream_by_upstream ON workspace_upstream (upstream_id);
