-- Tags of workspaces and API keys, such as a cost centre. A request has those of its workspace, replaced by name by those of
-- its key. An empty value, which only workspaces have, is no tag.

CREATE TABLE tag (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  name text NOT NULL,
  value text NOT NULL CHECK (value <> ''),
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  UNIQUE (organization_id, name, value)
);

-- A hash, so that a tag has the same id again after a failover that lost its row.
CREATE FUNCTION tag_id(organization_id uuid, name text, value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'tag_' || left(encode(sha256(convert_to(organization_id || ' ' || length(name) || ' ' || name || value, 'UTF8')),
  'hex'), 24);

CREATE INDEX tag_by_time ON tag (organization_id, created_at, id);

-- `tag_ranks` has the rank that set each tag, by name. Absent: a Workspace Admin, as in version 0.1.
ALTER TABLE workspace ADD COLUMN tag_ranks jsonb NOT NULL DEFAULT '{}';
ALTER TABLE api_key ADD COLUMN tags jsonb NOT NULL DEFAULT '{}', ADD COLUMN tag_ranks jsonb NOT NULL DEFAULT '{}';

-- Version 0.1 sets tags of workspaces too, so a trigger creates the rows.
CREATE FUNCTION create_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tag (id, organization_id, name, value)
  SELECT tag_id(NEW.organization_id, set.name, set.value), NEW.organization_id, set.name, set.value
  FROM jsonb_each_text(NEW.tags) AS set (name, value) WHERE set.value <> '' ORDER BY 1
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
CREATE TRIGGER workspace_insert_tags AFTER INSERT ON workspace FOR EACH ROW
  WHEN (NEW.tags <> '{}') EXECUTE FUNCTION create_tags();
CREATE TRIGGER workspace_update_tags AFTER UPDATE OF tags ON workspace FOR EACH ROW
  WHEN (NEW.tags <> '{}' AND NEW.tags <> OLD.tags) EXECUTE FUNCTION create_tags();
CREATE TRIGGER api_key_insert_tags AFTER INSERT ON api_key FOR EACH ROW
  WHEN (NEW.tags <> '{}') EXECUTE FUNCTION create_tags();
CREATE TRIGGER api_key_update_tags AFTER UPDATE OF tags ON api_key FOR EACH ROW
  WHEN (NEW.tags <> '{}' AND NEW.tags <> OLD.tags) EXECUTE FUNCTION create_tags();

INSERT INTO tag (id, organization_id, name, value)
SELECT DISTINCT tag_id(organization_id, set.name, set.value), organization_id, set.name, set.value
FROM workspace CROSS JOIN LATERAL jsonb_each_text(tags) AS set (name, value) WHERE set.value <> '';
