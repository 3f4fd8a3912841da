-- Usage of the running hour is in usage_hour and usage_organization_minute only. An hour is closed when it is over: its rows
-- are added to the other rollups, some at a time.

-- Rows of usage_hour up to this position are in the other rollups. The order of rows is hour, organization, workspace and
-- key, texts by their bytes. An infinite hour: all rows are, because nodes of version 0.1 write every rollup at once.
CREATE TABLE rollup_progress (
  is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
  hour_at timestamptz NOT NULL,
  organization_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  workspace_id text NOT NULL DEFAULT '',
  api_key_id text NOT NULL DEFAULT ''
);
INSERT INTO rollup_progress (hour_at) VALUES ('infinity');

-- The rows of the running hour are updated by each fold. With room beside them, 80 % of the updates touch no index when a
-- fold updates every row of a page. Without, 3 % do. Pages that exist stay as they are.
ALTER TABLE usage_hour SET (fillfactor = 80);
