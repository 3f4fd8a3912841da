-- Limits of members, groups and tags.

ALTER TABLE balance DROP CONSTRAINT balance_scope_type_check, ADD CONSTRAINT balance_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag'));
ALTER TABLE spend_limit DROP CONSTRAINT spend_limit_scope_type_check, ADD CONSTRAINT spend_limit_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag'));
ALTER TABLE spend_limit_value DROP CONSTRAINT spend_limit_value_scope_type_check,
  ADD CONSTRAINT spend_limit_value_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag'));
ALTER TABLE alert_episode DROP CONSTRAINT alert_episode_scope_type_check,
  ADD CONSTRAINT alert_episode_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag'));
ALTER TABLE alert_firing DROP CONSTRAINT alert_firing_scope_type_check, ADD CONSTRAINT alert_firing_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag'));
ALTER TABLE spend_limit_increase_request DROP CONSTRAINT spend_limit_increase_request_scope_type_check,
  ADD CONSTRAINT spend_limit_increase_request_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag'));

-- Scopes of the adjusted request. An adjustment of version 0.1 has the member of its request.
ALTER TABLE spend_adjustment ADD COLUMN member_id text NOT NULL DEFAULT '',
  ADD COLUMN group_ids text NOT NULL DEFAULT '', ADD COLUMN tag_ids text NOT NULL DEFAULT '';
UPDATE spend_adjustment AS adjustment SET member_id = coalesce(request.member_id, '')
FROM recorded_request AS request
WHERE request.started_at = adjustment.started_at AND request.request_id = adjustment.request_id
  AND request.request_hash = hashtextextended(adjustment.request_id, 0);
