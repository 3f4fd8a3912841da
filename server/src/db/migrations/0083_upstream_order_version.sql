-- Versions of the orders of upstreams, so that a change of a seen order does not undo another one. An order without a row has
-- version 1. The empty workspace is the default order of the organization.
CREATE TABLE upstream_order_version (
  organization_id uuid NOT NULL REFERENCES organization (id),
  workspace_id text NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  PRIMARY KEY (organization_id, workspace_id)
);
