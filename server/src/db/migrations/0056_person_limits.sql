-- Alerts about the spend of members, groups and tags.

ALTER TABLE alert DROP CONSTRAINT alert_scope_type_check, ADD CONSTRAINT alert_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag'));
